//! Quantiles of one arm and their difference, with hard floors.
//!
//! A tail quantile needs enough *independent* values beyond it. Below the
//! floor there is no interval, only a point.

use super::error::{EstimateError, Result, Warning, check, check_open_unit, finite};
use super::mean::translate;
use super::serial::exceedance_n_eff;
use super::special::{beta_inc, binomial_cdf, binomial_sf};

/// Limits of an order-statistic interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OrderLimits {
    /// Lower limit: the value of rank `rank_lo`.
    pub lo: f64,
    /// Upper limit: the value of rank `rank_hi`.
    pub hi: f64,
    /// Rank of the lower limit, from 1.
    pub rank_lo: u64,
    /// Rank of the upper limit, from 1.
    pub rank_hi: u64,
    /// Exact coverage for independent values, at least the level.
    pub coverage: f64,
}

/// One quantile with an interval, if there are enough values.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantileInterval {
    /// Which quantile.
    pub p: f64,
    /// Number of values.
    pub n: usize,
    /// Type-7 sample quantile: a point, printed even below the floor.
    pub quantile: f64,
    /// The interval; `None` below the floor.
    pub limits: Option<OrderLimits>,
    /// Fewest independent values for an interval of this level.
    pub floor: u64,
    /// Independent values that the interval was given.
    pub n_eff: f64,
    /// `BelowQuantileFloor` if there is no interval.
    pub warnings: Vec<Warning>,
}

/// Fewest independent values for a two-sided interval of the `p`-quantile.
///
/// # Errors
/// `OutOfRange` unless `p` and `level` lie in `(0, 1)`.
///
/// ```
/// use evenhand_harness::estimate::quantile_floor;
/// let floors = [0.5, 0.9, 0.95, 0.99, 0.999].map(|p| quantile_floor(p, 0.95).unwrap());
/// assert_eq!(floors, [6, 36, 72, 368, 3_688]);
/// ```
pub fn quantile_floor(p: f64, level: f64) -> Result<u64> {
    check_open_unit("p", p)?;
    check_open_unit("level", level)?;
    Ok(fewest(p.max(1.0 - p), 0.5 * (1.0 - level)))
}

/// Fewest independent values for a one-sided upper bound of the `p`-quantile.
///
/// # Errors
/// `OutOfRange` unless `p` and `level` lie in `(0, 1)`.
pub fn quantile_floor_one_sided(p: f64, level: f64) -> Result<u64> {
    check_open_unit("p", p)?;
    check_open_unit("level", level)?;
    Ok(fewest(p, 1.0 - level))
}

/// Smallest `n` with `p^n <= tail`.
fn fewest(p: f64, tail: f64) -> u64 {
    let ratio = libm::log(tail) / libm::log(p);
    // A power that meets the tail exactly may round to just above a whole number.
    libm::ceil(ratio - 1e-9 * ratio.abs()).max(1.0) as u64
}

/// Ranks of the equal-tailed binomial interval in `n` values, from 1.
fn ranks(n: u64, p: f64, tail: f64) -> Option<(u64, u64)> {
    // Smallest k with P(X <= k) >= tail: the highest rank that is low enough.
    let low = smallest(n, |k| binomial_cdf(k, n, p) >= tail);
    let high = smallest(n, |k| binomial_sf(k, n, p) <= tail) + 1;
    (low >= 1 && high <= n).then_some((low, high))
}

/// Smallest `k` in `0..=n` that satisfies a monotone condition true at `n`.
fn smallest(n: u64, condition: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = low + (high - low) / 2;
        if condition(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// Order-statistic interval of the `p`-quantile of independent values
/// (Thompson, Ann. Math. Statist. 7, 1936; Conover, Practical Nonparametric
/// Statistics, 3.2).
///
/// # Errors
/// `TooFew` without values, `NonFinite`, `OutOfRange`.
pub fn quantile_interval(x: &[f64], p: f64, level: f64) -> Result<QuantileInterval> {
    interval(x, p, level, x.len() as f64)
}

/// The same for values in the order they were measured, which may depend on
/// their neighbours: the binomial rule on the effective number of exceedances.
///
/// See [`exceedance_n_eff`](super::exceedance_n_eff). Needs the order of
/// arrival, not of completion.
///
/// # Errors
/// As [`quantile_interval`].
pub fn quantile_interval_serial(x: &[f64], p: f64, level: f64) -> Result<QuantileInterval> {
    let n_eff = match exceedance_n_eff(x, p) {
        Err(EstimateError::NoVariation) => x.len() as f64,
        other => other?,
    };
    interval(x, p, level, n_eff)
}

fn interval(x: &[f64], p: f64, level: f64, n_eff: f64) -> Result<QuantileInterval> {
    check(x, 1)?;
    let floor = quantile_floor(p, level)?;
    let mut sorted = x.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let quantile = bootstrap::quantile_sorted(&sorted, p).map_err(|e| translate(e, level))?;
    let (n, effective) = (x.len() as u64, libm::floor(n_eff) as u64);
    let tail = 0.5 * (1.0 - level);
    let limits = if effective < floor {
        None
    } else {
        ranks(effective, p, tail)
    };
    let limits = limits.map(|(low, high)| {
        // Ranks among the effective values, moved outwards to whole ranks in x.
        let stretch = n as f64 / effective as f64;
        let rank_lo = (libm::floor(low as f64 * stretch) as u64).clamp(1, n);
        let rank_hi = (libm::ceil(high as f64 * stretch) as u64).clamp(1, n);
        OrderLimits {
            lo: sorted[rank_lo as usize - 1],
            hi: sorted[rank_hi as usize - 1],
            rank_lo,
            rank_hi,
            coverage: binomial_cdf(high - 1, effective, p) - binomial_cdf(low - 1, effective, p),
        }
    });
    let warnings = match limits {
        Some(_) => Vec::new(),
        None => vec![Warning::BelowQuantileFloor { p, floor, n_eff }],
    };
    Ok(QuantileInterval {
        p,
        n: x.len(),
        quantile,
        limits,
        floor,
        n_eff,
        warnings,
    })
}

/// A difference of quantiles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuantileDifference {
    /// Candidate minus control.
    pub difference: f64,
    /// Lower limit.
    pub lo: f64,
    /// Upper limit.
    pub hi: f64,
}

/// Difference of two quantiles by MOVER (Zou and Donner, Statist. Med. 27,
/// 2008) from their order-statistic intervals.
///
/// `None` when either side is below its floor. Arms must be independent, as
/// two drained runs are; a class hangs on per-run quantiles as units instead.
#[must_use]
pub fn quantile_difference(
    control: &QuantileInterval,
    candidate: &QuantileInterval,
) -> Option<QuantileDifference> {
    let (a, b) = (control.limits?, candidate.limits?);
    let difference = candidate.quantile - control.quantile;
    let below = libm::hypot(candidate.quantile - b.lo, a.hi - control.quantile);
    let above = libm::hypot(b.hi - candidate.quantile, control.quantile - a.lo);
    let (lo, hi) = (difference - below, difference + above);
    (lo.is_finite() && hi.is_finite()).then_some(QuantileDifference { difference, lo, hi })
}

/// A smooth quantile estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HarrellDavis {
    /// Weighted mean of all order statistics.
    pub quantile: f64,
    /// Leave-one-out jackknife standard error: a description, not an interval.
    pub stderr: f64,
}

