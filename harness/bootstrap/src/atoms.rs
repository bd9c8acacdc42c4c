//! A bootstrap distribution with every atom known.

use crate::distribution::BootstrapDistribution;
use crate::interval::Scheme;

/// A discrete distribution: distinct values, ascending, with integer weights.
///
/// Its quantile is the smallest value whose distribution function reaches
/// `p`; nothing is interpolated.
#[derive(Clone, Debug, PartialEq)]
pub struct Atoms {
    observed: f64,
    values: Vec<f64>,
    /// Weight of this value and all below it.
    cumulated: Vec<u64>,
    fraction_below: f64,
}

impl Atoms {
    /// Sorts and merges values closer than `tie`. `weighted` is not empty and
    /// holds no NaN.
    pub(crate) fn new(observed: f64, mut weighted: Vec<(f64, u64)>, tie: f64) -> Self {
        weighted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut values: Vec<f64> = Vec::with_capacity(weighted.len());
        let mut cumulated: Vec<u64> = Vec::with_capacity(weighted.len());
        let (mut below, mut at_most, mut total) = (0, 0, 0);
        for (value, weight) in weighted {
            total += weight;
            if value < observed - tie {
                below = total;
            }
            if value <= observed + tie {
                at_most = total;
            }
            match (values.last(), cumulated.last_mut()) {
                // Equal infinities have no difference, hence both tests.
                (Some(&last), Some(sum)) if value == last || value - last <= tie => *sum = total,
                _ => {
                    values.push(value);
                    cumulated.push(total);
                }
            }
        }
        let fraction_below = (below as f64 + at_most as f64) / (2.0 * total as f64);
        Self {
            observed,
            values,
            cumulated,
            fraction_below,
        }
    }

    /// The distinct values, ascending.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Number of distinct values; at least 1.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // never empty
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Number of resamples of each value, `values` and weights in one order;
    /// the weights sum to `n^n`.
    pub fn weights(&self) -> impl Iterator<Item = u64> + '_ {
        let before = std::iter::once(0).chain(self.cumulated.iter().copied());
        self.cumulated
            .iter()
            .zip(before)
            .map(|(sum, before)| sum - before)
    }

    /// Number of resamples: `n^n`.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.cumulated.last().copied().unwrap_or(0)
    }

    /// Standard deviation of the distribution: the ideal bootstrap standard
    /// error. Infinite when an atom is.
    #[must_use]
    pub fn standard_error(&self) -> f64 {
        let total = self.total() as f64;
        // Around the observed value and relative to the widest: no cancellation, no overflow.
        let widest = self
            .values
            .iter()
            .fold(0.0, |m: f64, v| m.max((v - self.observed).abs()));
        if widest == 0.0 || widest.is_infinite() {
            return widest;
        }
        let (mut first, mut second) = (0.0, 0.0);
        for (value, weight) in self.values.iter().zip(self.weights()) {
            let d = (value - self.observed) / widest;
            first += weight as f64 * d;
            second += weight as f64 * d * d;
        }
        let mean = first / total;
        widest * (second / total - mean * mean).max(0.0).sqrt()
    }
}

impl BootstrapDistribution for Atoms {
    fn observed(&self) -> f64 {
        self.observed
    }

    fn quantile(&self, p: f64) -> f64 {
        let total = self.total() as f64;
        let place = self
            .cumulated
            .partition_point(|&sum| (sum as f64 / total) < p);
        self.values[place.min(self.values.len() - 1)]
    }

    fn fraction_below(&self) -> f64 {
        self.fraction_below
    }

    fn tail_floor(&self) -> f64 {
        0.5 / self.total() as f64
    }

    fn scheme(&self) -> Scheme {
        Scheme::Enumerated { atoms: self.len() }
    }
}
