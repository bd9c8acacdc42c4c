//! A device whose truth is known: the measuring is tested against it.

use super::cpu::{checked_run, host_form};
use super::{
    CacheState, Ceilings, Device, DeviceError, Identity, Prepared, RawSlot, State, Timing,
};
use crate::task::{Buffer, CpuKernel, Data, Task};
use bootstrap::Stream;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// How a simulated device behaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    /// True time of a launch by variant, nanoseconds.
    pub launch_ns: BTreeMap<String, f64>,
    /// True time of a launch of every other variant.
    pub default_ns: f64,
    /// Standard deviation of a launch, as a fraction.
    pub noise: f64,
    /// Standard deviation of what an arm keeps as long as it lives (placement
    /// of its memory), as a fraction.
    pub placement: f64,
    /// Slow-down per virtual second, as a fraction.
    pub drift_per_s: f64,
    /// Step of the timer, nanoseconds; 0 for a perfect one.
    pub timer_step_ns: f64,
    /// From this virtual second on the clock falls to `throttle_clock`.
    pub throttle_from_s: Option<f64>,
    /// Share of the usual clock while throttled.
    pub throttle_clock: f64,
    /// Every second slot is slower by this fraction.
    pub slot_bias: f64,
    /// Usual clock, MHz.
    pub clock_mhz: f64,
    /// Work that a variant leaves running after its last span, nanoseconds.
    pub hidden_ns: BTreeMap<String, f64>,
    /// Bytes that a slot of a variant leaves allocated.
    pub leak_bytes: BTreeMap<String, u64>,
    /// Other processes on the device.
    pub others: u32,
    /// Ceilings that the device claims to have.
    pub ceilings: Ceilings,
}

impl Truth {
    /// A quiet device on which every launch takes `launch_ns`, give or take
    /// 1 %, timed with a step of 500 ns.
    #[must_use]
    pub fn quiet(launch_ns: f64) -> Self {
        Self {
            launch_ns: BTreeMap::new(),
            default_ns: launch_ns,
            noise: 0.01,
            placement: 0.002,
            drift_per_s: 0.0,
            timer_step_ns: 500.0,
            throttle_from_s: None,
            throttle_clock: 0.6,
            slot_bias: 0.0,
            clock_mhz: 1800.0,
            hidden_ns: BTreeMap::new(),
            leak_bytes: BTreeMap::new(),
            others: 0,
            ceilings: Ceilings::default(),
        }
    }

    /// The same with another true time of one variant.
    #[must_use]
    pub fn with(mut self, variant: &str, launch_ns: f64) -> Self {
        self.launch_ns.insert(variant.to_owned(), launch_ns);
        self
    }
}

/// A device with a known [`Truth`], a seed and a virtual clock. It sleeps
/// never, and everything that it says is labelled `simulated`.
pub struct SimDevice {
    identity: Identity,
    world: Rc<RefCell<World>>,
}

/// What all arms of a device share.
struct World {
    truth: Truth,
    stream: Stream,
    now_ns: f64,
    slots: u64,
    free_memory: u64,
}

/// Host cost of a launch with its flush, nanoseconds.
const LAUNCH_COST_NS: f64 = 20_000.0;
/// Sets of buffers that rotation goes around.
const ROTATION_SETS: usize = 3;
/// Memory of the device.
const MEMORY: u64 = 16 << 30;

impl SimDevice {
    /// A device; equal truths and seeds measure equal values.
    #[must_use]
    pub fn new(truth: Truth, seed: u64) -> Self {
        Self {
            identity: Identity {
                label: "simulated".to_owned(),
                facts: Vec::new(),
            },
            world: Rc::new(RefCell::new(World {
                truth,
                stream: Stream::new(seed, "device"),
                now_ns: 0.0,
                slots: 0,
                free_memory: MEMORY,
            })),
        }
    }
}

impl Device for SimDevice {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn prepare(
        &self,
        task: &Task,
        variant: &str,
        cache: CacheState,
    ) -> Result<Box<dyn Prepared>, DeviceError> {
        let (kernel, inputs) = host_form(task, variant)?;
        let mut world = self.world.borrow_mut();
        let placement = world.truth.placement * gauss(&mut world.stream);
        let truth = &world.truth;
        let launch_ns = truth
            .launch_ns
            .get(variant)
            .copied()
            .unwrap_or(truth.default_ns);
        let sets = match cache {
            CacheState::ColdByRotation => ROTATION_SETS,
            _ => 1,
        };
        Ok(Box::new(Simulated {
            world: Rc::clone(&self.world),
            kernel,
            sets: vec![task.fresh_buffers(); sets],
            output: task.output,
            inputs,
            cache,
            launch_ns: launch_ns * (1.0 + placement),
            hidden_ns: truth.hidden_ns.get(variant).copied().unwrap_or(0.0),
            leak: truth.leak_bytes.get(variant).copied().unwrap_or(0),
            variant: variant.to_owned(),
        }))
    }

    fn ceilings(&self) -> Result<Ceilings, DeviceError> {
        Ok(self.world.borrow().truth.ceilings)
    }
}

struct Simulated {
    world: Rc<RefCell<World>>,
    kernel: CpuKernel,
    sets: Vec<Vec<Buffer>>,
    output: usize,
    inputs: Vec<u64>,
    cache: CacheState,
    launch_ns: f64,
    hidden_ns: f64,
    leak: u64,
    variant: String,
}

