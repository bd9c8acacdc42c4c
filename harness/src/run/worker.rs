//! The worker process: builds the arms, warms up, runs its schedule.

use super::arms::{Arms, fault};
use super::messages::{Job, JobKind, Message, receive_job, send};
use super::observation_log::ObservationLog;
use super::remote::serve_arm;
use crate::observation::{
    ArmFault, Fault, Line, OBSERVATION_SCHEMA, SlotLine, WorkerEnd, WorkerHeader,
};
use crate::plan::{Estimand, ExperimentPlan, SecondaryRole, Seed};
use crate::schedule::{WorkerSchedule, worker_schedule};
use crate::suite::{Experiment, Place, Suite};
use crate::timer::Timer;
use std::hint::black_box;
use std::io::{self, BufRead};
use std::time::Duration;

/// First argument of a worker process.
pub const WORKER_ARGUMENT: &str = "__worker";
/// Exit code of a worker whose arm failed; the message says why.
const FAULT_EXIT: i32 = 7;
/// How often a worker lets the coordinator draw.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(500);

/// Runs as a worker: reads the job from standard input, has its experiment
/// declared, answers on standard output. Returns the exit code.
pub fn worker_main(declare: impl FnOnce(Suite) -> Suite) -> i32 {
    let stdin = io::stdin();
    let mut input = stdin.lock();
    let job = match receive_job(&mut input) {
        Ok(job) => job,
        Err(e) => {
            eprintln!("a worker is started by the harness, not by hand: {e}");
            return 2;
        }
    };
    let worked = end_with_parent()
        .map_err(|e| fault(None, Fault::System, &e.to_string()))
        .and_then(|()| {
            let suite = declare(Suite::only(job.experiment.declared_id()));
            work(&suite, &job, &mut input)
        });
    match worked {
        Ok(message) => {
            // A coordinator that is gone needs no answer.
            let _ = send(&mut io::stdout(), &message);
            0
        }
        Err(fault) => {
            let _ = send(&mut io::stdout(), &Message::Fault(fault));
            FAULT_EXIT
        }
    }
}

/// A worker that hangs, or has a long slot before it, does not look whether the
/// process that started it is still there: when that is killed, the system ends
/// this one. Elsewhere it is left over until it looks.
pub(super) fn end_with_parent() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        use rustix::process::{Signal, set_parent_process_death_signal};
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // It may have been killed before that: then nobody holds the other end
        // of the input, which no parent closes early.
        let stdin = io::stdin();
        let mut input = [PollFd::new(&stdin, PollFlags::empty())];
        poll(&mut input, Some(&Timespec::default()))?;
        if input[0].revents().contains(PollFlags::HUP) {
            return Err(io::Error::other(
                "the process that started this one has ended",
            ));
        }
    }
    Ok(())
}

fn work(suite: &Suite, job: &Job, acks: &mut impl BufRead) -> Result<Message, ArmFault> {
    let experiment = suite
        .experiments()
        .iter()
        .find(|e| e.id() == job.experiment.declared_id())
        .ok_or_else(|| {
            fault(
                None,
                Fault::WrongUse,
                "the executable has no such experiment",
            )
        })?;
    same_device(experiment, &job.experiment)?;
    let schedule = worker_schedule(job.seed, &job.target, &job.experiment, job.worker);
    // Shifts what is allocated after it; the pages are touched so that they exist.
    let _heap_pad = black_box(vec![1u8; schedule.heap_pad]);
    if let JobKind::Arm { instance, .. } = job.kind {
        return serve_arm(experiment, job, instance, schedule.input_seed, acks);
    }

    let mut arms = Arms::build(experiment, job, &schedule)?;
    arms.verify_after_one_iteration()?;
    match &job.kind {
        JobKind::Arm { .. } => unreachable!("answered above"),
        JobKind::Pilot => {
            let pilot = Timer::start();
            let ns_per_iteration = (0..job.experiment.arms.len())
                .map(|arm| arms.pilot(arm))
                .collect::<Result<_, _>>()?;
            let slots_ns = pilot.elapsed_ns();
            // What arms measure at their end takes a worker's time, too.
            arms.facts_at_end()?;
            Ok(Message::Pilot {
                ns_per_iteration,
                slots_ns,
            })
        }
        JobKind::Measure { file } => {
            let system = |e: io::Error| fault(None, Fault::System, &log_error(job, &e));
            let mut log = ObservationLog::create(file).map_err(system)?;
            let result = run_schedule(&mut arms, job, &schedule, &mut log, acks)
                .and_then(|()| arms.verify())
                .and_then(|()| arms.facts_at_end());
            let (facts, fault) = match result {
                Ok(facts) => (facts, None),
                Err(fault) => (Vec::new(), Some(fault)),
            };
            let end = WorkerEnd {
                fault: fault.clone(),
                facts,
            };
            log.write(&Line::End(end))
                .and_then(|()| log.sync())
                .map_err(system)?;
            fault.map_or(Ok(Message::Done), Err)
        }
    }
}

