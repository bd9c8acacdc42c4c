//! The worker process: builds the arms, warms up, runs its schedule.

use super::messages::{Job, JobKind, Message, receive_job, send};
use crate::observation::{
    ArmFault, Fault, Line, OBSERVATION_SCHEMA, SlotLine, WorkerEnd, WorkerHeader,
};
use crate::plan::{Estimand, ExperimentPlan, Seed};
use crate::schedule::{WorkerSchedule, worker_schedule};
use crate::suite::{Bencher, Experiment, Output, Subject, Suite};
use crate::timer::Timer;
use std::fs::File;
use std::hint::black_box;
use std::io::{self, BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// First argument of a worker process.
pub const WORKER_ARGUMENT: &str = "__worker";
/// Exit code of a worker whose arm failed; the message says why.
const FAULT_EXIT: i32 = 7;
/// How often a worker lets the coordinator draw.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(500);

/// Warm-up ends when an instance's recent slots and those before them differ
/// by less than this.
const STEADY_TOLERANCE: f64 = 0.05;
/// Slots in each of the two windows that are compared.
const STEADY_WINDOW: usize = 4;
/// Warm-up never takes longer than this.
const WARMUP_LIMIT: Duration = Duration::from_millis(1500);

/// Target of the time that the pilot spends on an arm.
const PILOT_SLOT_NS: u64 = 2_000_000;

/// Runs as a worker: reads the job from standard input, answers on standard
/// output. Returns the exit code.
pub fn worker_main(suite: &Suite) -> i32 {
    let stdin = io::stdin();
    let mut input = stdin.lock();
    let job = match receive_job(&mut input) {
        Ok(job) => job,
        Err(e) => {
            eprintln!("a worker is started by the harness, not by hand: {e}");
            return 2;
        }
    };
    match work(suite, &job, &mut input) {
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
    let schedule = worker_schedule(job.seed, &job.target, &job.experiment, job.worker);
    // Shifts what is allocated after it; the pages are touched so that they exist.
    let _heap_pad = black_box(vec![1u8; schedule.heap_pad]);

    let setup = Timer::start();
    let mut arms = Arms::build(experiment, &job.experiment, &schedule)?;
    arms.verify_after_one_iteration()?;
    let setup_ns = setup.elapsed_ns();
    match &job.kind {
        JobKind::Pilot => {
            let ns_per_iteration = (0..job.experiment.arms.len())
                .map(|arm| arms.pilot(arm))
                .collect::<Result<_, _>>()?;
            Ok(Message::Pilot {
                ns_per_iteration,
                setup_ns,
            })
        }
        JobKind::Measure { file } => {
            let system =
                |e: io::Error| fault(None, Fault::System, &format!("{}: {e}", file.display()));
            let mut log = ObservationLog::create(file).map_err(system)?;
            let result = run_schedule(&mut arms, job, &schedule, &mut log, acks)
                .and_then(|()| arms.verify());
            let end = WorkerEnd {
                fault: result.as_ref().err().cloned(),
            };
            log.write(&Line::End(end))
                .and_then(|()| log.sync())
                .map_err(system)?;
            result.map(|()| Message::Done)
        }
    }
}

/// An error of the observation file, with its name.
fn log_error(job: &Job, error: &io::Error) -> String {
    match &job.kind {
        JobKind::Measure { file } => format!("{}: {error}", file.display()),
        JobKind::Pilot => error.to_string(),
    }
}

fn fault(arm: Option<String>, fault: Fault, message: &str) -> ArmFault {
    ArmFault {
        arm,
        fault,
        message: message.to_owned(),
    }
}

/// The built instances of a worker.
struct Arms<'a> {
    experiment: &'a Experiment,
    plan: &'a ExperimentPlan,
    schedule: &'a WorkerSchedule,
    /// By instance.
    subjects: Vec<Box<dyn Subject>>,
}

impl<'a> Arms<'a> {
    /// Builds every instance in letter order.
    fn build(
        experiment: &'a Experiment,
        plan: &'a ExperimentPlan,
        schedule: &'a WorkerSchedule,
    ) -> Result<Self, ArmFault> {
        let declared = experiment
            .declare()
            .map_err(|e| fault(None, Fault::WrongUse, &e))?;
        let mut subjects: Vec<Option<Box<dyn Subject>>> =
            (0..plan.instances()).map(|_| None).collect();
        for &instance in &schedule.letters {
            let name = plan.instance_name(instance);
            let code = plan.code_of_instance(instance);
            let index = declared
                .arms
                .iter()
                .position(|a| a == code)
                .ok_or_else(|| {
                    fault(
                        Some(code.to_owned()),
                        Fault::WrongUse,
                        "the executable has no such arm",
                    )
                })?;
            let mut bencher = Bencher::new(schedule.input_seed);
            guard(&name, || experiment.build(index, &mut bencher))?;
            let subject = bencher
                .finish()
                .map_err(|e| fault(Some(name), Fault::WrongUse, &e))?;
            subjects[instance] = Some(subject);
        }
        let subjects = subjects
            .into_iter()
            .map(|s| s.expect("letters name every instance"));
        Ok(Self {
            experiment,
            plan,
            schedule,
            subjects: subjects.collect(),
        })
    }

    /// Runs a slot; an arm that panics is named.
    fn slot(&mut self, instance: usize, iterations: u64) -> Result<(f64, u64), ArmFault> {
        let subject = &mut self.subjects[instance];
        match catch_unwind(AssertUnwindSafe(|| subject.slot(iterations))) {
            Ok(slot) => Ok((slot.value, slot.host_ns)),
            Err(panic) => Err(panicked(&self.plan.instance_name(instance), panic.as_ref())),
        }
    }

    /// One iteration of every instance in letter order, then verification.
    fn verify_after_one_iteration(&mut self) -> Result<(), ArmFault> {
        for letter in 0..self.schedule.letters.len() {
            self.slot(self.schedule.letters[letter], 1)?;
        }
        self.verify()
    }

    /// Verifies what the last iteration of every instance left behind.
    fn verify(&mut self) -> Result<(), ArmFault> {
        let Some(verify) = self.experiment.verifier() else {
            return Ok(());
        };
        let mut outputs: Vec<Option<Output>> = self.subjects.iter().map(|_| None).collect();
        for &instance in &self.schedule.letters {
            let name = self.plan.instance_name(instance);
            let output = guard(&name, || self.subjects[instance].output())?.ok_or_else(|| {
                fault(
                    Some(name),
                    Fault::WrongUse,
                    "the experiment has a `.verify(..)`, but this arm has no output: use \
                     `iter_returning`, or `state(..).output(..)`",
                )
            })?;
            outputs[instance] = Some(output);
        }
        let reference = verify.reference(self.schedule.input_seed);
        let control = outputs[0].clone();
        let expected = reference
            .as_ref()
            .or(control.as_ref())
            .expect("instance 0 has an output");
        for (instance, output) in outputs.iter().enumerate() {
            let output = output.as_ref().expect("every instance has an output");
            verify.check(expected, output).map_err(|e| {
                fault(
                    Some(self.plan.instance_name(instance)),
                    Fault::WrongOutput,
                    &e.to_string(),
                )
            })?;
        }
        Ok(())
    }

    /// Host nanoseconds per iteration of an instance, from a slot that is long
    /// enough to tell.
    fn pilot(&mut self, instance: usize) -> Result<f64, ArmFault> {
        let mut iterations = 1;
        loop {
            let (_, host_ns) = self.slot(instance, iterations)?;
            if host_ns >= PILOT_SLOT_NS || iterations >= 1 << 40 {
                let (_, again) = self.slot(instance, iterations)?;
                return Ok(host_ns.min(again).max(1) as f64 / iterations as f64);
            }
            // At most tenfold at a time: the first slots are cold.
            let factor = (PILOT_SLOT_NS as f64 / host_ns.max(1) as f64).clamp(2.0, 10.0);
            iterations = (iterations as f64 * factor).ceil() as u64;
        }
    }

    /// Runs slots of every instance in turn until all are steady.
    fn warm_up(&mut self) -> Result<(u32, bool), ArmFault> {
        let limit = Timer::start();
        let mut times = vec![Vec::new(); self.subjects.len()];
        loop {
            for letter in 0..self.schedule.letters.len() {
                let instance = self.schedule.letters[letter];
                let (_, host_ns) = self.slot(instance, self.plan.iterations)?;
                times[instance].push(host_ns as f64);
            }
            let steady = times.iter().all(|t| is_steady(t));
            let spent = u128::from(limit.elapsed_ns()) >= WARMUP_LIMIT.as_nanos();
            if steady || spent && times[0].len() >= STEADY_WINDOW {
                return Ok((times[0].len() as u32, steady));
            }
        }
    }
}

/// Whether the last window of slot times agrees with the one before it. The
/// minimum of a window is blind to interruptions and sees what warm-up is
/// about: caches, branch history, clock ramps.
fn is_steady(times: &[f64]) -> bool {
    let n = times.len();
    if n < 2 * STEADY_WINDOW {
        return false;
    }
    let floor = |window: &[f64]| window.iter().copied().fold(f64::INFINITY, f64::min);
    let before = floor(&times[n - 2 * STEADY_WINDOW..n - STEADY_WINDOW]);
    let after = floor(&times[n - STEADY_WINDOW..]);
    (after - before).abs() <= STEADY_TOLERANCE * before
}

/// Runs code of an arm; a panic becomes a fault that names the arm.
fn guard<T>(arm: &str, code: impl FnOnce() -> T) -> Result<T, ArmFault> {
    catch_unwind(AssertUnwindSafe(code)).map_err(|panic| panicked(arm, panic.as_ref()))
}

fn panicked(arm: &str, panic: &(dyn std::any::Any + Send)) -> ArmFault {
    let message = panic
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "(no message)".to_owned());
    fault(Some(arm.to_owned()), Fault::Panicked, &message)
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
    let (warmup_slots, steady) = arms.warm_up()?;
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
    let mut last_progress = 0;
    for (index, block) in schedule.blocks.iter().enumerate() {
        block_slots.clear();
        for &instance in &block.slots {
            let start_ns = start.elapsed_ns();
            let (value, host_ns) = arms.slot(instance, iterations)?;
            block_slots.push(SlotLine {
                block: index as u32,
                kind: block.kind,
                instance,
                start_ns,
                value,
                host_ns,
            });
        }
        for slot in &block_slots {
            check_value(job, slot)?;
            log.write(&Line::Slot(*slot)).map_err(system)?;
        }
        let now = start.elapsed_ns();
        if u128::from(now - last_progress) >= PROGRESS_INTERVAL.as_nanos() {
            log.sync().map_err(system)?;
            send(
                &mut io::stdout(),
                &Message::Progress {
                    blocks: index as u32 + 1,
                },
            )
            .map_err(system)?;
            // No answer means that the coordinator is gone: stop, leave no orphan.
            if acks.read_line(&mut String::new()).map_err(system)? == 0 {
                return Err(fault(None, Fault::System, "the coordinator is gone"));
            }
            last_progress = start.elapsed_ns();
        }
    }
    Ok(())
}

