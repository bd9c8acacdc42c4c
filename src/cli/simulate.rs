//! `cargo evenhand simulate`.

use super::Failure;

/// Arguments of `cargo evenhand simulate`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}

/// Simulate the rules' false-claim rates, coverage and power.
pub(super) fn run(_: &Arguments) -> Result<u8, Failure> {
    Err(Failure::internal("not here yet"))
}
