//! `cargo evenhand gate`.

use super::Failure;
use super::measure::OutputFormat;
use super::records::RecordArgument;
use super::verdict::{FailOn, Finding, GateVerdict};
use crate::protocol::exit;
use crate::report::style;
use evenhand_harness::observation::Status;
use std::fmt::Write;

const EXAMPLES: &str = "\
The gate fails when a benchmark failed (7), on a `strong` regression or a `moderate` one whose
estimate is beyond the margin (3), and when a comparison was refused (6). It fails on comparisons
without a claim (5) only with --fail-on inconclusive. With several causes the first of these
decides the exit code.

Examples:
  cargo evenhand gate                             the latest record
  cargo evenhand gate --fail-on inconclusive      ignorance fails, too
  cargo evenhand gate record.json --format json > verdict.json";

/// Arguments of `cargo evenhand gate`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    record: RecordArgument,
    /// Fail on this, too
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT")]
    fail_on: Vec<FailOn>,
    /// How the verdict is printed
    #[arg(long, value_enum, default_value = "human")]
    format: OutputFormat,
}

/// Turn a record into an exit code for CI.
pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let record = arguments.record.load()?;
    let mut causes = vec![FailOn::Failed, FailOn::Regression, FailOn::NotComparable];
    for cause in &arguments.fail_on {
        if !causes.contains(cause) {
            causes.push(*cause);
        }
    }
    if record.judgement.experiments.is_empty() {
        return Err(Failure::new(
            exit::NOTHING_SELECTED,
            format!("session {} has no experiment", record.plan.session),
        ));
    }
    let verdict = GateVerdict::of(&record, &causes);
    match arguments.format {
        OutputFormat::Human => anstream::print!("{}", text(&verdict)),
        OutputFormat::Json => {
            let json = serde_json::to_string_pretty(&verdict).expect("plain data has a JSON form");
            anstream::println!("{json}");
        }
    }
    Ok(verdict.exit_code)
}

/// The verdict in words.
fn text(verdict: &GateVerdict) -> String {
    let mut out = String::new();
    let total = verdict.comparisons.len();
    let failing = verdict.comparisons.iter().filter(|e| e.fails).count();
    let _ = match verdict.verdict {
        Finding::Pass => writeln!(
            out,
            "{}: none of {total} comparisons fails",
            style::good("pass")
        ),
        finding => writeln!(
            out,
            "{}: {failing} of {total} comparisons (exit code {})",
            style::error(finding.name()),
            verdict.exit_code
        ),
    };
    for examined in verdict.comparisons.iter().filter(|e| e.fails) {
        let arm = examined
            .candidate
            .as_ref()
            .map_or(String::new(), |c| format!(" `{c}`"));
        let _ = writeln!(
            out,
            "  {}{arm}: {}\n    {}",
            examined.experiment,
            style::error(examined.finding.name()),
            examined.sentence
        );
    }
    let silent = verdict.count(Finding::Inconclusive);
    if silent > 0 && !verdict.fail_on.contains(&FailOn::Inconclusive) {
        let _ = writeln!(
            out,
            "{silent} inconclusive: nothing is known of them, neither a regression nor parity \
             (`--fail-on inconclusive` makes them fail)"
        );
    }
    if verdict.status == Status::Incomplete {
        let _ = writeln!(
            out,
            "{}: the session was stopped before its end; `cargo evenhand resume` finishes it",
            style::warning("incomplete")
        );
    }
    let _ = writeln!(
        out,
        "session {}, record {}",
        verdict.session, verdict.record_digest
    );
    out
}
