//! An arm that is ready to run: a slot is one call.

use super::Output;
use crate::plan::SlotFlags;
use crate::timer::Timer;
use serde::{Deserialize, Serialize};
use std::hint::black_box;

/// What a slot measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlotValue {
    /// The metric, per iteration; `None` when the work gave no value (a failed
    /// request).
    pub value: Option<f64>,
    /// Host time of the whole slot, nanoseconds.
    pub host_ns: u64,
    /// What is wrong with the slot.
    pub flags: SlotFlags,
}

/// Why an arm can't be built or can't go on. The experiment fails with it; the
/// others go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ArmError {
    /// What happened, and what to do about it.
    pub message: String,
    wrong_output: bool,
}

impl ArmError {
    /// An error with a message.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            wrong_output: false,
        }
    }

    /// An output that the arm itself found to be wrong, where there is more of
    /// it than [`Subject::output`] can give.
    pub fn wrong_output(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            wrong_output: true,
        }
    }

    /// Whether it was made by [`ArmError::wrong_output`].
    #[must_use]
    pub fn is_wrong_output(&self) -> bool {
        self.wrong_output
    }
}

impl SlotValue {
    /// A slot whose metric is its host time.
    #[must_use]
    pub fn from_host_time(host_ns: u64, iterations: u64) -> Self {
        Self {
            value: Some(host_ns as f64 / iterations as f64),
            host_ns,
            flags: SlotFlags::NONE,
        }
    }
}

/// Where a slot stands among those of its instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Block of the worker's schedule; `None` outside of what is measured
    /// (pilot, verification, warm-up, primers).
    pub block: Option<u32>,
    /// How many slots the instance had in this block before.
    pub turn: u32,
}

impl Place {
    /// That of every slot which nobody looks at.
    pub(crate) const UNMEASURED: Self = Self {
        block: None,
        turn: 0,
    };
}

/// How far an arm is with warming up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Warmth {
    /// It does not look: the harness judges by the times of its slots.
    Unknown,
    /// It needs more slots. An arm that says so has a bound of its own.
    Warming,
    /// It is steady.
    Steady,
    /// It reached its bound without becoming steady.
    Unsteady,
}

/// Name of the fact that holds a hash of the arm's machine code.
pub const CODE_HASH: &str = "code_hash";

/// A built arm. The loop over iterations stands inside [`Subject::slot`], so
/// that a slot costs one indirect call whatever the iterations.
pub trait Subject {
    /// A slot comes next; called before every slot of a worker. Arms that draw
    /// an input per slot draw it from the place, so that all arms of a block get
    /// the same inputs.
    fn begin(&mut self, _: Place) {}

    /// Runs `iterations` iterations and returns what was measured.
    ///
    /// # Errors
    /// When the arm can't go on.
    fn slot(&mut self, iterations: u64) -> Result<SlotValue, ArmError>;

    /// The secondary metrics of the last slot, per iteration, in the order in
    /// which the experiment declares them; `None` is a value that is missing, as
    /// that of a quantile always is.
    fn secondary(&self) -> &[Option<f64>] {
        &[]
    }

    /// The single values behind the last slot, for every secondary metric that
    /// is a quantile, in the order in which the experiment declares them, and in
    /// the order of their arrival. `None` is a failure: worse than every value.
    fn samples(&self) -> &[Vec<Option<f64>>] {
        &[]
    }

    /// How far the arm is with warming up, asked after every slot of the
    /// warm-up. What it changes about itself until it is steady or gives up, it
    /// keeps for the worker.
    fn warmth(&self) -> Warmth {
        Warmth::Unknown
    }

    /// The output to verify, when the arm declares one.
    ///
    /// # Errors
    /// When the output can't be read.
    fn output(&mut self) -> Result<Option<Output>, ArmError>;

    /// What is known about the built arm: registers, versions. Arms with equal
    /// values of [`CODE_HASH`] are reported as the same code.
    fn facts(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// What is known only after the last slot: power and heat over the slots.
    /// Nothing is timed any more, so an arm may take a measurement of its own
    /// here. A fact of the same name replaces that of [`Subject::facts`].
    ///
    /// # Errors
    /// When the arm can't go on.
    fn facts_at_end(&mut self) -> Result<Vec<(String, String)>, ArmError> {
        Ok(Vec::new())
    }
}

/// A closure over its own state.
pub(super) struct Plain<F> {
    pub routine: F,
}

impl<O, F: FnMut() -> O> Subject for Plain<F> {
    fn slot(&mut self, iterations: u64) -> Result<SlotValue, ArmError> {
        let timer = Timer::start();
        for _ in 0..iterations {
            black_box((self.routine)());
        }
        Ok(SlotValue::from_host_time(timer.elapsed_ns(), iterations))
    }

