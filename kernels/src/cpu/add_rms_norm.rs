//! The residual addition and the RMSNorm after it:
//! `h = x + residual`, `y = h * w / sqrt(mean(h^2) + epsilon)`.
//!
//! Both results are needed: `h` is the residual of the next block.
//! [`add_then_rms_norm`] sweeps all sums before the first norm;
//! [`add_rms_norm_fused`] finishes a row while it is in the cache.

use super::lanes;
use super::rms_norm::rms_norm_lanes;

/// All additions, then all norms.
///
/// `out` holds `h`, then `y`.
///
/// # Panics
/// If `x` is not whole rows of `weight.len()`, `residual` has another length,
/// or `out` not twice the length.
pub fn add_then_rms_norm(
    x: &[f32],
    residual: &[f32],
    weight: &[f32],
    epsilon: f32,
    out: &mut [f32],
) {
    let (sums, norms) = halves(x, residual, weight, out);
    add(x, residual, sums);
    rms_norm_lanes(sums, weight, epsilon, norms);
}

/// Row by row.
///
/// `out` holds `h`, then `y`.
///
/// # Panics
/// As [`add_then_rms_norm`].
pub fn add_rms_norm_fused(
    x: &[f32],
    residual: &[f32],
    weight: &[f32],
    epsilon: f32,
    out: &mut [f32],
) {
    let hidden = weight.len();
    let (sums, norms) = halves(x, residual, weight, out);
    let rows = x.chunks_exact(hidden).zip(residual.chunks_exact(hidden));
    let outs = sums
        .chunks_exact_mut(hidden)
        .zip(norms.chunks_exact_mut(hidden));
    for ((x, residual), (sums, norms)) in rows.zip(outs) {
        add(x, residual, sums);
        let mean_square = lanes::sum_of_squares(sums) / hidden as f32;
        let inverse = 1.0 / (mean_square + epsilon).sqrt();
        for ((norm, &sum), &weight) in norms.iter_mut().zip(&*sums).zip(weight) {
            *norm = sum * inverse * weight;
        }
    }
}

fn add(x: &[f32], residual: &[f32], sums: &mut [f32]) {
    for ((sum, &x), &residual) in sums.iter_mut().zip(x).zip(residual) {
        *sum = x + residual;
    }
}

fn halves<'a>(
    x: &[f32],
    residual: &[f32],
    weight: &[f32],
    out: &'a mut [f32],
) -> (&'a mut [f32], &'a mut [f32]) {
    assert!(
        !weight.is_empty() && x.len().is_multiple_of(weight.len()),
        "{} elements are not rows of {}",
        x.len(),
        weight.len()
    );
    assert_eq!(x.len(), residual.len(), "the addends differ in length");
    assert_eq!(
        2 * x.len(),
        out.len(),
        "the output is not sums and norms of the input"
    );
    out.split_at_mut(x.len())
}
