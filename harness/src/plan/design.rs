//! How an experiment is laid out.

use serde::{Deserialize, Serialize};

/// What one of the n units of a comparison is. Anything but a worker caps the
/// claim at `directional`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReplicationUnit {
    /// A fresh process that ran all arms under one recorded coin.
    Worker,
    /// A pair inside one process.
    PairInProcess,
    /// A request to one running server.
    Request,
    /// A pair measured by something else.
    Imported,
}

/// The order of slots inside a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Design {
    /// One arm: A/A blocks only.
    Single,
    /// Two arms: each block is ABBA or BAAB by a recorded coin.
    Abba,
    /// More arms: blocks are rows of a Williams design, in seeded order
    /// (Williams, Aust. J. Sci. Res. A 2, 1949: every arm follows every other
    /// equally often).
    Williams,
    /// Not ours: the order is known and was randomised.
    ImportedRandomised,
    /// Not ours: the order is known and was not randomised.
    ImportedFixed,
    /// Not ours: the order was not recorded.
    ImportedUnknown,
}

impl Design {
    /// The design for a number of arms measured by this harness.
    #[must_use]
    pub fn for_arms(arms: usize) -> Self {
        match arms {
            0 | 1 => Self::Single,
            2 => Self::Abba,
            _ => Self::Williams,
        }
    }

    /// Whether a recorded coin decided the order.
    #[must_use]
    pub fn is_randomised(self) -> bool {
        !matches!(self, Self::ImportedFixed | Self::ImportedUnknown)
    }
}

/// When measuring ends. Never "until significant".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StopRule {
    /// After the planned number of workers.
    Fixed,
    /// Not declared (imported data): caps the claim at `directional`.
    Undeclared,
}

/// How much of the default sample an invocation asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// 12 workers, 50 blocks.
    Default,
    /// 6 workers, fewer blocks: `moderate` at best.
    Quick,
}

/// Work done by one iteration.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Throughput {
    /// What is counted.
    pub kind: ThroughputKind,
    /// How many per iteration.
    pub per_iteration: f64,
}

/// What a throughput counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ThroughputKind {
    /// Bytes read and written.
    Bytes,
    /// Elements processed.
    Elements,
    /// Floating-point operations.
    Flops,
}
