//! The built instances of a worker: verified, warmed up, ready for slots.

use super::messages::Job;
use super::remote::RemoteArm;
use crate::observation::{ArmFault, Facts, Fault};
use crate::plan::ExperimentPlan;
use crate::schedule::WorkerSchedule;
use crate::suite::{
    ArmError, Bencher, BuildError, Experiment, Output, Place, SlotValue, Subject, Warmth,
};
use crate::timer::Timer;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// Warm-up ends when an instance's recent slots and those before them differ
/// by less than this.
const STEADY_TOLERANCE: f64 = 0.05;
/// Slots in each of the two windows that are compared.
const STEADY_WINDOW: usize = 4;
/// Warm-up never takes longer than this, unless an arm itself asks for more.
const WARMUP_LIMIT: Duration = Duration::from_millis(1500);

/// Target of the time that the pilot spends on an arm.
const PILOT_SLOT_NS: u64 = 2_000_000;

pub(super) fn fault(arm: Option<String>, fault: Fault, message: &str) -> ArmFault {
    ArmFault {
        arm,
        fault,
        message: message.to_owned(),
    }
}

/// Builds an instance in this process.
pub(super) fn build_instance(
    experiment: &Experiment,
    job: &Job,
    instance: usize,
    input_seed: u64,
) -> Result<Box<dyn Subject>, ArmFault> {
    let name = job.experiment.instance_name(instance);
    let index = arm_index(experiment, &job.experiment, instance)?;
    let mut bencher = Bencher::new(input_seed);
    if let Some(file) = job.kind.file() {
        bencher = bencher.beside(file, instance);
    }
    guard(&name, || experiment.build(index, &mut bencher))?;
    bencher.finish().map_err(|e| build_fault(&name, &e))
}

/// Where the code of an instance stands among the declared arms.
fn arm_index(
    experiment: &Experiment,
    plan: &ExperimentPlan,
    instance: usize,
) -> Result<usize, ArmFault> {
    let declared = experiment
        .declare()
        .map_err(|e| fault(None, Fault::WrongUse, &e))?;
    let code = plan.code_of_instance(instance);
    declared.arms.iter().position(|a| a == code).ok_or_else(|| {
        fault(
            Some(code.to_owned()),
            Fault::WrongUse,
            "the executable has no such arm",
        )
    })
}

/// The built instances of a worker.
pub(super) struct Arms<'a> {
    experiment: &'a Experiment,
    plan: &'a ExperimentPlan,
    schedule: &'a WorkerSchedule,
    /// By instance.
    subjects: Vec<Box<dyn Subject>>,
}

