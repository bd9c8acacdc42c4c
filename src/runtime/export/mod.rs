//! The same model for other engines: a Hugging Face folder and a GGUF file.

mod gguf;
mod hugging_face;
mod safetensors;

use super::model::{Model, ModelError, Slice, WeightType};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// How weights are stored in `model.gguf`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum GgufType {
    /// Single precision.
    F32,
    /// Half precision: loses bits of both `f32` and bf16 weights.
    F16,
    /// bf16.
    Bf16,
}

impl From<WeightType> for GgufType {
    /// Without rounding.
    fn from(weights: WeightType) -> Self {
        match weights {
            WeightType::F32 => Self::F32,
            WeightType::Bf16 => Self::Bf16,
        }
    }
}

/// Writes `config.json`, `generation_config.json`, `tokenizer.json`,
/// `tokenizer_config.json`, `chat_template.jinja`, `model.safetensors` and
/// `model.gguf`, the weights as the model has them. The folder is made.
///
/// # Errors
/// A file that cannot be written, or a lazy tensor that cannot be read.
pub fn write(dir: &Path, model: &Model) -> Result<(), ModelError> {
    write_with(dir, model, model.options().weights.into())
}

/// [`write()`], with another type of weights in `model.gguf`.
///
/// # Errors
/// As [`write()`].
pub fn write_with(dir: &Path, model: &Model, gguf: GgufType) -> Result<(), ModelError> {
    std::fs::create_dir_all(dir).map_err(|e| ModelError::io(dir, e))?;
    hugging_face::write(dir, model)?;
    safetensors::write(&dir.join("model.safetensors"), model)?;
    gguf::write(&dir.join("model.gguf"), model, gguf)
}

/// Writes only the JSON files and the chat template: enough for a tokenizer.
///
/// # Errors
/// A file that cannot be written.
pub fn write_tokenizer(dir: &Path, model: &Model) -> Result<(), ModelError> {
    std::fs::create_dir_all(dir).map_err(|e| ModelError::io(dir, e))?;
    hugging_face::write(dir, model)
}

/// Writes a file through a buffer, and names it in errors.
fn write_file(
    path: &Path,
    content: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<(), ModelError> {
    let written = File::create(path).and_then(|file| {
        let mut out = BufWriter::with_capacity(1 << 20, file);
        content(&mut out)?;
        out.flush()
    });
    written.map_err(|e| ModelError::io(path, e))
}

/// The values of some elements as `f32`, whatever they are stored in.
fn widened(values: Slice<'_>) -> Vec<f32> {
    match values {
        Slice::F32(values) => values.to_vec(),
        Slice::Bf16(values) => values.iter().map(|v| v.to_f32()).collect(),
    }
}
