//! Softmax of every row: `y_i = exp(x_i - max) / sum_j exp(x_j - max)`.
//!
//! All variants subtract the maximum, so any finite logits are safe. `-inf`
//! (a masked position) becomes 0 as long as the row has a finite element, and a
//! NaN makes its whole row NaN. Rows with `+inf` have no softmax.
//!
//! | variant | sweeps over the row | exponentials per element |
//! |---|---|---|
//! | [`softmax_three_pass`] | max; exp, stored and summed; scale | 1 |
//! | [`softmax_three_pass_lanes`] | the same, exp by a polynomial in SIMD lanes | 1 |
//! | [`softmax_online`] | running max and sum; exp and scale | 2 |
//! | [`softmax_online_blocked`] | running max and sum per block, exp stored; rescale | 1 |

use super::lanes::{self, LANES};
use crate::tolerance::UNIT_ROUNDOFF;
use crate::{Tolerance, inputs, reference};

/// The classical safe softmax: three sweeps, one exponential per element
/// ("three-pass with reloading" in Dukhan and Ablavatski, arXiv:2001.04438).
///
/// # Panics
/// If `x` is not whole rows of `cols`, or `out` has another length.
pub fn softmax_three_pass(x: &[f32], cols: usize, out: &mut [f32]) {
    for (x, out) in rows(x, cols, out) {
        let max = lanes::max(x);
        let mut sums = [0.0; LANES];
        for (out, x) in out.chunks_mut(LANES).zip(x.chunks(LANES)) {
            for ((out, &x), sum) in out.iter_mut().zip(x).zip(&mut sums) {
                *out = (x - max).exp();
                *sum += *out;
            }
        }
        scale(out, 1.0 / lanes::sum(sums));
    }
}

/// The sweeps of [`softmax_three_pass`] with a polynomial in place of the
/// exponential of the C library, so that the middle sweep is SIMD as well.
///
/// # Panics
/// If `x` is not whole rows of `cols`, or `out` has another length.
pub fn softmax_three_pass_lanes(x: &[f32], cols: usize, out: &mut [f32]) {
    for (x, out) in rows(x, cols, out) {
        let max = lanes::max(x);
        let mut sums = [0.0; LANES];
        let (x_chunks, x_rest) = x.as_chunks::<LANES>();
        let (out_chunks, out_rest) = out.as_chunks_mut::<LANES>();
        for (out, x) in out_chunks.iter_mut().zip(x_chunks) {
            for lane in 0..LANES {
                out[lane] = exp_nonpositive(x[lane] - max);
                sums[lane] += out[lane];
            }
        }
        for ((out, &x), sum) in out_rest.iter_mut().zip(x_rest).zip(&mut sums) {
            *out = exp_nonpositive(x - max);
            *sum += *out;
        }
        scale(out, 1.0 / lanes::sum(sums));
    }
}

/// The online normaliser (Milakov and Gimelshein, arXiv:1805.02867, algorithm
/// 3): one sweep keeps a running maximum and the sum relative to it, in sixteen
/// lanes merged at its end (section 3.1 there); a second computes the outputs.
/// It never reads back what it wrote, and writes each element once rather than
/// twice, at the price of a second exponential.
///
/// # Panics
/// If `x` is not whole rows of `cols`, or `out` has another length.
pub fn softmax_online(x: &[f32], cols: usize, out: &mut [f32]) {
    for (x, out) in rows(x, cols, out) {
        let (chunks, rest) = x.as_chunks::<LANES>();
        // Not -inf: `-inf - -inf` would be NaN.
        let mut maxima = [f32::MIN; LANES];
        let mut sums = [0.0; LANES];
        for chunk in chunks.iter().map(|chunk| &chunk[..]).chain([rest]) {
            for ((max, sum), &x) in maxima.iter_mut().zip(&mut sums).zip(chunk) {
                if x <= *max {
                    *sum += (x - *max).exp();
                } else {
                    *sum = *sum * (*max - x).exp() + 1.0;
                    *max = x;
                }
            }
        }
        let max = lanes::max(&maxima);
        for (sum, lane_max) in sums.iter_mut().zip(maxima) {
            *sum *= (lane_max - max).exp();
        }
        let inverse = 1.0 / lanes::sum(sums);
        for (out, &x) in out.iter_mut().zip(x) {
            *out = (x - max).exp() * inverse;
        }
    }
}

