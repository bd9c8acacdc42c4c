//! Time structure: are neighbouring units alike, and what is left if so?

use std::f64::consts::PI;

use super::error::{EstimateError, Result, Warning, check, check_open_unit, finite};
use super::mean::{MeanInterval, mean_interval};
use super::sample::{mean, moments, sum_squares_about};
use super::special::{student_t_two_sided, student_t_upper};

/// Below this many units the lag-1 gate stays silent: it would only report noise.
pub const GATE_FROM: usize = 12;

/// Autocorrelations at lags `1..=max_lag`, with `n` in every denominator.
///
/// # Errors
/// `NonFinite`, `TooFew` for fewer than two values, `NoVariation`, `Overflow`.
pub fn acf(x: &[f64], max_lag: usize) -> Result<Vec<f64>> {
    let (centre, variance) = moments(x, 2)?;
    if variance == 0.0 {
        return Err(EstimateError::NoVariation);
    }
    let centred: Vec<f64> = x.iter().map(|v| v - centre).collect();
    let zero = lagged(&centred, 0);
    Ok((1..=max_lag)
        .map(|lag| lagged(&centred, lag) / zero)
        .collect())
}

fn lagged(centred: &[f64], lag: usize) -> f64 {
    centred
        .iter()
        .zip(centred.iter().skip(lag))
        .map(|(a, b)| a * b)
        .sum()
}

/// Lag-1 autocorrelation of the units in the order they were measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lag1 {
    /// Plain lag-1 autocorrelation.
    pub r1: f64,
    /// Corrected for its bias at small `n`: `(n r1 + 1) / (n - 4)`.
    pub r1c: f64,
    /// The gate's limit for `r1c`: `2 sqrt(n) / (n - 4)`, which is `2 / sqrt(n)`
    /// for the uncorrected estimate.
    pub threshold: f64,
    /// Effective units under AR(1), `n (1 - r) / (1 + r)` with `r = max(r1c, 0)`;
    /// at least 1.
    pub ess: f64,
    /// What counts as the number of units: `ess` if the gate fired, else `n`.
    pub n_eff: f64,
    /// `r1c` is above the threshold and there are at least 12 units.
    pub fired: bool,
}

impl Lag1 {
    /// The warning that belongs to a gate that fired.
    #[must_use]
    pub fn warning(&self) -> Option<Warning> {
        let Self {
            r1c,
            threshold,
            n_eff,
            fired,
            ..
        } = *self;
        fired.then_some(Warning::Autocorrelated {
            r1c,
            threshold,
            n_eff,
        })
    }
}

/// Measures the lag-1 autocorrelation and decides whether the gate fires.
///
/// Bias correction after Marriott and Pope, Biometrika 41, 1954. The gate only
/// ever lowers a class; it never chooses the test.
///
/// # Errors
/// `TooFew` below 5 units, `NonFinite`, `NoVariation`, `Overflow`.
pub fn lag1(d: &[f64]) -> Result<Lag1> {
    check(d, 5)?;
    let r1 = acf(d, 1)?[0];
    let n = d.len() as f64;
    let r1c = (n * r1 + 1.0) / (n - 4.0);
    let r = r1c.clamp(0.0, 1.0);
    let ess = (n * (1.0 - r) / (1.0 + r)).max(1.0);
    // The correction stretches r1 by n / (n - 4), and its limit with it.
    let threshold = 2.0 * n.sqrt() / (n - 4.0);
    let fired = d.len() >= GATE_FROM && r1c > threshold;
    Ok(Lag1 {
        r1,
        r1c,
        threshold,
        ess,
        n_eff: if fired { ess } else { n },
        fired,
    })
}

/// Least-squares line through the units in the order they were measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// Change per unit of order.
    pub slope: f64,
    /// Standard error of the slope.
    pub stderr: f64,
    /// Two-sided p-value of "no trend", t with `n - 2` degrees of freedom.
    /// An exact line gives 0, a flat one 1.
    pub p: f64,
}

/// Fits the trend of at least three units on their index.
///
/// # Errors
/// `TooFew` below 3, `NonFinite`, `Overflow`.
pub fn trend(d: &[f64]) -> Result<Trend> {
    check(d, 3)?;
    let n = d.len() as f64;
    let centre = finite(mean(d))?;
    let time = |i: usize| i as f64 - 0.5 * (n - 1.0);
    let sxx = n * (n * n - 1.0) / 12.0;
    let sxy: f64 = d
        .iter()
        .enumerate()
        .map(|(i, v)| time(i) * (v - centre))
        .sum();
    let slope = finite(sxy / sxx)?;
    let residual: f64 = d
        .iter()
        .enumerate()
        .map(|(i, v)| v - centre - slope * time(i))
        .map(|e| e * e)
        .sum();
    let stderr = finite(residual / (n - 2.0) / sxx)?.sqrt();
    let p = if slope == 0.0 {
        1.0
    } else if stderr == 0.0 {
        0.0
    } else {
        student_t_two_sided(slope / stderr, n - 2.0)
    };
    Ok(Trend { slope, stderr, p })
}

