//! Counts with their Monte-Carlo error.

use crate::harness::estimate::clopper_pearson;
use serde::Serialize;

/// What can be counted in a replication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Class `strong`.
    Strong,
    /// `strong`, or a difference claimed as `moderate`.
    ModerateOrBetter,
    /// Any of these, or the hint `directional`.
    DirectionalOrBetter,
    /// Class `parity_established`.
    Parity,
    /// The evidence of `strong` without what the margin asks for.
    OnePercent,
    /// The CI95 leaves the truth out.
    Miss,
    /// `invalid` or `insufficient`.
    Refused,
    /// A rival's rule, on the workers' means of our session.
    Rival(super::rivals::Rule),
    /// A rival's rule, on a run as that tool makes it.
    RivalAsRun(super::rivals::Rule),
    /// Any member of a family was claimed by joint sign flips (maxT).
    MaxT,
    /// Any percentile interval of a family leaves zero out.
    AnyPercentile,
    /// A sequential rule claimed a difference.
    Claimed,
    /// Units used: a sum, not a count.
    UnitsUsed,
}

/// Counts of one cell of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Replications.
    pub replications: u64,
    /// Events and how often they happened.
    pub counts: Vec<(Event, u64)>,
}

/// A rate and its Monte-Carlo error.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rate {
    /// Share of the replications.
    pub rate: f64,
    /// Lower 95 % Clopper-Pearson limit.
    pub lo: f64,
    /// Upper 95 % Clopper-Pearson limit.
    pub hi: f64,
}

impl Tally {
    /// Zero counts of some events.
    #[must_use]
    pub fn new(events: &[Event]) -> Self {
        Self {
            replications: 0,
            counts: events.iter().map(|&e| (e, 0)).collect(),
        }
    }

    /// Adds one replication's counts, in the order of the events.
    pub fn add(&mut self, counts: &[u64]) {
        self.replications += 1;
        for ((_, sum), count) in self.counts.iter_mut().zip(counts) {
            *sum += count;
        }
    }

    /// Adds another tally of the same events.
    pub fn merge(&mut self, other: &Self) {
        self.replications += other.replications;
        for ((_, sum), (_, count)) in self.counts.iter_mut().zip(&other.counts) {
            *sum += count;
        }
    }

    /// How often an event happened; `None` when it was not looked for.
    #[must_use]
    pub fn count(&self, event: Event) -> Option<u64> {
        self.counts
            .iter()
            .find(|(e, _)| *e == event)
            .map(|&(_, count)| count)
    }

    /// Share of replications with the event.
    #[must_use]
    pub fn share(&self, event: Event) -> Option<f64> {
        let count = self.count(event)?;
        (self.replications > 0).then(|| count as f64 / self.replications as f64)
    }

    /// The rates of all events, in their order; `None` for sums.
    #[must_use]
    pub fn rates(&self) -> Vec<Option<Rate>> {
        self.counts.iter().map(|&(e, _)| self.rate(e)).collect()
    }

    /// The rate of an event with its Monte-Carlo error.
    #[must_use]
    pub fn rate(&self, event: Event) -> Option<Rate> {
        let exact = clopper_pearson(self.count(event)?, self.replications, 0.95).ok()?;
        Some(Rate {
            rate: exact.p,
            lo: exact.lo,
            hi: exact.hi,
        })
    }
}
