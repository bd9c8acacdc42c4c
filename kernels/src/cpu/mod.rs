//! Kernels on the host processor: one thread, safe Rust, no intrinsics.
//!
//! Wide variants keep independent accumulators in arrays ("lanes") because the
//! compiler may not reorder floating-point sums by itself; with lanes it emits
//! SIMD for whatever the build target offers.

pub mod add_rms_norm;
pub mod attention;
pub mod convert;
pub mod ffn;
mod lanes;
pub mod matvec;
pub mod rms_norm;
pub mod row_wise;
pub mod softmax;
pub mod top_k;
pub mod uncertainty;
