//! Samples with failed requests in them.

use super::Definition;
use crate::serving::attempt::Attempt;

/// What a failed request counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailedAs {
    /// Left out: the latency of those who were served. Says nothing without k/n.
    LeftOut,
    /// Slower than everything: a quantile that falls among them has no value.
    Infinite,
}

/// A sample of one metric. Always reported as k of n.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The values, ascending.
    pub values: Vec<f64>,
    /// Requests with a value.
    pub k: usize,
    /// Requests.
    pub n: usize,
    /// Requests that failed.
    pub failed: usize,
    /// Requests that succeeded without a value: missing, not zero.
    pub missing: usize,
    /// Values above all others that are not in `values`.
    pub infinite: usize,
}

impl Sample {
    /// A metric over attempts. Under [`FailedAs::Infinite`] an answer without a
    /// value counts as failed too: the user never got what the metric waits for.
    #[must_use]
    pub fn new(attempts: &[Attempt], definition: &Definition, failed_as: FailedAs) -> Self {
        let served = attempts.iter().filter(|a| a.succeeded());
        let mut values: Vec<f64> = served.filter_map(|a| definition.value(a)).collect();
        values.sort_by(f64::total_cmp);
        let (k, n) = (values.len(), attempts.len());
        let failed = attempts.iter().filter(|a| !a.succeeded()).count();
        Self {
            values,
            k,
            n,
            failed,
            missing: n - k - failed,
            infinite: match failed_as {
                FailedAs::LeftOut => 0,
                FailedAs::Infinite => n - k,
            },
        }
    }

    /// The smallest value with at least `q` of the sample at or below it
    /// (inverse of the empirical distribution). `None` for an empty sample and
    /// where the quantile is infinite.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let all = self.k + self.infinite;
        let rank = (q.clamp(0.0, 1.0) * all as f64).ceil().max(1.0) as usize;
        self.values.get(rank - 1).copied()
    }
}

/// Time from the intended start of the first attempt to the end of the last,
/// retries and waiting included, in nanoseconds, and whether it ended well.
/// `None` without attempts.
#[must_use]
pub fn time_to_final_outcome(attempts: &[Attempt]) -> Option<(f64, bool)> {
    let (first, last) = (attempts.first()?, attempts.last()?);
    let time = last.stamps.done_ns.checked_sub(first.stamps.intended_ns)?;
    Some((time as f64, last.succeeded()))
}
