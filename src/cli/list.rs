//! `cargo evenhand list`.

use super::Failure;

/// Arguments of `cargo evenhand list`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}

/// List the experiments of this workspace.
pub(super) fn run(_: &Arguments) -> Result<u8, Failure> {
    Err(Failure::internal("not here yet"))
}
