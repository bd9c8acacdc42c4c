//! Looking before the end: three rules that keep the error rate.
//!
//! Stopping "when it is significant" makes 37 % false claims at 5 %. Sound are
//! only: stopping on sizes without signs, looks declared in the plan, and a
//! process that may be watched all the time.

use bootstrap::normal;

use super::error::{EstimateError, Result, check, check_open_unit, finite};
use super::special::student_t_upper;

/// State of a precision stop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PrecisionStop {
    /// Half-width `t sqrt(sum d^2 / n) / sqrt(n)` of the sign-blind scale.
    pub half_width: f64,
    /// Precise enough, with at least the least number of units.
    pub stop: bool,
}

/// Fewest units before a precision stop may look.
pub const PRECISION_FROM: usize = 8;

/// Whether the sizes of the units are known well enough to stop.
///
/// The rule sees `|d|` only, never a sign, so the sign-flip p-value at the
/// end is exact without any correction. The root mean square about zero, not
/// the standard deviation: that one depends on the signs and costs 1.5 points.
///
/// # Errors
/// `TooFew` below 2 units, `NonFinite`, `Overflow`, `OutOfRange` for a target
/// that is not positive or a level outside `(0, 1)`.
pub fn precision_stop(d: &[f64], target: f64, level: f64) -> Result<PrecisionStop> {
    check(d, 2)?;
    check_open_unit("level", level)?;
    if !(target.is_finite() && target > 0.0) {
        return Err(EstimateError::OutOfRange {
            name: "target",
            value: target,
        });
    }
    let n = d.len() as f64;
    let mut squares: Vec<f64> = d.iter().map(|v| v * v).collect();
    // One order for all permutations of the same values.
    squares.sort_unstable_by(f64::total_cmp);
    let rms = finite(squares.iter().sum::<f64>() / n)?.sqrt();
    let half_width = finite(student_t_upper(0.5 * (1.0 - level), n - 1.0) * rms / n.sqrt())?;
    Ok(PrecisionStop {
        half_width,
        stop: d.len() >= PRECISION_FROM && half_width <= target,
    })
}

/// One declared look at the data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// Units at which the plan looks.
    pub n: usize,
    /// Error rate spent at this look: the p-value must not exceed it.
    pub alpha: f64,
}

/// The default looks of a plan.
pub const DEFAULT_LOOKS: [usize; 3] = [12, 24, 36];

/// Splits `alpha` over the looks of a plan by O'Brien-Fleming spending.
///
/// Increments of `2 - 2 Phi(z / sqrt(n_k / n_K))` (Lan and DeMets, Biometrika
/// 70, 1983). By the union bound the increments keep `alpha` under any
/// dependence between looks; an interval at look `k` has level `1 - alpha_k`.
///
/// # Errors
/// `TooFew` without looks, `OutOfRange` for a level outside `(0, 1)` or looks
/// that do not increase from 1.
///
/// ```
/// use evenhand_harness::estimate::{DEFAULT_LOOKS, obrien_fleming_looks};
/// let looks = obrien_fleming_looks(&DEFAULT_LOOKS, 0.05)?;
/// let spent: f64 = looks.iter().map(|look| look.alpha).sum();
/// assert!((spent - 0.05).abs() < 1e-12 && looks[0].alpha < 0.001);
/// # Ok::<(), evenhand_harness::estimate::EstimateError>(())
/// ```
pub fn obrien_fleming_looks(looks: &[usize], alpha: f64) -> Result<Vec<Look>> {
    check_open_unit("alpha", alpha)?;
    let Some(&last) = looks.last() else {
        return Err(EstimateError::TooFew { needed: 1, got: 0 });
    };
    let increasing = looks.windows(2).all(|pair| pair[0] < pair[1]) && looks[0] > 0;
    if !increasing {
        return Err(EstimateError::OutOfRange {
            name: "looks",
            value: looks[0] as f64,
        });
    }
    let z = normal::quantile(0.5 * alpha);
    let mut before = 0.0;
    Ok(looks
        .iter()
        .map(|&n| {
            let spent = 2.0 * normal::cdf(z / (n as f64 / last as f64).sqrt());
            Look {
                n,
                alpha: spent - std::mem::replace(&mut before, spent),
            }
        })
        .collect())
}

/// Bets of the e-process, as multiples of the running root mean square.
const BETS: [f64; 4] = [0.1, 0.2, 0.4, 0.8];

/// The sign-flip e-process after each unit.
///
/// `E_n` is the mean over bets `c` in {.1, .2, .4, .8} and both signs of
/// `prod (1 + tanh(c d_i / s_i))` with `s_i` the root mean square of the first
/// `i` units: a martingale under the coin, so the chance that it ever reaches
/// `1 / alpha` is at most `alpha` (Ville, 1939; Ramdas et al., Statist. Sci.
/// 38, 2023). Claim when `E_n >= 20` (5 %) or `100` (1 %).
///
/// # Errors
/// `NonFinite`, `Overflow`.
pub fn e_process(d: &[f64]) -> Result<Vec<f64>> {
    check(d, 0)?;
    let mut wealth = [[1.0f64; 2]; BETS.len()];
    let mut square = 0.0;
    let mut path = Vec::with_capacity(d.len());
    for (i, v) in d.iter().enumerate() {
        square = finite(square + v * v)?;
        let scale = (square / (i + 1) as f64).sqrt();
        let unit = if scale > 0.0 { v / scale } else { 0.0 };
        for (bet, [up, down]) in BETS.iter().zip(&mut wealth) {
            let stake = libm::tanh(bet * unit);
            // A cap far above any threshold keeps long runs finite.
            *up = (*up * (1.0 + stake)).min(1e300);
            *down = (*down * (1.0 - stake)).min(1e300);
        }
        let total: f64 = wealth.iter().flatten().sum();
        path.push(total / (2 * BETS.len()) as f64);
    }
    Ok(path)
}
