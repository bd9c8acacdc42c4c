//! Tasks of `evenhand-kernels` as experiments, on a GPU or on the host
//! processor.
//!
//! ```no_run
//! use evenhand::device::TaskSuite;
//! use evenhand::prelude::*;
//! use evenhand_kernels::tasks;
//!
//! fn rms_norm(suite: &mut Suite) {
//!     suite
//!         .task("rms_norm/f32/64x4096", |seed| tasks::rms_norm(64, 4096, seed))
//!         .margin(percent(1.0));
//! }
//!
//! evenhand::main!(rms_norm);
//! ```
//!
//! The same bench target measures an NVIDIA GPU where there is one and the
//! Rust counterparts of the kernels elsewhere; `--device cpu|cuda|auto` chooses,
//! and `--flush write|read|rotate|none` says how caches are made cold there.
//! The device's label stands beside every number, so that a `cpu` time is never
//! taken for another one.

#[cfg(any(feature = "cuda", feature = "runtime"))]
mod arm;
#[cfg(any(feature = "cuda", feature = "runtime"))]
mod cache;
mod choice;
#[cfg(any(feature = "cuda", feature = "runtime"))]
mod experiment;
mod flush;
#[cfg(any(feature = "cuda", feature = "runtime"))]
mod inspect;
#[cfg(any(feature = "cuda", feature = "runtime"))]
mod opened;

#[cfg(feature = "criterion")]
mod criterion;

#[cfg(any(feature = "cuda", feature = "runtime"))]
pub use arm::{TaskArm, TaskBencher};
pub(crate) use choice::ask_for;
pub use choice::{VARIABLE, asked};
#[cfg(feature = "criterion")]
pub use criterion::{DeviceTime, device_routine};
#[cfg(any(feature = "cuda", feature = "runtime"))]
pub use experiment::{TaskSuite, further_metrics};
pub(crate) use flush::ask_for_flush;
#[cfg(feature = "cli")]
pub(crate) use flush::check_flush;
pub use flush::{FLUSH_VARIABLE, asked_flush};
#[cfg(any(feature = "cuda", feature = "runtime"))]
pub use inspect::{Inspection, inspect};
#[cfg(any(feature = "cuda", feature = "runtime"))]
pub use opened::{Expected, chosen, expected};
