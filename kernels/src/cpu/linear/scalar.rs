//! Dot products in sixteen lanes, in safe Rust.

use super::super::lanes::{self, LANES};
use super::{Rows, Weight};

pub(super) fn linear<W: Weight>(
    w: Rows<'_, W>,
    x: Rows<'_, f32>,
    out: &mut [f32],
    out_stride: usize,
) {
    for row in 0..w.rows {
        for token in 0..x.rows {
            out[token * out_stride + row] = dot(w.row(row), x.row(token));
        }
    }
}

fn dot<W: Weight>(w: &[W], x: &[f32]) -> f32 {
    let (w_chunks, w_rest) = w.as_chunks::<LANES>();
    let (x_chunks, x_rest) = x.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (w, x) in w_chunks.iter().zip(x_chunks) {
        for lane in 0..LANES {
            sums[lane] += w[lane].widen() * x[lane];
        }
    }
    for ((sum, w), x) in sums.iter_mut().zip(w_rest).zip(x_rest) {
        *sum += w.widen() * x;
    }
    lanes::sum(sums)
}