/// A value that no estimate can use ends the experiment with the arm's name.
fn check_value(job: &Job, slot: &SlotLine) -> Result<(), ArmFault> {
    let arm = || Some(job.experiment.instance_name(slot.instance));
    if !slot.value.is_finite() {
        return Err(fault(
            arm(),
            Fault::BadValue,
            &format!("it measured {}", slot.value),
        ));
    }
    if job.experiment.estimand == Estimand::PairedLogRatio && slot.value <= 0.0 {
        return Err(fault(
            arm(),
            Fault::BadValue,
            &format!(
                "it measured {}; a ratio needs values above zero: use \
                 `.estimand(Estimand::PairedDifference)` with an absolute margin",
                slot.value
            ),
        ));
    }
    Ok(())
}

/// An append-only observation file behind a buffer that never grows in a slot.
struct ObservationLog {
    file: File,
    buffer: Vec<u8>,
}

impl ObservationLog {
    const ROOM: usize = 256 * 1024;

    fn create(path: &std::path::Path) -> io::Result<Self> {
        let file = File::options().append(true).create_new(true).open(path)?;
        Ok(Self {
            file,
            buffer: Vec::with_capacity(Self::ROOM),
        })
    }

    fn write(&mut self, line: &Line) -> io::Result<()> {
        serde_json::to_writer(&mut self.buffer, line).map_err(io::Error::other)?;
        self.buffer.push(b'\n');
        if self.buffer.len() > Self::ROOM / 2 {
            self.sync()
        } else {
            Ok(())
        }
    }

    /// Hands everything to the operating system.
    fn sync(&mut self) -> io::Result<()> {
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steady_needs_two_agreeing_windows() {
        assert!(!is_steady(&[1.0; 7]));
        assert!(is_steady(&[1.0; 8]));
        // A spike inside a window is an interruption, not a warm-up.
        assert!(is_steady(&[1.0, 9.0, 1.0, 1.0, 1.0, 1.0, 7.0, 1.01]));
        assert!(!is_steady(&[2.0, 2.0, 2.0, 2.0, 1.5, 1.5, 1.5, 1.5]));
    }
}
