//! `cargo evenhand run`.

use super::Failure;
use super::measure::{Presentation, conclude, measure_targets, stopping};
use super::planning::{Size, plan_targets};
use super::records::session_root;
use super::targets::{BenchTarget, CargoArguments, Selection};
use crate::protocol::exit;
use evenhand_harness::observation::Status;
use evenhand_harness::plan::{Plan, Seed, StopRule};
use evenhand_harness::run::{Session, Wishes, read_plan};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Every target is planned before the first sample, so plan.json is complete and the family of
comparisons is the whole session's. Exit codes: 0 measured, whatever the verdict (see --fail-on),
4 nothing selected, 7 a benchmark failed or gave a wrong output, 130 interrupted.

Examples:
  cargo evenhand run --quick                      a first look
  cargo evenhand run softmax --budget 2m          what fits into two minutes
  cargo evenhand run --bench kernels --format json > results.json
  cargo evenhand run --fail-on regression         exit code 3 on a regression
  cargo evenhand run --plan baselines/plan.json   a stored plan again
  cargo evenhand run -- --jobs 2                  more arguments for cargo";

/// Arguments of `cargo evenhand run`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    size: Size,
    /// Seed of all random draws; drawn from the system when there is none
    #[arg(long, value_name = "SEED", conflicts_with = "plan")]
    seed: Option<Seed>,
    /// When to stop: fixed, precision:0.5%, looks:12,24,36 or e-process
    #[arg(long, value_name = "RULE", conflicts_with = "plan")]
    stop: Option<StopRule>,
    /// Run a stored plan again; counted and printed as a further attempt
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["quick", "workers", "blocks", "budget", "measurement_time", "filters", "skip"]
    )]
    plan: Option<PathBuf>,
    #[command(flatten)]
    presentation: Presentation,
    #[command(flatten)]
    cargo: CargoArguments,
}

/// Measure the bench targets of this workspace and print claims.
pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let stored = arguments.plan.as_deref().map(read_plan).transpose()?;
    #[cfg(feature = "serving")]
    if let Some(plan) = &stored
        && let Some(from) = super::load::session_of(arguments.plan.as_deref())
    {
        return super::load::repeat(&from, plan, &arguments.presentation);
    }
    let found = arguments.cargo.find_some()?;
    let root = session_root(arguments.cargo.manifest());
    let presentation = &arguments.presentation;
    let (session, targets) = match &stored {
        Some(plan) => {
            let targets = planned_targets(plan, &found)?;
            let session = Session::replay(&root, plan)?;
            for target in &targets {
                session.record_build(target.name(), &target.launch.executable)?;
            }
            (session, targets)
        }
        None => {
            let targets = selected(&found, &arguments.selection)?;
            let session = Session::create(
                &root,
                &Wishes {
                    seed: arguments.seed,
                    stop_rule: arguments.stop.clone(),
                },
            )?;
            let planned = plan_targets(
                session,
                &targets,
                &arguments.selection,
                &arguments.size,
                presentation.quiet,
            )?;
            (planned, targets)
        }
    };
    let measured = if stopping()? {
        (Status::Incomplete, Ok(()))
    } else {
        measure_targets(&session, &targets, presentation.quiet)
    };
    let builds: Vec<_> = targets.iter().map(|t| t.build()).collect();
    conclude(&session, &builds, presentation, measured)
}

/// The targets with an experiment that is wanted.
pub(super) fn selected<'a>(
    found: &'a [BenchTarget],
    selection: &Selection,
) -> Result<Vec<&'a BenchTarget>, Failure> {
    let wanted = |target: &&BenchTarget| {
        let mut experiments = target.description.experiments.iter();
        experiments.any(|e| selection.selects(&e.id))
    };
    let targets: Vec<&BenchTarget> = found.iter().filter(wanted).collect();
    if targets.is_empty() {
        let count: usize = found.iter().map(|t| t.description.experiments.len()).sum();
        let names: Vec<&str> = found.iter().map(BenchTarget::name).collect();
        return Err(Failure::new(
            exit::NOTHING_SELECTED,
            format!(
                "none of the {count} experiments of {} is selected; `cargo evenhand list` shows \
                 their ids",
                names.join(", ")
            ),
        ));
    }
    Ok(targets)
}

/// The targets that a stored plan names, if they still declare what it says.
pub(super) fn planned_targets<'a>(
    plan: &Plan,
    found: &'a [BenchTarget],
) -> Result<Vec<&'a BenchTarget>, Failure> {
    let differs = |problem: String| Failure::new(exit::NOT_COMPARABLE, problem);
    let mut targets = Vec::new();
    for planned in &plan.targets {
        let Some(target) = found.iter().find(|t| t.name() == planned.name) else {
            let names: Vec<&str> = found.iter().map(BenchTarget::name).collect();
            return Err(differs(format!(
                "the plan has the bench target `{}`, which cargo did not build; it built {}",
                planned.name,
                names.join(", ")
            )));
        };
        for experiment in &planned.experiments {
            let declared = target.description.experiments.iter();
            let declared = declared
                .filter(|e| e.id == experiment.declared_id())
                .find_map(|e| e.declared.as_ref());
            if let Some(declared) = declared {
                let device = declared.device.as_deref();
                experiment.check_device(device).map_err(differs)?;
            }
            if experiment.same_code.is_some() {
                continue;
            }
            if declared.map(|d| &d.arms) != Some(&experiment.arms) {
                return Err(differs(format!(
                    "the plan's experiment `{}` with arms {} is not what bench target `{}` \
                     declares now",
                    experiment.id,
                    experiment.arms.join(", "),
                    planned.name
                )));
            }
        }
        targets.push(target);
    }
    if targets.is_empty() {
        return Err(Failure::new(
            exit::NOTHING_SELECTED,
            "the plan has no bench target",
        ));
    }
    Ok(targets)
}
