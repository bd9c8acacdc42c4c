//! The `cargo evenhand` command: one module per subcommand, each a thin layer
//! over the library.

mod analyze;
mod bundle;
mod calibrate;
mod calibration;
mod completions;
mod doctor;
#[cfg(feature = "runtime")]
mod export_model;
mod failure;
mod gate;
mod import;
mod list;
#[cfg(feature = "serving")]
mod load;
mod measure;
#[cfg(feature = "serving")]
mod null_server;
mod planning;
mod records;
mod report;
mod resume;
mod run;
#[cfg(feature = "runtime")]
mod runtime_speed;
mod schema;
#[cfg(feature = "runtime")]
mod serve;
mod show;
mod simulate;
mod targets;
mod verdict;

pub use failure::Failure;

use crate::protocol::{Color, exit};
use crate::report::style;
use clap::{Parser, Subcommand};
#[cfg(feature = "serving")]
use evenhand_harness::run::WORKER_ARGUMENT;
use std::process::ExitCode;

/// How cargo calls us: `cargo-evenhand evenhand ...`.
#[derive(Debug, Parser)]
#[command(name = "cargo", bin_name = "cargo", disable_help_subcommand = true)]
enum Cargo {
    Evenhand(Evenhand),
}

/// Claim-safe A/B benchmarks: interleaved pairs, fresh processes as
/// replicates, exact tests, honest words.
#[derive(Debug, clap::Args)]
#[command(version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Evenhand {
    /// When to use colours [default: auto]
    #[arg(long, global = true, value_enum)]
    color: Option<ColorChoice>,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  cargo evenhand run --quick                 measure this workspace's bench targets
  cargo evenhand show                        the latest record again
  cargo evenhand show latest softmax         one experiment in detail
  cargo evenhand analyze pairs.csv           claims for pairs measured by anything else
  cargo evenhand gate                        exit code 3 when the latest record has a regression

Exit codes: 0 ok, 1 internal error, 2 usage, 3 regression, 4 nothing selected,
5 inconclusive (with --fail-on inconclusive), 6 not comparable, 7 benchmark failed.";

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum ColorChoice {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the experiments of this workspace
    List(list::Arguments),
    /// Measure the bench targets of this workspace and print claims
    Run(run::Arguments),
    /// Measure inference servers over the request path and print claims
    #[cfg(feature = "serving")]
    Load(Box<load::Arguments>),
    /// Finish an interrupted session under its plan
    Resume(resume::Arguments),
    /// Show a record: its claims, or one experiment in detail
    Show(show::Arguments),
    /// Claim-safe statistics for pairs measured by anything else
    Analyze(analyze::Arguments),
    /// Measure this machine's own false-claim rate: every arm against itself
    Calibrate(calibrate::Arguments),
    /// Turn a record into an exit code for CI
    Gate(gate::Arguments),
    /// Write a record as Markdown or JSON
    Report(report::Arguments),
    /// Make a folder that measures on a machine without a toolchain
    Bundle(bundle::Arguments),
    /// Take over sessions that were measured on another machine
    Import(import::Arguments),
    /// Print the JSON Schema of a document
    Schema(schema::Arguments),
    /// Look at this machine: what disturbs timings, and what it does to a claim
    Doctor(doctor::Arguments),
    /// Serve a small language model over an OpenAI-compatible API
    #[cfg(feature = "runtime")]
    Serve(Box<serve::Arguments>),
    /// Simulate the rules: false-claim rates, coverage and power
    Simulate(simulate::Arguments),
    /// Write the embedded model for other engines: Hugging Face folder and GGUF
    #[cfg(feature = "runtime")]
    ExportModel(export_model::Arguments),
    /// Serve known answers, or prove the client against them
    #[cfg(feature = "serving")]
    NullServer(null_server::Arguments),
    /// Print shell completions
    #[command(hide = true)]
    Completions(completions::Arguments),
    /// Write man pages into a folder
    #[command(hide = true)]
    Man(completions::ManArguments),
}

/// `--color`, else cargo's own setting; NO_COLOR is stronger than that.
fn color(asked: Option<ColorChoice>) -> Color {
    let variable = |name| std::env::var(name).unwrap_or_default();
    match (asked, variable("CARGO_TERM_COLOR").as_str()) {
        (Some(ColorChoice::Always), _) => Color::Always,
        (Some(ColorChoice::Never), _) | (None, "never") => Color::Never,
        (None, "always") if variable("NO_COLOR").is_empty() => Color::Always,
        _ => Color::Auto,
    }
}

/// The arguments of `load` in a command line of this executable.
#[cfg(feature = "serving")]
fn load_arguments(mut given: Vec<String>) -> Option<load::Arguments> {
    if given.get(1).is_none_or(|first| first != "evenhand") {
        given.insert(1, "evenhand".into());
    }
    match Cargo::try_parse_from(given).ok()? {
        Cargo::Evenhand(Evenhand {
            command: Command::Load(arguments),
            ..
        }) => Some(*arguments),
        Cargo::Evenhand(_) => None,
    }
}

/// The main function of `cargo-evenhand`.
pub fn main() -> ExitCode {
    #[cfg(feature = "runtime")]
    if let Some(code) = crate::runtime::child::serve_if_asked() {
        return code;
    }
    // Both `cargo evenhand run` and `cargo-evenhand run` work.
    let mut arguments: Vec<_> = std::env::args_os().collect();
    if arguments.get(1).is_none_or(|first| first != "evenhand") {
        arguments.insert(1, "evenhand".into());
    }
    #[cfg(feature = "serving")]
    if std::env::args_os()
        .nth(1)
        .is_some_and(|first| first == WORKER_ARGUMENT)
    {
        return ExitCode::from(load::worker());
    }
    let Cargo::Evenhand(evenhand) = Cargo::parse_from(arguments);
    style::apply(color(evenhand.color));
    let result = match &evenhand.command {
        Command::List(a) => list::run(a),
        Command::Run(a) => run::run(a),
        #[cfg(feature = "serving")]
        Command::Load(a) => load::run(a),
        Command::Resume(a) => resume::run(a),
        Command::Show(a) => show::run(a),
        Command::Analyze(a) => analyze::run(a),
        Command::Calibrate(a) => calibrate::run(a),
        Command::Gate(a) => gate::run(a),
        Command::Report(a) => report::run(a),
        Command::Bundle(a) => bundle::run(a),
        Command::Import(a) => import::run(a),
        Command::Schema(a) => schema::run(a),
        Command::Doctor(a) => doctor::run(a),
        #[cfg(feature = "runtime")]
        Command::Serve(a) => serve::run(a),
        Command::Simulate(a) => simulate::run(a),
        #[cfg(feature = "runtime")]
        Command::ExportModel(a) => export_model::run(a),
        #[cfg(feature = "serving")]
        Command::NullServer(a) => null_server::run(a),
        Command::Completions(a) => completions::run(a),
        Command::Man(a) => completions::man(a),
    };
    let code = result.unwrap_or_else(|failure| {
        anstream::eprintln!("{}: {failure}", style::error("error"));
        failure.code
    });
    debug_assert!(code == exit::OK || code > 0);
    ExitCode::from(code)
}