    fn output(&mut self) -> Result<Option<Output>, ArmError> {
        Ok(None)
    }
}

/// A closure whose return value is the output.
pub(super) struct Returning<F> {
    pub routine: F,
}

impl<T: Into<Output>, F: FnMut() -> T> Subject for Returning<F> {
    fn slot(&mut self, iterations: u64) -> Result<SlotValue, ArmError> {
        let timer = Timer::start();
        for _ in 0..iterations {
            black_box((self.routine)());
        }
        Ok(SlotValue::from_host_time(timer.elapsed_ns(), iterations))
    }

    fn output(&mut self) -> Result<Option<Output>, ArmError> {
        Ok(Some((self.routine)().into()))
    }
}

/// A function that measures itself.
pub(super) struct Custom<F> {
    pub measure: F,
}

impl<F: FnMut(u64) -> f64> Subject for Custom<F> {
    fn slot(&mut self, iterations: u64) -> Result<SlotValue, ArmError> {
        let timer = Timer::start();
        let value = (self.measure)(iterations);
        Ok(SlotValue {
            value: Some(value),
            host_ns: timer.elapsed_ns(),
            flags: SlotFlags::NONE,
        })
    }

    fn output(&mut self) -> Result<Option<Output>, ArmError> {
        Ok(None)
    }
}

/// A function that measures several metrics itself.
pub(super) struct Several<F, const N: usize> {
    pub measure: F,
    /// Those of the last slot.
    pub secondary: [Option<f64>; N],
}

impl<F: FnMut(u64) -> (f64, [Option<f64>; N]), const N: usize> Subject for Several<F, N> {
    fn slot(&mut self, iterations: u64) -> Result<SlotValue, ArmError> {
        let timer = Timer::start();
        let (value, secondary) = (self.measure)(iterations);
        let host_ns = timer.elapsed_ns();
        self.secondary = secondary;
        Ok(SlotValue {
            value: Some(value),
            host_ns,
            flags: SlotFlags::NONE,
        })
    }

    fn secondary(&self) -> &[Option<f64>] {
        &self.secondary
    }

    fn output(&mut self) -> Result<Option<Output>, ArmError> {
        Ok(None)
    }
}

/// A routine that consumes an input made outside the timed part.
pub(super) struct Batched<I, S, F> {
    pub setup: S,
    pub routine: F,
    /// Room for the inputs of one batch, reused by every slot.
    pub inputs: Vec<I>,
}

/// Inputs are made in batches of at most this many, so that their memory stays
/// bounded whatever the iterations.
pub(super) const BATCH: usize = 1024;

impl<I, S: FnMut() -> I, F: FnMut(&mut I)> Subject for Batched<I, S, F> {
    fn slot(&mut self, iterations: u64) -> Result<SlotValue, ArmError> {
        let mut left = iterations;
        let mut host_ns = 0;
        while left > 0 {
            let batch = left.min(BATCH as u64);
            self.inputs.extend((0..batch).map(|_| (self.setup)()));
            let timer = Timer::start();
            for input in &mut self.inputs {
                (self.routine)(black_box(input));
            }
            host_ns += timer.elapsed_ns();
            // Dropped outside the timed part.
            self.inputs.clear();
            left -= batch;
        }
        Ok(SlotValue::from_host_time(host_ns, iterations))
    }

    fn output(&mut self) -> Result<Option<Output>, ArmError> {
        Ok(None)
    }
}

/// Reads the output of a state.
pub(super) type ReadOutput<S> = Box<dyn FnMut(&mut S) -> Output>;

/// A routine over a state that also tells the output.
pub(super) struct Stateful<S, F> {
    pub state: S,
    pub routine: F,
    pub output: Option<ReadOutput<S>>,
}

impl<O, S, F: FnMut(&mut S) -> O> Subject for Stateful<S, F> {
    fn slot(&mut self, iterations: u64) -> Result<SlotValue, ArmError> {
        let timer = Timer::start();
        for _ in 0..iterations {
            black_box((self.routine)(black_box(&mut self.state)));
        }
        Ok(SlotValue::from_host_time(timer.elapsed_ns(), iterations))
    }

    fn output(&mut self) -> Result<Option<Output>, ArmError> {
        Ok(self.output.as_mut().map(|read| read(&mut self.state)))
    }
}

/// A self-measuring function over a state that also tells the output.
pub(super) struct StatefulCustom<S, F> {
    pub state: S,
    pub measure: F,
    pub output: Option<ReadOutput<S>>,
}

impl<S, F: FnMut(&mut S, u64) -> f64> Subject for StatefulCustom<S, F> {
    fn slot(&mut self, iterations: u64) -> Result<SlotValue, ArmError> {
        let timer = Timer::start();
        let value = (self.measure)(&mut self.state, iterations);
        Ok(SlotValue {
            value: Some(value),
            host_ns: timer.elapsed_ns(),
            flags: SlotFlags::NONE,
        })
    }

    fn output(&mut self) -> Result<Option<Output>, ArmError> {
        Ok(self.output.as_mut().map(|read| read(&mut self.state)))
    }
}
