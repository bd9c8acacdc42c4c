//! `cargo evenhand list`.

use super::Failure;
use super::measure::OutputFormat;
use super::run::selected;
use super::targets::{BenchTarget, CargoArguments, Selection};
use crate::protocol::{ExperimentDescription, exit};
use crate::report::{detail, direction, style};
use schemars::JsonSchema;
use serde::Serialize;

const EXAMPLES: &str = "\
Examples:
  cargo evenhand list
  cargo evenhand list softmax --bench kernels
  cargo evenhand list --format json";

/// Schema of [`Listing`].
pub(super) const LIST_SCHEMA: &str = "evenhand.list/1.0";

/// Arguments of `cargo evenhand list`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    selection: Selection,
    /// How the list is printed
    #[arg(long, value_enum, default_value = "human")]
    format: OutputFormat,
    #[command(flatten)]
    cargo: CargoArguments,
}

/// The bench targets and their experiments.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Listing {
    /// `evenhand.list/1.0`.
    schema: &'static str,
    /// In cargo's order.
    targets: Vec<Listed>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Listed {
    /// Name of the package.
    package: String,
    /// Name of the bench target.
    target: String,
    /// The experiments that were selected, in declaration order.
    experiments: Vec<ExperimentDescription>,
}

/// List the experiments of this workspace.
pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let found = arguments.cargo.find_some()?;
    let targets = selected(&found, &arguments.selection)?;
    let listed = |target: &&BenchTarget| Listed {
        package: target.package.clone(),
        target: target.name().to_owned(),
        experiments: target
            .description
            .experiments
            .iter()
            .filter(|e| arguments.selection.selects(&e.id))
            .cloned()
            .collect(),
    };
    let listing = Listing {
        schema: LIST_SCHEMA,
        targets: targets.iter().map(listed).collect(),
    };
    if arguments.format == OutputFormat::Json {
        let json = serde_json::to_string_pretty(&listing).expect("plain data has a JSON form");
        anstream::println!("{json}");
        return Ok(exit::OK);
    }
    for target in &listing.targets {
        anstream::println!(
            "{}  {}",
            style::strong(&target.target),
            style::dim(&format!("package {}", target.package))
        );
        for experiment in &target.experiments {
            anstream::println!("  {}", line(experiment));
        }
    }
    let count: usize = listing.targets.iter().map(|t| t.experiments.len()).sum();
    let comparisons: usize = listing
        .targets
        .iter()
        .flat_map(|t| &t.experiments)
        .map(ExperimentDescription::comparisons)
        .sum();
    anstream::println!("\n{count} experiments, {comparisons} comparisons");
    Ok(exit::OK)
}

fn line(experiment: &ExperimentDescription) -> String {
    let Some(declared) = &experiment.declared else {
        let problem = experiment.problem.as_deref().unwrap_or("unknown");
        return format!("{}: {} {problem}", experiment.id, style::error("problem:"));
    };
    let arms = match &declared.control {
        Some(control) => format!("{control} | {}", declared.arms[1..].join(", ")),
        None => declared.arms.join(", "),
    };
    format!(
        "{}: {arms}; {}, {}; margin {}{}",
        style::strong(&experiment.id),
        declared.metric.id,
        direction(declared.metric.direction),
        detail::margin(declared.margin, &declared.metric.unit),
        if declared.verified { "; verified" } else { "" }
    )
}
