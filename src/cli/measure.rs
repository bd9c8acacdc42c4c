//! Measuring the targets of a planned session, and what comes after.

use super::Failure;
use super::targets::BenchTarget;
use super::verdict::{FailOn, GateVerdict};
use crate::protocol::{Finish, Format, Progress, exit, finish};
use crate::report::{View, json, style, terminal};
use evenhand_harness::observation::Status;
use evenhand_harness::record::Record;
use evenhand_harness::run::{RunError, Session, measure, stop_flag};
use std::path::Path;
use std::sync::atomic::Ordering;

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum OutputFormat {
    /// For people
    #[default]
    Human,
    /// One JSON document
    Json,
}

/// How a run is presented.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Printing")]
pub(super) struct Presentation {
    /// How results are printed
    #[arg(long, value_enum, default_value = "human")]
    pub format: OutputFormat,
    /// No progress
    #[arg(short, long)]
    pub quiet: bool,
    /// Every reason, also the notes
    #[arg(short, long)]
    pub verbose: bool,
    /// Store criterion's files under this name as well
    #[arg(short, long, value_name = "NAME")]
    pub save_baseline: Option<String>,
    /// Exit with a code of its own also on this (see `cargo evenhand gate`)
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT")]
    pub fail_on: Vec<FailOn>,
}

/// Whether a signal asked to stop.
pub(super) fn stopping() -> Result<bool, Failure> {
    Ok(stop_flag()?.load(Ordering::Relaxed))
}

/// Measures what is still open of every target. A target that can't be
/// measured does not keep the others from it; the first error comes back.
pub(super) fn measure_targets(
    session: &Session,
    targets: &[&BenchTarget],
    quiet: bool,
) -> (Status, Result<(), RunError>) {
    let mut first_error = Ok(());
    for (index, target) in targets.iter().enumerate() {
        if !quiet && targets.len() > 1 {
            anstream::eprintln!(
                "{} {} ({} of {})",
                style::strong("measuring"),
                target.name(),
                index + 1,
                targets.len()
            );
        }
        let mut progress = Progress::new(quiet);
        let result = measure(session, target.name(), &target.launch, &mut progress);
        progress.clear();
        match result {
            Ok(Status::Complete) => {}
            Ok(Status::Incomplete) => return (Status::Incomplete, first_error),
            Err(error) => {
                anstream::eprintln!("{}: {}: {error}", style::error("error"), target.name());
                first_error = first_error.and(Err(error));
            }
        }
    }
    (Status::Complete, first_error)
}

/// Stores the record and its companions, prints the whole session, and gives
/// the exit code by cause. `targets` names what was measured, with its executable.
pub(super) fn conclude(
    session: &Session,
    targets: &[(&str, &Path)],
    presentation: &Presentation,
    (status, measured): (Status, Result<(), RunError>),
) -> Result<u8, Failure> {
    let record = finish(
        session,
        &Finish {
            targets,
            save_baseline: presentation.save_baseline.as_deref(),
            format: match presentation.format {
                OutputFormat::Human => Format::Human,
                OutputFormat::Json => Format::Json,
            },
            quiet: presentation.quiet,
            status,
            view: View {
                target: None,
                verbose: presentation.verbose,
            },
        },
    )?;
    if status == Status::Incomplete {
        return Ok(exit::INTERRUPTED);
    }
    measured?;
    Ok(code(&record, &presentation.fail_on))
}

/// A run fails by itself only when a benchmark failed.
fn code(record: &Record, fail_on: &[FailOn]) -> u8 {
    let mut causes = vec![FailOn::Failed];
    causes.extend_from_slice(fail_on);
    GateVerdict::of(record, &causes).exit_code
}

/// Prints a record's claims on standard output.
pub(super) fn print(record: &Record, format: OutputFormat, view: View<'_>) {
    match format {
        OutputFormat::Human => anstream::print!("{}", terminal::render(record, view)),
        OutputFormat::Json => anstream::println!("{}", json::render(record, view)),
    }
}
