//! Tensors that are in memory already, or know how to get there.

use super::folder::Safetensors;
use super::seeded::Seeded;
use super::{Conversion, LoadOptions, ModelError, WeightType};
use evenhand_kernels::cpu::pages::prefer_huge_pages;
use half::bf16;
use half::slice::HalfFloatSliceExt;
use std::sync::{Arc, OnceLock};

/// Where weights come from.
#[derive(Debug)]
pub(super) enum Source {
    Seeded(Seeded),
    File(Safetensors),
}

impl Source {
    /// Checks that a tensor exists with this shape, without reading it.
    fn check(&self, name: &str, shape: &[usize]) -> Result<(), ModelError> {
        match self {
            Self::Seeded(_) => Ok(()),
            Self::File(file) => file.check(name, shape),
        }
    }

    fn read(&self, name: &str, shape: &[usize]) -> Result<Values, ModelError> {
        match self {
            Self::Seeded(seeded) => Ok(Values::F32(seeded.draw(name, shape))),
            Self::File(file) => file.read(name),
        }
    }
}

/// Weights in memory, row-major.
#[derive(Debug)]
pub(in crate::runtime) enum Values {
    F32(Vec<f32>),
    Bf16(Vec<bf16>),
}

impl Values {
    fn with_room(stored: Stored, elements: usize) -> Self {
        match stored {
            Stored::Bf16 => Self::Bf16(Vec::with_capacity(elements)),
            Stored::F32 | Stored::RoundedF32 => Self::F32(Vec::with_capacity(elements)),
        }
    }

    /// Decode walks through them for every token.
    fn prefer_huge_pages(&mut self) {
        match self {
            Self::F32(values) => prefer_huge_pages(values),
            Self::Bf16(values) => prefer_huge_pages(values),
        }
    }

    fn append(&mut self, part: Self, stored: Stored) {
        match (self, part) {
            (Self::F32(all), Self::F32(mut part)) => {
                if stored == Stored::RoundedF32 {
                    for value in &mut part {
                        *value = bf16::from_f32(*value).to_f32();
                    }
                }
                append_or_take(all, part);
            }
            (Self::F32(all), Self::Bf16(part)) => append_or_take(all, part.to_f32_vec()),
            (Self::Bf16(all), Self::F32(part)) => {
                all.extend(part.into_iter().map(bf16::from_f32));
            }
            (Self::Bf16(all), Self::Bf16(part)) => append_or_take(all, part),
        }
    }
}

/// Without a copy where there is one part.
fn append_or_take<T>(all: &mut Vec<T>, mut part: Vec<T>) {
    if all.is_empty() {
        *all = part;
    } else {
        all.append(&mut part);
    }
}

/// How values lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stored {
    F32,
    /// Values of bf16, widened.
    RoundedF32,
    Bf16,
}

/// One or two tensors of the checkpoint, one above the other.
#[derive(Debug)]
pub(in crate::runtime) struct Tensor {
    source: Arc<Source>,
    names: Vec<String>,
    /// Of one part: rows and columns, or only the length.
    shape: Vec<usize>,
    stored: Stored,
    values: OnceLock<Values>,
}

/// A tensor of the checkpoint, as the model sees its weights.
pub(in crate::runtime) struct Part<'a> {
    pub(in crate::runtime) name: &'a str,
    pub(in crate::runtime) shape: &'a [usize],
    pub(in crate::runtime) values: Slice<'a>,
}

/// A part of [`Values`].
#[derive(Clone, Copy)]
pub(in crate::runtime) enum Slice<'a> {
    F32(&'a [f32]),
    Bf16(&'a [bf16]),
}

impl Tensor {
    /// `names`, each `rows` by `cols`, one above the other.
    pub(super) fn new(
        source: &Arc<Source>,
        names: &[&str],
        rows: usize,
        cols: usize,
        options: &LoadOptions,
    ) -> Result<Self, ModelError> {
        let stored = match (options.weights, options.conversion) {
            (WeightType::F32, _) => Stored::F32,
            (WeightType::Bf16, Conversion::AtLoad) => Stored::RoundedF32,
            (WeightType::Bf16, Conversion::OnTheFly) => Stored::Bf16,
        };
        Self::checked(source, names, vec![rows, cols], stored)
    }

    /// A vector; always `f32`, as it is tiny and no product reads it.
    pub(super) fn vector(source: &Arc<Source>, name: &str, len: usize) -> Result<Self, ModelError> {
        Self::checked(source, &[name], vec![len], Stored::F32)
    }

    fn checked(
        source: &Arc<Source>,
        names: &[&str],
        shape: Vec<usize>,
        stored: Stored,
    ) -> Result<Self, ModelError> {
        for name in names {
            source.check(name, &shape)?;
        }
        Ok(Self {
            source: Arc::clone(source),
            names: names.iter().map(|&name| name.to_owned()).collect(),
            shape,
            stored,
            values: OnceLock::new(),
        })
    }

    /// The values; read or drawn by the first caller.
    pub(in crate::runtime) fn get(&self) -> Result<&Values, ModelError> {
        if let Some(values) = self.values.get() {
            return Ok(values);
        }
        let mut all = Values::with_room(self.stored, 0);
        if self.names.len() > 1 {
            all = Values::with_room(self.stored, self.elements());
        }
        for name in &self.names {
            all.append(self.source.read(name, &self.shape)?, self.stored);
        }
        all.prefer_huge_pages();
        // Another thread may have been faster, with the same values.
        Ok(self.values.get_or_init(|| all))
    }

    /// The values of a vector.
    pub(in crate::runtime) fn vector_values(&self) -> Result<&[f32], ModelError> {
        match self.get()? {
            Values::F32(values) => Ok(values),
            Values::Bf16(_) => unreachable!("vectors are stored as f32"),
        }
    }

    /// Rows of all parts together.
    pub(in crate::runtime) fn rows(&self) -> usize {
        self.shape[0] * self.names.len()
    }

    /// Columns of a matrix, elements of a vector.
    pub(in crate::runtime) fn cols(&self) -> usize {
        *self.shape.last().expect("no tensor is a scalar")
    }

    pub(super) fn elements(&self) -> usize {
        self.names.len() * self.shape.iter().product::<usize>()
    }

    pub(super) fn bytes(&self) -> usize {
        self.elements()
            * match self.stored {
                Stored::F32 | Stored::RoundedF32 => size_of::<f32>(),
                Stored::Bf16 => size_of::<bf16>(),
            }
    }

    /// The tensors of the checkpoint that this one is made of.
    pub(in crate::runtime) fn parts(&self) -> Result<impl Iterator<Item = Part<'_>>, ModelError> {
        let values = self.get()?;
        let len = self.shape.iter().product::<usize>();
        Ok(self.names.iter().enumerate().map(move |(i, name)| Part {
            name,
            shape: &self.shape,
            values: match values {
                Values::F32(all) => Slice::F32(&all[i * len..][..len]),
                Values::Bf16(all) => Slice::Bf16(&all[i * len..][..len]),
            },
        }))
    }
}
