//! How sure a model is of a token: the logarithm of its probability and the
//! entropy of the distribution, over the whole vocabulary at temperature 1, in
//! nats. Servers report the first as `logprobs`.
//!
//! With the largest logit `m`, `s = sum e^(x - m)` and
//! `t = sum e^(x - m) (x - m)`, the logarithm of the probability is
//! `x - m - ln s` and the entropy `ln s - t / s`.
//!
//! | variant | sweeps over the logits |
//! |---|---|
//! | [`uncertainty_two_pass`] | maximum; both sums |
//! | [`uncertainty_online`] | running maximum and sums, in blocks |
//!
//! Logits of `-inf` (masked tokens) have probability 0 and add nothing; a NaN
//! makes both statistics NaN.

use super::lanes::{self, LANES};
use crate::Tolerance;
use crate::reference::Uncertainty;
use crate::tolerance::UNIT_ROUNDOFF;

/// Sums relative to the largest logit.
#[derive(Clone, Copy)]
struct Moments {
    max: f32,
    sum: f32,
    weighted: f32,
}

impl Moments {
    /// Of logits none of which exceeds `max`.
    fn below(max: f32, logits: &[f32]) -> Self {
        let mut sums = [0.0; LANES];
        let mut weighted = [0.0; LANES];
        for chunk in logits.chunks(LANES) {
            for ((&logit, sum), weighted) in chunk.iter().zip(&mut sums).zip(&mut weighted) {
                let down = logit - max;
                // Not -inf: 0 * -inf is NaN. `max` would hide a NaN.
                let down = if down < f32::MIN { f32::MIN } else { down };
                let term = down.exp();
                *sum += term;
                *weighted += term * down;
            }
        }
        Self {
            max,
            sum: lanes::sum(sums),
            weighted: lanes::sum(weighted),
        }
    }

    /// The same sums, relative to a larger maximum.
    fn rebased(self, max: f32) -> Self {
        let down = (self.max - max).max(f32::MIN);
        let keep = down.exp();
        Self {
            max,
            sum: keep * self.sum,
            weighted: keep * (self.weighted + down * self.sum),
        }
    }

    fn about(self, logit: f32) -> Uncertainty {
        let log_sum = self.sum.ln();
        Uncertainty {
            log_probability: f64::from(logit - self.max - log_sum),
            entropy: f64::from(log_sum - self.weighted / self.sum),
        }
    }
}

/// The maximum first, then both sums.
///
/// # Panics
/// If there is no such token.
#[must_use]
pub fn uncertainty_two_pass(logits: &[f32], token: usize) -> Uncertainty {
    Moments::below(lanes::max(logits), logits).about(logits[token])
}

/// Logits per block of [`uncertainty_online`]: they stay in the first cache
/// between the two looks at them.
const BLOCK: usize = 1024;

/// One sweep: every block has its own maximum, and a new largest one rescales
/// the sums so far.
///
/// # Panics
/// If there is no such token.
#[must_use]
pub fn uncertainty_online(logits: &[f32], token: usize) -> Uncertainty {
    let mut all = Moments {
        max: f32::MIN,
        sum: 0.0,
        weighted: 0.0,
    };
    for block in logits.chunks(BLOCK) {
        let max = lanes::max(block);
        if max > all.max {
            all = all.rebased(max);
        }
        let block = Moments::below(all.max, block);
        all.sum += block.sum;
        all.weighted += block.weighted;
    }
    all.about(logits[token])
}

/// The tolerance of both statistics in every variant: absolute,
/// `(8 + range + 4 sqrt(n / 16)) (1 + depth) u + 4 scale u`.
///
/// The first part is the relative error of the sums, which the logarithm makes
/// absolute, for variants that sum in at least sixteen chains; `range` bounds
/// the arguments of the exponentials that matter (below -104 they are 0), and
/// `depth`, the mean distance of a token below the largest logit, is the size
/// of `t / s`. The second part rounds the results, none of which exceeds
/// `scale = range + ln n`.
///
/// # Panics
/// If there are no logits.
#[must_use]
pub fn uncertainty_tolerance(logits: &[f32]) -> Tolerance {
    let finite = || {
        logits
            .iter()
            .map(|&l| f64::from(l))
            .filter(|l| l.is_finite())
    };
    let max = finite().fold(f64::NEG_INFINITY, f64::max);
    let range = (max - finite().fold(f64::INFINITY, f64::min)).min(104.0);
    let terms = || finite().map(|l| ((l - max).exp(), max - l));
    let sum: f64 = terms().map(|(term, _)| term).sum();
    let depth = terms().map(|(term, down)| term * down).sum::<f64>() / sum;
    let n = logits.len() as f64;
    let units =
        (8.0 + range + 4.0 * (n / LANES as f64).sqrt()) * (1.0 + depth) + 4.0 * (range + n.ln());
    Tolerance {
        relative: 0.0,
        absolute: units * UNIT_ROUNDOFF,
    }
}