/// Blocks per row of [`softmax_online_blocked`]: few enough for an array.
const BLOCKS: usize = 64;
/// Shortest block there.
const SHORTEST_BLOCK: usize = 64;

/// The online normaliser a block at a time: each block stores its exponentials
/// relative to the maximum so far, and the last sweep corrects every block by
/// one factor.
///
/// # Panics
/// If `x` is not whole rows of `cols`, or `out` has another length.
pub fn softmax_online_blocked(x: &[f32], cols: usize, out: &mut [f32]) {
    let block = cols.div_ceil(BLOCKS).max(SHORTEST_BLOCK);
    // The maximum that each block was stored against.
    let mut stored = [0.0; BLOCKS];
    for (x, out) in rows(x, cols, out) {
        let mut max = f32::MIN;
        let mut sum = 0.0;
        for ((x, out), stored) in x.chunks(block).zip(out.chunks_mut(block)).zip(&mut stored) {
            let block_max = lanes::max(x);
            if block_max > max {
                sum *= (max - block_max).exp();
                max = block_max;
            }
            *stored = max;
            let mut block_sum = 0.0;
            for (out, &x) in out.iter_mut().zip(x) {
                *out = (x - max).exp();
                block_sum += *out;
            }
            sum += block_sum;
        }
        let inverse = 1.0 / sum;
        for (out, &stored) in out.chunks_mut(block).zip(&stored) {
            scale(out, (stored - max).exp() * inverse);
        }
    }
}

/// The tolerance of every variant for this input: relative
/// `(8 + range + 4 sqrt(cols)) u`.
///
/// Rounding `x - max` costs up to `range u` in the exponent (`range` is the
/// largest distance of a finite logit from the maximum of its row), the sum
/// `4 sqrt(cols) u`, the exponential and the scaling a few units. Probabilities
/// below the normal range of `f32` may be flushed to zero.
///
/// # Panics
/// If `cols` is zero.
#[must_use]
pub fn softmax_tolerance(x: &[f32], cols: usize) -> Tolerance {
    let range = x.chunks_exact(cols).fold(0f64, |widest, row| {
        let finite = || row.iter().filter(|v| v.is_finite()).map(|&v| f64::from(v));
        let max = finite().fold(f64::MIN, f64::max);
        finite().fold(widest, |widest, v| widest.max(max - v))
    });
    // exp(-104) is below the smallest denormal: farther logits are zeros.
    let units = 8.0 + range.min(104.0) + 4.0 * (cols as f64).sqrt();
    Tolerance {
        relative: units * UNIT_ROUNDOFF,
        absolute: f32::MIN_POSITIVE.into(),
    }
}

/// Seeded attention-like scores, `rows` by `cols`, standard deviation 3.
#[derive(Clone, Debug)]
pub struct RowSoftmax {
    cols: usize,
    x: Vec<f32>,
    out: Vec<f32>,
}

impl RowSoftmax {
    /// Draws the input.
    ///
    /// # Panics
    /// If a dimension is zero.
    #[must_use]
    pub fn new(rows: usize, cols: usize, seed: u64) -> Self {
        assert!(rows > 0 && cols > 0, "a softmax of {rows}x{cols} is empty");
        let x = inputs::normal(seed, "inputs/softmax/x", 3.0, rows * cols);
        Self {
            cols,
            out: vec![f32::NAN; x.len()],
            x,
        }
    }

    /// Runs [`softmax_three_pass`].
    pub fn three_pass(&mut self) {
        softmax_three_pass(&self.x, self.cols, &mut self.out);
    }

    /// Runs [`softmax_three_pass_lanes`].
    pub fn three_pass_lanes(&mut self) {
        softmax_three_pass_lanes(&self.x, self.cols, &mut self.out);
    }

