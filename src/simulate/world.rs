//! A machine with known faults and a known truth.

use super::noise::{Shape, gauss};
use bootstrap::Stream;

/// What disturbs the measurements, and the true effect.
///
/// A slot takes `100 x state x shared x time x position x effect x (1 + noise)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct World {
    /// True effect of the candidate: its log ratio to the control.
    pub effect: f64,
    /// Shape of the noise of a slot.
    pub slot_shape: Shape,
    /// Shape of a candidate's slots where it differs from the control's.
    pub candidate_slot_shape: Option<Shape>,
    /// Standard deviation of a slot, as a fraction.
    pub slot_cv: f64,
    /// Share of slots that take ten times as long.
    pub slot_spikes: f64,
    /// The timer's step, as a fraction; 0 for a fine timer.
    pub quantum: f64,
    /// Standard deviation of what all arms of a worker share.
    pub shared_sd: f64,
    /// Shape of an instance's state.
    pub state_shape: Shape,
    /// Shape of a candidate's state where it differs from the control's.
    pub candidate_state_shape: Option<Shape>,
    /// Standard deviation (log scale) of the state that an instance keeps for
    /// the life of its worker: layout, allocation, placement.
    pub state_sd: f64,
    /// The control's state is this many times as wide as a candidate's.
    pub control_state_factor: f64,
    /// Share of states that are ten times as slow.
    pub state_spikes: f64,
    /// Lag-1 correlation of an arm's state from worker to worker. Above zero
    /// the "workers" are not restarts: the label lies.
    pub state_memory: f64,
    /// Lag-1 correlation of the slots' noise in time.
    pub slot_memory: f64,
    /// Slow-down from the first slot to the last, as a fraction.
    pub drift: f64,
    /// Slow-down at the middle of the session.
    pub step: f64,
    /// Warm-up inside each worker: extra time of its first slot, which fades.
    pub warm_up: f64,
    /// Slow-down of the second and third slot of a block.
    pub slot_position: f64,
    /// Interference that hits every other slot.
    pub period_two: f64,
    /// Slow-down of an instance per place that it was built later.
    pub letter: f64,
}

impl World {
    /// Equal arms on a machine with 5 % slots and .5 % states.
    pub const PLAIN: Self = Self {
        effect: 0.0,
        slot_shape: Shape::Normal,
        candidate_slot_shape: None,
        slot_cv: 0.05,
        slot_spikes: 0.0,
        quantum: 0.0,
        shared_sd: 0.05,
        state_shape: Shape::Normal,
        candidate_state_shape: None,
        state_sd: 0.005,
        control_state_factor: 1.0,
        state_spikes: 0.0,
        state_memory: 0.0,
        slot_memory: 0.0,
        drift: 0.0,
        step: 0.0,
        warm_up: 0.0,
        slot_position: 0.0,
        period_two: 0.0,
        letter: 0.0,
    };

    /// The same with states of 2 % that outweigh the slots, so that their
    /// shape is the shape of the units.
    pub const STATES: Self = Self {
        slot_cv: 0.02,
        state_sd: 0.02,
        ..Self::PLAIN
    };

    /// The same world with another true effect, given as a fraction.
    #[must_use]
    pub fn with_effect(self, fraction: f64) -> Self {
        Self {
            effect: fraction.ln_1p(),
            ..self
        }
    }
}

/// Who runs a slot, and where.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// Index of the instance in the worker.
    pub instance: usize,
    /// Whether it carries the effect.
    pub candidate: bool,
    /// Place in its block.
    pub position: usize,
}

/// A machine while it measures: remembers what outlives a slot or a worker.
#[derive(Clone, Debug)]
pub struct Machine<'w> {
    world: &'w World,
    stream: Stream,
    clock: usize,
    slots: usize,
    in_worker: usize,
    noise: f64,
    shared: f64,
    /// Log of each instance's state.
    states: Vec<f64>,
    place: Vec<usize>,
    workers: usize,
}

impl<'w> Machine<'w> {
    /// A machine that will run `slots` slots in all.
    #[must_use]
    pub fn new(world: &'w World, slots: usize, mut stream: Stream) -> Self {
        let noise = world.slot_shape.draw(&mut stream);
        Self {
            world,
            stream,
            clock: 0,
            slots,
            in_worker: 0,
            noise,
            shared: 1.0,
            states: Vec::new(),
            place: Vec::new(),
            workers: 0,
        }
    }

    /// Starts a worker whose instances are built in the order of `letters`;
    /// `is_candidate` tells which carry the effect.
    pub fn start_worker(&mut self, letters: &[usize], is_candidate: impl Fn(usize) -> bool) {
        let w = self.world;
        self.in_worker = 0;
        self.shared = (w.shared_sd * gauss(&mut self.stream)).exp();
        self.states.resize(letters.len(), 0.0);
        self.place.resize(letters.len(), 0);
        for (place, &instance) in letters.iter().enumerate() {
            self.place[instance] = place;
        }
        for instance in 0..letters.len() {
            let candidate = is_candidate(instance);
            let shape = match w.candidate_state_shape {
                Some(shape) if candidate => shape,
                _ => w.state_shape,
            };
            let factor = if candidate {
                1.0
            } else {
                w.control_state_factor
            };
            let mut fresh = factor * w.state_sd * shape.draw(&mut self.stream);
            if w.state_spikes > 0.0 && self.stream.unit() < w.state_spikes {
                fresh += std::f64::consts::LN_10;
            }
            let memory = if self.workers == 0 {
                0.0
            } else {
                w.state_memory
            };
            let kept = memory * self.states[instance];
            self.states[instance] = kept + (1.0 - memory * memory).sqrt() * fresh;
        }
        self.workers += 1;
    }

    /// Time of one slot.
    pub fn slot(&mut self, turn: Turn) -> f64 {
        let w = self.world;
        let shape = match w.candidate_slot_shape {
            Some(shape) if turn.candidate => shape,
            _ => w.slot_shape,
        };
        let fresh = shape.draw(&mut self.stream);
        self.noise = if w.slot_memory > 0.0 {
            let new = (1.0 - w.slot_memory * w.slot_memory).sqrt() * fresh;
            w.slot_memory * self.noise + new
        } else {
            fresh
        };
        // No slot takes less than a twentieth of its time.
        let mut time = 100.0 * (1.0 + w.slot_cv * self.noise).max(0.05) * self.shared;
        if w.slot_spikes > 0.0 && self.stream.unit() < w.slot_spikes {
            time *= 10.0;
        }
        let progress = self.clock as f64 / self.slots as f64;
        time *= 1.0 + w.drift * progress + if progress >= 0.5 { w.step } else { 0.0 };
        if w.warm_up > 0.0 {
            time *= 1.0 + w.warm_up / (1.0 + self.in_worker as f64 / 20.0);
        }
        if matches!(turn.position % 4, 1 | 2) {
            time *= 1.0 + w.slot_position;
        }
        if self.clock % 2 == 1 {
            time *= 1.0 + w.period_two;
        }
        let effect = if turn.candidate { w.effect } else { 0.0 };
        let place = self.place[turn.instance] as f64;
        time *= (self.states[turn.instance] + effect).exp() * (1.0 + w.letter * place);
        self.clock += 1;
        self.in_worker += 1;
        if w.quantum > 0.0 {
            let step = 100.0 * w.quantum;
            time = (time / step).round().max(1.0) * step;
        }
        time
    }
}