/// Harrell and Davis's quantile (Biometrika 69, 1982).
///
/// # Errors
/// `TooFew` below 2 values, `NonFinite`, `Overflow`, `OutOfRange`.
pub fn harrell_davis(x: &[f64], p: f64) -> Result<HarrellDavis> {
    check(x, 2)?;
    check_open_unit("p", p)?;
    let mut sorted = x.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let n = sorted.len();
    let dot = |w: &[f64], x: &[f64]| w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>();
    let quantile = finite(dot(&harrell_davis_weights(n, p), &sorted))?;

    // Without value i the estimate is `before[i]` plus the weights from i on
    // applied to the values after it.
    let weights = harrell_davis_weights(n - 1, p);
    let mut after: f64 = dot(&weights, &sorted[1..]);
    let mut before = 0.0;
    let mut left_out = Vec::with_capacity(n);
    for i in 0..n {
        left_out.push(before + after);
        if let Some(w) = weights.get(i) {
            before += w * sorted[i];
            after -= w * sorted[i + 1];
        }
    }
    let centre = super::sample::mean(&left_out);
    let square = super::sample::sum_squares_about(&left_out, centre);
    let stderr = finite(square * (n - 1) as f64 / n as f64)?.sqrt();
    Ok(HarrellDavis { quantile, stderr })
}

fn harrell_davis_weights(n: usize, p: f64) -> Vec<f64> {
    let (a, b) = ((n + 1) as f64 * p, (n + 1) as f64 * (1.0 - p));
    let cumulated = |i: usize| beta_inc(a, b, i as f64 / n as f64);
    let mut last = 0.0;
    (1..=n)
        .map(|i| {
            let here = cumulated(i);
            here - std::mem::replace(&mut last, here)
        })
        .collect()
}

/// MLPerf's early-stopping bound: the fewest requests within the latency
/// bound that tolerate `t` beyond it.
///
/// Smallest `h` with `P(Bin(h + t, 1 - p) <= t) <= 1 - confidence`.
///
/// # Errors
/// `OutOfRange` unless `p` and `confidence` lie in `(0, 1)`.
///
/// ```
/// use evenhand_harness::estimate::mlperf_h_min;
/// assert_eq!(mlperf_h_min(0, 0.99, 0.99)?, 459);
/// # Ok::<(), evenhand_harness::estimate::EstimateError>(())
/// ```
pub fn mlperf_h_min(t: u64, p: f64, confidence: f64) -> Result<u64> {
    check_open_unit("p", p)?;
    check_open_unit("confidence", confidence)?;
    let enough = |h: u64| binomial_cdf(t, h + t, 1.0 - p) <= 1.0 - confidence;
    let mut top = 64;
    while !enough(top) {
        top *= 2;
    }
    Ok(smallest(top, enough))
}

/// An upper estimate of a latency quantile by MLPerf's rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EarlyStopping {
    /// The `t`-th largest value.
    pub estimate: f64,
    /// How many of the largest values the rule may leave out, plus one.
    pub t: u64,
}

/// MLPerf LoadGen's estimate for single and multi stream: the `t`-th largest
/// value for the largest `t >= 1` with `n >= h_min(t) + t`. `None` if there
/// are too few values for any `t`.
///
/// Assumes independent requests. Queues break that: at 80 % load the bound
/// holds in 39 % of runs instead of 99 %.
///
/// # Errors
/// `NonFinite`, `OutOfRange`.
pub fn mlperf_early_stopping(x: &[f64], p: f64, confidence: f64) -> Result<Option<EarlyStopping>> {
    check(x, 0)?;
    let n = x.len() as u64;
    // With all n requests used up, h = n - t of them lie within the bound.
    let allowed = |t: u64| binomial_cdf(t, n, 1.0 - p) <= 1.0 - confidence;
    mlperf_h_min(0, p, confidence)?;
    if n < 2 || !allowed(1) {
        return Ok(None);
    }
    let t = smallest(n, |t| !allowed(t + 1));
    let mut sorted = x.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    Ok(Some(EarlyStopping {
        estimate: sorted[sorted.len() - t as usize],
        t,
    }))
}