/// The last to look: a worker may be started under any plan.
fn same_device(experiment: &Experiment, plan: &ExperimentPlan) -> Result<(), ArmFault> {
    let declared = experiment
        .declare()
        .map_err(|problem| fault(None, Fault::WrongUse, &problem))?
        .device;
    plan.check_device(declared.as_deref())
        .map_err(|problem| fault(None, Fault::WrongUse, &problem))
}

/// An error of the observation file, with its name.
fn log_error(job: &Job, error: &io::Error) -> String {
    match job.kind.file() {
        Some(file) => format!("{}: {error}", file.display()),
        None => error.to_string(),
    }
}

/// Warm-up, then every block of the schedule; observations are written between
/// blocks from memory that was allocated before.
fn run_schedule(
    arms: &mut Arms<'_>,
    job: &Job,
    schedule: &WorkerSchedule,
    log: &mut ObservationLog,
    acks: &mut impl BufRead,
) -> Result<(), ArmFault> {
    let system = |e: io::Error| fault(None, Fault::System, &log_error(job, &e));
    let iterations = job.experiment.iterations;
    let mut pulse = Pulse::new(acks);
    let (warmup_slots, steady) = arms.warm_up(|| pulse.beat(job, 0, || Ok(())))?;
    log.write(&Line::Worker(WorkerHeader {
        schema: OBSERVATION_SCHEMA.to_owned(),
        target: job.target.clone(),
        experiment: job.experiment.id.clone(),
        worker: job.worker,
        pid: std::process::id(),
        started: jiff::Timestamp::now().to_string(),
        letters: schedule.letters.clone(),
        input_seed: Seed(schedule.input_seed),
        iterations,
        warmup_slots,
        steady,
        facts: arms.facts(),
    }))
    .and_then(|()| log.sync())
    .map_err(system)?;

    let mut block_slots = Vec::with_capacity(
        schedule
            .blocks
            .iter()
            .map(|b| b.slots.len())
            .max()
            .unwrap_or(0),
    );
    let start = Timer::start();
    for (index, block) in schedule.blocks.iter().enumerate() {
        block_slots.clear();
        for &instance in &block.primers {
            arms.unmeasured(instance, iterations)?;
        }
        for (slot, &instance) in block.slots.iter().enumerate() {
            let earlier = block.slots[..slot].iter();
            let place = Place {
                block: Some(index as u32),
                turn: earlier.filter(|&&other| other == instance).count() as u32,
            };
            arms.begin(instance, place)?;
            let start_ns = start.elapsed_ns();
            let slot = arms.slot(instance, iterations)?;
            block_slots.push(SlotLine {
                block: index as u32,
                kind: block.kind,
                instance,
                start_ns,
                value: slot.value,
                host_ns: slot.host_ns,
                secondary: arms.secondary(instance).to_vec(),
                samples: arms.samples(instance).to_vec(),
                flags: slot.flags,
            });
        }
        for slot in &block_slots {
            let arm = job.experiment.instance_name(slot.instance);
            let further = (slot.secondary.as_slice(), slot.samples.as_slice());
            check_values(&job.experiment, &arm, slot.value, further)?;
            log.write(&Line::Slot(slot.clone())).map_err(system)?;
        }
        pulse.beat(job, index as u32 + 1, || log.sync())?;
    }
    Ok(())
}

