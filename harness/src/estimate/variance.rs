//! Where the noise comes from: components between and within restarts.

use super::error::{EstimateError, Result, Warning, check, check_open_unit, finite};
use super::sample::{mean, moments, sum_squares_about};
use super::special::{chi_square_quantile, f_quantile, f_sf, student_t_upper};

/// One-way random-effects analysis of variance.
#[derive(Clone, Debug, PartialEq)]
pub struct Components {
    /// Mean square between rows over mean square within.
    pub f: f64,
    /// p-value of "no difference between rows".
    pub p: f64,
    /// Variance within rows.
    pub within: f64,
    /// Variance between rows, never below zero.
    pub between: f64,
    /// The unbiased component, which may be negative.
    pub between_raw: f64,
    /// Intraclass correlation `between_raw / (between_raw + within)`.
    pub icc: f64,
    /// Lower limit of the intraclass correlation; may be negative.
    pub icc_lo: f64,
    /// Upper limit of the intraclass correlation.
    pub icc_hi: f64,
    /// Mean of the row means.
    pub mean: f64,
    /// Lower limit of that mean: t over rows.
    pub mean_lo: f64,
    /// Upper limit of that mean.
    pub mean_hi: f64,
    /// `TruncatedAtZero`, `Unbalanced`.
    pub warnings: Vec<Warning>,
}

/// Components of variance with the F interval of the intraclass correlation
/// (Searle, Casella and McCulloch, Variance Components, 1992, 3.6).
///
/// Rows are restarts, columns repeats within them. With three restarts the
/// upper limit is near 0.9: they prove nothing about restart effects. Unequal
/// rows use the average size `n0` and an approximate interval.
///
/// # Errors
/// `TooFew` unless there are 2 rows of 2 values, `NonFinite`, `NoVariation`
/// if no row varies, `Overflow`, `OutOfRange`.
pub fn components(rows: &[Vec<f64>], level: f64) -> Result<Components> {
    check_open_unit("level", level)?;
    if rows.len() < 2 {
        return Err(EstimateError::TooFew {
            needed: 2,
            got: rows.len(),
        });
    }
    rows.iter().try_for_each(|row| check(row, 2))?;
    let k = rows.len() as f64;
    let total: usize = rows.iter().map(Vec::len).sum();
    let n = total as f64;
    let means: Vec<f64> = rows.iter().map(|row| mean(row)).collect();
    let grand = rows
        .iter()
        .zip(&means)
        .map(|(r, m)| r.len() as f64 * m)
        .sum::<f64>()
        / n;
    let between_square = rows
        .iter()
        .zip(&means)
        .map(|(row, m)| row.len() as f64 * (m - grand) * (m - grand))
        .sum::<f64>()
        / (k - 1.0);
    let within_sum: f64 = rows
        .iter()
        .zip(&means)
        .map(|(r, m)| sum_squares_about(r, *m))
        .sum();
    let within = finite(within_sum / (n - k))?;
    if within == 0.0 {
        return Err(EstimateError::NoVariation);
    }
    let squares: f64 = rows.iter().map(|row| (row.len() * row.len()) as f64).sum();
    let size = (n - squares / n) / (k - 1.0);
    let between_raw = finite((between_square - within) / size)?;
    let f = finite(between_square / within)?;
    let tail = 0.5 * (1.0 - level);
    let icc_at = |ratio: f64| (ratio - 1.0) / (ratio + size - 1.0);
    let mut warnings = Vec::new();
    if between_raw < 0.0 {
        warnings.push(Warning::TruncatedAtZero { raw: between_raw });
    }
    let smallest = rows.iter().map(Vec::len).min().unwrap_or(0);
    let largest = rows.iter().map(Vec::len).max().unwrap_or(0);
    if smallest != largest {
        warnings.push(Warning::Unbalanced { smallest, largest });
    }
    let (centre, spread) = moments(&means, 2)?;
    let half = student_t_upper(tail, k - 1.0) * (spread / k).sqrt();
    Ok(Components {
        f,
        p: f_sf(f, k - 1.0, n - k),
        within,
        between: between_raw.max(0.0),
        between_raw,
        icc: icc_at(f),
        icc_lo: icc_at(f / f_quantile(1.0 - tail, k - 1.0, n - k)),
        icc_hi: icc_at(f / f_quantile(tail, k - 1.0, n - k)),
        mean: centre,
        mean_lo: finite(centre - half)?,
        mean_hi: finite(centre + half)?,
        warnings,
    })
}

/// Repeats per restart that buy most precision for the time:
/// `sqrt(cost_restart / cost_run * within / between)` (Kalibera and Jones,
/// ISMM 2013), at least 1. `None` without variance between restarts, where
/// any number will do, or for costs that are not positive.
#[must_use]
pub fn best_repeats(components: &Components, cost_restart: f64, cost_run: f64) -> Option<u64> {
    let ratio = cost_restart / cost_run * components.within / components.between;
    let usable = cost_restart > 0.0 && cost_run > 0.0 && ratio.is_finite();
    usable.then(|| (libm::round(ratio.sqrt()) as u64).max(1))
}

/// Coefficient of variation: `sd / |mean|`, a description without an interval.
///
/// # Errors
/// `TooFew` below 2 values, `NonFinite`, `ZeroDenominator` if the mean is
/// zero, `Overflow`.
pub fn coefficient_of_variation(x: &[f64]) -> Result<f64> {
    let (centre, variance) = moments(x, 2)?;
    if centre == 0.0 {
        return Err(EstimateError::ZeroDenominator);
    }
    finite(variance.sqrt() / centre.abs())
}

/// Vangel's interval of the coefficient of variation, for normal data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VangelInterval {
    /// The coefficient itself.
    pub cv: f64,
    /// Lower limit.
    pub lo: f64,
    /// Upper limit; `None` when the data do not bound it.
    pub hi: Option<f64>,
}

/// Vangel's modified McKay interval (Am. Statist. 50, 1996).
///
/// Covers 95 % of normal samples but 86-93 % of gamma ones; print it only
/// under its name.
///
/// # Errors
/// As [`coefficient_of_variation`], and `OutOfRange`.
pub fn vangel(x: &[f64], level: f64) -> Result<VangelInterval> {
    check_open_unit("level", level)?;
    let cv = coefficient_of_variation(x)?;
    let (n, df) = (x.len() as f64, (x.len() - 1) as f64);
    let tail = 0.5 * (1.0 - level);
    let limit = |u: f64| {
        let square = ((u + 2.0) / n - 1.0) * cv * cv + u / df;
        (square > 0.0).then(|| cv / square.sqrt())
    };
    let lo = limit(chi_square_quantile(1.0 - tail, df)).unwrap_or(0.0);
    Ok(VangelInterval {
        cv,
        lo,
        hi: limit(chi_square_quantile(tail, df)),
    })
}
