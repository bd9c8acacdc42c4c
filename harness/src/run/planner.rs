//! Turning declarations into a plan: a pilot, then numbers that are fixed.

use super::coordinator::{Event, Observer};
use super::error::RunError;
use super::launch::Launch;
use super::messages::{Job, JobKind, Message};
use super::process::{Arrival, WorkerProcess};
use super::session::Session;
use super::sizing::{Reach, cost_ns, size};
use crate::observation::{ArmFault, Fault};
use crate::plan::{ExperimentPlan, Level, SameCode, Seed, TargetPlan};
use crate::schedule::schedule_digest;
use crate::suite::{Sizes, Suite};
use std::time::{Duration, Instant};

/// A pilot that says nothing for so long per arm is stuck.
const PILOT_TIMEOUT: Duration = Duration::from_secs(120);
/// The pilot's inputs are not those of any worker.
const PILOT_WORKER: u32 = u32::MAX;

/// What an invocation asks for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name of the bench target.
    pub target: String,
    /// What workers run.
    pub launch: Launch,
    /// Default or quick.
    pub level: Level,
    /// Number of workers, instead of the level's.
    pub workers: Option<u32>,
    /// Number of comparison blocks, instead of the level's.
    pub blocks: Option<u32>,
    /// Time for all experiments of the target.
    pub budget: Option<Duration>,
    /// Time for one experiment.
    pub measurement_time: Option<Duration>,
    /// Measure every arm against itself instead of the declared comparisons.
    pub calibrate: bool,
    /// Size that the session's family will have at least, when targets that
    /// are planned later add to it.
    pub family: usize,
}

/// One experiment on its way into the plan.
pub(super) struct Draft {
    pub(super) plan: ExperimentPlan,
    /// What the experiment declares itself.
    pub(super) sizes: Sizes,
    /// What a worker takes beside its slots, nanoseconds.
    pub(super) setup_ns: f64,
    pub(super) fault: Option<ArmFault>,
}

/// Pilots every selected experiment and appends the target to the session's
/// plan, which is on disk when this returns.
///
/// # Errors
/// If a declaration is unusable in a way that no experiment can carry, or the
/// files of the session can't be written.
pub fn plan_target(
    session: &mut Session,
    suite: &Suite,
    selected: &dyn Fn(&str) -> bool,
    options: &Options,
    observer: &mut dyn Observer,
) -> Result<(), RunError> {
    let mut drafts = declare(suite, selected, options);
    let count = drafts.len();
    for (index, draft) in drafts.iter_mut().enumerate() {
        if draft.fault.is_none() {
            observer.event(&Event::Pilot {
                experiment: &draft.plan.id,
                index,
                count,
            });
            pilot(session.plan.seed, options, draft)?;
        }
        if let Some(fault) = &draft.fault {
            observer.event(&Event::ExperimentFailed {
                experiment: &draft.plan.id,
                fault,
            });
        }
    }

    let family =
        session.plan.family_size() + drafts.iter().map(|d| d.plan.comparisons()).sum::<usize>();
    let family = family.max(options.family);
    size(&mut drafts, options, &session.plan.stop_rule, family);

    let seed = session.plan.seed;
    for draft in &mut drafts {
        draft.plan.schedule_digest = schedule_digest(seed, &options.target, &draft.plan);
    }
    let seconds = drafts.iter().map(cost_ns).sum::<f64>() / 1e9;
    let workers = drafts
        .iter()
        .filter(|d| d.fault.is_none())
        .map(|d| d.plan.workers)
        .min();
    let capped = |plan: &ExperimentPlan| plan.has_control() && plan.aa_blocks == 0;
    let reach = Reach::of(workers.unwrap_or(0), family);
    let reach = if drafts.iter().any(|d| capped(&d.plan)) {
        reach.min(Reach::Moderate)
    } else {
        reach
    };
    let experiments: Vec<_> = drafts.iter().map(|d| d.plan.clone()).collect();
    session.record_build(&options.target, &options.launch.executable)?;
    session.add_target(TargetPlan {
        name: options.target.clone(),
        experiments,
    })?;
    for draft in &drafts {
        if let Some(fault) = &draft.fault {
            session.record_fault(&options.target, &draft.plan.id, fault)?;
        }
    }
    observer.event(&Event::Planned {
        session: &session.dir,
        seed,
        experiments: count,
        workers: workers.unwrap_or(0),
        seconds,
        budget: options.budget,
        reach,
    });
    Ok(())
}

