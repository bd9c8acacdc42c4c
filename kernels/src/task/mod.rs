//! What a kernel question is, as plain data.
//!
//! A [`Task`] fixes the work: its buffers with seeded inputs, the `f64`
//! reference and the tolerance. A [`Variant`] is one way to do that work: the
//! [`Step`]s that a GPU executes, and the Rust counterpart for a machine
//! without one. Nothing here runs anything; a CUDA device, the host processor,
//! the shim of the tests and a simulator all read the same data.
//!
//! The functions in [`tasks`](crate::tasks) build tasks.

mod buffer;
mod launch;
mod source;
mod variant;

pub use buffer::{Buffer, Data, Role};
pub use launch::{Arg, HostMemory, Launch, Step};
pub use source::{Header, Source};
pub use variant::{CpuKernel, Variant};

use crate::{Mismatch, Tolerance};

/// One piece of work and the variants that compete for it.
#[derive(Clone, Debug)]
pub struct Task {
    /// Name of the kernel family, a stable id such as `softmax_bf16`.
    pub family: &'static str,
    /// Label of the shape, such as `rows=64 cols=4096`.
    pub shape: String,
    /// All memory that any variant touches. Inputs hold their values, the
    /// others are poisoned.
    pub buffers: Vec<Buffer>,
    /// Index of the buffer to verify.
    pub output: usize,
    /// The output in `f64`, computed from the inputs as stored.
    pub reference: Vec<f64>,
    /// How far a correct output may lie from the reference.
    pub tolerance: Tolerance,
    /// Bytes that no implementation can avoid to move.
    pub bytes_moved: u64,
    /// Arithmetic operations of the definition.
    pub flops: u64,
    /// The contestants, the plainest first. Names are unique.
    pub variants: Vec<Variant>,
}

impl Task {
    /// A stable name of family and shape, for experiment ids and messages.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{} {}", self.family, self.shape)
    }

    /// The variant of this name.
    #[must_use]
    pub fn variant(&self, name: &str) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.name == name)
    }

    /// Memory for one run: inputs as drawn, everything else poisoned.
    #[must_use]
    pub fn fresh_buffers(&self) -> Vec<Buffer> {
        let mut buffers = self.buffers.clone();
        Self::poison(&mut buffers);
        buffers
    }

    /// Fills every buffer that is not an input with NaN (`0xFFFF_FFFF` for
    /// integers), so that a stale output cannot pass.
    pub fn poison(buffers: &mut [Buffer]) {
        for buffer in buffers {
            if buffer.role != Role::Input {
                buffer.data.poison();
            }
        }
    }

    /// Compares the output among `buffers` with the reference.
    ///
    /// # Errors
    /// The first element outside the tolerance.
    ///
    /// # Panics
    /// If `buffers` has no buffer at [`Self::output`].
    pub fn check(&self, buffers: &[Buffer]) -> Result<(), Mismatch> {
        self.check_output(&buffers[self.output].data)
    }

    /// Compares an output, as read back from a device, with the reference.
    ///
    /// # Errors
    /// The first element outside the tolerance.
    pub fn check_output(&self, output: &Data) -> Result<(), Mismatch> {
        match output {
            Data::F32(values) => self.tolerance.check(values, &self.reference),
            Data::Bf16(values) => self.tolerance.check(values, &self.reference),
            Data::U32(values) => self.tolerance.check(values, &self.reference),
        }
    }
}
