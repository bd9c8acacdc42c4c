//! Ratios: three estimands with three names.
//!
//! The ratio of means, the mean of ratios and the geometric mean of ratios
//! answer different questions and differ on the same data. Each function here
//! estimates one of them and says which.

use bootstrap::{JointResamples, Replicates, Stream, Studentised};
use libm::{exp, log};

use super::error::{EstimateError, Result, Warning, check_open_unit, check_pairs, finite};
use super::mean::{
    INTERVAL_FROM, MeanInterval, RESAMPLES, TInterval, mean_interval, t_interval, translate,
};
use super::sample::{mean, paired_log_ratios};
use super::special::student_t_upper;

/// Two limits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Lower limit.
    pub lo: f64,
    /// Upper limit.
    pub hi: f64,
}

/// Fieller's confidence set for a ratio.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fieller {
    /// An interval.
    Bounded(Limits),
    /// The mean of the control is not told apart from zero: the ratio is not
    /// determined by these data.
    Undetermined,
}

/// `mean(candidate) / mean(control)` of pairs.
#[derive(Clone, Debug, PartialEq)]
pub struct RatioOfMeans {
    /// Number of pairs.
    pub n: usize,
    /// The ratio of the two means.
    pub ratio: f64,
    /// Delta-method standard error of its logarithm.
    pub log_stderr: f64,
    /// Delta-method t interval, built on the log scale.
    pub delta: Limits,
    /// Hull of the delta and the bootstrap-t interval: the one to report.
    /// `None` below 6 pairs. Its limits may be 0 or infinite when the
    /// bootstrap leaves them open.
    pub hull: Option<Limits>,
    /// Fieller's set: a cross-check.
    pub fieller: Fieller,
    /// Fieller's `g`: squared relative half-width of the control's mean. At 1
    /// and above the ratio is undetermined.
    pub g: f64,
    /// `Unbounded` if the hull is open.
    pub warnings: Vec<Warning>,
}

/// The ratio of means of positive pairs: "how much total time is saved".
///
/// Delta method: Kendall and Stuart, The Advanced Theory of Statistics 1,
/// 10.6. Bootstrap-t with 9,999 joint resamples: Hall, Ann. Statist. 16, 1988.
/// Fieller: JRSS B 16, 1954, with the pairs' covariance.
///
/// # Errors
/// `TooFew` below 2 pairs, `LengthMismatch`, `NonFinite`, `NotPositive`,
/// `Overflow`, `OutOfRange`.
pub fn ratio_of_means(
    control: &[f64],
    candidate: &[f64],
    level: f64,
    seed: u64,
) -> Result<RatioOfMeans> {
    check_open_unit("level", level)?;
    check_pairs(control, candidate, 2)?;
    // Checks that all values are positive.
    paired_log_ratios(control, candidate)?;
    let n = control.len();
    let (mean_a, mean_b) = (finite(mean(control))?, finite(mean(candidate))?);
    // In units of the means: large or small scales do not matter from here on.
    let scaled = |x: &[f64], m: f64| x.iter().map(|v| v / m).collect::<Vec<f64>>();
    let (a, b) = (scaled(control, mean_a), scaled(candidate, mean_b));
    let ratio = finite(mean_b / mean_a)?;
    if ratio == 0.0 {
        return Err(EstimateError::Overflow);
    }

    let log_stderr = finite(log_ratio_stderr(&a, &b, 0..n))?;
    let t = student_t_upper(0.5 * (1.0 - level), (n - 1) as f64);
    let around = |half: f64| (exp(-half) * ratio, exp(half) * ratio);
    let (lo, hi) = around(t * log_stderr);
    let delta = Limits {
        lo: finite(lo)?,
        hi: finite(hi)?,
    };
    let hull = if n < INTERVAL_FROM {
        None
    } else {
        let t = bootstrap_t(&a, &b, log_stderr, level, seed)?;
        Some(Limits {
            lo: delta.lo.min(exp(t.lo) * ratio),
            hi: delta.hi.max(exp(t.hi) * ratio),
        })
    };
    let warnings = match hull {
        Some(Limits { lo, hi }) if lo == 0.0 || hi.is_infinite() => {
            vec![Warning::Unbounded {
                below: lo == 0.0,
                above: hi.is_infinite(),
            }]
        }
        _ => Vec::new(),
    };
    let (g, fieller) = fieller(&a, &b, t);
    let fieller = match fieller {
        Some((lo, hi)) => Fieller::Bounded(Limits {
            lo: finite(lo * ratio)?,
            hi: finite(hi * ratio)?,
        }),
        None => Fieller::Undetermined,
    };
    Ok(RatioOfMeans {
        n,
        ratio,
        log_stderr,
        delta,
        hull,
        fieller,
        g,
        warnings,
    })
}

