//! A linear layer: `Y = X W^T`, `W` row-major, one row of `X` per token.
//!
//! Decode gives it one token or a few, prefill hundreds. Both operands are
//! contiguous along the sum, so a tile of rows by tokens keeps one vector of
//! sums for each of its dot products and needs no repacked copy of the
//! weights: the layout that decode walks through linearly serves prefill too.
//!
//! **Batch invariance.** Every dot product has sixteen lanes, whatever the tile:
//! lane `i` adds the products at `k = i (mod 16)` in order, and the lanes are
//! added pairwise. A token's result therefore has the same bits alone, in a
//! batch and in a prefill, and trailing zeros do not change it. AVX2 and
//! AVX-512 agree bit for bit (both fuse multiplication and addition); the
//! scalar path rounds the products and agrees within [`linear_tolerance`].

#[cfg(target_arch = "x86_64")]
#[allow(
    unsafe_code,
    clippy::needless_range_loop,
    reason = "intrinsics; tile coordinates"
)]
mod avx2;
#[cfg(target_arch = "x86_64")]
#[allow(
    unsafe_code,
    clippy::needless_range_loop,
    reason = "intrinsics; tile coordinates"
)]
mod avx512;
mod scalar;
#[cfg(target_arch = "x86_64")]
mod tile;

use super::isa::{Isa, Kind};
use super::matvec::Weight;
use crate::Tolerance;
use crate::tolerance::UNIT_ROUNDOFF;
use half::bf16;

/// Weights that every instruction set has tiles for: `f32` and `bf16`.
pub trait LinearWeight: Weight {
    /// [`linear`](fn@linear) of these weights. Not generic in the callers' crates, so that
    /// it is compiled with the optimisation of this one.
    #[doc(hidden)]
    fn project(isa: Isa, w: Rows<'_, Self>, x: Rows<'_, f32>, out: &mut [f32], out_stride: usize);
}

macro_rules! linear_weight {
    ($($weight:ty),*) => {$(
        impl LinearWeight for $weight {
            fn project(
                isa: Isa,
                w: Rows<'_, Self>,
                x: Rows<'_, f32>,
                out: &mut [f32],
                out_stride: usize,
            ) {
                check(&w, &x, out, out_stride);
                match isa.0 {
                    Kind::Scalar => scalar::linear(w, x, out, out_stride),
                    #[cfg(target_arch = "x86_64")]
                    Kind::Avx2 => avx2::linear(w, x, out, out_stride),
                    #[cfg(target_arch = "x86_64")]
                    Kind::Avx512 => avx512::linear(w, x, out, out_stride),
                }
            }
        }
    )*};
}
linear_weight!(f32, bf16);

/// A row-major matrix whose rows may lie further apart than they are long.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a, T> {
    values: &'a [T],
    rows: usize,
    cols: usize,
    stride: usize,
}

impl<'a, T> Rows<'a, T> {
    /// `rows` rows of `cols` elements without gaps.
    ///
    /// # Panics
    /// If `values` is shorter.
    #[must_use]
    pub fn new(values: &'a [T], rows: usize, cols: usize) -> Self {
        Self::strided(values, rows, cols, cols)
    }

    /// `rows` rows of `cols` elements, `stride` apart.
    ///
    /// # Panics
    /// If `cols` is zero, rows overlap, or `values` ends before the last row.
    #[must_use]
    pub fn strided(values: &'a [T], rows: usize, cols: usize, stride: usize) -> Self {
        assert!(cols > 0, "a matrix without columns");
        assert!(
            stride >= cols,
            "rows of {cols} overlap at a stride of {stride}"
        );
        check_extent(values.len(), rows, cols, stride);
        Self {
            values,
            rows,
            cols,
            stride,
        }
    }

    fn row(&self, row: usize) -> &'a [T] {
        &self.values[row * self.stride..][..self.cols]
    }
}

fn check_extent(len: usize, rows: usize, cols: usize, stride: usize) {
    let needed = match rows {
        0 => Some(0),
        _ => (rows - 1)
            .checked_mul(stride)
            .and_then(|n| n.checked_add(cols)),
    };
    assert!(
        needed.is_some_and(|needed| needed <= len),
        "{len} elements are not {rows} rows of {cols}, {stride} apart"
    );
}

/// `out[t * out_stride + r] = w.row(r) . x.row(t)` for every row `r` of the
/// weights and every token `t`.
///
/// # Panics
/// If the columns differ, `out_stride` is less than the rows of `w`, or `out`
/// is too short.
pub fn linear<W: LinearWeight>(
    isa: Isa,
    w: Rows<'_, W>,
    x: Rows<'_, f32>,
    out: &mut [f32],
    out_stride: usize,
) {
    W::project(isa, w, x, out, out_stride);
}

/// What the tiles rely on.
fn check<W>(w: &Rows<'_, W>, x: &Rows<'_, f32>, out: &[f32], out_stride: usize) {
    assert_eq!(w.cols, x.cols, "weights and activations differ in columns");
    assert!(out_stride >= w.rows, "rows of the output overlap");
    check_extent(out.len(), x.rows, w.rows, out_stride);
}

/// The tolerance of one dot product of `cols` terms whose absolute products
/// add up to `magnitude`: `(4 + 4 sqrt(cols)) u * magnitude`.
#[must_use]
pub fn linear_tolerance(cols: usize, magnitude: f64) -> Tolerance {
    Tolerance {
        relative: 0.0,
        absolute: (4.0 + 4.0 * (cols as f64).sqrt()) * UNIT_ROUNDOFF * magnitude,
    }
}