impl<'a> Arms<'a> {
    /// Builds every instance in letter order.
    pub(super) fn build(
        experiment: &'a Experiment,
        job: &'a Job,
        schedule: &'a WorkerSchedule,
    ) -> Result<Self, ArmFault> {
        let plan = &job.experiment;
        let mut subjects: Vec<Option<Box<dyn Subject>>> =
            (0..plan.instances()).map(|_| None).collect();
        for &instance in &schedule.letters {
            if plan.separate {
                let arm = RemoteArm::start(job, instance, schedule.environment_pad)?;
                subjects[instance] = Some(Box::new(arm));
            } else {
                let subject = build_instance(experiment, job, instance, schedule.input_seed)?;
                subjects[instance] = Some(subject);
            }
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

    /// Tells an instance which of its slots comes next.
    pub(super) fn begin(&mut self, instance: usize, place: Place) -> Result<(), ArmFault> {
        let subject = &mut self.subjects[instance];
        catch_unwind(AssertUnwindSafe(|| subject.begin(place)))
            .map_err(|panic| panicked(&self.plan.instance_name(instance), panic.as_ref()))
    }

    /// Runs a slot that nobody looks at.
    pub(super) fn unmeasured(
        &mut self,
        instance: usize,
        iterations: u64,
    ) -> Result<SlotValue, ArmFault> {
        self.begin(instance, Place::UNMEASURED)?;
        self.slot(instance, iterations)
    }

    /// Runs a slot; an arm that panics or gives up is named.
    pub(super) fn slot(&mut self, instance: usize, iterations: u64) -> Result<SlotValue, ArmFault> {
        let subject = &mut self.subjects[instance];
        match catch_unwind(AssertUnwindSafe(|| subject.slot(iterations))) {
            Ok(Ok(slot)) => Ok(slot),
            Ok(Err(error)) => Err(gave_up(&self.plan.instance_name(instance), &error)),
            Err(panic) => Err(panicked(&self.plan.instance_name(instance), panic.as_ref())),
        }
    }

    /// The secondary metrics of an instance's last slot.
    pub(super) fn secondary(&self, instance: usize) -> &[Option<f64>] {
        self.subjects[instance].secondary()
    }

    /// The samples of an instance's last slot.
    pub(super) fn samples(&self, instance: usize) -> &[Vec<Option<f64>>] {
        self.subjects[instance].samples()
    }

    /// What is known about every instance; empty when nothing is.
    pub(super) fn facts(&self) -> Vec<Facts> {
        let facts = self.subjects.iter().map(|s| s.facts());
        told(facts.map(|f| f.into_iter().collect()).collect())
    }

    /// What is known about every instance only after its last slot.
    pub(super) fn facts_at_end(&mut self) -> Result<Vec<Facts>, ArmFault> {
        let mut facts = vec![Facts::new(); self.subjects.len()];
        for &instance in &self.schedule.letters {
            let name = self.plan.instance_name(instance);
            let known = guard(&name, || self.subjects[instance].facts_at_end())?
                .map_err(|error| gave_up(&name, &error))?;
            facts[instance].extend(known);
        }
        Ok(told(facts))
    }

    /// One iteration of every instance in letter order, then verification.
    pub(super) fn verify_after_one_iteration(&mut self) -> Result<(), ArmFault> {
        if self.plan.cold && self.experiment.verifier().is_none() {
            return Ok(());
        }
        for letter in 0..self.schedule.letters.len() {
            self.unmeasured(self.schedule.letters[letter], 1)?;
        }
        self.verify()
    }

    /// Verifies what the last iteration of every instance left behind.
    pub(super) fn verify(&mut self) -> Result<(), ArmFault> {
        let Some(verify) = self.experiment.verifier() else {
            return Ok(());
        };
        let mut outputs: Vec<Option<Output>> = self.subjects.iter().map(|_| None).collect();
        for &instance in &self.schedule.letters {
            let name = self.plan.instance_name(instance);
            let output = guard(&name, || self.subjects[instance].output())?
                .map_err(|error| gave_up(&name, &error))?;
            let output = output.ok_or_else(|| {
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
    pub(super) fn pilot(&mut self, instance: usize) -> Result<f64, ArmFault> {
        if let Some(iterations) = self.experiment.sizes().iterations {
            let host_ns = self.unmeasured(instance, iterations)?.host_ns;
            return Ok(host_ns.max(1) as f64 / iterations as f64);
        }
        let mut iterations = 1;
        loop {
            let host_ns = self.unmeasured(instance, iterations)?.host_ns;
            if host_ns >= PILOT_SLOT_NS || iterations >= 1 << 27 {
                let again = self.unmeasured(instance, iterations)?.host_ns;
                return Ok(host_ns.min(again).max(1) as f64 / iterations as f64);
            }
            // At most tenfold at a time: the first slots are cold.
            let factor = (PILOT_SLOT_NS as f64 / host_ns.max(1) as f64).clamp(2.0, 10.0);
            iterations = (iterations as f64 * factor).ceil() as u64;
        }
    }

    /// Runs slots of every instance in turn until all are steady. `between` is
    /// called between the turns.
    ///
    /// Arms that begin every slot cold have nothing to warm up.
    pub(super) fn warm_up(
        &mut self,
        mut between: impl FnMut() -> Result<(), ArmFault>,
    ) -> Result<(u32, bool), ArmFault> {
        if self.plan.cold {
            return Ok((0, true));
        }
        let limit = Timer::start();
        let mut times = vec![Vec::new(); self.subjects.len()];
        loop {
            for letter in 0..self.schedule.letters.len() {
                let instance = self.schedule.letters[letter];
                let slot = self.unmeasured(instance, self.plan.iterations)?;
                times[instance].push(slot.host_ns as f64);
            }
            let spent = u128::from(limit.elapsed_ns()) >= WARMUP_LIMIT.as_nanos();
            let states = self.subjects.iter().zip(&times);
            let states = states.map(|(subject, times)| settled(subject.warmth(), times, spent));
            if let Some(states) = states.collect::<Option<Vec<bool>>>() {
                return Ok((
                    times[0].len() as u32,
                    states.into_iter().all(|steady| steady),
                ));
            }
            between()?;
        }
    }
}

/// Facts of every instance; empty when there are none at all.
fn told(facts: Vec<Facts>) -> Vec<Facts> {
    if facts.iter().all(Facts::is_empty) {
        Vec::new()
    } else {
        facts
    }
}

/// Whether an instance is steady after slots of these times; `None` while it
/// needs more of them. An arm that knows by itself has the word. The others are
/// judged by the last two windows, and when the time is spent by what there is.
fn settled(warmth: Warmth, times: &[f64], spent: bool) -> Option<bool> {
    match warmth {
        Warmth::Warming => None,
        Warmth::Steady => Some(true),
        Warmth::Unsteady => Some(false),
        Warmth::Unknown => {
            let enough = times.len() >= 2 * STEADY_WINDOW;
            if enough && agree(times, STEADY_WINDOW) {
                Some(true)
            } else if spent && times.len() >= STEADY_WINDOW {
                Some(!enough && agree(times, times.len() / 2))
            } else {
                None
            }
        }
    }
}

/// Whether the last window of slot times agrees with the one before it. The
/// minimum of a window is blind to interruptions and sees what warm-up is
/// about: caches, branch history, clock ramps.
fn agree(times: &[f64], window: usize) -> bool {
    let n = times.len();
    let floor = |window: &[f64]| window.iter().copied().fold(f64::INFINITY, f64::min);
    let before = floor(&times[n - 2 * window..n - window]);
    let after = floor(&times[n - window..]);
    (after - before).abs() <= STEADY_TOLERANCE * before
}

/// Runs code of an arm; a panic becomes a fault that names the arm.
pub(super) fn guard<T>(arm: &str, code: impl FnOnce() -> T) -> Result<T, ArmFault> {
    catch_unwind(AssertUnwindSafe(code)).map_err(|panic| panicked(arm, panic.as_ref()))
}

fn gave_up(arm: &str, error: &ArmError) -> ArmFault {
    let kind = if error.is_wrong_output() {
        Fault::WrongOutput
    } else {
        Fault::Failed
    };
    fault(Some(arm.to_owned()), kind, &error.message)
}

/// Why an arm did not come to be, as a fault that names it.
pub(super) fn build_fault(arm: &str, error: &BuildError) -> ArmFault {
    match error {
        BuildError::WrongUse(problem) => fault(Some(arm.to_owned()), Fault::WrongUse, problem),
        BuildError::Failed(error) => gave_up(arm, error),
    }
}

fn panicked(arm: &str, panic: &(dyn std::any::Any + Send)) -> ArmFault {
    let message = panic
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "(no message)".to_owned());
    fault(Some(arm.to_owned()), Fault::Panicked, &message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steady_needs_two_agreeing_windows() {
        let seen = |times: &[f64]| settled(Warmth::Unknown, times, false);
        assert_eq!(seen(&[1.0; 7]), None);
        assert_eq!(seen(&[1.0; 8]), Some(true));
        // A spike inside a window is an interruption, not a warm-up.
        assert_eq!(seen(&[1.0, 9.0, 1.0, 1.0, 1.0, 1.0, 7.0, 1.01]), Some(true));
        assert_eq!(seen(&[2.0, 2.0, 2.0, 2.0, 1.5, 1.5, 1.5, 1.5]), None);
    }

    /// Slots of half a second would never be steady if eight were needed.
    #[test]
    fn long_slots_are_judged_by_what_fits_into_the_limit() {
        let spent = |times: &[f64]| settled(Warmth::Unknown, times, true);
        assert_eq!(spent(&[1.0; 3]), None);
        assert_eq!(spent(&[1.02, 1.0, 3.0, 1.01]), Some(true));
        assert_eq!(spent(&[2.0, 1.9, 1.0, 1.0, 1.0]), Some(true));
        assert_eq!(spent(&[2.0, 1.9, 1.2, 1.0]), Some(false));
        assert_eq!(
            spent(&[2.0, 2.0, 2.0, 2.0, 1.5, 1.5, 1.5, 1.5]),
            Some(false)
        );
    }

    #[test]
    fn an_arm_that_knows_has_the_word() {
        for spent in [false, true] {
            assert_eq!(settled(Warmth::Warming, &[1.0; 20], spent), None);
            assert_eq!(settled(Warmth::Steady, &[2.0, 1.0], spent), Some(true));
            assert_eq!(settled(Warmth::Unsteady, &[1.0; 20], spent), Some(false));
        }
    }
}
