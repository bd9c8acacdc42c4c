//! `cargo evenhand calibrate`.

use super::Failure;
use super::calibration::{Calibration, Tally};
use super::measure::{OutputFormat, measure_targets, stopping};
use super::planning::{Size, plan_targets};
use super::records::session_root;
use super::run::selected;
use super::targets::{CargoArguments, Selection};
use crate::protocol::exit;
use crate::report::{seconds, style};
use evenhand_harness::observation::Status;
use evenhand_harness::record::Record;
use evenhand_harness::run::{
    Session, Wishes, fresh_name, read_measurements, write_atomically, write_record,
};
use std::path::{Path, PathBuf};
use std::time::Instant;

const EXAMPLES: &str = "\
Every arm is measured against itself, so every difference found is false. Each repetition is a
session of its own with a new seed; each comparison is judged as if it were the only one. What is
counted must stay below the published bounds: false `strong` at most 1 %, false `moderate` or
better at most 5 %. The command fails with exit code 6 (nothing measured here is comparable) when a
95 % Clopper-Pearson limit says that a bound is exceeded, with 7 when benchmarks fail.

Examples:
  cargo evenhand calibrate                       400 comparisons over all bench targets
  cargo evenhand calibrate --bench kernels softmax --comparisons 1000
  cargo evenhand calibrate --format json > calibration.json";

/// Arguments of `cargo evenhand calibrate`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    selection: Selection,
    /// Number of comparisons at which to end, after a whole repetition
    #[arg(long, value_name = "N", default_value = "400",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    comparisons: u32,
    /// Fresh processes per comparison
    #[arg(long, value_name = "N", default_value = "12",
          value_parser = clap::value_parser!(u32).range(6..=1000))]
    workers: u32,
    /// Comparison blocks per worker
    #[arg(long, value_name = "N", default_value = "12",
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    blocks: u32,
    /// How the result is printed
    #[arg(long, value_enum, default_value = "human")]
    format: OutputFormat,
    /// No progress
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    cargo: CargoArguments,
}

/// Measure this machine's own false-claim rate: every arm against itself.
pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let found = arguments.cargo.find_some()?;
    let targets = selected(&found, &arguments.selection)?;
    let size = Size {
        workers: Some(arguments.workers),
        blocks: Some(arguments.blocks),
        calibrate: true,
        ..Size::default()
    };
    let folder = folder(&session_root(arguments.cargo.manifest()));
    let mut tally = Tally::new(arguments.workers, arguments.blocks);
    let started = Instant::now();
    let mut status = Status::Incomplete;
    while !stopping()? {
        let session = Session::create(&folder, &Wishes::default())?;
        let planned = plan_targets(session, &targets, &arguments.selection, &size, true);
        if stopping()? {
            break;
        }
        let session = planned?;
        let (ended, measured) = measure_targets(&session, &targets, true);
        let measurements = read_measurements(&session.dir, &session.plan)?;
        let record = Record::judge(session.plan.clone(), measurements);
        write_record(&session.dir, &record)?;
        // A session that was cut short would count its fast comparisons only.
        if ended == Status::Incomplete {
            break;
        }
        measured?;
        if tally.add(&record) == 0 {
            return Err(Failure::new(
                exit::BENCHMARK_FAILED,
                format!(
                    "no arm could be measured; `cargo evenhand show {}` says why",
                    session.dir.display()
                ),
            ));
        }
        if !arguments.quiet {
            progress(&tally, arguments.comparisons, started);
        }
        if tally.comparisons() >= u64::from(arguments.comparisons) {
            status = Status::Complete;
            break;
        }
    }
    let document = tally.finish(status)?;
    let file = store(&folder, &document)?;
    match arguments.format {
        OutputFormat::Human => anstream::print!("{}", document.text()),
        OutputFormat::Json => anstream::println!("{}", document.json()),
    }
    if !arguments.quiet {
        anstream::eprintln!("calibration: {}", file.display());
    }
    Ok(match (status, document.holds) {
        (_, false) => exit::NOT_COMPARABLE,
        (Status::Incomplete, _) => exit::INTERRUPTED,
        (Status::Complete, true) => exit::OK,
    })
}

/// A folder beside the sessions, so that `latest` stays what it is.
fn folder(root: &Path) -> PathBuf {
    root.join("calibration").join(fresh_name())
}

fn store(folder: &Path, document: &Calibration) -> Result<PathBuf, Failure> {
    std::fs::create_dir_all(folder)
        .map_err(|e| Failure::internal(format!("{}: {e}", folder.display())))?;
    let file = folder.join("calibration.json");
    write_atomically(&file, (document.json() + "\n").as_bytes())?;
    Ok(file)
}

fn progress(tally: &Tally, wanted: u32, started: Instant) {
    let (strong, moderate) = tally.false_claims();
    let done = tally.comparisons();
    let left = u64::from(wanted).saturating_sub(done) as f64;
    let pace = started.elapsed().as_secs_f64() / done.max(1) as f64;
    let remaining = if left > 0.0 {
        format!(", about {} left", seconds(left * pace))
    } else {
        String::new()
    };
    anstream::eprintln!(
        "{done} of {wanted} comparisons: {strong} false strong, {moderate} false moderate or better{}",
        style::dim(&remaining)
    );
}
