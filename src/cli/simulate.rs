//! `cargo evenhand simulate`.

use super::Failure;
use crate::protocol::exit;
use crate::simulate::bounds::{self, Breach};
use crate::simulate::runner::{self, Cell, Effort};
use crate::simulate::tally::Rate;
use crate::simulate::{suite, tables};
use serde::Serialize;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// Arguments of `cargo evenhand simulate`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Everything is drawn from the seed: the same command gives the same numbers on
any number of threads. Exit code 1 when a bound does not hold.

Examples:
  cargo evenhand simulate --replications 200
  cargo evenhand simulate --scenario drift --scenario 'slots: normal'
  cargo evenhand simulate --format md --out docs/src/simulation.md")]
pub(super) struct Arguments {
    /// Replications of a cell; expensive cells get fewer
    #[arg(long, default_value_t = 1000, value_name = "N",
          value_parser = clap::value_parser!(u64).range(1..))]
    replications: u64,
    /// Only cells whose table or row contains this text; may be repeated
    #[arg(long, value_name = "TEXT")]
    scenario: Vec<String>,
    /// Only cells with this number of units; may be repeated
    #[arg(long, value_name = "N")]
    units: Vec<u32>,
    /// Root of all random draws
    #[arg(long, default_value_t = 1, value_name = "SEED")]
    seed: u64,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// How to print the tables
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    /// Tables for a terminal
    Human,
    /// Every count with its Monte-Carlo error
    Json,
    /// Tables in Markdown
    Md,
}

/// Simulate the rules' false-claim rates, coverage and power.
pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let mut studies = suite::all();
    studies.retain(|s| {
        let place = format!("{:?}: {}", s.table, s.row).to_lowercase();
        let wanted = |text: &String| place.contains(&text.to_lowercase());
        (arguments.scenario.is_empty() || arguments.scenario.iter().any(wanted))
            && (arguments.units.is_empty() || arguments.units.contains(&s.n))
    });
    if studies.is_empty() {
        return Err(Failure::new(
            exit::NOTHING_SELECTED,
            "no cell has this text in its table or row; run without --scenario to see all names",
        ));
    }
    let threads = arguments
        .threads
        .or_else(|| std::thread::available_parallelism().ok().map(Into::into));
    let effort = Effort {
        replications: arguments.replications,
        threads: threads.unwrap_or(1),
        seed: arguments.seed,
    };
    let progress = Progress::default();
    let cells = runner::run(&studies, effort, &|share| progress.show(share));
    progress.clear();

    let breaches = bounds::check(&cells).err().unwrap_or_default();
    let text = match arguments.format {
        Format::Human => tables::human(&cells, effort, &verdict(&breaches)),
        Format::Md => tables::markdown(&cells, effort, &command(arguments), &verdict(&breaches)),
        Format::Json => json(&cells, effort, &breaches)?,
    };
    match &arguments.out {
        Some(path) => std::fs::write(path, text)
            .map_err(|e| Failure::internal(format!("{}: {e}", path.display())))?,
        None => anstream::print!("{text}"),
    }
    if breaches.is_empty() {
        Ok(exit::OK)
    } else {
        Err(Failure::internal(verdict(&breaches)))
    }
}

/// The command that makes the same page.
fn command(arguments: &Arguments) -> String {
    let mut text = format!(
        "cargo evenhand simulate --replications {} --seed {} --format md",
        arguments.replications, arguments.seed
    );
    for scenario in &arguments.scenario {
        text += &format!(" --scenario '{scenario}'");
    }
    for units in &arguments.units {
        text += &format!(" --units {units}");
    }
    text
}

fn verdict(breaches: &[Breach]) -> String {
    if breaches.is_empty() {
        return "All bounds hold.".to_owned();
    }
    let lines: Vec<String> = breaches.iter().map(|b| format!("- {b}")).collect();
    format!("Bounds that do not hold:\n\n{}", lines.join("\n"))
}

fn json(cells: &[Cell], effort: Effort, breaches: &[Breach]) -> Result<String, Failure> {
    #[derive(Serialize)]
    struct Document<'a> {
        schema: &'static str,
        seed: u64,
        replications: u64,
        cells: Vec<Entry<'a>>,
        breaches: Vec<String>,
    }
    #[derive(Serialize)]
    struct Entry<'a> {
        #[serde(flatten)]
        cell: &'a Cell,
        rates: Vec<Option<Rate>>,
    }
    let entry = |cell| Entry {
        cell,
        rates: cell.tally.rates(),
    };
    let cells = cells.iter().map(entry).collect();
    let document = Document {
        schema: "evenhand.simulation/1.0",
        seed: effort.seed,
        replications: effort.replications,
        cells,
        breaches: breaches.iter().map(Breach::to_string).collect(),
    };
    let text = serde_json::to_string_pretty(&document);
    text.map(|text| text + "\n")
        .map_err(|e| Failure::internal(e.to_string()))
}

/// A bar on terminals, a line per tenth elsewhere.
#[derive(Default)]
struct Progress {
    shown: AtomicU32,
}

impl Progress {
    fn show(&self, share: f64) {
        let percent = (100.0 * share) as u32;
        let before = self.shown.fetch_max(percent, Ordering::Relaxed);
        let terminal = std::io::stderr().is_terminal();
        if terminal && percent > before {
            let done = (percent / 4) as usize;
            eprint!("\r\x1b[2K[{:<25}] {percent:3} %", "#".repeat(done));
            let _ = std::io::stderr().flush();
        } else if percent / 10 > before / 10 {
            eprintln!("{percent:3} %");
        }
    }

    fn clear(&self) {
        if std::io::stderr().is_terminal() {
            eprint!("\r\x1b[2K");
            let _ = std::io::stderr().flush();
        }
    }
}
