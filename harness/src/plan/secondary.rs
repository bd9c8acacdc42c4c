//! Further metrics of a slot, and marks on it.

use super::{Estimand, Margin, Metric};
use serde::{Deserialize, Serialize};

/// What a further metric is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SecondaryRole {
    /// It gets claims of its own, in a family with the other secondary metrics
    /// of the comparison.
    Claim,
    /// Like `Claim`, per unit of work: it stands where the amounts of work differ.
    ClaimPerUnit,
    /// It must move like the primary metric before that may claim (cycles
    /// beside time).
    Corroborate,
    /// It must be equal in both arms of every block (numbers of tokens).
    Match,
    /// How much the primary metric changed from the beginning to the end of the
    /// slot, as a fraction: an arm that does so by more than the margin is not
    /// steady.
    Trend,
    /// It is shown and never claimed.
    Describe,
}

/// A metric beside the primary one, measured in the same slots.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SecondaryMetric {
    /// What is measured.
    pub metric: Metric,
    /// The smallest effect on it that matters.
    pub margin: Margin,
    /// Which effect is estimated.
    pub estimand: Estimand,
    /// What it is for.
    pub role: SecondaryRole,
    /// Of which quantile it is the value: over the samples of all slots of a
    /// worker, so that a slot alone has no value of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantile: Option<f64>,
}

impl SecondaryMetric {
    /// A metric with a role, the paired log ratio and the default margin.
    #[must_use]
    pub fn new(metric: Metric, role: SecondaryRole) -> Self {
        Self {
            metric,
            margin: Margin::DEFAULT,
            estimand: Estimand::PairedLogRatio,
            role,
            quantile: None,
        }
    }

    /// The same with a margin.
    #[must_use]
    pub fn margin(self, margin: Margin) -> Self {
        Self { margin, ..self }
    }

    /// The same as a quantile, for example 0.99, of samples that every slot
    /// gives ([`Subject::samples`](crate::suite::Subject::samples)). Workers are
    /// the units, so quantiles are never averaged over slots. Its id says so:
    /// `full@sent.p99`.
    #[must_use]
    pub fn quantile(mut self, quantile: f64) -> Self {
        // 100 x 0.07 is 7.000000000000001.
        let percent = libm::round(1e11 * quantile) / 1e9;
        self.metric.id = format!("{}.p{percent}", self.metric.id);
        self.quantile = Some(quantile);
        self
    }

    /// The same with another estimand.
    #[must_use]
    pub fn estimand(self, estimand: Estimand) -> Self {
        Self { estimand, ..self }
    }
}

/// What is wrong with a slot. The slot is kept; the gates decide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct SlotFlags(u16);

impl SlotFlags {
    /// Nothing is wrong.
    pub const NONE: Self = Self(0);
    /// The work failed.
    pub const FAILED: Self = Self(1);
    /// The hardware slowed itself down.
    pub const THROTTLED: Self = Self(1 << 1);
    /// The clock frequency left its usual value.
    pub const CLOCK_CHANGED: Self = Self(1 << 2);
    /// Requests were sent later than planned.
    pub const SCHEDULE_LATE: Self = Self(1 << 3);
    /// The load generator was the bottleneck.
    pub const CLIENT_SATURATED: Self = Self(1 << 4);
    /// The cache was not in the declared state.
    pub const CACHE_STATE: Self = Self(1 << 5);
    /// Another implementation than the arm's did the work.
    pub const FALLBACK: Self = Self(1 << 6);
    /// The arm's memory grew.
    pub const MEMORY_GREW: Self = Self(1 << 7);
    /// The arm changed its input.
    pub const INPUT_CHANGED: Self = Self(1 << 8);
    /// Another process used the device.
    pub const FOREIGN_WORK: Self = Self(1 << 9);
    /// The slot is too short for the timer.
    pub const TOO_SHORT: Self = Self(1 << 10);
    /// The arm worked outside of what was timed.
    pub const HIDDEN_WORK: Self = Self(1 << 11);

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0 == 0
    }

    /// Whether all of `flags` are set.
    #[must_use]
    pub fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// Sets `flags`, too.
    pub fn insert(&mut self, flags: Self) {
        self.0 |= flags.0;
    }
}

impl std::ops::BitOr for SlotFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl std::ops::BitOrAssign for SlotFlags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}
