//! Kernels on the host processor, one thread.
//!
//! All are safe Rust without intrinsics, except [`linear`], which also has
//! tiles for AVX2 and AVX-512 behind run-time detection ([`Isa`]); [`pages`]
//! asks the system for huge pages.
//!
//! Wide variants keep independent accumulators in arrays ("lanes") because the
//! compiler may not reorder floating-point sums by itself; with lanes it emits
//! SIMD for whatever the build target offers.

pub mod add_rms_norm;
pub mod attention;
pub mod causal_attention;
pub mod convert;
pub mod ffn;
mod isa;
mod lanes;
pub mod linear;
pub mod matvec;
#[allow(unsafe_code)] // advice about memory to the system
pub mod pages;
pub mod rms_norm;
pub mod rope;
pub mod row_wise;
pub mod softmax;
pub mod swiglu;
pub mod top_k;
pub mod uncertainty;

pub use isa::Isa;
