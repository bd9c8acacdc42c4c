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
    /// Model drawn from a seed: tiny (5.2 M parameters) or small (68 M)
    #[arg(long, value_name = "NAME", default_value = "tiny")]
    preset: Preset,
    /// What its weights are drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What its weights are rounded to
    #[arg(long, value_enum, default_value_t)]
    weights: WeightType,
    /// Type of the weights in model.gguf [default: as --weights]
    #[arg(long, value_enum)]
    gguf: Option<GgufType>,
}

/// Writes the model's files and prints where and what it is.
pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let (preset, weights) = (arguments.preset, arguments.weights);
    let gguf = arguments.gguf.unwrap_or_else(|| weights.into());
    let options = LoadOptions {
        weights,
        ..LoadOptions::default()
    };
    let model = Model::preset(preset, arguments.seed, &options)
        .map_err(|e| Failure::internal(e.to_string()))?;
    export::write_with(&arguments.dir, &model, gguf).map_err(|e| {
        Failure::internal(format!(
            "{e}; the model is not written: make room there or name another folder"
        ))
    })?;
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
