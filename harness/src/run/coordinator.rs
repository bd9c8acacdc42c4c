//! The coordinator: runs the plan's workers round by round, one at a time.

use super::error::RunError;
use super::launch::Launch;
use super::messages::{Job, JobKind, Message};
use super::planner::died;
use super::process::{Arrival, WorkerProcess};
use super::session::Session;
use super::sizing::Reach;
use super::store::{
    LedgerLine, append_ledger, is_finished, is_satisfied, read_measurements, set_aside, worker_file,
};
use super::telemetry::Watch;
use crate::observation::{ArmFault, ExperimentData, Fault, Status, WorkerOutcome};
use crate::plan::{ExperimentPlan, MAX_REPLACED_SHARE, Plan, Seed, StopRule};
use crate::schedule::{round_order, schedule_digest, worker_schedule};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the coordinator looks up while a worker runs.
const LOOK: Duration = Duration::from_millis(250);
/// A worker that says nothing for so long is killed.
const SILENCE: Duration = Duration::from_secs(120);

/// What happens while a plan is made and run.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The pilot of an experiment begins.
    Pilot {
        /// Its id.
        experiment: &'a str,
        /// How many were before it.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// The plan is on disk; nothing has been measured yet.
    Planned {
        /// The session's folder.
        session: &'a Path,
        /// The session's seed.
        seed: Seed,
        /// Number of experiments.
        experiments: usize,
        /// Fewest workers of an experiment.
        workers: u32,
        /// Expected duration.
        seconds: f64,
        /// The budget that was asked for.
        budget: Option<Duration>,
        /// Which classes the plan can reach.
        reach: Reach,
    },
    /// A worker paused between two blocks or ended.
    Progress {
        /// The experiment it works on.
        experiment: &'a str,
        /// Workers of all experiments that have ended.
        workers_done: usize,
        /// Workers planned in all experiments.
        workers: usize,
        /// Share of the plan that is done, 0 to 1.
        fraction: f64,
    },
    /// A worker was lost and will be replaced.
    WorkerLost {
        /// The experiment.
        experiment: &'a str,
        /// Index of the worker.
        worker: u32,
        /// How its process ended.
        message: &'a str,
    },
    /// An experiment was given up; the others go on.
    ExperimentFailed {
        /// The experiment.
        experiment: &'a str,
        /// Arm and reason.
        fault: &'a ArmFault,
    },
}

/// Hears of events. Called only between blocks, so it may draw.
pub trait Observer {
    /// Something happened.
    fn event(&mut self, event: &Event<'_>);
}

impl Observer for () {
    fn event(&mut self, _: &Event<'_>) {}
}

/// Runs what is still open of the target's part of the session's plan. A
/// signal to stop ends it early with [`Status::Incomplete`]; everything
/// measured until then is on disk.
///
/// # Errors
/// If the stored plan does not fit this version, or files or processes fail.
pub fn measure(
    session: &Session,
    target: &str,
    launch: &Launch,
    observer: &mut dyn Observer,
) -> Result<Status, RunError> {
    let stop = stop_flag()?;
    let mut run = TargetRun::new(session, target, launch, stop)?;
    let planned = run
        .experiments
        .iter()
        .map(|e| e.plan.workers)
        .max()
        .unwrap_or(0);
    let mut round = 0;
    // After the planned rounds come those that replace lost workers.
    while round < planned || run.experiments.iter().any(|e| !e.finished) {
        for index in round_order(session.plan.seed, target, run.experiments.len(), round) {
            if run.experiments[index].wants(round) && run.worker(index, observer)? == Next::Stop {
                return Ok(Status::Incomplete);
            }
        }
        round += 1;
    }
    Ok(Status::Complete)
}

/// The flag of this process that SIGINT and SIGTERM raise; a second signal
/// ends the process.
///
/// # Errors
/// If the system does not let signals be handled.
pub fn stop_flag() -> Result<Arc<AtomicBool>, RunError> {
    static FLAG: Mutex<Option<Arc<AtomicBool>>> = Mutex::new(None);
    let mut installed = FLAG.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(flag) = &*installed {
        return Ok(Arc::clone(flag));
    }
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&flag))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&flag)))
            .map_err(|e| RunError::Usage(format!("signals can't be handled: {e}")))?;
    }
    *installed = Some(Arc::clone(&flag));
    Ok(flag)
}

