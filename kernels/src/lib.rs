//! Real compute kernels of inference runtimes, in variants worth comparing.
//!
//! Every variant does the same work, is written the way one would ship it,
//! and agrees with an `f64` reference within a stated [`Tolerance`].
//!
//! | module | kernel | variants |
//! |---|---|---|
//! | [`cpu::softmax`] | softmax of every row | three-pass, three-pass in lanes, online, online in blocks |
//! | [`cpu::rms_norm`] | RMSNorm of every row | scalar, lanes |
//! | [`cpu::add_rms_norm`] | residual addition and RMSNorm | one after the other, fused |
//! | [`cpu::convert`] | bf16 to f32 and back | per element, branch-free, shift |
//! | [`cpu::attention`] | attention of one token over a cache, f32 or bf16 | two passes, online |
//! | [`cpu::matvec`] | matrix-vector product of decode, f32 or bf16 weights | row-wise, blocked |
//! | [`cpu::ffn`] | gate and up projections of a feed-forward block | separate, batched |
//! | [`cpu::top_k`] | top-k selection and sampling | full sort, selection, bounded heap |
//! | [`cpu::uncertainty`] | log-probability and entropy over a vocabulary | two passes, online |
//! | [`cpu::linear`] | linear layer of one or many tokens, f32 or bf16 weights | scalar, AVX2, AVX-512 |
//! | [`cpu::causal_attention`] | causal attention over a key-value cache, grouped queries | as above |
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
//! [`tasks`] states the same questions for a GPU as well: a
//! [`Task`](task::Task) holds seeded buffers, the reference and the tolerance,
//! and its variants hold launches of CUDA C++ kernels (`kernels/cuda/`) beside
//! their Rust counterparts.
//!
//! ```
//! use evenhand_kernels::tasks;
//!
//! let task = tasks::softmax(4, 256, 7);
//! let online = task.variant("online").unwrap();
//! let mut buffers = task.fresh_buffers();
//! online.cpu.as_ref().unwrap().run(&mut buffers);
//! task.check(&buffers).unwrap();
//! ```
//!
//! `bytes_moved` and `flops` describe the task, not the variant: the traffic
//! and arithmetic that no implementation can avoid. Both arms of an experiment
//! therefore share them.

pub mod cpu;
pub mod cuda;
pub mod device;
pub mod inputs;
#[cfg(feature = "cuda")]
#[allow(unsafe_code)] // a C library, opened at run time
pub mod nvrtc;
pub mod reference;
pub mod task;
pub mod tasks;
mod tolerance;

pub use cpu::Isa;
pub use cpu::attention::{AttentionShape, DecodeAttention};
pub use cpu::convert::{Bf16ToF32, F32ToBf16};
pub use cpu::ffn::FfnProjections;
pub use cpu::matvec::{MatVec, Weight};
pub use cpu::rms_norm::RmsNorm;
pub use cpu::softmax::RowSoftmax;
pub use cpu::top_k::{TokenLogit, TopKSampling};
pub use half::bf16;
pub use tolerance::{Mismatch, Tolerance};
