//! Observations in columns.

use super::{ArmFault, Environment, SlotLine, Telemetry, WorkerHeader};
use crate::plan::Seed;
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
    /// Metric of each slot, per iteration.
    pub value: Vec<f64>,
    /// Host time of each slot, nanoseconds.
    pub host_ns: Vec<u64>,
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
            telemetry: Telemetry::default(),
            block: Vec::new(),
            control_pair: Vec::new(),
            instance: Vec::new(),
            start_ns: Vec::new(),
            value: Vec::new(),
            host_ns: Vec::new(),
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
        })
    }

    /// Appends a slot.
    pub fn push(&mut self, slot: SlotLine) {
        self.block.push(slot.block);
        self.control_pair.push(slot.kind == BlockKind::ControlPair);
        self.instance
            .push(u8::try_from(slot.instance).unwrap_or(u8::MAX));
        self.start_ns.push(slot.start_ns);
        self.value.push(slot.value);
        self.host_ns.push(slot.host_ns);
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

/// Per block of one kind: the mean over its slots of instance `one` and of
/// instance `other`, in block order. Blocks that lack one of them are left out.
#[must_use]
pub fn block_means(
    worker: &WorkerData,
    control_pair: bool,
    one: usize,
    other: usize,
) -> Vec<(f64, f64)> {
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
                side.0 += worker.value[slot];
                side.1 += 1;
            }
            slot += 1;
        }
        if a.1 > 0 && b.1 > 0 {
            sums.push((a.0 / f64::from(a.1), b.0 / f64::from(b.1)));
        }
    }
    sums
}
