//! A variant of a task as an arm.

use super::cache::cache_for;
use evenhand_harness::plan::SlotFlags;
use evenhand_harness::suite::{ArmError, Bencher, Output, Place, SlotValue, Subject};
use evenhand_kernels::device::{
    CacheState, Device, DeviceError, Marks, Measured, Meter, Prepared, Seen, Timing, energy_batch,
};
use evenhand_kernels::task::{Data, Task};
use evenhand_kernels::{Mismatch, Tolerance};

/// `off` leaves out the batch of launches for their energy, half a second or
/// more per arm and worker.
const ENERGY_VARIABLE: &str = "EVENHAND_ENERGY";

/// Gives a [`Bencher`] variants of tasks.
pub trait TaskBencher {
    /// Times a variant on the device that this process was asked to measure.
    /// The cache is made cold as `--flush` says, by reading without it,
    /// where the device has one to make cold.
    fn task(&mut self, task: &Task, variant: &str);

    /// Times a variant on a device of your own, in this state of the cache; a
    /// `--flush` that asks for another one fails the arm.
    fn task_on(&mut self, device: &dyn Device, task: &Task, variant: &str, cache: CacheState);
}

impl TaskBencher for Bencher {
    fn task(&mut self, task: &Task, variant: &str) {
        let device = match super::chosen() {
            Ok(device) => device,
            Err(error) => return self.fail(arm_error(&error)),
        };
        match cache_for(None, is_gpu(&*device)) {
            Ok(cache) => self.task_on(&*device, task, variant, cache),
            Err(problem) => self.fail(ArmError::new(problem)),
        }
    }

    fn task_on(&mut self, device: &dyn Device, task: &Task, variant: &str, cache: CacheState) {
        if let Err(problem) = cache_for(Some(cache), is_gpu(device)) {
            return self.fail(ArmError::new(problem));
        }
        match TaskArm::new(device, task, variant, cache) {
            Ok(arm) => self.register(arm),
            Err(error) => self.fail(arm_error(&error)),
        }
    }
}

fn energy_is_wanted() -> Result<bool, ArmError> {
    match std::env::var(ENERGY_VARIABLE).as_deref() {
        Err(_) | Ok("" | "on") => Ok(true),
        Ok("off") => Ok(false),
        Ok(other) => Err(ArmError::new(format!(
            "{ENERGY_VARIABLE}={other}: give on or off"
        ))),
    }
}

/// Whether it has the metrics and the caches of a GPU.
fn is_gpu(device: &dyn Device) -> bool {
    device.identity().label != "cpu"
}

/// A variant on a device, with what judges its slots.
pub struct TaskArm {
    prepared: Box<dyn Prepared>,
    /// Whether it has the metrics of a GPU.
    gpu: bool,
    meter: Meter,
    /// In the order of [`super::further_metrics`].
    further: Vec<Option<f64>>,
    facts: Vec<(String, String)>,
    /// Whether the slot that comes next is one of the measured ones.
    counts: bool,
    seen: Seen,
    /// Launches of the last slot.
    launches: u64,
    /// Where launches go around several sets of buffers.
    expected: Option<Expected>,
}

/// What stands in every set of buffers after a launch. The experiment compares
/// the first one alone.
struct Expected {
    sets: usize,
    reference: Vec<f64>,
    tolerance: Tolerance,
}

impl Expected {
    fn check(&self, found: &[f64]) -> Result<(), Mismatch> {
        self.tolerance.check(found, &self.reference)
    }
}

impl TaskArm {
    /// Prepares a variant; measures the device's ceilings at its first arm.
    ///
    /// # Errors
    /// If the device cannot run the variant.
    pub fn new(
        device: &dyn Device,
        task: &Task,
        variant: &str,
        cache: CacheState,
    ) -> Result<Self, DeviceError> {
        let ceilings = device.ceilings()?;
        let prepared = device.prepare(task, variant, cache)?;
        let identity = device.identity();
        let mut facts = vec![
            ("device".to_owned(), identity.label.clone()),
            ("cache".to_owned(), prepared.cache().to_string()),
            (
                "timer_step_ns".to_owned(),
                format!("{:.1}", prepared.timer_step_ns()),
            ),
        ];
        for (name, rate) in [
            ("copy_gb_per_s", ceilings.bytes_per_ns),
            ("f32_gflop_per_s", ceilings.vector_flops_per_ns),
            ("bf16_mma_gflop_per_s", ceilings.matrix_flops_per_ns),
        ] {
            if let Some(rate) = rate {
                facts.push((name.to_owned(), format!("{rate:.1}")));
            }
        }
        let more = identity.facts.iter().cloned().chain(prepared.facts());
        for fact in more {
            if facts.iter().all(|(name, _)| *name != fact.0) {
                facts.push(fact);
            }
        }
        let work = (task.bytes_moved, task.flops);
        let meter = Meter::new(work, prepared.timer_step_ns(), prepared.cache(), ceilings);
        let sets = prepared.sets();
        Ok(Self {
            expected: (sets > 1).then(|| Expected {
                sets,
                reference: task.reference.clone(),
                tolerance: task.tolerance,
            }),
            gpu: is_gpu(device),
            prepared,
            meter,
            further: Vec::new(),
            facts,
            counts: true,
            seen: Seen::default(),
            launches: 1,
        })
    }
}

