//! The acceleration constant of the BCa interval.

use crate::error::{Error, check_values};
use crate::sample::Sample;

/// Acceleration of the mean, in closed form: `sum d^3 / (6 (sum d^2)^1.5)`
/// with `d = x - mean` (Efron 1987). One sixth of the skewness of
/// the mean; 0 when all values are equal.
///
/// # Errors
/// Empty or non-finite data.
///
/// ```
/// let a = bootstrap::acceleration_of_mean(&[0.0, 0.0, 0.0, 4.0])?;
/// assert!((a - 0.096225).abs() < 1e-6);
/// # Ok::<(), bootstrap::Error>(())
/// ```
pub fn acceleration_of_mean(x: &[f64]) -> Result<f64, Error> {
    Ok(of_influence(&Sample::of(x)?.deviations))
}

/// Acceleration from the n leave-one-out values of any statistic (Efron 1987;
/// Efron & Tibshirani 1993): the same formula with
/// `d = mean(leave_one_out) - leave_one_out`.
///
/// # Errors
/// Empty or non-finite data.
pub fn acceleration_of_jackknife(leave_one_out: &[f64]) -> Result<f64, Error> {
    let sample = Sample::of(leave_one_out)?;
    let influence: Vec<f64> = sample.deviations.iter().map(|d| -d).collect();
    Ok(of_influence(&influence))
}

/// Acceleration of a statistic of several independent samples (Davison &
/// Hinkley 1997): each sample's jackknife influences are
/// `(n - 1) (mean - leave_one_out)` and weigh `1 / n`.
///
/// # Errors
/// No sample, an empty one, non-finite data.
pub fn acceleration_of_strata(leave_one_out: &[Vec<f64>]) -> Result<f64, Error> {
    if leave_one_out.is_empty() {
        return Err(Error::Empty);
    }
    let mut influence = Vec::new();
    for values in leave_one_out {
        check_values(values)?;
        let n = values.len() as f64;
        let mean = Sample::of(values)?.mean;
        influence.extend(values.iter().map(|v| (n - 1.0) / n * (mean - v)));
    }
    if influence.iter().all(|v| v.is_finite()) {
        Ok(of_influence(&influence))
    } else {
        Err(Error::Statistic)
    }
}

pub(crate) fn of_influence(influence: &[f64]) -> f64 {
    // Relative to the largest, so that neither squares nor cubes leave the range.
    let widest = influence.iter().fold(0.0, |m: f64, d| m.max(d.abs()));
    if widest == 0.0 {
        return 0.0;
    }
    let (mut squares, mut cubes) = (0.0, 0.0);
    for d in influence {
        let d = d / widest;
        squares += d * d;
        cubes += d * d * d;
    }
    cubes / (6.0 * squares * squares.sqrt())
}
