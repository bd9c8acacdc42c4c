//! Rates: successes out of trials, alone, paired and in two samples.

use bootstrap::normal;

use super::error::{EstimateError, Result, check_count, check_open_unit};
use super::special::{beta_quantile, binomial_cdf, binomial_pmf, chi_square_sf};

/// A rate that kept its counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Successes.
    pub k: u64,
    /// Trials.
    pub n: u64,
    /// `k / n`.
    pub p: f64,
    /// Lower limit, in `[0, 1]`.
    pub lo: f64,
    /// Upper limit, in `[0, 1]`.
    pub hi: f64,
}

/// Clopper and Pearson's exact interval (Biometrika 26, 1934): covers at least
/// `level` for every true rate.
///
/// # Errors
/// `TooFew` without trials, `CountExceedsTrials`, `OutOfRange`.
///
/// ```
/// use evenhand_harness::estimate::clopper_pearson;
/// let none = clopper_pearson(0, 10, 0.95)?;
/// assert_eq!(none.lo, 0.0);
/// assert!((none.hi - 0.3085).abs() < 1e-4);
/// # Ok::<(), evenhand_harness::estimate::EstimateError>(())
/// ```
pub fn clopper_pearson(k: u64, n: u64, level: f64) -> Result<Rate> {
    check_count(k, n)?;
    check_open_unit("level", level)?;
    let tail = 0.5 * (1.0 - level);
    let (successes, failures) = (k as f64, (n - k) as f64);
    let lo = if k == 0 {
        0.0
    } else {
        beta_quantile(tail, successes, failures + 1.0)
    };
    // The mirror image of a lower limit keeps the small tail exact.
    let hi = if k == n {
        1.0
    } else {
        1.0 - beta_quantile(tail, failures, successes + 1.0)
    };
    Ok(Rate {
        k,
        n,
        p: successes / n as f64,
        lo,
        hi,
    })
}

/// Wilson's score interval (JASA 22, 1927), without continuity correction.
///
/// # Errors
/// As [`clopper_pearson`].
pub fn wilson(k: u64, n: u64, level: f64) -> Result<Rate> {
    check_count(k, n)?;
    let z = two_sided_z(level)?;
    let (count, trials) = (k as f64, n as f64);
    let p = count / trials;
    let centre = (count + 0.5 * z * z) / (trials + z * z);
    let half = z * (trials * p * (1.0 - p) + 0.25 * z * z).sqrt() / (trials + z * z);
    let lo = if k == 0 {
        0.0
    } else {
        (centre - half).max(0.0)
    };
    let hi = if k == n {
        1.0
    } else {
        (centre + half).min(1.0)
    };
    Ok(Rate { k, n, p, lo, hi })
}

pub(crate) fn two_sided_z(level: f64) -> Result<f64> {
    check_open_unit("level", level)?;
    Ok(-normal::quantile(0.5 * (1.0 - level)))
}

/// A difference of two rates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateDifference {
    /// First rate minus second.
    pub difference: f64,
    /// Lower limit, in `[-1, 1]`.
    pub lo: f64,
    /// Upper limit, in `[-1, 1]`.
    pub hi: f64,
}

/// Newcombe's hybrid score interval for two independent rates, `p1 - p2`
/// (Statist. Med. 17:873, 1998, method 10): MOVER on Wilson limits.
///
/// # Errors
/// As [`clopper_pearson`], for either sample.
pub fn newcombe_independent(
    (k1, n1): (u64, u64),
    (k2, n2): (u64, u64),
    level: f64,
) -> Result<RateDifference> {
    let (first, second) = (wilson(k1, n1, level)?, wilson(k2, n2, level)?);
    Ok(mover_difference(&first, &second, 0.0))
}

/// MOVER for `first - second` whose estimates have correlation `phi`.
fn mover_difference(first: &Rate, second: &Rate, phi: f64) -> RateDifference {
    let difference = first.p - second.p;
    // Rounding can leave a vanishing square below zero when phi is near 1.
    let length = |x: f64, y: f64| (x * x - 2.0 * phi * x * y + y * y).max(0.0).sqrt();
    RateDifference {
        difference,
        lo: difference - length(first.p - first.lo, second.hi - second.p),
        hi: difference + length(first.hi - first.p, second.p - second.lo),
    }
}

/// The same tasks tried by both arms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairedCounts {
    /// Both passed.
    pub both: u64,
    /// Only the first passed.
    pub first_only: u64,
    /// Only the second passed.
    pub second_only: u64,
    /// Neither passed.
    pub neither: u64,
}