impl Subject for TaskArm {
    fn begin(&mut self, place: Place) {
        self.counts = place.block.is_some();
    }

    fn slot(&mut self, iterations: u64) -> Result<SlotValue, ArmError> {
        let slot = self.prepared.run(iterations).map_err(|e| arm_error(&e))?;
        let states = self.prepared.state_since(slot.start_ns);
        self.launches = iterations;
        if self.counts {
            let end_ns = slot.start_ns + slot.host_ns;
            self.seen.add(&states, slot.start_ns, end_ns);
        }
        let measured = self
            .meter
            .judge(&slot, &states)
            .map_err(|e| arm_error(&e))?;
        self.further.clear();
        further_values(
            self.prepared.timing(),
            self.gpu,
            &measured,
            &mut self.further,
        );
        Ok(SlotValue {
            // An event pair may see nothing of a launch that is far below its step.
            value: (measured.ns > 0.0).then_some(measured.ns),
            host_ns: slot.host_ns,
            flags: flags(measured.marks),
        })
    }

    fn secondary(&self) -> &[Option<f64>] {
        &self.further
    }

    fn output(&mut self) -> Result<Option<Output>, ArmError> {
        let mut checked = |set| {
            let data = self.prepared.checked_output(set);
            data.map(|data| widened(&data)).map_err(|e| arm_error(&e))
        };
        let first = checked(0)?;
        if let Some(expected) = &self.expected
            && expected.check(&first).is_ok()
        {
            for set in 1..expected.sets {
                let found = checked(set)?;
                expected.check(&found).map_err(|mismatch| {
                    ArmError::wrong_output(format!(
                        "in set {} of {} sets of buffers with the same inputs, {mismatch}; in the \
                         first it is right",
                        set + 1,
                        expected.sets
                    ))
                })?;
            }
        }
        Ok(Some(Output::F64(first)))
    }

    fn facts(&self) -> Vec<(String, String)> {
        self.facts.clone()
    }

    fn facts_at_end(&mut self) -> Result<Vec<(String, String)>, ArmError> {
        let mut facts = self.seen.facts();
        if !energy_is_wanted()? {
            return Ok(facts);
        }
        let batch = energy_batch(&mut *self.prepared, self.launches).map_err(|e| arm_error(&e))?;
        if let Some(batch) = batch {
            facts.extend([
                (
                    "energy_mj_per_launch".to_owned(),
                    format!("{:.6}", batch.mj_per_launch()),
                ),
                (
                    "energy_launches".to_owned(),
                    format!("{:.0}", batch.launches),
                ),
                ("energy_updates".to_owned(), batch.updates.to_string()),
            ]);
        }
        Ok(facts)
    }
}

/// The values of [`super::further_metrics`] for a slot.
fn further_values(timing: Timing, gpu: bool, measured: &Measured, into: &mut Vec<Option<f64>>) {
    if !gpu {
        return;
    }
    if timing != Timing::Host {
        let percent = |share: Option<f64>| share.map(|share| 100.0 * share);
        into.push(measured.sm_cycles);
        into.push(percent(measured.memory_share));
        into.push(percent(measured.arithmetic_share));
    }
    into.push(measured.energy_mj);
}

fn flags(marks: Marks) -> SlotFlags {
    let Marks {
        throttled,
        clock_changed,
        memory_grew,
        foreign_work,
        too_short,
        hidden_work,
    } = marks;
    let mut flags = SlotFlags::NONE;
    for (set, flag) in [
        (throttled, SlotFlags::THROTTLED),
        (clock_changed, SlotFlags::CLOCK_CHANGED),
        (memory_grew, SlotFlags::MEMORY_GREW),
        (foreign_work, SlotFlags::FOREIGN_WORK),
        (too_short, SlotFlags::TOO_SHORT),
        (hidden_work, SlotFlags::HIDDEN_WORK),
    ] {
        if set {
            flags.insert(flag);
        }
    }
    flags
}

fn widened(data: &Data) -> Vec<f64> {
    match data {
        Data::F32(values) => values.iter().map(|&x| x.into()).collect(),
        Data::Bf16(values) => values.iter().map(|&x| x.into()).collect(),
        Data::U32(values) => values.iter().map(|&x| x.into()).collect(),
    }
}

fn arm_error(error: &DeviceError) -> ArmError {
    ArmError::new(error.to_string())
}
