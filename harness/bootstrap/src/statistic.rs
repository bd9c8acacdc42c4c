//! Seeded resamples of any statistic.
//!
//! An observation is any `Copy` type: a number, a pair, a row of metrics that
//! belong together and are resampled together.
//!
//! ```
//! use bootstrap::{Stream, statistic};
//! let pairs = [(10.2, 9.9), (9.8, 9.4), (10.9, 10.7), (10.1, 9.9), (9.6, 9.3), (10.4, 10.0)];
//! let ratio = |p: &[(f64, f64)]| {
//!     let (a, b) = p.iter().fold((0.0, 0.0), |(a, b), q| (a + q.0, b + q.1));
//!     b / a
//! };
//! let ci = statistic::bca(&pairs, 0.95, 2_000, &mut Stream::new(7, "ratio"), ratio)?;
//! assert!(ci.hi < 1.0);
//! # Ok::<(), bootstrap::Error>(())
//! ```

use crate::Stream;
use crate::acceleration::acceleration_of_jackknife;
use crate::distribution::BootstrapDistribution;
use crate::error::{Error, check_values};
use crate::interval::Interval;
use crate::joint::JointResamples;
use crate::replicates::Replicates;
use crate::studentised::{Studentised, pivot};

/// The statistic over `resamples` resamples of `data`.
///
/// # Errors
/// No data; no resamples; a statistic that gives NaN, or an infinity on the
/// data themselves.
pub fn replicates<T: Copy>(
    data: &[T],
    resamples: usize,
    stream: &mut Stream,
    statistic: impl Fn(&[T]) -> f64,
) -> Result<Replicates, Error> {
    let mut values = Vec::new();
    each_resample(data, resamples, stream, |resample| {
        values.push(statistic(resample))
    })?;
    Replicates::new(statistic(data), values)
}

/// Pivots of a statistic that gives `(estimate, standard error)`.
///
/// For a resample without spread the standard error must be exactly 0; the
/// pivot is then infinite.
///
/// # Errors
/// As [`replicates`], for the estimate and the standard error; a negative
/// standard error.
pub fn studentised<T: Copy>(
    data: &[T],
    resamples: usize,
    stream: &mut Stream,
    statistic: impl Fn(&[T]) -> (f64, f64),
) -> Result<Studentised<Replicates>, Error> {
    let mut pivots = Vec::new();
    let mut sound = true;
    let (estimate, standard_error) = if data.is_empty() {
        (0.0, 0.0)
    } else {
        statistic(data)
    };
    each_resample(data, resamples, stream, |resample| {
        let (value, error) = statistic(resample);
        sound &= error >= 0.0;
        pivots.push(pivot(value - estimate, error));
    })?;
    if !sound {
        return Err(Error::Statistic);
    }
    Studentised::new(estimate, standard_error, Replicates::new(0.0, pivots)?)
}

/// The statistic with each observation left out in turn: the jackknife.
///
/// # Errors
/// Fewer than two observations; a statistic that is not finite.
pub fn leave_one_out<T: Copy>(
    data: &[T],
    statistic: impl Fn(&[T]) -> f64,
) -> Result<Vec<f64>, Error> {
    if data.len() < 2 {
        return Err(Error::TooFewValues {
            given: data.len(),
            needed: 2,
        });
    }
    let mut rest = data[1..].to_vec();
    let mut values = vec![statistic(&rest)];
    for i in 0..rest.len() {
        rest[i] = data[i];
        values.push(statistic(&rest));
    }
    check_values(&values).map_err(|_| Error::Statistic)?;
    Ok(values)
}

/// Percentile interval.
///
/// # Errors
/// As [`replicates`]; level outside (0, 1); too few resamples.
pub fn percentile<T: Copy>(
    data: &[T],
    level: f64,
    resamples: usize,
    stream: &mut Stream,
    statistic: impl Fn(&[T]) -> f64,
) -> Result<Interval, Error> {
    replicates(data, resamples, stream, statistic)?.percentile(level)
}

/// Basic interval.
///
/// # Errors
/// As [`percentile`].
pub fn basic<T: Copy>(
    data: &[T],
    level: f64,
    resamples: usize,
    stream: &mut Stream,
    statistic: impl Fn(&[T]) -> f64,
) -> Result<Interval, Error> {
    replicates(data, resamples, stream, statistic)?.basic(level)
}

/// BCa interval with the jackknife acceleration (Efron 1987; Efron &
/// Tibshirani 1993, chapter 14).
///
/// # Errors
/// As [`percentile`] and [`leave_one_out`].
pub fn bca<T: Copy>(
    data: &[T],
    level: f64,
    resamples: usize,
    stream: &mut Stream,
    statistic: impl Fn(&[T]) -> f64,
) -> Result<Interval, Error> {
    let acceleration = acceleration_of_jackknife(&leave_one_out(data, &statistic)?)?;
    replicates(data, resamples, stream, statistic)?.bca(level, acceleration)
}

/// Bootstrap-t interval of a statistic that gives `(estimate, standard
/// error)`. Bounds may be infinite.
///
/// # Errors
/// As [`studentised`]; level outside (0, 1); too few resamples.
pub fn bootstrap_t<T: Copy>(
    data: &[T],
    level: f64,
    resamples: usize,
    stream: &mut Stream,
    statistic: impl Fn(&[T]) -> (f64, f64),
) -> Result<Interval, Error> {
    studentised(data, resamples, stream, statistic)?.interval(level)
}

fn each_resample<T: Copy>(
    data: &[T],
    resamples: usize,
    stream: &mut Stream,
    mut visit: impl FnMut(&[T]),
) -> Result<(), Error> {
    let mut buffer = data.to_vec();
    JointResamples::for_each(data.len(), resamples, stream, |row| {
        for (slot, &index) in buffer.iter_mut().zip(row) {
            *slot = data[index as usize];
        }
        visit(&buffer);
    })
}
