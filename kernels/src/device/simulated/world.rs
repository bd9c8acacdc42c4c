//! What all arms of a simulated device share: time, clocks, energy, memory.

use super::super::{EnergyUpdate, State, ThrottleReasons};
use super::Truth;
use bootstrap::Stream;

/// Host cost of a launch with its flush, nanoseconds.
const LAUNCH_COST_NS: f64 = 20_000.0;
/// Memory of the device.
const MEMORY: u64 = 16 << 30;
/// Pause between two looks at the device, nanoseconds.
const LOOK_NS: f64 = 66e6;
/// Looks before a slot that its judge may ask for, nanoseconds.
const BEFORE_NS: u64 = 1_000_000_000;
/// Looks that are kept.
const KEPT: usize = 256;

pub(super) struct World {
    pub truth: Truth,
    pub stream: Stream,
    pub now_ns: f64,
    pub slots: u64,
    pub free_memory: u64,
    energy_mj: f64,
    /// What the counter told at its last update.
    counter_mj: f64,
    looks: Vec<State>,
    /// Updates of the energy counter since it is watched.
    pub energy_updates: Vec<EnergyUpdate>,
}

impl World {
    pub fn new(truth: Truth, stream: Stream) -> Self {
        let mut world = Self {
            truth,
            stream,
            now_ns: 0.0,
            slots: 0,
            free_memory: MEMORY,
            energy_mj: 0.0,
            counter_mj: 0.0,
            looks: Vec::new(),
            energy_updates: Vec::new(),
        };
        world.look(world.truth.idle_w);
        world
    }

    /// Share of the usual clock now.
    pub fn clock(&self) -> f64 {
        match self.truth.throttle_from_s {
            Some(from) if self.now_ns >= from * 1e9 => self.truth.throttle_clock,
            _ => 1.0,
        }
    }

    /// A launch of true length `ns` at `watts`, as the clock of the device has
    /// it.
    pub fn launch(&mut self, ns: f64, watts: f64) -> f64 {
        let bias = if self.slots % 2 == 1 {
            self.truth.slot_bias
        } else {
            0.0
        };
        let drift = self.truth.drift_per_s * self.now_ns / 1e9;
        let noise = (1.0 + self.truth.noise * gauss(&mut self.stream)).max(0.05);
        let taken = ns * noise * (1.0 + drift) * (1.0 + bias) / self.clock();
        self.pass(LAUNCH_COST_NS, self.truth.idle_w);
        self.pass(taken, watts);
        taken
    }

    /// Time goes on for `ns` at `watts`.
    pub fn pass(&mut self, ns: f64, watts: f64) {
        let before = self.now_ns;
        self.now_ns += ns;
        // A watt is 1e-6 millijoules per nanosecond.
        let mj_per_ns = watts * 1e-6;
        if let Some(step) = self.truth.energy_step_ns {
            let update = (self.now_ns / step).floor() * step;
            if update > before {
                self.counter_mj = self.energy_mj + (update - before) * mj_per_ns;
                self.energy_updates.push(EnergyUpdate {
                    at_ns: update as u64,
                    total_mj: self.counter_mj as u64,
                });
            }
        }
        self.energy_mj += ns * mj_per_ns;
        if (self.now_ns / LOOK_NS).floor() > (before / LOOK_NS).floor() {
            self.look(watts);
        }
    }

    fn look(&mut self, watts: f64) {
        if !self.truth.telemetry {
            return;
        }
        let slowed = self.clock() < 1.0;
        if self.looks.len() == KEPT {
            self.looks.remove(0);
        }
        self.looks.push(State {
            at_ns: self.now_ns as u64,
            power_mw: Some((watts * 1000.0) as u32),
            energy_mj: self.energy_counter_mj(),
            temperature_c: self.truth.temperature_c,
            sm_mhz: Some((self.truth.clock_mhz * self.clock()) as u32),
            memory_mhz: None,
            reasons: Some(if slowed {
                ThrottleReasons::SW_POWER_CAP
            } else {
                ThrottleReasons::default()
            }),
            others: Some(self.truth.others),
            memory_used: Some(MEMORY - self.free_memory),
        });
    }

    /// The looks from a second before `start_ns` on.
    pub fn looks_since(&self, start_ns: u64) -> Vec<State> {
        let from = start_ns.saturating_sub(BEFORE_NS);
        let fresh = self.looks.iter().filter(|s| s.at_ns >= from);
        fresh.copied().collect()
    }

    /// Forgets the updates so far; false where no counter is told.
    pub fn watch_energy(&mut self) -> bool {
        self.energy_updates.clear();
        self.energy_counter_mj().is_some()
    }

    fn energy_counter_mj(&self) -> Option<u64> {
        let told = self.truth.telemetry && self.truth.energy_step_ns.is_some();
        told.then_some(self.counter_mj as u64)
    }

    /// A span as the timer tells it: both ends lie on its grid.
    pub fn timed(&mut self, ns: f64) -> f64 {
        let step = self.truth.timer_step_ns;
        if step <= 0.0 {
            return ns;
        }
        let start = self.stream.unit();
        ((start + ns / step).floor() * step).max(0.0)
    }
}

/// A standard normal number: the sum of twelve uniform ones less six, which is
/// near enough and the same on every platform.
pub(super) fn gauss(stream: &mut Stream) -> f64 {
    (0..12).map(|_| stream.unit()).sum::<f64>() - 6.0
}
