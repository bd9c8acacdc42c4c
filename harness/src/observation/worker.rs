//! Observations in columns.

use super::{ArmFault, Environment, Facts, SlotLine, Telemetry, WorkerHeader};
use crate::plan::{Seed, SlotFlags};
use crate::schedule::BlockKind;
use serde::{Deserialize, Serialize};

/// Everything a session measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Measurements {
    /// Whether the plan was carried out to its end.
    pub status: Status,
    /// Where it was measured.
    pub environment: Environment,
    /// One entry per experiment that was begun.
    pub experiments: Vec<ExperimentData>,
}

/// Whether a session is finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Every planned worker ended.
    Complete,
    /// Stopped before the end; `cargo evenhand resume` finishes it.
    Incomplete,
}

/// The observations of one experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExperimentData {
    /// Bench target.
    pub target: String,
    /// Experiment id.
    pub id: String,
    /// Why the experiment has no numbers, when the pilot failed or it was
    /// given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<ArmFault>,
    /// The workers, in the order they ran.
    pub workers: Vec<WorkerData>,
}

/// One worker's observations, a column per quantity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WorkerData {
    /// Index of the worker.
    pub worker: u32,
    /// How it ended.
    pub outcome: WorkerOutcome,
    /// Process id.
    pub pid: u32,
    /// Start, RFC 3339 UTC.
    pub started: String,
    /// Instances in letter order: the worker's coin.
    pub letters: Vec<usize>,
    /// Seed of the inputs.
    pub input_seed: Seed,
    /// Iterations of every slot.
    pub iterations: u64,
    /// Warm-up slots per instance.
    pub warmup_slots: u32,
    /// Whether the warm-up reached a steady state.
    pub steady: bool,
    /// What is known about each instance: its built arm, and what was seen
    /// until its last slot.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Facts>,
    /// Load around the worker.
    #[serde(default)]
    pub telemetry: Telemetry,
    /// Block of each slot.
    pub block: Vec<u32>,
    /// True for slots of A/A blocks.
    pub control_pair: Vec<bool>,
    /// Instance of each slot.
    pub instance: Vec<u8>,
    /// Start of each slot, nanoseconds after the worker's first slot.
    pub start_ns: Vec<u64>,
    /// Metric of each slot, per iteration; `null` when the work gave no value.
    pub value: Vec<Option<f64>>,
    /// Host time of each slot, nanoseconds.
    pub host_ns: Vec<u64>,
    /// A column per secondary metric, in the plan's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secondary: Vec<Vec<Option<f64>>>,
    /// For every secondary metric that is a quantile, the single values behind
    /// each slot; `null` is a failure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<Vec<Vec<Option<f64>>>>,
    /// What is wrong with each slot; empty when no slot has a flag.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<SlotFlags>,
}

/// Which metric of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// The primary one.
    Primary,
    /// A secondary one, by its place in the plan.
    Secondary(usize),
}

/// How a worker ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum WorkerOutcome {
    /// It measured everything.
    Complete,
    /// An arm failed in it.
    Failed(ArmFault),
    /// It was lost and another index took its place.
    Lost,
    /// The session was stopped while it ran.
    Interrupted,
}

impl WorkerData {
    /// An empty worker: lost until its last line is seen.
    #[must_use]
    pub fn new(header: WorkerHeader) -> Self {
        Self {
            worker: header.worker,
            outcome: WorkerOutcome::Lost,
            pid: header.pid,
            started: header.started,
            letters: header.letters,
            input_seed: header.input_seed,
            iterations: header.iterations,
            warmup_slots: header.warmup_slots,
            steady: header.steady,
            facts: header.facts,
            telemetry: Telemetry::default(),
            block: Vec::new(),
            control_pair: Vec::new(),
            instance: Vec::new(),
            start_ns: Vec::new(),
            value: Vec::new(),
            host_ns: Vec::new(),
            secondary: Vec::new(),
            samples: Vec::new(),
            flags: Vec::new(),
        }
    }

    /// A worker that died before it wrote anything.
    #[must_use]
    pub fn unseen(worker: u32) -> Self {
        Self::new(WorkerHeader {
            schema: super::OBSERVATION_SCHEMA.to_owned(),
            target: String::new(),
            experiment: String::new(),
            worker,
            pid: 0,
            started: String::new(),
            letters: Vec::new(),
            input_seed: Seed(0),
            iterations: 0,
            warmup_slots: 0,
            steady: false,
            facts: Vec::new(),
        })
    }

