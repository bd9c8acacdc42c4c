//! The sign-flip test turned into an interval.

use super::super::error::{Result, check, check_open_unit, finite};
use super::super::sample::mean;
use super::{Draws, MONTE_CARLO_DRAWS, SignFlipMethod, count_by_halves};

/// The effects that the sign-flip test does not reject, as an interval.
///
/// A shape for readers who want the test's own interval; claims report the
/// size by [`mean_interval`](crate::estimate::mean_interval).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignFlipInterval {
    /// Lower limit; `None` when `n` units can not bound it at this level.
    pub lo: Option<f64>,
    /// Upper limit; `None` likewise.
    pub hi: Option<f64>,
    /// How the limits were found.
    pub method: SignFlipMethod,
}

/// Inverts the sign-flip test for a shift of all units.
///
/// The limits are order statistics of the subset means: with `k = floor(2^n
/// alpha / 2)` the `k`-th smallest and `k`-th largest of the `2^n - 1` means
/// (Hartigan, JASA 64, 1969). Up to 16 units all of them; up to 28 the exact
/// p-value is bisected; above, the subsets are drawn.
///
/// # Errors
/// `TooFew`, `NonFinite`, `Overflow`, `OutOfRange` for the level.
pub fn sign_flip_interval(d: &[f64], level: f64, seed: u64) -> Result<SignFlipInterval> {
    check(d, 1)?;
    check_open_unit("level", level)?;
    finite(d.iter().map(|v| v.abs()).sum::<f64>())?;
    let mut d = d.to_vec();
    d.sort_by(f64::total_cmp);
    let tail = 0.5 * (1.0 - level);
    // `tail * 2^n` may sit a rounding error below a whole number.
    let rank = |count: f64| libm::floor(count * tail * (1.0 + 1e-12)) as usize;
    match d.len() {
        n @ 1..=16 => {
            let mut means = subset_means(&d);
            let k = rank((1u64 << n) as f64);
            Ok(limits(&mut means, k, SignFlipMethod::Enumeration))
        }
        n @ 17..=28 => {
            let k = rank((1u64 << n) as f64);
            let (lo, hi) = if k == 0 {
                (None, None)
            } else {
                bisect_limits(&d, k)
            };
            Ok(SignFlipInterval {
                lo,
                hi,
                method: SignFlipMethod::MeetInTheMiddle,
            })
        }
        n => {
            let sum: f64 = d.iter().sum();
            let mut means = Vec::with_capacity(2 * MONTE_CARLO_DRAWS);
            for draw in Draws::new(&d, seed, "estimate/sign-flip-interval") {
                // The flipped set and its complement: two subset means.
                for sign in [1.0, -1.0] {
                    let size = n as f64 + sign * draw.signs;
                    let mean = if size > 0.0 {
                        (sum + sign * draw.sum) / size
                    } else {
                        sum / n as f64
                    };
                    means.push(mean);
                }
            }
            let k = rank((means.len() + 2) as f64);
            let method = SignFlipMethod::MonteCarlo {
                draws: MONTE_CARLO_DRAWS,
            };
            Ok(limits(&mut means, k, method))
        }
    }
}

pub(super) fn limits(means: &mut [f64], k: usize, method: SignFlipMethod) -> SignFlipInterval {
    if k == 0 || 2 * k > means.len() {
        return SignFlipInterval {
            lo: None,
            hi: None,
            method,
        };
    }
    means.sort_unstable_by(f64::total_cmp);
    SignFlipInterval {
        lo: Some(means[k - 1]),
        hi: Some(means[means.len() - k]),
        method,
    }
}

pub(super) fn subset_means(d: &[f64]) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0)];
    for v in d {
        let with: Vec<(f64, f64)> = sums.iter().map(|(s, c)| (s + v, c + 1.0)).collect();
        sums.extend(with);
    }
    sums[1..].iter().map(|(s, c)| s / c).collect()
}

/// The outermost shifts that more than `k - 1` sign vectors per side tolerate.
pub(super) fn bisect_limits(d: &[f64], k: usize) -> (Option<f64>, Option<f64>) {
    let mean = mean(d);
    let search = |edge: f64| {
        let rejected = |shift: f64| {
            let moved: Vec<f64> = d.iter().map(|v| v - shift).collect();
            let sizes: Vec<f64> = moved.iter().map(|v| v.abs()).collect();
            let observed = moved.iter().sum::<f64>().abs();
            // The limit itself is a tie; a slack of TIE would show in the result.
            let slack = 1e-13 * sizes.iter().sum::<f64>();
            count_by_halves(&sizes, observed - slack) <= k as u64
        };
        let (mut outside, mut inside) = (edge, mean);
        for _ in 0..200 {
            let middle = 0.5 * (outside + inside);
            if middle == outside || middle == inside {
                break;
            }
            if rejected(middle) {
                outside = middle;
            } else {
                inside = middle;
            }
        }
        inside
    };
    (Some(search(d[0])), Some(search(d[d.len() - 1])))
}