impl World {
    /// Share of the usual clock now.
    fn clock(&self) -> f64 {
        match self.truth.throttle_from_s {
            Some(from) if self.now_ns >= from * 1e9 => self.truth.throttle_clock,
            _ => 1.0,
        }
    }

    /// A launch of true length `ns`, as the clock of the device has it.
    fn launch(&mut self, ns: f64) -> f64 {
        let bias = if self.slots % 2 == 1 {
            self.truth.slot_bias
        } else {
            0.0
        };
        let drift = self.truth.drift_per_s * self.now_ns / 1e9;
        let noise = (1.0 + self.truth.noise * gauss(&mut self.stream)).max(0.05);
        let taken = ns * noise * (1.0 + drift) * (1.0 + bias) / self.clock();
        self.now_ns += taken + LAUNCH_COST_NS;
        taken
    }

    /// A span as the timer tells it: both ends lie on its grid.
    fn timed(&mut self, ns: f64) -> f64 {
        let step = self.truth.timer_step_ns;
        if step <= 0.0 {
            return ns;
        }
        let start = self.stream.unit();
        ((start + ns / step).floor() * step).max(0.0)
    }
}

impl Prepared for Simulated {
    fn run(&mut self, launches: u64) -> Result<RawSlot, DeviceError> {
        let world = &mut *self.world.borrow_mut();
        let start = world.now_ns;
        let clock_mhz = world.truth.clock_mhz * world.clock();
        // A flush between launches forbids batches.
        let batch = if self.cache.is_flushed() {
            1
        } else {
            super::batch_for(self.launch_ns, world.truth.timer_step_ns)
        };
        let (mut timed_ns, mut shortest_ns, mut spans, mut left) =
            (0.0, f64::INFINITY, 0, launches);
        while left > 0 {
            let (now, _) = super::next_spans(left, batch, 1);
            let taken: f64 = (0..now).map(|_| world.launch(self.launch_ns)).sum();
            let span = world.timed(taken);
            timed_ns += span;
            shortest_ns = f64::min(shortest_ns, span);
            spans += 1;
            left -= now;
        }
        world.now_ns += self.hidden_ns;
        world.slots += 1;
        world.free_memory = world.free_memory.saturating_sub(self.leak);
        Ok(RawSlot {
            launches,
            timed_ns,
            spans,
            shortest_ns,
            start_ns: start as u64,
            host_ns: (world.now_ns - start) as u64,
            clock_mhz: Some(clock_mhz),
            trailing_ns: Some(self.hidden_ns),
            free_memory: Some(world.free_memory),
        })
    }

    fn sets(&self) -> usize {
        self.sets.len()
    }

    fn checked_output(&mut self, set: usize) -> Result<Data, DeviceError> {
        let buffers = &mut self.sets[set];
        checked_run(&self.kernel, buffers, self.output, &self.inputs)
    }

    fn timing(&self) -> Timing {
        Timing::Simulated
    }

    fn timer_step_ns(&self) -> f64 {
        self.world.borrow().truth.timer_step_ns
    }

    fn cache(&self) -> CacheState {
        self.cache
    }

    fn facts(&self) -> Vec<(String, String)> {
        vec![("simulated_variant".to_owned(), self.variant.clone())]
    }

    fn state_since(&self, start_ns: u64) -> Vec<State> {
        let world = self.world.borrow();
        vec![State {
            at_ns: start_ns,
            throttled: Some(world.clock() < 1.0),
            others: Some(world.truth.others),
            sm_mhz: Some((world.truth.clock_mhz * world.clock()) as u32),
            ..State::default()
        }]
    }
}

/// A standard normal number: the sum of twelve uniform ones less six, which is
/// near enough and the same on every platform.
fn gauss(stream: &mut Stream) -> f64 {
    (0..12).map(|_| stream.unit()).sum::<f64>() - 6.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks;

    fn mean(truth: Truth, launches: u64) -> RawSlot {
        let task = tasks::rms_norm(1, 8, 1);
        let device = SimDevice::new(truth, 3);
        let name = task.variants[0].name;
        let mut arm = device
            .prepare(&task, name, CacheState::ColdByFlush)
            .unwrap();
        arm.run(launches).unwrap()
    }

    #[test]
    fn the_mean_is_the_truth_whatever_the_step() {
        for step in [0.0, 500.0, 1024.0] {
            let truth = Truth {
                timer_step_ns: step,
                placement: 0.0,
                ..Truth::quiet(10_000.0)
            };
            let slot = mean(truth, 20_000);
            let ns = slot.timed_ns / slot.launches as f64;
            assert!((ns / 10_000.0 - 1.0).abs() < 2e-3, "{step}: {ns}");
            assert_eq!(slot.spans, 20_000);
        }
    }

    #[test]
    fn a_seed_measures_the_same_again() {
        let again = mean(Truth::quiet(5_000.0), 100);
        assert_eq!(mean(Truth::quiet(5_000.0), 100), again);
    }

    #[test]
    fn a_variant_that_is_not_there_is_named() {
        let task = tasks::rms_norm(1, 8, 1);
        let device = SimDevice::new(Truth::quiet(1.0), 1);
        let error = device
            .prepare(&task, "nothing", CacheState::Hot)
            .err()
            .unwrap();
        assert!(error.to_string().contains(task.variants[0].name), "{error}");
    }
}
