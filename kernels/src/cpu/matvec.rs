//! The matrix-vector product of decode: `y = W x`, `W` row-major.
//!
//! One token at a time makes every linear layer of a decoder this product, and
//! reading the weights is most of its cost. Both variants accumulate in lanes;
//! [`matvec_blocked`] also computes four rows together, so that each piece of
//! `x` is loaded once for all of them.

use super::lanes::{self, LANES};
use crate::tolerance::UNIT_ROUNDOFF;
use crate::{Tolerance, inputs, reference};
use half::bf16;

/// A number format that weights are stored in; products are formed in `f32`.
pub trait Weight: Copy {
    /// The weight as `f32`, exactly.
    fn widen(self) -> f32;

    /// The nearest weight.
    fn nearest(x: f32) -> Self;
}

impl Weight for f32 {
    fn widen(self) -> f32 {
        self
    }

    fn nearest(x: f32) -> Self {
        x
    }
}

impl Weight for bf16 {
    // By shifting alone: `to_f32` also quietens signalling NaN, and the product
    // does that anyway.
    fn widen(self) -> f32 {
        f32::from_bits(u32::from(self.to_bits()) << 16)
    }

    fn nearest(x: f32) -> Self {
        Self::from_f32(x)
    }
}

/// One row after the other, each a dot product in sixteen lanes.
///
/// # Panics
/// If `w` is not `out.len()` rows of `x.len()`.
pub fn matvec_row_wise<W: Weight>(w: &[W], x: &[f32], out: &mut [f32]) {
    check_shape(w, x, out);
    for (row, out) in w.chunks_exact(x.len()).zip(out) {
        *out = dot(row, x);
    }
}

/// Rows per block of [`matvec_blocked`].
const ROWS: usize = 4;
/// Lanes per row there: four rows of eight fill half of the sixteen SSE
/// registers and leave the rest for operands.
const BLOCK_LANES: usize = 8;

/// Four rows at a time, eight lanes each; leftover rows as in
/// [`matvec_row_wise`].
///
/// # Panics
/// If `w` is not `out.len()` rows of `x.len()`.
pub fn matvec_blocked<W: Weight>(w: &[W], x: &[f32], out: &mut [f32]) {
    check_shape(w, x, out);
    let cols = x.len();
    let (out_blocks, out_rest) = out.as_chunks_mut::<ROWS>();
    let (block_weights, rest) = w.split_at(out_blocks.len() * ROWS * cols);
    for (block, out) in block_weights.chunks_exact(ROWS * cols).zip(out_blocks) {
        let row = |row: usize| &block[row * cols..][..cols];
        *out = dot_rows([row(0), row(1), row(2), row(3)], x);
    }
    for (row, out) in rest.chunks_exact(cols).zip(out_rest) {
        *out = dot(row, x);
    }
}

pub(super) fn dot<W: Weight>(row: &[W], x: &[f32]) -> f32 {
    let (w_chunks, w_rest) = row.as_chunks();
    let (x_chunks, x_rest) = x.as_chunks();
    let mut sums = [0.0; LANES];
    for (w, x) in w_chunks.iter().zip(x_chunks) {
        multiply_add(&mut sums, w, x);
    }
    lanes::sum(sums) + dot_rest(w_rest, x_rest)
}

/// The products of four rows, wherever they are, with `x`.
pub(super) fn dot_rows<W: Weight>(rows: [&[W]; ROWS], x: &[f32]) -> [f32; ROWS] {
    let [(w0, rest0), (w1, rest1), (w2, rest2), (w3, rest3)] =
        rows.map(|row| row[..x.len()].as_chunks());
    let (x_chunks, x_rest) = x.as_chunks();
    // Four arrays rather than a nested one: the compiler keeps these in
    // registers.
    let [mut sums0, mut sums1, mut sums2, mut sums3] = [[0.0; BLOCK_LANES]; ROWS];
    for ((((x, w0), w1), w2), w3) in x_chunks.iter().zip(w0).zip(w1).zip(w2).zip(w3) {
        multiply_add(&mut sums0, w0, x);
        multiply_add(&mut sums1, w1, x);
        multiply_add(&mut sums2, w2, x);
        multiply_add(&mut sums3, w3, x);
    }
    [
        lanes::sum(sums0) + dot_rest(rest0, x_rest),
        lanes::sum(sums1) + dot_rest(rest1, x_rest),
        lanes::sum(sums2) + dot_rest(rest2, x_rest),
        lanes::sum(sums3) + dot_rest(rest3, x_rest),
    ]
}

