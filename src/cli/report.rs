//! `cargo evenhand report`.

use super::Failure;
use super::records::RecordArgument;
use crate::protocol::exit;
use crate::report::{View, json, markdown};
use evenhand_harness::run::write_atomically;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  cargo evenhand report                               the latest record as Markdown
  cargo evenhand report --format json -o results.json
  cargo evenhand report record.json -o comment.md     for a pull request";

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum ReportFormat {
    /// Markdown
    Md,
    /// The results as one JSON document
    Json,
}

/// Arguments of `cargo evenhand report`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    record: RecordArgument,
    /// What is written
    #[arg(long, value_enum, default_value = "md")]
    format: ReportFormat,
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Write a record as Markdown or JSON.
pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let record = arguments.record.load()?;
    let text = match arguments.format {
        ReportFormat::Md => markdown::render(&record),
        ReportFormat::Json => json::render(&record, View::default()) + "\n",
    };
    match &arguments.output {
        Some(file) => write_atomically(file, text.as_bytes())?,
        None => anstream::print!("{text}"),
    }
    Ok(exit::OK)
}
