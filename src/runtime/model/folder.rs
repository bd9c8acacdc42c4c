//! `model.safetensors`: the header is read at once, each tensor when asked for.

use super::ModelError;
use super::tensor::Values;
use half::{bf16, f16};
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Longest header that the format allows.
const LONGEST_HEADER: u64 = 100_000_000;

/// A text file.
pub(super) fn read_text(path: &Path) -> Result<String, ModelError> {
    std::fs::read_to_string(path).map_err(|e| ModelError::io(path, e))
}

/// An open file of tensors.
#[derive(Debug)]
pub(super) struct Safetensors {
    path: PathBuf,
    file: Mutex<File>,
    metadata: Metadata,
    /// Where the tensors begin.
    data_start: u64,
}

impl Safetensors {
    /// Reads and checks the header.
    pub(super) fn open(path: &Path) -> Result<Self, ModelError> {
        let io = |e| ModelError::io(path, e);
        let mut file = File::open(path).map_err(|e| {
            let index = path.with_file_name("model.safetensors.index.json");
            match e.kind() {
                std::io::ErrorKind::NotFound if index.exists() => ModelError::invalid(
                    &index,
                    "weights in several files are not supported: merge them into model.safetensors",
                ),
                _ => io(e),
            }
        })?;
        let file_len = file.metadata().map_err(io)?.len();
        let mut length = [0; 8];
        let truncated = || ModelError::invalid(path, "shorter than its header: a truncated file?");
        file.read_exact(&mut length).map_err(|_| truncated())?;
        let header_len = u64::from_le_bytes(length);
        if header_len > LONGEST_HEADER || header_len > file_len - 8 {
            return Err(truncated());
        }
        let mut header = Vec::new();
        (&mut file)
            .take(header_len)
            .read_to_end(&mut header)
            .map_err(io)?;
        // Extents are checked tensor by tensor: the library's own check wants
        // the whole file in memory.
        let metadata: Metadata = serde_json::from_slice(&header)
            .map_err(|e| ModelError::invalid(path, format!("not safetensors: {e}")))?;
        let data_start = 8 + header_len;
        let end = data_start.saturating_add(metadata.data_len() as u64);
        if end != file_len {
            return Err(ModelError::invalid(
                path,
                format!("{file_len} bytes, but its header describes {end}: a truncated file?"),
            ));
        }
        Ok(Self {
            path: path.to_owned(),
            file: Mutex::new(file),
            metadata,
            data_start,
        })
    }

    /// Checks that a tensor is there, has this shape and a type we read.
    pub(super) fn check(&self, name: &str, shape: &[usize]) -> Result<(), ModelError> {
        let info = self.info(name)?;
        if info.shape != shape {
            return Err(self.invalid(format!(
                "{name} has the shape {:?}, but config.json asks for {shape:?}",
                info.shape
            )));
        }
        let element = match info.dtype {
            Dtype::F32 => 4,
            Dtype::F16 | Dtype::BF16 => 2,
            other => {
                let message = format!("{name} is {other:?}: only F32, F16 and BF16 are read");
                return Err(self.invalid(message));
            }
        };
        let (from, to) = info.data_offsets;
        let len = shape.iter().product::<usize>() * element;
        if to > self.metadata.data_len() || to.checked_sub(from) != Some(len) {
            return Err(self.invalid(format!("{name} lies at {from}..{to}, but has {len} bytes")));
        }
        Ok(())
    }

    /// The values of a checked tensor; f16 becomes `f32`.
    pub(super) fn read(&self, name: &str) -> Result<Values, ModelError> {
        let info = self.info(name)?;
        let (from, to) = info.data_offsets;
        let mut bytes = vec![0; to - from];
        {
            let mut file = self.file.lock().expect("no panic while reading");
            file.seek(SeekFrom::Start(self.data_start + from as u64))
                .and_then(|_| file.read_exact(&mut bytes))
                .map_err(|e| ModelError::io(&self.path, e))?;
        }
        let halves = || bytes.as_chunks().0.iter().map(|&b| u16::from_le_bytes(b));
        Ok(match info.dtype {
            Dtype::BF16 => Values::Bf16(halves().map(bf16::from_bits).collect()),
            Dtype::F16 => Values::F32(halves().map(|b| f16::from_bits(b).to_f32()).collect()),
            _ => {
                let words = bytes.as_chunks().0.iter();
                Values::F32(words.map(|&b| f32::from_le_bytes(b)).collect())
            }
        })
    }

    fn info(&self, name: &str) -> Result<&TensorInfo, ModelError> {
        self.metadata
            .info(name)
            .ok_or_else(|| self.invalid(format!("no tensor {name}")))
    }

    fn invalid(&self, message: String) -> ModelError {
        ModelError::invalid(&self.path, message)
    }
}
