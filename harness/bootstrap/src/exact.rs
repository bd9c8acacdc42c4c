//! All resamples of a small sample: the ideal bootstrap, without randomness.
//!
//! The `n^n` resamples of n values are `C(2n-1, n)` multisets with
//! multinomial weights (Fisher & Hall 1991; Davison & Hinkley 1997):
//! 462 for n = 6, 92,378 for n = 10.

use crate::acceleration::acceleration_of_mean;
use crate::atoms::Atoms;
use crate::distribution::BootstrapDistribution;
use crate::error::Error;
use crate::interval::Interval;
use crate::mean::Studentise;
use crate::sample::Sample;
use crate::studentised::Studentised;

/// Largest sample that is enumerated.
pub const LIMIT: usize = 10;

/// The mean over all resamples of `x`.
///
/// # Errors
/// Empty or non-finite data; more than [`LIMIT`] values.
///
/// ```
/// use bootstrap::{BootstrapDistribution, exact};
/// let means = exact::replicates(&[0.96, 0.69, 1.19])?;
/// assert_eq!((means.len(), means.total()), (10, 27));
/// // Three values: the percentile interval is the whole range.
/// let ci = means.percentile(0.95)?;
/// assert_eq!((ci.lo, ci.hi), (0.69, 1.19));
/// # Ok::<(), bootstrap::Error>(())
/// ```
pub fn replicates(x: &[f64]) -> Result<Atoms, Error> {
    let sample = checked(x)?;
    let mut atoms = Vec::with_capacity(multisets(sample.len()));
    each_multiset(&sample.deviations, |multiset| {
        atoms.push((sample.mean_of(multiset.sum), multiset.weight));
    });
    let observed = sample.mean_of(sample.sum);
    // Equal means reach their sum in different orders.
    let tie = sample.unscale(4.0 * sample.tie / sample.len() as f64)
        + 2.0 * f64::EPSILON * observed.abs();
    Ok(Atoms::new(observed, atoms, tie))
}

/// The pivot `(mean* - mean) / se*` over all resamples of `x`. The n
/// resamples that repeat one value are infinite.
///
/// # Errors
/// Fewer than two or more than [`LIMIT`] values; non-finite data.
pub fn studentised(x: &[f64]) -> Result<Studentised<Atoms>, Error> {
    let sample = checked(x)?;
    let studentise = Studentise::new(&sample)?;
    let mut atoms = Vec::with_capacity(multisets(sample.len()));
    each_multiset(&sample.deviations, |multiset| {
        let pivot = if multiset.distinct == 1 {
            studentise.degenerate(multiset.sum - sample.sum)
        } else {
            studentise.pivot(multiset.sum, multiset.squares)
        };
        atoms.push((pivot, multiset.weight));
    });
    studentise.wrap(Atoms::new(0.0, atoms, 0.0))
}

/// Percentile interval of the mean.
///
/// # Errors
/// As [`replicates`]; level outside (0, 1).
pub fn percentile(x: &[f64], level: f64) -> Result<Interval, Error> {
    replicates(x)?.percentile(level)
}

/// Basic interval of the mean.
///
/// # Errors
/// As [`percentile`].
pub fn basic(x: &[f64], level: f64) -> Result<Interval, Error> {
    replicates(x)?.basic(level)
}

/// BCa interval of the mean.
///
/// # Errors
/// As [`percentile`].
pub fn bca(x: &[f64], level: f64) -> Result<Interval, Error> {
    replicates(x)?.bca(level, acceleration_of_mean(x)?)
}

/// Bootstrap-t interval of the mean. Bounds may be infinite.
///
/// # Errors
/// As [`studentised`]; level outside (0, 1).
pub fn bootstrap_t(x: &[f64], level: f64) -> Result<Interval, Error> {
    studentised(x)?.interval(level)
}

fn checked(x: &[f64]) -> Result<Sample, Error> {
    if x.len() > LIMIT {
        return Err(Error::TooManyValues {
            given: x.len(),
            limit: LIMIT,
        });
    }
    Sample::of(x)
}

/// `C(2n-1, n)`.
fn multisets(n: usize) -> usize {
    (1..=n).fold(1, |c, k| c * (n - 1 + k) / k)
}

/// One way to choose n values with repetition.
#[derive(Clone, Copy)]
struct Multiset {
    sum: f64,
    squares: f64,
    distinct: usize,
    /// Number of ordered resamples: `n! / (c_1! ... c_n!)`.
    weight: u64,
}

fn each_multiset(values: &[f64], mut visit: impl FnMut(Multiset)) {
    let weight = (1..=values.len() as u64).product();
    let empty = Multiset {
        sum: 0.0,
        squares: 0.0,
        distinct: 0,
        weight,
    };
    choose(values, values.len(), empty, &mut visit);
}

/// Chooses how often the first value occurs, then the rest.
fn choose(values: &[f64], left: usize, so_far: Multiset, visit: &mut impl FnMut(Multiset)) {
    let Some((&value, rest)) = values.split_first() else {
        return;
    };
    let mut chosen = so_far;
    for count in 0..=left {
        if count == left {
            visit(chosen);
        } else if !rest.is_empty() {
            choose(rest, left - count, chosen, visit);
        }
        // Once more; the weight stays whole, being a multinomial coefficient.
        chosen.sum += value;
        chosen.squares += value * value;
        chosen.weight /= count as u64 + 1;
        chosen.distinct = so_far.distinct + 1;
    }
}