    /// Adds what became known about each instance; a fact of the same name is
    /// replaced.
    pub fn learn(&mut self, facts: Vec<Facts>) {
        if self.facts.len() < facts.len() {
            self.facts.resize_with(facts.len(), Facts::new);
        }
        for (known, more) in self.facts.iter_mut().zip(facts) {
            known.extend(more);
        }
    }

    /// Appends a slot.
    pub fn push(&mut self, slot: SlotLine) {
        self.block.push(slot.block);
        self.control_pair.push(slot.kind == BlockKind::ControlPair);
        self.instance
            .push(u8::try_from(slot.instance).unwrap_or(u8::MAX));
        self.start_ns.push(slot.start_ns);
        let before = self.value.len();
        self.value.push(slot.value);
        self.host_ns.push(slot.host_ns);
        let columns = self.secondary.len().max(slot.secondary.len());
        self.secondary.resize_with(columns, || vec![None; before]);
        for (at, column) in self.secondary.iter_mut().enumerate() {
            column.push(slot.secondary.get(at).copied().flatten());
        }
        let columns = self.samples.len().max(slot.samples.len());
        self.samples
            .resize_with(columns, || vec![Vec::new(); before]);
        let mut samples = slot.samples.into_iter();
        for column in &mut self.samples {
            column.push(samples.next().unwrap_or_default());
        }
        if !slot.flags.is_empty() || !self.flags.is_empty() {
            self.flags.resize(before, SlotFlags::NONE);
            self.flags.push(slot.flags);
        }
    }

    /// The values of a metric, slot by slot; empty when it has no column.
    #[must_use]
    pub fn values(&self, quantity: Quantity) -> &[Option<f64>] {
        match quantity {
            Quantity::Primary => &self.value,
            Quantity::Secondary(at) => self.secondary.get(at).map_or(&[], Vec::as_slice),
        }
    }

    /// What is wrong with a slot.
    #[must_use]
    pub fn flags_of(&self, slot: usize) -> SlotFlags {
        self.flags.get(slot).copied().unwrap_or_default()
    }

    /// Whether a slot's work failed: it says so, or it has no value.
    #[must_use]
    pub fn failed(&self, slot: usize) -> bool {
        self.value[slot].is_none() || self.flags_of(slot).contains(SlotFlags::FAILED)
    }

    /// Whether the worker counts as a unit.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.outcome == WorkerOutcome::Complete
    }

    /// Number of slots.
    #[must_use]
    pub fn len(&self) -> usize {
        self.value.len()
    }

    /// Whether nothing was measured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.value.is_empty()
    }
}

/// The samples of one quantile from all slots of an instance in blocks of one
/// kind (`None`: of both), in the order of their arrival.
#[must_use]
pub fn pooled_samples(
    worker: &WorkerData,
    sampled: usize,
    control_pair: Option<bool>,
    instance: usize,
) -> Vec<Option<f64>> {
    let slots = worker.samples.get(sampled).map_or(&[][..], Vec::as_slice);
    let own = slots.iter().enumerate().filter(|&(slot, _)| {
        control_pair.is_none_or(|kind| worker.control_pair[slot] == kind)
            && usize::from(worker.instance[slot]) == instance
    });
    own.flat_map(|(_, samples)| samples.iter().copied())
        .collect()
}

/// Per block of one kind: the mean over its slots of instance `one` and of
/// instance `other`, in block order. Slots without a value do not count, and
/// blocks that lack one of the two are left out.
#[must_use]
pub fn block_means(
    worker: &WorkerData,
    quantity: Quantity,
    control_pair: bool,
    one: usize,
    other: usize,
) -> Vec<(f64, f64)> {
    let values = worker.values(quantity);
    let mut sums = Vec::new();
    let mut slot = 0;
    while slot < worker.len() {
        let block = worker.block[slot];
        let (mut a, mut b) = ((0.0, 0u32), (0.0, 0u32));
        while slot < worker.len() && worker.block[slot] == block {
            if worker.control_pair[slot] == control_pair {
                let instance = usize::from(worker.instance[slot]);
                let side = if instance == one {
                    &mut a
                } else if instance == other {
                    &mut b
                } else {
                    slot += 1;
                    continue;
                };
                if let Some(value) = values.get(slot).copied().flatten() {
                    side.0 += value;
                    side.1 += 1;
                }
            }
            slot += 1;
        }
        if a.1 > 0 && b.1 > 0 {
            sums.push((a.0 / f64::from(a.1), b.0 / f64::from(b.1)));
        }
    }
    sums
}
