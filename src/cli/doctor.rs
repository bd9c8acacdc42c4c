//! `cargo evenhand doctor`.

use super::Failure;

/// Arguments of `cargo evenhand doctor`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}

/// Look at this machine: what disturbs timings, and what it does to a claim.
pub(super) fn run(_: &Arguments) -> Result<u8, Failure> {
    Err(Failure::internal("not here yet"))
}