impl PairedCounts {
    /// Counts from outcomes task by task.
    ///
    /// # Errors
    /// `LengthMismatch`.
    pub fn of(first: &[bool], second: &[bool]) -> Result<Self> {
        if first.len() != second.len() {
            return Err(EstimateError::LengthMismatch {
                left: first.len(),
                right: second.len(),
            });
        }
        let count = |a, b| {
            first
                .iter()
                .zip(second)
                .filter(|&(x, y)| (*x, *y) == (a, b))
                .count()
        };
        Ok(Self {
            both: count(true, true) as u64,
            first_only: count(true, false) as u64,
            second_only: count(false, true) as u64,
            neither: count(false, false) as u64,
        })
    }

    /// Number of tasks.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.both + self.first_only + self.second_only + self.neither
    }

    /// Correlation of the two outcomes as Newcombe uses it: with a continuity
    /// correction if positive, and 0 if a margin is empty.
    #[must_use]
    pub fn phi(&self) -> f64 {
        let [a, b, c, d] =
            [self.both, self.first_only, self.second_only, self.neither].map(|x| x as f64);
        let margins = (a + b) * (c + d) * (a + c) * (b + d);
        if margins == 0.0 {
            return 0.0;
        }
        let cross = a * d - b * c;
        let corrected = if cross > 0.0 {
            (cross - 0.5 * (a + b + c + d)).max(0.0)
        } else {
            cross
        };
        corrected / margins.sqrt()
    }
}

/// Newcombe's interval for two paired rates, first minus second (Statist. Med.
/// 17:2635, 1998, method 10): Wilson limits with the correlation `phi`.
///
/// # Errors
/// `TooFew` without tasks, `OutOfRange`.
pub fn newcombe_paired(counts: &PairedCounts, level: f64) -> Result<RateDifference> {
    let first = wilson(counts.both + counts.first_only, counts.n(), level)?;
    let second = wilson(counts.both + counts.second_only, counts.n(), level)?;
    let limits = mover_difference(&first, &second, counts.phi());
    // From the discordant counts the difference is exact at zero.
    let discordant = counts.first_only as f64 - counts.second_only as f64;
    Ok(RateDifference {
        difference: discordant / counts.n() as f64,
        ..limits
    })
}

/// Bonett and Price's adjusted Wald interval for two paired rates, first minus
/// second (J. Educ. Behav. Statist. 37, 2012).
///
/// # Errors
/// `TooFew` without tasks, `OutOfRange`.
pub fn bonett_price(counts: &PairedCounts, level: f64) -> Result<RateDifference> {
    check_count(0, counts.n())?;
    let z = two_sided_z(level)?;
    let n = counts.n() as f64;
    let (b, c) = (counts.first_only as f64, counts.second_only as f64);
    let (p12, p21) = ((b + 1.0) / (n + 2.0), (c + 1.0) / (n + 2.0));
    let centre = p12 - p21;
    let half = z * ((p12 + p21 - centre * centre) / (n + 2.0)).sqrt();
    let (lo, hi) = ((centre - half).max(-1.0), (centre + half).min(1.0));
    Ok(RateDifference {
        difference: (b - c) / n,
        lo,
        hi,
    })
}

/// McNemar's tests of equal paired rates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct McNemar {
    /// Exact two-sided p-value; what a strong claim needs.
    pub exact: f64,
    /// Mid-p: less conservative, size below 5 % in simulation.
    pub mid_p: f64,
    /// Continuity-corrected chi-square, 1 degree of freedom; `None` without
    /// discordant tasks.
    pub chi_square: Option<f64>,
    /// Its p-value.
    pub chi_square_p: Option<f64>,
}

/// McNemar's test (Psychometrika 12, 1947), exact, mid-p (Fagerland, Lydersen
/// and Laake, BMC Med. Res. Meth. 13:91, 2013) and chi-square.
#[must_use]
pub fn mcnemar(counts: &PairedCounts) -> McNemar {
    let (b, c) = (counts.first_only, counts.second_only);
    let discordant = b + c;
    if discordant == 0 {
        return McNemar {
            exact: 1.0,
            mid_p: 1.0,
            chi_square: None,
            chi_square_p: None,
        };
    }
    let tail = 2.0 * binomial_cdf(b.min(c), discordant, 0.5);
    let point = binomial_pmf(b.min(c), discordant, 0.5);
    let excess = b.abs_diff(c) as f64 - 1.0;
    let chi = excess * excess / discordant as f64;
    McNemar {
        exact: tail.min(1.0),
        mid_p: (tail - point).clamp(0.0, 1.0),
        chi_square: Some(chi),
        chi_square_p: Some(chi_square_sf(chi, 1.0)),
    }
}
