//! `cargo evenhand show`.

use super::Failure;

/// Arguments of `cargo evenhand show`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}

/// Show a record: its claims, or one experiment in detail.
pub(super) fn run(_: &Arguments) -> Result<u8, Failure> {
    Err(Failure::internal("not here yet"))
}
