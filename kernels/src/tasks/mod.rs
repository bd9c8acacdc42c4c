//! The kernel questions of this crate, one function per family.
//!
//! Each draws seeded inputs, computes the `f64` reference and lists the
//! variants that compete.

mod rms_norm;
mod sources;

pub use rms_norm::rms_norm;
pub use sources::all as sources;

use crate::task::{Buffer, Data, Task};

/// Every family at shapes small enough for a simulator, with rows and columns
/// that are no multiples of any block among them.
#[must_use]
pub fn all_small(seed: u64) -> Vec<Task> {
    vec![
        rms_norm(1, 1, seed),
        rms_norm(3, 77, seed),
        rms_norm(2, 1000, seed),
    ]
}

/// The buffers with these indices, to be borrowed together.
///
/// # Panics
/// If an index is out of range or stands twice.
fn pick<const N: usize>(buffers: &mut [Buffer], indices: [usize; N]) -> [&mut Data; N] {
    let picked = buffers.get_disjoint_mut(indices);
    picked
        .expect("the buffers of another task")
        .map(|buffer| &mut buffer.data)
}

/// A dimension as kernels take it.
///
/// # Panics
/// If it does not fit.
fn arg(dimension: usize) -> crate::task::Arg {
    crate::task::Arg::U32(u32::try_from(dimension).expect("a dimension below 2^32"))
}
