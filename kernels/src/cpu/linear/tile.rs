//! Which rows and tokens the vector units take together.

use super::Rows;

/// Tokens that share a walk over the weights: their activations stay in the
/// second-level cache meanwhile. Whole tiles of every instruction set.
const TOKEN_BLOCK: usize = 48;

/// Where a tile reads and writes.
pub(super) struct Tile<W> {
    pub w: *const W,
    pub w_stride: usize,
    pub x: *const f32,
    pub x_stride: usize,
    pub cols: usize,
    pub out: *mut f32,
    pub out_stride: usize,
}

/// Calls `compute` with every tile, its rows (1 or `ROWS`) and its tokens
/// (`1..=TOKENS`). As many rows of `w`, tokens of `x` and places of `out` lie in
/// memory at the strides of the tile, given the extents that `super::check`
/// demands.
#[inline(always)]
pub(super) fn for_each<W, const ROWS: usize, const TOKENS: usize>(
    w: Rows<'_, W>,
    x: Rows<'_, f32>,
    out: &mut [f32],
    out_stride: usize,
    compute: impl Fn(Tile<W>, usize, usize),
) {
    const { assert!(TOKEN_BLOCK.is_multiple_of(TOKENS)) };
    let out = out.as_mut_ptr();
    for block in (0..x.rows).step_by(TOKEN_BLOCK) {
        let block_end = x.rows.min(block + TOKEN_BLOCK);
        let mut row = 0;
        while row < w.rows {
            let rows = if w.rows - row >= ROWS && block_end - block > 1 {
                ROWS
            } else {
                1
            };
            for token in (block..block_end).step_by(TOKENS) {
                let tile = Tile {
                    w: w.values.as_ptr().wrapping_add(row * w.stride),
                    w_stride: w.stride,
                    x: x.values.as_ptr().wrapping_add(token * x.stride),
                    x_stride: x.stride,
                    cols: w.cols,
                    out: out.wrapping_add(token * out_stride + row),
                    out_stride,
                };
                compute(tile, rows, (block_end - token).min(TOKENS));
            }
            row += rows;
        }
    }
}
