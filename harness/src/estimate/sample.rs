//! Samples: summaries, paired effects, wins and losses.

use super::error::{EstimateError, Result, check, check_pairs, finite};
use super::special::binomial_cdf;

/// Five numbers that may be printed for any sample, however small.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Number of values.
    pub n: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// Standard deviation with `n - 1` in the denominator; `None` for one value.
    pub sd: Option<f64>,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
}

impl Summary {
    /// Summarises at least one finite value.
    ///
    /// # Errors
    /// `TooFew` without values, `NonFinite` for NaN or infinities, `Overflow`
    /// if sums leave the range of `f64`.
    ///
    /// ```
    /// use evenhand_harness::estimate::Summary;
    /// let s = Summary::of(&[1.0, 2.0, 6.0])?;
    /// assert_eq!((s.n, s.mean, s.min, s.max), (3, 3.0, 1.0, 6.0));
    /// # Ok::<(), evenhand_harness::estimate::EstimateError>(())
    /// ```
    pub fn of(values: &[f64]) -> Result<Self> {
        check(values, 1)?;
        let mean = finite(mean(values))?;
        let sd = match values.len() {
            1 => None,
            _ => Some(finite(sum_squares_about(values, mean) / (values.len() - 1) as f64)?.sqrt()),
        };
        let min = values.iter().copied().fold(f64::INFINITY, f64::min);
        let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Ok(Self {
            n: values.len(),
            mean,
            sd,
            min,
            max,
        })
    }
}

/// Mean, corrected once for the rounding of the sum; of equal values exactly
/// that value, so that their spread is exactly zero.
pub(crate) fn mean(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let rough = values.iter().sum::<f64>() / n;
    rough + values.iter().map(|v| v - rough).sum::<f64>() / n
}

pub(crate) fn sum_squares_about(values: &[f64], centre: f64) -> f64 {
    values.iter().map(|v| (v - centre) * (v - centre)).sum()
}

/// Mean and variance (`n - 1`) of at least `needed >= 2` finite values.
pub(crate) fn moments(values: &[f64], needed: usize) -> Result<(f64, f64)> {
    check(values, needed.max(2))?;
    let mean = finite(mean(values))?;
    let variance = finite(sum_squares_about(values, mean) / (values.len() - 1) as f64)?;
    Ok((mean, variance))
}

/// Paired log ratios `ln(candidate / control)`, unit by unit.
///
/// The default effect for times: `-0.05` is about 5 % less. Symmetric in the
/// arms: swapping them flips the sign exactly.
///
/// # Errors
/// `LengthMismatch`; `NonFinite` or `NotPositive` naming the unit.
pub fn paired_log_ratios(control: &[f64], candidate: &[f64]) -> Result<Vec<f64>> {
    check_pairs(control, candidate, 0)?;
    for values in [control, candidate] {
        if let Some(index) = values.iter().position(|&v| v <= 0.0) {
            return Err(EstimateError::NotPositive {
                index,
                value: values[index],
            });
        }
    }
    // A difference of logs, not the log of a quotient: exactly antisymmetric.
    Ok(control
        .iter()
        .zip(candidate)
        .map(|(a, b)| libm::log(*b) - libm::log(*a))
        .collect())
}

/// Paired differences `candidate - control`, unit by unit.
///
/// # Errors
/// `LengthMismatch`, `NonFinite`, or `Overflow`.
pub fn paired_differences(control: &[f64], candidate: &[f64]) -> Result<Vec<f64>> {
    check_pairs(control, candidate, 0)?;
    control
        .iter()
        .zip(candidate)
        .map(|(a, b)| finite(b - a))
        .collect()
}

/// How many units went which way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WinsLossesTies {
    /// Units below `-tie_tolerance`: the candidate was lower.
    pub wins: usize,
    /// Units above `tie_tolerance`.
    pub losses: usize,
    /// Units within the tolerance.
    pub ties: usize,
    /// Two-sided exact sign test without the ties; 1 if all are ties.
    pub sign_p: f64,
}

/// Counts wins (lower is better), losses and ties.
///
/// # Errors
/// `NonFinite`; `OutOfRange` for a tolerance that is negative or not finite.
pub fn wins_losses_ties(d: &[f64], tie_tolerance: f64) -> Result<WinsLossesTies> {
    check(d, 0)?;
    if !tie_tolerance.is_finite() || tie_tolerance < 0.0 {
        return Err(EstimateError::OutOfRange {
            name: "tie_tolerance",
            value: tie_tolerance,
        });
    }
    let wins = d.iter().filter(|v| **v < -tie_tolerance).count();
    let losses = d.iter().filter(|v| **v > tie_tolerance).count();
    let decided = (wins + losses) as u64;
    let sign_p = if decided == 0 {
        1.0
    } else {
        (2.0 * binomial_cdf(wins.min(losses) as u64, decided, 0.5)).min(1.0)
    };
    Ok(WinsLossesTies {
        wins,
        losses,
        ties: d.len() - wins - losses,
        sign_p,
    })
}