/// Equal-weighted cosine estimate of the long-run variance and its t interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CosineInterval {
    /// Lower limit.
    pub lo: f64,
    /// Upper limit.
    pub hi: f64,
    /// Number of cosines, and degrees of freedom of the interval.
    pub nu: usize,
    /// Long-run variance: `n` times the variance of the mean.
    pub omega: f64,
}

/// EWC interval for the mean of an autocorrelated series.
///
/// Lazarus, Lewis, Stock and Watson, JBES 36(4), 2018, with
/// `nu = max(2, floor(0.41 n^(2/3)))` cosines.
///
/// # Errors
/// `TooFew` below 3, `NonFinite`, `Overflow`, `OutOfRange`.
pub fn ewc_interval(x: &[f64], level: f64) -> Result<CosineInterval> {
    check(x, 3)?;
    check_open_unit("level", level)?;
    let n = x.len() as f64;
    let centre = finite(mean(x))?;
    let root = libm::cbrt(n);
    let nu = (libm::floor(0.41 * root * root) as usize).max(2);
    let power = |j: usize| {
        let cosine = |t: usize| libm::cos(PI * j as f64 * (t as f64 + 0.5) / n);
        let weight: f64 = x
            .iter()
            .enumerate()
            .map(|(t, v)| (v - centre) * cosine(t))
            .sum();
        weight * weight * 2.0 / n
    };
    let omega = finite((1..=nu).map(power).sum::<f64>() / nu as f64)?;
    let half = student_t_upper(0.5 * (1.0 - level), nu as f64) * (omega / n).sqrt();
    Ok(CosineInterval {
        lo: finite(centre - half)?,
        hi: finite(centre + half)?,
        nu,
        omega,
    })
}

/// Lower and upper limit of the t interval on AR(1) effective units.
///
/// Degrees of freedom are `ess - 1`, at least 1.
pub(crate) fn ess_interval(d: &[f64], ess: f64, level: f64) -> Result<(f64, f64)> {
    let (centre, variance) = moments(d, 2)?;
    let t = student_t_upper(0.5 * (1.0 - level), (ess - 1.0).max(1.0));
    let half = t * (variance / ess).sqrt();
    Ok((finite(centre - half)?, finite(centre + half)?))
}

/// [`mean_interval`], joined with the AR(1) and the EWC interval if the lag-1
/// gate fired.
///
/// With the gate silent, or below 12 units, this is `mean_interval` itself.
///
/// # Errors
/// As [`mean_interval`].
pub fn serial_interval(d: &[f64], level: f64, seed: u64) -> Result<Option<MeanInterval>> {
    let Some(plain) = mean_interval(d, level, seed)? else {
        return Ok(None);
    };
    let gate = match lag1(d) {
        Ok(gate) if gate.fired => gate,
        Ok(_) | Err(EstimateError::NoVariation) => return Ok(Some(plain)),
        Err(error) => return Err(error),
    };
    let (ess_lo, ess_hi) = ess_interval(d, gate.ess, level)?;
    let cosine = ewc_interval(d, level)?;
    Ok(Some(MeanInterval {
        lo: plain.lo.min(ess_lo).min(cosine.lo),
        hi: plain.hi.max(ess_hi).max(cosine.hi),
        n_eff: Some(gate.n_eff),
        ..plain
    }))
}

/// Block lengths for the stationary and the circular block bootstrap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlockLengths {
    /// Mean block length of the stationary bootstrap.
    pub stationary: f64,
    /// Block length of the circular bootstrap.
    pub circular: f64,
}

