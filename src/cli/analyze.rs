//! `cargo evenhand analyze`: the rules of a session, for pairs that something
//! else measured.

mod batch;
mod described;
mod document;
mod options;
mod text;

use super::Failure;
use crate::interop::pairs::{self, Document, ReadError};
use crate::protocol::exit;
use document::{ANALYSIS_SCHEMA, Analysis};
use std::io::{Read, Write};
use std::path::PathBuf;

/// Arguments of `cargo evenhand analyze`.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(super) struct Arguments {
    /// CSV or JSON with pairs, or `-` for standard input
    file: PathBuf,
    #[command(flatten)]
    declared: options::Declarations,
    #[command(flatten)]
    reading: options::Reading,
    /// How to print the result
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
    /// One JSON document per line; prints one result per line
    #[arg(long)]
    batch: bool,
    /// Describe the runs of every arm, without any comparison or claim
    #[arg(long)]
    describe: bool,
    /// Print every reason, also the notes
    #[arg(long, short)]
    verbose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Human,
    Json,
}

const HELP: &str = "\
A CSV file has one value per row:

  unit,arm,value,order
  1,base,12.41,1
  1,fast,11.90,2

with the columns unit, arm, value, and if known: order (position or time of the
measurement), experiment, metric, profile, block, repeat, state (measured,
derived, simulated, missing, not_applicable, failed), and what both arms must
have in common: iterations, work, definition, environment, tokens, cache,
output, contract, fallback, split. Or it has one unit per row (`--control base
--candidate fast`), with a column `first` that names the arm that ran first.
A 2x2 design has the columns factor1 and factor2 (off or on), and values per unit
or the counts passed and trials. JSON is a list of the same objects, or a document of schema evenhand.pairs/1.0
or evenhand.summary/1.0.

What nobody declares lowers the class, and the output says so. An empty cell is
a missing value; zero is a measurement.

Examples:
  cargo evenhand analyze pairs.csv --control base --direction lower
  cargo evenhand analyze pairs.csv --control base --direction lower --margin 1% \\
      --unit worker --order-randomised --stop-rule fixed:12 --metric-unit ms
  cargo evenhand analyze requests.csv --control base --direction lower --quantile p99
  cargo evenhand analyze cells.csv --direction higher --factor cache --factor batching
  cargo evenhand analyze runs.csv --describe";

/// Name and schema of the result.
pub(super) fn schema() -> (&'static str, schemars::Schema) {
    (ANALYSIS_SCHEMA, schemars::schema_for!(Analysis))
}

/// Claim-safe statistics for pairs measured by anything else.
pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let (name, bytes) = load(&arguments.file)?;
    let declared = arguments.declared.declared().map_err(Failure::usage)?;
    if arguments.batch {
        return batch::run(&name, &bytes, &declared, arguments.describe);
    }
    let located = |e: ReadError| Failure::usage(format!("{name}: {e}"));
    let document = read(&arguments.reading, &name, &bytes, &declared).map_err(located)?;
    let analyse = if arguments.describe {
        Analysis::described
    } else {
        Analysis::of
    };
    let analysis = analyse(document, &declared, &name, &bytes).map_err(located)?;
    let printed = match arguments.format {
        Format::Human => {
            let text = text::render(&analysis, arguments.verbose);
            anstream::stdout().write_all(text.as_bytes())
        }
        Format::Json => writeln!(std::io::stdout(), "{}", analysis.pretty()),
    };
    match printed {
        // Whoever reads may stop reading.
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::internal(format!(
            "the result can't be written: {e}"
        ))),
        _ => Ok(exit::OK),
    }
}

fn load(file: &std::path::Path) -> Result<(String, Vec<u8>), Failure> {
    if file.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin()
            .read_to_end(&mut bytes)
            .map_err(|e| Failure::usage(format!("standard input can't be read: {e}")))?;
        return Ok(("standard input".to_owned(), bytes));
    }
    let name = file.display().to_string();
    let bytes =
        std::fs::read(file).map_err(|e| Failure::usage(format!("{name} can't be read: {e}")))?;
    Ok((name, bytes))
}

fn read(
    reading: &options::Reading,
    name: &str,
    bytes: &[u8],
    declared: &pairs::Declared,
) -> Result<Document, ReadError> {
    match reading.kind(name, bytes) {
        options::Input::Json => pairs::read_json(bytes),
        options::Input::Csv => pairs::read_csv(bytes, &reading.csv(name)?, declared)
            .map(|table| Document::Pairs(Box::new(table))),
    }
}
