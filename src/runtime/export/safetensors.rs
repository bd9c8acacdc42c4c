//! `model.safetensors`: a JSON header and the tensors behind it.

use super::write_file;
use crate::runtime::model::{Model, ModelError, Slice};
use half::slice::HalfFloatSliceExt;
use safetensors::tensor::{Dtype, TensorView};
use std::path::Path;

pub(super) fn write(path: &Path, model: &Model) -> Result<(), ModelError> {
    let bf16 = model.options().weights == crate::runtime::WeightType::Bf16;
    let mut tensors = Vec::new();
    for tensor in model.tensors() {
        for part in tensor.parts()? {
            let (dtype, bytes) = match part.values {
                Slice::Bf16(values) => (Dtype::BF16, le_bytes(values.reinterpret_cast())),
                // Already rounded: nothing is lost.
                Slice::F32(values) if bf16 && part.shape.len() == 2 => {
                    let rounded: Vec<_> = values.iter().map(|&v| half::bf16::from_f32(v)).collect();
                    (Dtype::BF16, le_bytes(rounded.reinterpret_cast()))
                }
                Slice::F32(values) => {
                    let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
                    (Dtype::F32, bytes)
                }
            };
            tensors.push((part.name.to_owned(), dtype, part.shape.to_vec(), bytes));
        }
    }
    let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
        let view = TensorView::new(*dtype, shape.clone(), bytes);
        (name, view.expect("as many bytes as the shape asks for"))
    });
    let metadata = [("format".to_owned(), "pt".to_owned())].into();
    let document = safetensors::serialize(views, Some(metadata))
        .map_err(|e| ModelError::invalid(path, e.to_string()))?;
    write_file(path, |out| std::io::Write::write_all(out, &document))
}

fn le_bytes(halves: &[u16]) -> Vec<u8> {
    halves.iter().flat_map(|v| v.to_le_bytes()).collect()
}