/// Automatic block lengths: a description of dependence, not used for claims.
///
/// Politis and White, Econometric Reviews 23(1), 2004, with the correction of
/// Patton, Politis and White, 28(4), 2009. The band-width `m` is the first lag
/// of the first run of `max(5, log10 n)` insignificant ones, as in Python's
/// `arch`; lengths are capped at `ceil(min(3 sqrt n, n / 3))`.
///
/// # Errors
/// `TooFew` below 12 values, `NonFinite`, `NoVariation`, `Overflow`.
pub fn politis_white(x: &[f64]) -> Result<BlockLengths> {
    check(x, 12)?;
    let centre = finite(mean(x))?;
    let centred: Vec<f64> = x.iter().map(|v| v - centre).collect();
    if finite(sum_squares_about(&centred, 0.0))? == 0.0 {
        return Err(EstimateError::NoVariation);
    }
    let n = x.len() as f64;
    let longest = libm::ceil((3.0 * n.sqrt()).min(n / 3.0));
    let run = (libm::log10(n) as usize).max(5);
    let last = (libm::ceil(n.sqrt()) as usize + run).min(x.len() - 2);
    let limit = 2.0 * (libm::log10(n) / n).sqrt();
    let mut covariance = Vec::with_capacity(last + 1);
    let mut correlation = Vec::with_capacity(last + 1);
    for lag in 0..=last {
        let cross = lagged(&centred, lag);
        let late = sum_squares_about(&centred[lag + 1..], 0.0);
        let early = sum_squares_about(&centred[..centred.len() - lag - 1], 0.0);
        covariance.push(cross / n);
        correlation.push(cross.abs() / (late * early).sqrt());
    }
    let quiet = (0..=last.saturating_sub(run))
        .find(|&m| correlation[m..m + run].iter().all(|c| *c < limit));
    let m = quiet.map_or(last, |m| (2 * m.max(1)).min(last));
    let (mut g, mut long_run) = (0.0, covariance[0]);
    for (k, c) in covariance.iter().enumerate().take(m + 1).skip(1) {
        let share = k as f64 / m as f64;
        let taper = if share <= 0.5 {
            1.0
        } else {
            2.0 * (1.0 - share)
        };
        g += 2.0 * taper * k as f64 * c;
        long_run += 2.0 * taper * c;
    }
    let length = |factor: f64| {
        let square = factor * long_run * long_run;
        let b = libm::cbrt(2.0 * g * g / square) * libm::cbrt(n);
        if b.is_nan() { longest } else { b.min(longest) }
    };
    Ok(BlockLengths {
        stationary: length(2.0),
        circular: length(4.0 / 3.0),
    })
}

/// Independent values that the exceedances of a quantile are worth.
///
/// `n / (1 + 2 sum rho)` of the indicator "above the quantile", summed by
/// Geyer's initial positive sequence (Statist. Sci. 7, 1992); the smaller
/// result of the thresholds `p` and 0.9, because a high threshold alone shows
/// too few exceedances to see dependence. Never more than `n`.
///
/// # Errors
/// `TooFew` below 4 values, `NonFinite`, `OutOfRange`, `NoVariation` if no
/// value exceeds either threshold.
pub fn exceedance_n_eff(x: &[f64], p: f64) -> Result<f64> {
    check(x, 4)?;
    check_open_unit("p", p)?;
    let mut sorted = x.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |p: f64| sorted[((p * x.len() as f64) as usize).min(x.len() - 1)];
    // Values equal to a threshold that is the maximum still count as reaching it.
    let above = |limit: f64| -> Vec<u32> { x.iter().map(|v| u32::from(*v >= limit)).collect() };
    let worth = [p, 0.9]
        .into_iter()
        .filter_map(|p| indicator_n_eff(&above(at(p))));
    worth.reduce(f64::min).ok_or(EstimateError::NoVariation)
}

fn indicator_n_eff(hits: &[u32]) -> Option<f64> {
    let n = hits.len();
    let total: u64 = hits.iter().map(|h| u64::from(*h)).sum();
    if total == 0 || total == n as u64 {
        return None;
    }
    let share = total as f64 / n as f64;
    let (mut head, mut tail) = (total as f64, total as f64);
    let mut covariance = |lag: usize| {
        // Sums over all but the last (head) or first (tail) `lag` values.
        if lag > 0 {
            head -= f64::from(hits[n - lag]);
            tail -= f64::from(hits[lag - 1]);
        }
        let both: u64 = hits
            .iter()
            .zip(&hits[lag..])
            .map(|(a, b)| u64::from(a & b))
            .sum();
        both as f64 - share * (head + tail) + share * share * (n - lag) as f64
    };
    let variance = covariance(0);
    let mut time = -1.0;
    for even in (0..n - 1).step_by(2) {
        let first = if even == 0 {
            variance
        } else {
            covariance(even)
        };
        let pair = (first + covariance(even + 1)) / variance;
        if pair <= 0.0 {
            break;
        }
        time += 2.0 * pair;
    }
    Some(n as f64 / time.max(1.0))
}