/// Declarations of the selected experiments; a wrong one is a draft that has
/// already failed.
fn declare(suite: &Suite, selected: &dyn Fn(&str) -> bool, options: &Options) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = Vec::new();
    for experiment in suite.experiments().iter().filter(|e| selected(e.id())) {
        let duplicate = drafts.iter().any(|d| d.plan.id == experiment.id());
        match experiment.declare() {
            _ if duplicate => drafts.push(Draft::broken(
                &format!("{} (again)", experiment.id()),
                &format!(
                    "the id `{}` stands twice; ids are unique in a target",
                    experiment.id()
                ),
            )),
            Err(problem) => drafts.push(Draft::broken(experiment.id(), &problem)),
            Ok(plan) if options.calibrate => {
                drafts.extend(against_itself(&plan, experiment.sizes()));
            }
            Ok(plan) => drafts.push(Draft {
                plan,
                sizes: experiment.sizes(),
                setup_ns: 0.0,
                fault: None,
            }),
        }
    }
    drafts
}

/// One A/A experiment for every arm.
fn against_itself(plan: &ExperimentPlan, sizes: Sizes) -> Vec<Draft> {
    let copies = plan.arms.iter().map(|arm| ExperimentPlan {
        id: format!("{} [{arm} = {arm}]", plan.id),
        arms: vec![arm.clone(), format!("{arm} again")],
        design: crate::plan::Design::Abba,
        same_code: Some(SameCode {
            experiment: plan.id.clone(),
            arm: arm.clone(),
        }),
        ..plan.clone()
    });
    copies
        .map(|plan| Draft {
            plan,
            sizes,
            setup_ns: 0.0,
            fault: None,
        })
        .collect()
}

impl Draft {
    fn broken(id: &str, problem: &str) -> Self {
        let mut placeholder = Suite::default();
        placeholder.experiment(id).arm("-", |_| {});
        let plan = placeholder.experiments()[0].declare().unwrap_or_else(|_| {
            let mut named = Suite::default();
            named.experiment("(unnamed experiment)").arm("-", |_| {});
            named.experiments()[0]
                .declare()
                .expect("a plain declaration is valid")
        });
        let fault = ArmFault {
            arm: None,
            fault: Fault::WrongUse,
            message: problem.to_owned(),
        };
        Self {
            plan,
            sizes: Sizes::default(),
            setup_ns: 0.0,
            fault: Some(fault),
        }
    }
}

/// Finds out how long an iteration of each arm takes, in a process of its own.
fn pilot(seed: Seed, options: &Options, draft: &mut Draft) -> Result<(), RunError> {
    let job = Job {
        kind: JobKind::Pilot,
        seed,
        target: options.target.clone(),
        experiment: draft.plan.clone(),
        worker: PILOT_WORKER,
    };
    let started = Instant::now();
    let mut slots_ns = 0;
    let mut process = WorkerProcess::start(&options.launch, &job, 0)?;
    let patience = PILOT_TIMEOUT * draft.plan.arms.len() as u32;
    match process.next(patience) {
        Arrival::Message(Message::Pilot {
            ns_per_iteration,
            slots_ns: ns,
        }) => {
            draft.plan.pilot_ns = ns_per_iteration;
            slots_ns = ns;
        }
        Arrival::Message(Message::Fault(fault)) => draft.fault = Some(fault),
        Arrival::Quiet => {
            process.kill();
            draft.fault = Some(ArmFault {
                arm: None,
                fault: Fault::Killed,
                message: format!(
                    "one iteration of every arm took longer than {} s",
                    patience.as_secs()
                ),
            });
        }
        Arrival::Message(_) | Arrival::Closed => {
            let exit = process.wait();
            draft.fault = Some(ArmFault {
                arm: None,
                fault: Fault::Killed,
                message: died(&exit.words, &exit.stderr),
            });
            return Ok(());
        }
    }
    process.wait();
    // From the start of the process to its end, declarations and drivers included.
    draft.setup_ns = started.elapsed().as_nanos() as f64 - slots_ns as f64;
    Ok(())
}

/// What to say of a worker that ended without a word.
pub(super) fn died(exit: &str, stderr: &str) -> String {
    if stderr.is_empty() {
        format!("the worker process ended by {exit}")
    } else {
        format!("the worker process ended by {exit}; its last words: {stderr}")
    }
}