/// Tells the coordinator now and then that the worker goes on, and how far it is.
struct Pulse<'a, R> {
    acks: &'a mut R,
    last: Timer,
}

impl<'a, R: BufRead> Pulse<'a, R> {
    fn new(acks: &'a mut R) -> Self {
        Self {
            acks,
            last: Timer::start(),
        }
    }

    /// Reports, if it is time, after `before`, and waits for the answer.
    fn beat(
        &mut self,
        job: &Job,
        blocks: u32,
        before: impl FnOnce() -> io::Result<()>,
    ) -> Result<(), ArmFault> {
        if u128::from(self.last.elapsed_ns()) < PROGRESS_INTERVAL.as_nanos() {
            return Ok(());
        }
        let system = |e: io::Error| fault(None, Fault::System, &log_error(job, &e));
        before()
            .and_then(|()| send(&mut io::stdout(), &Message::Progress { blocks }))
            .map_err(system)?;
        // No answer means that the coordinator is gone: stop, leave no orphan.
        if self.acks.read_line(&mut String::new()).map_err(system)? == 0 {
            return Err(fault(None, Fault::System, "the coordinator is gone"));
        }
        self.last = Timer::start();
        Ok(())
    }
}

/// A value that no estimate can use ends the experiment with the arm's name.
pub(super) fn check_values(
    plan: &ExperimentPlan,
    arm: &str,
    value: Option<f64>,
    (secondary, samples): (&[Option<f64>], &[Vec<Option<f64>>]),
) -> Result<(), ArmFault> {
    let bad = |message: String| {
        let arm = Some(arm.to_owned());
        Err(fault(arm, Fault::BadValue, &message))
    };
    if secondary.len() != plan.secondary.len() {
        return bad(format!(
            "it gave {} secondary values where the experiment declares {}",
            secondary.len(),
            plan.secondary.len()
        ));
    }
    let quantiles = || plan.secondary.iter().filter(|s| s.quantile.is_some());
    if samples.len() != quantiles().count() {
        return bad(format!(
            "it gave samples for {} quantiles where the experiment declares {}",
            samples.len(),
            quantiles().count()
        ));
    }
    let sampled = quantiles().zip(samples).flat_map(|(declared, samples)| {
        let value = |&sample| (&declared.metric, declared.estimand, sample);
        samples.iter().map(value)
    });
    let primary = (&plan.metric, plan.estimand, value);
    let secondary = plan
        .secondary
        .iter()
        .zip(secondary)
        // What is only shown may be anything that can be written down.
        .map(|(declared, &value)| match declared.role {
            SecondaryRole::Describe | SecondaryRole::Match | SecondaryRole::Trend => {
                (&declared.metric, Estimand::PairedDifference, value)
            }
            _ => (&declared.metric, declared.estimand, value),
        });
    for (metric, estimand, value) in std::iter::once(primary).chain(secondary).chain(sampled) {
        let Some(value) = value else { continue };
        if !value.is_finite() {
            return bad(format!("it measured {} {value}", metric.id));
        }
        if estimand == Estimand::PairedLogRatio && value <= 0.0 {
            return bad(format!(
                "it measured {} {value}; a ratio needs values above zero: use \
                 `.estimand(Estimand::PairedDifference)` with an absolute margin",
                metric.id
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_for_another_device_is_not_run() {
        let mut suite = Suite::default();
        suite
            .experiment("e")
            .device_label("card, hot")
            .control("a", |_| {})
            .candidate("b", |_| {});
        let experiment = &suite.experiments()[0];
        let mut plan = experiment.declare().unwrap();
        assert!(same_device(experiment, &plan).is_ok());
        plan.device = Some("card, cold (flushed by reading)".to_owned());
        let fault = same_device(experiment, &plan).unwrap_err();
        assert_eq!(fault.fault, Fault::WrongUse);
        for part in [
            "`card, cold (flushed by reading)`",
            "`card, hot`",
            "--flush",
        ] {
            assert!(fault.message.contains(part), "{}", fault.message);
        }
        plan.device = None;
        assert!(same_device(experiment, &plan).is_err());
    }
}
