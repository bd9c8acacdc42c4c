//! Seeded resamples of the mean: the fast path.

use crate::acceleration::acceleration_of_mean;
use crate::distribution::BootstrapDistribution;
use crate::error::{Error, check_resamples};
use crate::interval::Interval;
use crate::replicates::Replicates;
use crate::sample::Sample;
use crate::studentised::{Studentised, pivot};
use crate::{Stream, tuples};

/// Means of `resamples` resamples of `x`.
///
/// # Errors
/// Empty or non-finite data; no resamples.
pub fn replicates(x: &[f64], resamples: usize, stream: &mut Stream) -> Result<Replicates, Error> {
    let sample = Sample::of(x)?;
    check_resamples(resamples)?;
    let mut values = Vec::with_capacity(resamples);
    tuples::sums(&sample.deviations, resamples, stream, |sums: &[f64]| {
        values.extend(sums.iter().map(|&sum| sample.mean_of(sum)));
    });
    Ok(wrap(&sample, values))
}

/// Pivots `(mean* - mean) / se*` of `resamples` resamples of `x`.
///
/// # Errors
/// Fewer than two values; non-finite data; no resamples.
pub fn studentised(
    x: &[f64],
    resamples: usize,
    stream: &mut Stream,
) -> Result<Studentised<Replicates>, Error> {
    let sample = Sample::of(x)?;
    check_resamples(resamples)?;
    let studentise = Studentise::new(&sample)?;
    let mut values = Vec::with_capacity(resamples);
    tuples::sums(
        &sample.deviations,
        resamples,
        stream,
        |sums: &[[f64; 2]]| studentise.pivots(sums, &mut values),
    );
    studentise.wrap(Replicates::trusted(0.0, values, 0.0))
}

/// Percentile interval of the mean.
///
/// # Errors
/// Empty or non-finite data; level outside (0, 1); too few resamples.
pub fn percentile(
    x: &[f64],
    level: f64,
    resamples: usize,
    stream: &mut Stream,
) -> Result<Interval, Error> {
    replicates(x, resamples, stream)?.percentile(level)
}

/// Basic interval of the mean.
///
/// # Errors
/// As [`percentile`].
pub fn basic(
    x: &[f64],
    level: f64,
    resamples: usize,
    stream: &mut Stream,
) -> Result<Interval, Error> {
    replicates(x, resamples, stream)?.basic(level)
}

/// BCa interval of the mean (Efron 1987).
///
/// # Errors
/// As [`percentile`].
pub fn bca(
    x: &[f64],
    level: f64,
    resamples: usize,
    stream: &mut Stream,
) -> Result<Interval, Error> {
    let acceleration = acceleration_of_mean(x)?;
    replicates(x, resamples, stream)?.bca(level, acceleration)
}

/// Bootstrap-t interval of the mean (Hall 1988). Bounds may be infinite.
///
/// # Errors
/// As [`percentile`], and fewer than two values.
pub fn bootstrap_t(
    x: &[f64],
    level: f64,
    resamples: usize,
    stream: &mut Stream,
) -> Result<Interval, Error> {
    studentised(x, resamples, stream)?.interval(level)
}

/// Replicates of the mean, with the sample's own idea of a tie.
pub(crate) fn wrap(sample: &Sample, values: Vec<f64>) -> Replicates {
    let observed = sample.mean_of(sample.sum);
    let tie =
        sample.unscale(sample.tie / sample.len() as f64) + 2.0 * f64::EPSILON * observed.abs();
    Replicates::trusted(observed, values, tie)
}

/// From the sums of a resample to its pivot.
pub(crate) struct Studentise<'a> {
    sample: &'a Sample,
    n: f64,
    /// `1 / n` and `n / (n - 1)`: a product costs less than a quotient.
    reciprocal: f64,
    factor: f64,
    /// Squared deviations below this part of the squares are rounding.
    rounding: f64,
}

impl<'a> Studentise<'a> {
    pub fn new(sample: &'a Sample) -> Result<Self, Error> {
        if sample.len() < 2 {
            return Err(Error::TooFewValues {
                given: sample.len(),
                needed: 2,
            });
        }
        let n = sample.len() as f64;
        Ok(Self {
            sample,
            n,
            reciprocal: 1.0 / n,
            factor: n / (n - 1.0),
            rounding: 4.0 * n * f64::EPSILON,
        })
    }

    /// The pivot of a resample from its sum and sum of squares.
    #[inline]
    pub fn pivot(&self, sum: f64, squares: f64) -> f64 {
        let (pivot, spread) = self.with_spread(sum, squares);
        if spread {
            pivot
        } else {
            self.degenerate(sum - self.sample.sum)
        }
    }

    /// The pivots of several resamples, the rare ones without spread last:
    /// what has no branch is computed two at a time.
    fn pivots(&self, sums: &[[f64; 2]], pivots: &mut Vec<f64>) {
        let start = pivots.len();
        pivots.extend(
            sums.iter()
                .map(|&[sum, squares]| self.with_spread(sum, squares).0),
        );
        for (pivot, &[sum, squares]) in pivots[start..].iter_mut().zip(sums) {
            if !self.with_spread(sum, squares).1 {
                *pivot = self.degenerate(sum - self.sample.sum);
            }
        }
    }

    /// The pivot of a resample with spread, and whether it has any.
    #[inline(always)]
    fn with_spread(&self, sum: f64, squares: f64) -> (f64, bool) {
        let variation = squares - sum * sum * self.reciprocal;
        // (sum/n) / (sqrt(variation/(n-1)) / sqrt(n))
        let pivot = (sum - self.sample.sum) / (variation * self.factor).sqrt();
        (pivot, variation > self.rounding * squares)
    }

    /// The pivot of a resample without spread.
    pub fn degenerate(&self, difference: f64) -> f64 {
        let equal = difference.abs() <= self.sample.tie;
        pivot(if equal { 0.0 } else { difference }, 0.0)
    }

    pub fn wrap<D: BootstrapDistribution>(&self, pivots: D) -> Result<Studentised<D>, Error> {
        let standard_error = self.sample.unscale(self.sample.sd() / self.n.sqrt());
        Studentised::new(self.sample.mean, standard_error, pivots)
    }
}