#[inline(always)]
fn multiply_add<W: Weight, const N: usize>(sums: &mut [f32; N], w: &[W; N], x: &[f32; N]) {
    for lane in 0..N {
        sums[lane] += w[lane].widen() * x[lane];
    }
}

fn dot_rest<W: Weight>(w: &[W], x: &[f32]) -> f32 {
    w.iter().zip(x).map(|(w, x)| w.widen() * x).sum()
}

pub(super) fn check_shape<W>(w: &[W], x: &[f32], out: &[f32]) {
    assert!(!x.is_empty(), "a matrix without columns");
    assert_eq!(
        w.len(),
        out.len() * x.len(),
        "the matrix is not {}x{}",
        out.len(),
        x.len()
    );
}

/// The tolerance of both variants for this input: absolute,
/// `(4 + 4 sqrt(cols)) u` times the largest [`reference::matvec_magnitude`].
///
/// Not relative to the result, because the terms of a row may cancel.
#[must_use]
pub fn matvec_tolerance<W: Weight>(w: &[W], x: &[f32]) -> Tolerance {
    let magnitude = reference::matvec_magnitude(w, x)
        .into_iter()
        .fold(0.0, f64::max);
    let units = 4.0 + 4.0 * (x.len() as f64).sqrt();
    Tolerance {
        relative: 0.0,
        absolute: units * UNIT_ROUNDOFF * magnitude,
    }
}

/// Seeded weights, `rows` by `cols`, standard deviation `1 / sqrt(cols)`, and
/// an activation vector of standard deviation 1: the output has the scale of
/// the input, as in a trained layer.
#[derive(Clone, Debug)]
pub struct MatVec<W> {
    w: Vec<W>,
    x: Vec<f32>,
    out: Vec<f32>,
}

impl<W: Weight> MatVec<W> {
    /// Draws the input.
    ///
    /// # Panics
    /// If a dimension is zero.
    #[must_use]
    pub fn new(rows: usize, cols: usize, seed: u64) -> Self {
        assert!(rows > 0 && cols > 0, "a matrix of {rows}x{cols} is empty");
        let std_dev = 1.0 / (cols as f32).sqrt();
        let w = inputs::normal(seed, "inputs/matvec/w", std_dev, rows * cols);
        Self {
            w: w.into_iter().map(W::nearest).collect(),
            x: inputs::normal(seed, "inputs/matvec/x", 1.0, cols),
            out: vec![f32::NAN; rows],
        }
    }

    /// Runs [`matvec_row_wise`].
    pub fn row_wise(&mut self) {
        matvec_row_wise(&self.w, &self.x, &mut self.out);
    }

    /// Runs [`matvec_blocked`].
    pub fn blocked(&mut self) {
        matvec_blocked(&self.w, &self.x, &mut self.out);
    }

    /// The weights, row-major.
    #[must_use]
    pub fn weights(&self) -> &[W] {
        &self.w
    }

    /// The vector.
    #[must_use]
    pub fn input(&self) -> &[f32] {
        &self.x
    }

    /// The product of the last run; NaN before it.
    #[must_use]
    pub fn output(&self) -> &[f32] {
        &self.out
    }

    /// The `f64` product of the weights as stored.
    #[must_use]
    pub fn reference(&self) -> Vec<f64> {
        reference::matvec(&self.w, &self.x)
    }

    /// [`matvec_tolerance`] of this input.
    #[must_use]
    pub fn tolerance(&self) -> Tolerance {
        matvec_tolerance(&self.w, &self.x)
    }

    /// Bytes that a call must move: weights and vector in, product out,
    /// `size_of::<W>() * rows * cols + 4 * (cols + rows)`.
    #[must_use]
    pub fn bytes_moved(&self) -> u64 {
        (size_of_val(&*self.w) + size_of_val(&*self.x) + size_of_val(&*self.out)) as u64
    }

    /// Operations of a call: one multiplication and one addition per weight,
    /// `2 * rows * cols`.
    #[must_use]
    pub fn flops(&self) -> u64 {
        2 * self.w.len() as u64
    }

    /// Fills the output with NaN, so that a stale one cannot pass.
    pub fn poison(&mut self) {
        self.out.fill(f32::NAN);
    }
}
