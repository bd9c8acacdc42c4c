//! `cargo evenhand report`.

use super::Failure;

/// Arguments of `cargo evenhand report`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}

/// Write a record as Markdown or JSON.
pub(super) fn run(_: &Arguments) -> Result<u8, Failure> {
    Err(Failure::internal("not here yet"))
}
