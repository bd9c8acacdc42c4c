//! RMSNorm of every row: `y_i = x_i * w_i / sqrt(mean(x^2) + epsilon)`
//! (Zhang and Sennrich, arXiv:1910.07467).
//!
//! The variants differ in the sum of squares: one chain of additions in
//! [`rms_norm_scalar`], sixteen in [`rms_norm_lanes`]. The scaling sweep has no
//! reduction, and the compiler makes SIMD of it in both.

use super::lanes;
use crate::tolerance::UNIT_ROUNDOFF;
use crate::{Tolerance, inputs, reference};

/// Sums the squares one after the other.
///
/// # Panics
/// If `x` is not whole rows of `weight.len()`, or `out` has another length.
pub fn rms_norm_scalar(x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) {
    normalise(x, weight, epsilon, out, |row| {
        row.iter().map(|v| v * v).sum()
    });
}

/// Sums the squares in independent lanes.
///
/// # Panics
/// If `x` is not whole rows of `weight.len()`, or `out` has another length.
pub fn rms_norm_lanes(x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) {
    normalise(x, weight, epsilon, out, lanes::sum_of_squares);
}

/// The tolerance of both variants: relative `(8 + 2 sqrt(hidden)) u`; the
/// square root halves what the sum of squares is granted.
#[must_use]
pub fn rms_norm_tolerance(hidden: usize) -> Tolerance {
    let units = 8.0 + 2.0 * (hidden as f64).sqrt();
    Tolerance {
        relative: units * UNIT_ROUNDOFF,
        absolute: 0.0,
    }
}

/// Seeded activations, `rows` by `hidden`, standard deviation 1, with weights
/// near 1.
#[derive(Clone, Debug)]
pub struct RmsNorm {
    x: Vec<f32>,
    weight: Vec<f32>,
    out: Vec<f32>,
}

impl RmsNorm {
    /// Added to the mean square, as in the Llama family.
    pub const EPSILON: f32 = 1e-5;

    /// Draws the input.
    ///
    /// # Panics
    /// If a dimension is zero.
    #[must_use]
    pub fn new(rows: usize, hidden: usize, seed: u64) -> Self {
        assert!(
            rows > 0 && hidden > 0,
            "an RMSNorm of {rows}x{hidden} is empty"
        );
        let x = inputs::normal(seed, "inputs/rms_norm/x", 1.0, rows * hidden);
        let weight = inputs::near_one(seed, "inputs/rms_norm/weight", hidden);
        Self {
            out: vec![f32::NAN; x.len()],
            x,
            weight,
        }
    }

    /// Runs [`rms_norm_scalar`].
    pub fn scalar(&mut self) {
        rms_norm_scalar(&self.x, &self.weight, Self::EPSILON, &mut self.out);
    }

    /// Runs [`rms_norm_lanes`].
    pub fn lanes(&mut self) {
        rms_norm_lanes(&self.x, &self.weight, Self::EPSILON, &mut self.out);
    }

    /// The activations.
    #[must_use]
    pub fn input(&self) -> &[f32] {
        &self.x
    }

    /// The normalised activations of the last run; NaN before it.
    #[must_use]
    pub fn output(&self) -> &[f32] {
        &self.out
    }

    /// The `f64` result.
    #[must_use]
    pub fn reference(&self) -> Vec<f64> {
        reference::rms_norm(&self.x, &self.weight, Self::EPSILON)
    }

    /// [`rms_norm_tolerance`] of this shape.
    #[must_use]
    pub fn tolerance(&self) -> Tolerance {
        rms_norm_tolerance(self.weight.len())
    }

    /// Bytes that a call must move: activations in and out, weights in,
    /// `4 * (2 * rows * hidden + hidden)`.
    #[must_use]
    pub fn bytes_moved(&self) -> u64 {
        4 * (2 * self.x.len() + self.weight.len()) as u64
    }

    /// Operations of a call: square, add, and two multiplications,
    /// `4 * rows * hidden`; the few per row are left out.
    #[must_use]
    pub fn flops(&self) -> u64 {
        4 * self.x.len() as u64
    }

    /// Fills the output with NaN, so that a stale one cannot pass.
    pub fn poison(&mut self) {
        self.out.fill(f32::NAN);
    }
}

fn normalise(
    x: &[f32],
    weight: &[f32],
    epsilon: f32,
    out: &mut [f32],
    sum_of_squares: impl Fn(&[f32]) -> f32,
) {
    let hidden = weight.len();
    assert!(
        hidden > 0 && x.len().is_multiple_of(hidden),
        "{} elements are not rows of {hidden}",
        x.len()
    );
    assert_eq!(x.len(), out.len(), "input and output differ in length");
    for (x, out) in x.chunks_exact(hidden).zip(out.chunks_exact_mut(hidden)) {
        let mean_square = sum_of_squares(x) / hidden as f32;
        let inverse = 1.0 / (mean_square + epsilon).sqrt();
        for ((out, &x), &weight) in out.iter_mut().zip(x).zip(weight) {
            *out = x * inverse * weight;
        }
    }
}
