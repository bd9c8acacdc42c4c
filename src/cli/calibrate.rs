//! `cargo evenhand calibrate`.

use super::Failure;

/// Arguments of `cargo evenhand calibrate`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}

/// Measure this machine's own false-claim rate: every arm against itself.
pub(super) fn run(_: &Arguments) -> Result<u8, Failure> {
    Err(Failure::internal("not here yet"))
}