    /// Runs [`softmax_online`].
    pub fn online(&mut self) {
        softmax_online(&self.x, self.cols, &mut self.out);
    }

    /// Runs [`softmax_online_blocked`].
    pub fn online_blocked(&mut self) {
        softmax_online_blocked(&self.x, self.cols, &mut self.out);
    }

    /// The logits.
    #[must_use]
    pub fn input(&self) -> &[f32] {
        &self.x
    }

    /// The probabilities of the last run; NaN before it.
    #[must_use]
    pub fn output(&self) -> &[f32] {
        &self.out
    }

    /// The `f64` probabilities.
    #[must_use]
    pub fn reference(&self) -> Vec<f64> {
        reference::softmax(&self.x, self.cols)
    }

    /// [`softmax_tolerance`] of this input.
    #[must_use]
    pub fn tolerance(&self) -> Tolerance {
        softmax_tolerance(&self.x, self.cols)
    }

    /// Bytes that a call must move: each `f32` in once, out once,
    /// `2 * 4 * rows * cols`.
    #[must_use]
    pub fn bytes_moved(&self) -> u64 {
        8 * self.x.len() as u64
    }

    /// Operations of a call: compare, subtract, exponential, add and multiply
    /// as one each, `5 * rows * cols`.
    #[must_use]
    pub fn flops(&self) -> u64 {
        5 * self.x.len() as u64
    }

    /// Fills the output with NaN, so that a stale one cannot pass.
    pub fn poison(&mut self) {
        self.out.fill(f32::NAN);
    }
}

fn rows<'a>(
    x: &'a [f32],
    cols: usize,
    out: &'a mut [f32],
) -> impl Iterator<Item = (&'a [f32], &'a mut [f32])> {
    assert!(
        cols > 0 && x.len().is_multiple_of(cols),
        "{} elements are not rows of {cols}",
        x.len()
    );
    assert_eq!(x.len(), out.len(), "input and output differ in length");
    x.chunks_exact(cols).zip(out.chunks_exact_mut(cols))
}

fn scale(out: &mut [f32], factor: f32) {
    for out in out {
        *out *= factor;
    }
}

/// `exp(x)` for `x <= 0` without branches: `2^n * exp(r)` with `|r| <= ln(2)/2`
/// and the polynomial of Cephes `expf`. Zero where the result would be
/// denormal; NaN stays NaN.
#[inline]
pub(crate) fn exp_nonpositive(x: f32) -> f32 {
    const SMALLEST: f32 = -87.336_54; // ln(f32::MIN_POSITIVE)
    const TO_INTEGER: f32 = 12_582_912.0; // 1.5 * 2^23: adding it rounds to an integer
    const LN_2_HIGH: f32 = 0.693_359_4; // few bits: n * LN_2_HIGH is exact
    const LN_2_LOW: f32 = -2.121_944_4e-4;

    let clamped = if x < SMALLEST { SMALLEST } else { x };
    let shifted = clamped * std::f32::consts::LOG2_E + TO_INTEGER;
    let n = shifted - TO_INTEGER;
    let r = clamped - n * LN_2_HIGH - n * LN_2_LOW;
    let mut p = 1.987_569_1e-4;
    p = p * r + 1.398_199_9e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 0.5;
    let exp_r = p * r * r + r + 1.0;
    // The low bits of `shifted` are n in two's complement.
    let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    if x < SMALLEST { 0.0 } else { exp_r * power }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_stays_within_two_units_of_roundoff() {
        for step in 0..=1_000_000 {
            let x = -87.3 * step as f32 / 1e6;
            let want = f64::from(x).exp();
            let error = (f64::from(exp_nonpositive(x)) - want).abs() / want / UNIT_ROUNDOFF;
            assert!(error <= 2.0, "exp({x}) is off by {error} units");
        }
        assert_eq!(exp_nonpositive(0.0), 1.0);
        assert_eq!(exp_nonpositive(-90.0), 0.0);
        assert_eq!(exp_nonpositive(f32::NEG_INFINITY), 0.0);
        assert!(exp_nonpositive(f32::NAN).is_nan());
    }
}