#[derive(PartialEq)]
enum Next {
    GoOn,
    Stop,
}

/// An experiment while it runs.
struct Open<'a> {
    plan: &'a ExperimentPlan,
    /// Index of the experiment in its target.
    index: usize,
    complete: u32,
    lost: u32,
    /// Workers that are not to be run (again).
    settled: Vec<u32>,
    finished: bool,
}

impl Open<'_> {
    /// The next worker to run.
    fn next_worker(&self) -> u32 {
        (0..)
            .find(|w| !self.settled.contains(w))
            .expect("indices are endless")
    }

    /// Whether a worker runs in this round.
    fn wants(&self, round: u32) -> bool {
        !self.finished && self.next_worker() <= round
    }

    fn too_many_lost(&self) -> bool {
        f64::from(self.lost) > MAX_REPLACED_SHARE * f64::from(self.plan.workers) + 1.0
    }
}

struct TargetRun<'a> {
    session: &'a Session,
    target: &'a str,
    launch: &'a Launch,
    stop: Arc<AtomicBool>,
    experiments: Vec<Open<'a>>,
}

impl<'a> TargetRun<'a> {
    fn new(
        session: &'a Session,
        target: &'a str,
        launch: &'a Launch,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, RunError> {
        let plan: &Plan = &session.plan;
        let target_plan = plan.target(target).ok_or_else(|| {
            RunError::NotComparable(format!("the plan has no bench target `{target}`"))
        })?;
        let so_far = read_measurements(&session.dir, plan)?;
        let mut experiments = Vec::new();
        for (index, experiment) in target_plan.experiments.iter().enumerate() {
            if schedule_digest(plan.seed, target, experiment) != experiment.schedule_digest {
                return Err(RunError::NotComparable(format!(
                    "experiment `{}`: this version draws another schedule from the plan's seed \
                     than the version that wrote it; run the plan with that version",
                    experiment.id
                )));
            }
            let data = so_far
                .experiments
                .iter()
                .find(|d| d.target == target && d.id == experiment.id)
                .expect("measurements follow the plan");
            experiments.push(open(&plan.stop_rule, experiment, index, data));
        }
        Ok(Self {
            session,
            target,
            launch,
            stop,
            experiments,
        })
    }

    fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Runs the next worker of an experiment.
    fn worker(&mut self, at: usize, observer: &mut dyn Observer) -> Result<Next, RunError> {
        let Open { plan, index, .. } = self.experiments[at];
        let worker = self.experiments[at].next_worker();
        let file = worker_file(&self.session.dir, self.target, index, worker);
        set_aside(&self.session.dir, &file)?;

        let seed = self.session.plan.seed;
        let schedule = worker_schedule(seed, self.target, plan, worker);
        let job = Job {
            kind: JobKind::Measure { file },
            seed,
            target: self.target.to_owned(),
            experiment: plan.clone(),
            worker,
        };
        let mut watch = Watch::begin();
        let mut process = WorkerProcess::start(self.launch, &job, schedule.environment_pad)?;
        let ended = self.follow(&mut process, &mut watch, at, &schedule, observer);
        if !matches!(ended, Ended::Closed | Ended::Done) {
            process.kill();
        }
        let exit = process.wait();
        let telemetry = watch.end();

        let outcome = match ended {
            // The signal reaches the worker first when both share a terminal.
            _ if self.stopping() && !matches!(ended, Ended::Done) => WorkerOutcome::Interrupted,
            Ended::Stopped => WorkerOutcome::Interrupted,
            Ended::Done => WorkerOutcome::Complete,
            Ended::Fault(fault) => WorkerOutcome::Failed(fault),
            Ended::Closed | Ended::Silent => WorkerOutcome::Lost,
        };
        append_ledger(
            &self.session.dir,
            &LedgerLine::Worker {
                target: self.target.to_owned(),
                experiment: plan.id.clone(),
                worker,
                outcome: outcome.clone(),
                telemetry,
            },
        )?;
        self.settle(
            at,
            worker,
            &outcome,
            &died(&exit.words, &exit.stderr),
            observer,
        )?;
        Ok(if self.stopping() {
            Next::Stop
        } else {
            Next::GoOn
        })
    }

