//! `cargo evenhand schema`.

use super::Failure;

/// Arguments of `cargo evenhand schema`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}

/// Print the JSON Schema of a document.
pub(super) fn run(_: &Arguments) -> Result<u8, Failure> {
    Err(Failure::internal("not here yet"))
}
