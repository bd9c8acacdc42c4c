//! `cargo evenhand completions` and `cargo evenhand man`.

use super::{Cargo, Failure};
use clap::CommandFactory;
use std::path::PathBuf;

/// Arguments of `cargo evenhand completions`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The shell
    shell: clap_complete::Shell,
}

/// Arguments of `cargo evenhand man`.
#[derive(Debug, clap::Args)]
pub(super) struct ManArguments {
    /// The folder; made if it does not exist
    #[arg(long, default_value = "man")]
    out: PathBuf,
}

/// Prints completions on standard output.
pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    clap_complete::generate(
        arguments.shell,
        &mut Cargo::command(),
        "cargo-evenhand",
        &mut std::io::stdout(),
    );
    Ok(0)
}

/// Writes one page per subcommand.
pub(super) fn man(arguments: &ManArguments) -> Result<u8, Failure> {
    let fail = |e: std::io::Error| Failure::internal(format!("{}: {e}", arguments.out.display()));
    std::fs::create_dir_all(&arguments.out).map_err(fail)?;
    clap_mangen::generate_to(Cargo::command(), &arguments.out).map_err(fail)?;
    Ok(0)
}