    /// Books how a worker ended.
    fn settle(
        &mut self,
        at: usize,
        worker: u32,
        outcome: &WorkerOutcome,
        last_words: &str,
        observer: &mut dyn Observer,
    ) -> Result<(), RunError> {
        let rule = &self.session.plan.stop_rule;
        let open = &mut self.experiments[at];
        let mut given_up = None;
        match outcome {
            WorkerOutcome::Complete => {
                open.settled.push(worker);
                open.complete += 1;
                open.finished = open.complete >= open.plan.workers
                    || *rule != StopRule::Fixed
                        && is_satisfied(
                            &self.session.dir,
                            rule,
                            self.target,
                            open.index,
                            open.plan,
                        )?;
            }
            WorkerOutcome::Failed(fault) => given_up = Some(fault.clone()),
            WorkerOutcome::Lost => {
                open.settled.push(worker);
                open.lost += 1;
                let event = Event::WorkerLost {
                    experiment: &open.plan.id,
                    worker,
                    message: last_words,
                };
                observer.event(&event);
                if open.too_many_lost() {
                    given_up = Some(ArmFault {
                        arm: None,
                        fault: Fault::Killed,
                        message: format!("{} workers were lost; the last: {last_words}", open.lost),
                    });
                }
            }
            WorkerOutcome::Interrupted => {}
        }
        if let Some(fault) = given_up {
            open.finished = true;
            let experiment = &open.plan.id;
            observer.event(&Event::ExperimentFailed {
                experiment,
                fault: &fault,
            });
            self.session.record_fault(self.target, experiment, &fault)?;
        }
        self.report(at, 0.0, observer);
        Ok(())
    }

    /// Listens to a worker until it ends or must be ended.
    fn follow(
        &self,
        process: &mut WorkerProcess,
        watch: &mut Watch,
        at: usize,
        schedule: &crate::schedule::WorkerSchedule,
        observer: &mut dyn Observer,
    ) -> Ended {
        let blocks = schedule.blocks.len().max(1) as f64;
        let mut heard = Instant::now();
        loop {
            match process.next(LOOK) {
                Arrival::Message(Message::Progress { blocks: done }) => {
                    heard = Instant::now();
                    self.report(at, f64::from(done) / blocks, observer);
                    if self.stopping() {
                        return Ended::Stopped;
                    }
                    process.acknowledge();
                }
                Arrival::Message(Message::Done) => return Ended::Done,
                Arrival::Message(Message::Fault(fault)) => return Ended::Fault(fault),
                Arrival::Message(Message::Pilot { .. } | Message::Answer(_)) => {}
                Arrival::Closed => return Ended::Closed,
                Arrival::Quiet if self.stopping() => return Ended::Stopped,
                Arrival::Quiet if heard.elapsed() > SILENCE => return Ended::Silent,
                Arrival::Quiet => watch.sample(),
            }
        }
    }

    fn report(&self, at: usize, part_of_worker: f64, observer: &mut dyn Observer) {
        let workers: u32 = self.experiments.iter().map(|e| e.plan.workers).sum();
        let done: u32 = self
            .experiments
            .iter()
            .map(|e| {
                if e.finished {
                    e.plan.workers
                } else {
                    e.complete
                }
            })
            .sum();
        observer.event(&Event::Progress {
            experiment: &self.experiments[at].plan.id,
            workers_done: done as usize,
            workers: workers as usize,
            fraction: (f64::from(done) + part_of_worker) / f64::from(workers.max(1)),
        });
    }
}

/// Picks up an experiment where an earlier run left it.
fn open<'a>(
    rule: &StopRule,
    plan: &'a ExperimentPlan,
    index: usize,
    data: &ExperimentData,
) -> Open<'a> {
    let count = |wanted: fn(&WorkerOutcome) -> bool| {
        data.workers.iter().filter(|w| wanted(&w.outcome)).count() as u32
    };
    Open {
        plan,
        index,
        complete: count(|o| *o == WorkerOutcome::Complete),
        lost: count(|o| *o == WorkerOutcome::Lost),
        settled: data
            .workers
            .iter()
            .filter(|w| w.outcome != WorkerOutcome::Interrupted)
            .map(|w| w.worker)
            .collect(),
        finished: is_finished(rule, plan, data),
    }
}

enum Ended {
    Done,
    Fault(ArmFault),
    /// The output closed without a last word.
    Closed,
    Silent,
    Stopped,
}
