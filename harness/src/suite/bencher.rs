//! What an arm's closure receives.

use super::Output;
use super::subject::{
    ArmError, BATCH, Batched, Custom, Plain, ReadOutput, Returning, Several, Stateful,
    StatefulCustom, Subject,
};
use std::hint::black_box;
use std::time::Duration;

/// Hands an arm its seed and takes its routine.
///
/// The arm's closure runs once per worker, outside every timed part: build
/// inputs there, then pass the routine to exactly one `iter` method. The
/// routine is kept and called later, slot by slot, interleaved with the other
/// arms; it therefore owns what it needs (`move`).
pub struct Bencher {
    seed: u64,
    subject: Option<Box<dyn Subject>>,
    registrations: u32,
    failure: Option<ArmError>,
}

/// Why an arm did not come to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// Its closure uses the bencher in a way that can't be measured.
    #[error("{0}")]
    WrongUse(String),
    /// It reported why it can't be built.
    #[error(transparent)]
    Failed(#[from] ArmError),
}

impl Bencher {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            subject: None,
            registrations: 0,
            failure: None,
        }
    }

    /// Seed of this worker's inputs, equal for all arms of the worker. Draw
    /// inputs from it, never from the clock.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Times `routine`. What it returns is kept from the optimiser and dropped.
    pub fn iter<O: 'static>(&mut self, routine: impl FnMut() -> O + 'static) {
        self.register(Plain { routine });
    }

    /// Times `routine`; what it returns is the arm's output for verification.
    pub fn iter_returning<T: Into<Output> + 'static>(
        &mut self,
        routine: impl FnMut() -> T + 'static,
    ) {
        self.register(Returning { routine });
    }

    /// Times `routine` alone; `setup` makes its input before the clock starts.
    /// The routine takes the input by value and its drop is not timed.
    pub fn iter_batched<I: 'static, O: 'static>(
        &mut self,
        mut setup: impl FnMut() -> I + 'static,
        mut routine: impl FnMut(I) -> O + 'static,
    ) {
        self.iter_batched_ref(
            move || (Some(setup()), None),
            move |(input, output): &mut (Option<I>, Option<O>)| {
                // Kept until the clock has stopped, so that drops are not timed.
                *output = input.take().map(&mut routine);
            },
        );
    }

    /// Like [`Bencher::iter_batched`], with the input by reference.
    pub fn iter_batched_ref<I: 'static, O: 'static>(
        &mut self,
        setup: impl FnMut() -> I + 'static,
        mut routine: impl FnMut(&mut I) -> O + 'static,
    ) {
        self.register(Batched {
            setup,
            routine: move |input: &mut I| {
                black_box(routine(input));
            },
            inputs: Vec::with_capacity(BATCH),
        });
    }

    /// `measure` runs the given number of iterations and returns the time that
    /// all of them took.
    pub fn iter_custom(&mut self, mut measure: impl FnMut(u64) -> Duration + 'static) {
        self.iter_metric(move |n| measure(n).as_nanos() as f64 / n as f64);
    }

    /// `measure` runs the given number of iterations and returns the
    /// experiment's metric per iteration, in the metric's unit.
    pub fn iter_metric(&mut self, measure: impl FnMut(u64) -> f64 + 'static) {
        self.register(Custom { measure });
    }

    /// `measure` runs the given number of iterations and returns, per
    /// iteration, the experiment's metric and its secondary metrics in the order
    /// of their declaration; `None` is a value that is missing.
    pub fn iter_metrics<const N: usize>(
        &mut self,
        measure: impl FnMut(u64) -> (f64, [Option<f64>; N]) + 'static,
    ) {
        self.register(Several {
            measure,
            secondary: [None; N],
        });
    }

    /// An arm with a state whose output can be read outside the timed part:
    /// `b.state(kernel).output(|k| k.output().to_vec()).iter(|k| k.run())`.
    pub fn state<S: 'static>(&mut self, state: S) -> StateBencher<'_, S> {
        StateBencher {
            bencher: self,
            state,
            output: None,
        }
    }

    /// Takes an arm built elsewhere (the seam for executors and devices).
    pub fn register(&mut self, subject: impl Subject + 'static) {
        self.registrations += 1;
        self.subject = Some(Box::new(subject));
    }

    /// Reports that the arm can't be built here; instead of an `iter` method.
    pub fn fail(&mut self, error: ArmError) {
        self.failure.get_or_insert(error);
    }

    /// The registered arm, or what is wrong with the registration.
    pub(crate) fn finish(self) -> Result<Box<dyn Subject>, BuildError> {
        if let Some(failure) = self.failure {
            return Err(failure.into());
        }
        match (self.registrations, self.subject) {
            (1, Some(subject)) => Ok(subject),
            (0, _) => Err(BuildError::WrongUse(
                "its closure never called an `iter` method of the bencher".into(),
            )),
            (n, _) => Err(BuildError::WrongUse(format!(
                "its closure called `iter` methods {n} times; call exactly one"
            ))),
        }
    }
}

/// Builds an arm outside a worker: for runners of your own, and to measure
/// what a slot itself costs.
///
/// # Errors
/// If `arm` did not call exactly one `iter` method, or reported a failure.
pub fn build_arm(
    seed: u64,
    arm: impl FnOnce(&mut Bencher),
) -> Result<Box<dyn Subject>, BuildError> {
    let mut bencher = Bencher::new(seed);
    arm(&mut bencher);
    bencher.finish()
}

/// An arm with a state; ends with one of its `iter` methods.
#[must_use = "call `iter` to register the routine"]
pub struct StateBencher<'b, S> {
    bencher: &'b mut Bencher,
    state: S,
    output: Option<ReadOutput<S>>,
}

impl<S: 'static> StateBencher<'_, S> {
    /// How to read the output after an iteration. It is read before the first
    /// and after the last timed slot, on the buffers that were timed.
    pub fn output<T: Into<Output>>(mut self, mut read: impl FnMut(&mut S) -> T + 'static) -> Self {
        self.output = Some(Box::new(move |state| read(state).into()));
        self
    }

    /// Times `routine` on the state.
    pub fn iter<O: 'static>(self, routine: impl FnMut(&mut S) -> O + 'static) {
        self.bencher.register(Stateful {
            state: self.state,
            routine,
            output: self.output,
        });
    }

    /// `measure` runs the given iterations on the state and returns the time
    /// that all of them took.
    pub fn iter_custom(self, mut measure: impl FnMut(&mut S, u64) -> Duration + 'static) {
        self.iter_metric(move |state, n| measure(state, n).as_nanos() as f64 / n as f64);
    }

    /// `measure` runs the given iterations on the state and returns the metric
    /// per iteration, in the metric's unit.
    pub fn iter_metric(self, measure: impl FnMut(&mut S, u64) -> f64 + 'static) {
        self.bencher.register(StatefulCustom {
            state: self.state,
            measure,
            output: self.output,
        });
    }
}
