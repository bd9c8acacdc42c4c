//! A device whose truth is known: the measuring is tested against it.

mod truth;
mod world;

pub use truth::Truth;

use super::cpu::{checked_run, host_form};
use super::{
    CacheState, Ceilings, Device, DeviceError, EnergyUpdate, Identity, Prepared, RawSlot, State,
    Timing,
};
use crate::task::{Buffer, CpuKernel, Data, Task};
use bootstrap::Stream;
use std::cell::RefCell;
use std::rc::Rc;
use world::{World, gauss};

/// A device with a known [`Truth`], a seed and a virtual clock. It sleeps
/// never, and everything that it says is labelled `simulated`.
pub struct SimDevice {
    identity: Identity,
    world: Rc<RefCell<World>>,
}

/// Sets of buffers that rotation goes around.
const ROTATION_SETS: usize = 3;

impl SimDevice {
    /// A device; equal truths and seeds measure equal values.
    #[must_use]
    pub fn new(truth: Truth, seed: u64) -> Self {
        Self {
            identity: Identity {
                label: "simulated".to_owned(),
                facts: Vec::new(),
            },
            world: Rc::new(RefCell::new(World::new(truth, Stream::new(seed, "device")))),
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
        if let Some(error) = truth.refuses.get(variant) {
            return Err(error.clone());
        }
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
            watts: truth
                .power_w
                .get(variant)
                .copied()
                .unwrap_or(truth.default_power_w),
            fails: truth.fails.get(variant).cloned(),
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
    /// Power while it runs.
    watts: f64,
    fails: Option<DeviceError>,
    leak: u64,
    variant: String,
}

impl Prepared for Simulated {
    fn run(&mut self, launches: u64) -> Result<RawSlot, DeviceError> {
        if let Some(error) = &self.fails {
            return Err(error.clone());
        }
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
            let taken: f64 = (0..now)
                .map(|_| world.launch(self.launch_ns, self.watts))
                .sum();
            let span = world.timed(taken);
            timed_ns += span;
            shortest_ns = f64::min(shortest_ns, span);
            spans += 1;
            left -= now;
        }
        world.pass(self.hidden_ns, self.watts);
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
        self.world.borrow().looks_since(start_ns)
    }

    fn watch_energy(&mut self) -> bool {
        self.world.borrow_mut().watch_energy()
    }

    fn energy_updates(&mut self) -> Vec<EnergyUpdate> {
        self.world.borrow().energy_updates.clone()
    }
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
            .prepare(&task, name, CacheState::ColdByWriting)
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
