//! `cargo evenhand show`.

use super::Failure;
use super::measure::{OutputFormat, print};
use super::records::RecordArgument;
use crate::protocol::exit;
use crate::report::{View, detail, detail_json};
use evenhand_harness::claim::ExperimentJudgement;

const EXAMPLES: &str = "\
Everything is computed again from the observations in the record. With an experiment: its workers'
differences against zero and the margins, the control against itself beside them, every number of
the estimate, every reason with what to do about it, and the slots in the order they ran.

Examples:
  cargo evenhand show                           the latest record
  cargo evenhand show latest softmax            experiments whose id contains `softmax`
  cargo evenhand show record.json rms --ascii   plots in seven bits
  cargo evenhand show latest softmax --format json";

/// Arguments of `cargo evenhand show`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    record: RecordArgument,
    /// Show experiments whose id contains this text in detail
    #[arg(value_name = "EXPERIMENT")]
    experiment: Option<String>,
    /// How results are printed
    #[arg(long, value_enum, default_value = "human")]
    format: OutputFormat,
    /// Plots without box-drawing characters
    #[arg(long)]
    ascii: bool,
    /// Every reason, also the notes
    #[arg(short, long)]
    verbose: bool,
}

/// Show a record: its claims, or one experiment in detail.
pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let record = arguments.record.load()?;
    let Some(wanted) = &arguments.experiment else {
        let view = View {
            target: None,
            verbose: arguments.verbose,
        };
        print(&record, arguments.format, view);
        return Ok(exit::OK);
    };
    let all = &record.judgement.experiments;
    let chosen: Vec<&ExperimentJudgement> = all.iter().filter(|e| e.id.contains(wanted)).collect();
    if chosen.is_empty() {
        let ids: Vec<&str> = all.iter().map(|e| e.id.as_str()).collect();
        return Err(Failure::new(
            exit::NOTHING_SELECTED,
            format!(
                "no experiment of session {} contains `{wanted}`; it has {}",
                record.plan.session,
                ids.join(", ")
            ),
        ));
    }
    match arguments.format {
        OutputFormat::Json => anstream::println!("{}", detail_json::render(&record, &chosen)),
        OutputFormat::Human => {
            let texts: Vec<String> = chosen
                .iter()
                .map(|judged| detail::render(&record, judged, arguments.ascii))
                .collect();
            anstream::print!("{}", texts.join("\n"));
        }
    }
    Ok(exit::OK)
}
