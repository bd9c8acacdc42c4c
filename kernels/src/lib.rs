//! Real compute kernels of inference runtimes, in variants worth comparing.
//!
//! Every variant does the same work, is written the way one would ship it,
//! and agrees with an `f64` reference within a stated [`Tolerance`].
//!
//! | module | kernel | variants |
//! |---|---|---|
//! | [`cpu::softmax`] | softmax of every row | three-pass, three-pass in lanes, online, online in blocks |
//! | [`cpu::rms_norm`] | RMSNorm of every row | scalar, lanes |
//! | [`cpu::convert`] | bf16 to f32 and back | per element, branch-free, shift |
//! | [`cpu::matvec`] | matrix-vector product of decode, f32 or bf16 weights | row-wise, blocked |
//! | [`cpu::top_k`] | top-k selection and sampling | full sort, selection, bounded heap |
//! | [`cpu::linear`] | linear layer of one or many tokens, f32 or bf16 weights | scalar, AVX2, AVX-512 |
//! | [`cpu::attention`] | causal attention over a key-value cache, grouped queries | as above |
//! | [`cpu::rope`], [`cpu::swiglu`] | rotary embedding; gated activation | one each |
//!
//! A kernel to compare is a struct that owns a seeded input and an output buffer, so that
//! a bench target constructs it once and calls one variant per iteration:
//!
//! ```
//! use evenhand_kernels::RowSoftmax;
//!
//! let mut softmax = RowSoftmax::new(4, 255, 7);
//! softmax.online();
//! softmax.tolerance().check(softmax.output(), &softmax.reference()).unwrap();
//! ```
//!
//! The input is never written to. [`inputs`] draws it, [`mod@reference`] holds
//! the `f64` versions, and every module also offers its variants as functions
//! on slices.
//!
//! `bytes_moved` and `flops` describe the task, not the variant: the traffic
//! and arithmetic that no implementation can avoid. Both arms of an experiment
//! therefore share them.

pub mod cpu;
pub mod inputs;
pub mod reference;
mod tolerance;

pub use cpu::Isa;
pub use cpu::convert::{Bf16ToF32, F32ToBf16};
pub use cpu::matvec::{MatVec, Weight};
pub use cpu::rms_norm::RmsNorm;
pub use cpu::softmax::RowSoftmax;
pub use cpu::top_k::{TokenLogit, TopKSampling};
pub use half::bf16;
pub use tolerance::{Mismatch, Tolerance};
