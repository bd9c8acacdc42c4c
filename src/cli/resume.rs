//! `cargo evenhand resume`.

use super::Failure;

/// Arguments of `cargo evenhand resume`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}

/// Finish an interrupted session under its plan.
pub(super) fn run(_: &Arguments) -> Result<u8, Failure> {
    Err(Failure::internal("not here yet"))
}
