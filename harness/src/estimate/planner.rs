//! Planning: how many workers a question needs.

use super::error::{EstimateError, Result, check_open_unit};

/// Fewest workers for a claim of a class.
pub mod floor {
    /// Any claim at 5 %: `2 / 2^6 <= 0.05`.
    pub const MODERATE: u64 = 6;
    /// A claim at 1 %: `2 / 2^8 <= 0.01`.
    pub const STRONG: u64 = 8;
    /// A claim of parity.
    pub const PARITY: u64 = 12;
}

/// Workers for 80 % power at `p <= .01` on an effect of `effect`, given the
/// standard deviation `sd` of the units.
///
/// `ceil(3 + 11.7 / (effect / sd)^2)`, at least 8: a fit to simulated power of
/// the exact sign-flip test (1 sd: 15, half an sd: 50).
///
/// # Errors
/// `OutOfRange` unless both are finite, `effect` is not zero and `sd >= 0`.
///
/// ```
/// use evenhand_harness::estimate::workers_needed;
/// assert_eq!(workers_needed(1.0, 1.0)?, 15);
/// assert_eq!(workers_needed(0.5, 1.0)?, 50);
/// # Ok::<(), evenhand_harness::estimate::EstimateError>(())
/// ```
pub fn workers_needed(effect: f64, sd: f64) -> Result<u64> {
    if !effect.is_finite() || effect == 0.0 {
        return Err(EstimateError::OutOfRange {
            name: "effect",
            value: effect,
        });
    }
    if !sd.is_finite() || sd < 0.0 {
        return Err(EstimateError::OutOfRange {
            name: "sd",
            value: sd,
        });
    }
    let ratio = sd / effect.abs();
    // A float to integer cast saturates, so a hopeless plan reads u64::MAX.
    Ok((libm::ceil(3.0 + 11.7 * ratio * ratio) as u64).max(floor::STRONG))
}

/// The smallest effect that `n` workers detect with 80 % power at `p <= .01`:
/// `3.42 sd / sqrt(n - 3)`. `None` below 8 workers, where no outcome reaches 1 %.
#[must_use]
pub fn detectable_effect(n: u64, sd: f64) -> Option<f64> {
    let effect = 3.42 * sd / ((n.max(4) - 3) as f64).sqrt();
    (n >= floor::STRONG && sd >= 0.0 && effect.is_finite()).then_some(effect)
}

/// Fewest workers so that Holm in a family of `comparisons` can reach `alpha`:
/// `1 + ceil(log2(comparisons / alpha))`.
///
/// # Errors
/// `OutOfRange` for a level outside `(0, 1)` or an empty family.
///
/// ```
/// use evenhand_harness::estimate::workers_for_family;
/// assert_eq!(workers_for_family(1, 0.05)?, 6);
/// assert_eq!(workers_for_family(102, 0.05)?, 12);
/// # Ok::<(), evenhand_harness::estimate::EstimateError>(())
/// ```
pub fn workers_for_family(comparisons: u64, alpha: f64) -> Result<u64> {
    check_open_unit("alpha", alpha)?;
    if comparisons == 0 {
        return Err(EstimateError::OutOfRange {
            name: "comparisons",
            value: 0.0,
        });
    }
    let mut n = 1;
    let mut smallest = 1.0;
    while smallest * comparisons as f64 > alpha {
        smallest *= 0.5;
        n += 1;
    }
    Ok(n)
}