/// Standard error of `ln(mean b / mean a)` over the pairs named by `index`.
fn log_ratio_stderr(a: &[f64], b: &[f64], index: impl Iterator<Item = usize> + Clone) -> f64 {
    let (mut n, mut sum_a, mut sum_b) = (0.0, 0.0, 0.0);
    for i in index.clone() {
        n += 1.0;
        sum_a += a[i];
        sum_b += b[i];
    }
    let (mean_a, mean_b) = (sum_a / n, sum_b / n);
    let squares: f64 = index
        .map(|i| b[i] / mean_b - a[i] / mean_a)
        .map(|u| u * u)
        .sum();
    (squares / (n - 1.0) / n).sqrt()
}

/// Bootstrap-t interval of the log ratio, relative to the estimate.
fn bootstrap_t(a: &[f64], b: &[f64], stderr: f64, level: f64, seed: u64) -> Result<Limits> {
    let n = a.len();
    let mut stream = Stream::new(seed, "estimate/ratio-of-means");
    let mut pivots = Vec::with_capacity(RESAMPLES);
    let observed = log(b.iter().sum::<f64>() / a.iter().sum::<f64>());
    JointResamples::for_each(n, RESAMPLES, &mut stream, |row| {
        let index = row.iter().map(|&i| i as usize);
        let (mut sum_a, mut sum_b) = (0.0, 0.0);
        for i in index.clone() {
            sum_a += a[i];
            sum_b += b[i];
        }
        let gap = log(sum_b / sum_a) - observed;
        let spread = log_ratio_stderr(a, b, index);
        // A resample of one pair only has no spread: its pivot is infinite.
        pivots.push(if spread > f64::EPSILON {
            gap / spread
        } else if gap.abs() <= 1e-12 {
            0.0
        } else {
            f64::INFINITY.copysign(gap)
        });
    })
    .map_err(|e| translate(e, level))?;
    let interval = Replicates::new(0.0, pivots)
        .and_then(|pivots| Studentised::new(0.0, stderr, pivots))
        .and_then(|pivots| pivots.interval(level))
        .map_err(|e| translate(e, level))?;
    Ok(Limits {
        lo: interval.lo,
        hi: interval.hi,
    })
}

/// Fieller's `g` and limits for arms scaled to mean 1.
fn fieller(a: &[f64], b: &[f64], t: f64) -> (f64, Option<(f64, f64)>) {
    let n = a.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (x - mean_a, y - mean_b);
        aa += x * x;
        bb += y * y;
        ab += x * y;
    }
    let share = t * t / ((n - 1.0) * n);
    let (aa, bb, ab) = (aa * share, bb * share, ab * share);
    let g = aa / (mean_a * mean_a);
    let lead = mean_a * mean_a - aa;
    let middle = mean_a * mean_b - ab;
    let last = mean_b * mean_b - bb;
    let root = middle * middle - lead * last;
    if lead <= 0.0 || root < 0.0 {
        return (g, None);
    }
    (
        g,
        Some(((middle - root.sqrt()) / lead, (middle + root.sqrt()) / lead)),
    )
}

/// The arithmetic mean of `candidate / control` over pairs.
///
/// "The average pair's ratio": not symmetric in the arms; the mean of ratios
/// and of their inverses may both exceed 1. Interval by [`mean_interval`]
/// (`None` below 6 pairs).
///
/// # Errors
/// `LengthMismatch`, `NonFinite`, `NotPositive`, `Overflow`, `OutOfRange`.
pub fn mean_of_ratios(
    control: &[f64],
    candidate: &[f64],
    level: f64,
    seed: u64,
) -> Result<(f64, Option<MeanInterval>)> {
    paired_log_ratios(control, candidate)?;
    let ratios: Vec<f64> = control.iter().zip(candidate).map(|(a, b)| b / a).collect();
    if ratios.iter().any(|r| r.is_infinite()) {
        return Err(EstimateError::Overflow);
    }
    let interval = mean_interval(&ratios, level, seed)?;
    Ok((finite(mean(&ratios))?, interval))
}

/// The geometric mean of `candidate / control` over pairs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeometricMeanRatio {
    /// Number of pairs.
    pub n: usize,
    /// `exp(mean ln(candidate / control))`; swapping the arms inverts it.
    pub ratio: f64,
    /// Student's t interval, from the log scale.
    pub t: Limits,
    /// The interval to report, by [`mean_interval`]; `None` below 6 pairs.
    pub hull: Option<Limits>,
}

/// The geometric mean of pair ratios: what a paired log ratio reports.
///
/// # Errors
/// `TooFew` below 2 pairs, `LengthMismatch`, `NonFinite`, `NotPositive`,
/// `Overflow`, `OutOfRange`.
pub fn geometric_mean_ratio(
    control: &[f64],
    candidate: &[f64],
    level: f64,
    seed: u64,
) -> Result<GeometricMeanRatio> {
    let logs = paired_log_ratios(control, candidate)?;
    let TInterval {
        n, mean, lo, hi, ..
    } = t_interval(&logs, level)?;
    let hull = mean_interval(&logs, level, seed)?;
    Ok(GeometricMeanRatio {
        n,
        ratio: finite(exp(mean))?,
        t: Limits {
            lo: exp(lo),
            hi: finite(exp(hi))?,
        },
        hull: hull.map(|h| Limits {
            lo: exp(h.lo),
            hi: exp(h.hi),
        }),
    })
}
