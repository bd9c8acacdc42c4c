//! `cargo evenhand export-model`.

use super::Failure;
use crate::protocol::exit;
use crate::runtime::export::{self, GgufType};
use crate::runtime::{LoadOptions, Model, Preset, WeightType};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  cargo evenhand export-model target/tiny
  cargo evenhand export-model target/small --preset small --weights bf16
  llama-server -m target/tiny/model.gguf          serves the same model
  vllm serve target/tiny                          so does the folder";

/// Arguments of `cargo evenhand export-model`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The folder; made if it does not exist
    dir: PathBuf,
    /// The model
    #[arg(long, default_value = "tiny", value_enum)]
    preset: PresetName,
    /// What its weights are drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What its weights are rounded to
    #[arg(long, default_value = "f32", value_enum)]
    weights: WeightName,
    /// Type of the weights in model.gguf [default: as --weights]
    #[arg(long, value_enum)]
    gguf: Option<GgufName>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum PresetName {
    Tiny,
    Small,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum WeightName {
    F32,
    Bf16,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum GgufName {
    F32,
    F16,
    Bf16,
}

/// Writes the model's files and prints where and what it is.
pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let preset = match arguments.preset {
        PresetName::Tiny => Preset::Tiny,
        PresetName::Small => Preset::Small,
    };
    let (weights, same) = match arguments.weights {
        WeightName::F32 => (WeightType::F32, GgufType::F32),
        WeightName::Bf16 => (WeightType::Bf16, GgufType::Bf16),
    };
    let gguf = match arguments.gguf {
        None => same,
        Some(GgufName::F32) => GgufType::F32,
        Some(GgufName::F16) => GgufType::F16,
        Some(GgufName::Bf16) => GgufType::Bf16,
    };
    let options = LoadOptions {
        weights,
        ..LoadOptions::default()
    };
    let fail = |e: crate::runtime::ModelError| Failure::internal(e.to_string());
    let model = Model::preset(preset, arguments.seed, &options).map_err(fail)?;
    export::write_with(&arguments.dir, &model, gguf).map_err(fail)?;
    let description = model.describe();
    anstream::println!(
        "{}: {preset}, seed {}, {:.1} M parameters, {}",
        arguments.dir.display(),
        arguments.seed,
        description.parameters as f64 / 1e6,
        description.weights
    );
    Ok(exit::OK)
}
