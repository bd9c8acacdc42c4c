//! Rows stored in bf16 through kernels that compute in `f32`.

use super::convert::{bf16_to_f32_shift, f32_to_bf16_branch_free};
use half::bf16;

/// Widens each row of `cols` elements, runs `kernel` on it and narrows the
/// result: what a GPU does in registers, through a buffer of one row.
///
/// # Panics
/// If `x` is not whole rows of `cols`, or `out` has another length.
pub fn through_f32(
    x: &[bf16],
    cols: usize,
    out: &mut [bf16],
    mut kernel: impl FnMut(&[f32], &mut [f32]),
) {
    assert!(
        cols > 0 && x.len().is_multiple_of(cols),
        "{} elements are not rows of {cols}",
        x.len()
    );
    assert_eq!(x.len(), out.len(), "input and output differ in length");
    let mut wide = vec![0.0; cols];
    let mut wide_out = vec![0.0; cols];
    for (x, out) in x.chunks_exact(cols).zip(out.chunks_exact_mut(cols)) {
        bf16_to_f32_shift(x, &mut wide);
        kernel(&wide, &mut wide_out);
        f32_to_bf16_branch_free(&wide_out, out);
    }
}
