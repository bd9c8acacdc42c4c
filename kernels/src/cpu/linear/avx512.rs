//! Tiles of rows by tokens in AVX-512 registers: one register of sixteen sums
//! for each dot product.

use super::{Rows, Weight};
use half::bf16;
use std::arch::x86_64::{
    __m256i, __m512, __mmask16, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_movehl_ps,
    _mm_shuffle_ps, _mm256_add_ps, _mm256_castpd_ps, _mm256_castps256_ps128, _mm256_extractf128_ps,
    _mm256_loadu_si256, _mm512_castps_pd, _mm512_castps512_ps256, _mm512_castsi512_ps,
    _mm512_cvtepu16_epi32, _mm512_extractf64x4_pd, _mm512_fmadd_ps, _mm512_loadu_ps,
    _mm512_maskz_loadu_ps, _mm512_setzero_ps, _mm512_slli_epi32,
};

/// Elements of a register.
const WIDTH: usize = 16;
/// Rows of a tile.
const ROWS: usize = 4;
/// Tokens of a tile: 4 x 6 sums, 4 rows and a token fill 29 of 32 registers.
const TOKENS: usize = 6;
/// Tokens that share a walk over the weights: their activations stay in the
/// second-level cache meanwhile.
const TOKEN_BLOCK: usize = 8 * TOKENS;

/// Sixteen weights from memory, as `f32`.
pub trait Load: Copy {
    /// # Safety
    /// The processor has AVX-512F, and sixteen elements can be read at `at`.
    unsafe fn load(at: *const Self) -> __m512;

    /// The first `count < 16` elements, zeros behind them.
    ///
    /// # Safety
    /// The processor has AVX-512F, and `count` elements can be read at `at`.
    unsafe fn load_first(at: *const Self, count: usize) -> __m512;
}

impl Load for f32 {
    #[inline(always)]
    unsafe fn load(at: *const Self) -> __m512 {
        // SAFETY: the caller's promise.
        unsafe { _mm512_loadu_ps(at) }
    }

    #[inline(always)]
    unsafe fn load_first(at: *const Self, count: usize) -> __m512 {
        let mask: __mmask16 = (1 << count) - 1;
        // SAFETY: masked elements are not read; the rest is the caller's promise.
        unsafe { _mm512_maskz_loadu_ps(mask, at) }
    }
}

impl Load for bf16 {
    #[inline(always)]
    unsafe fn load(at: *const Self) -> __m512 {
        // SAFETY: the caller's promise; a bf16 is 16 bits.
        unsafe {
            let halves = _mm256_loadu_si256(at.cast::<__m256i>());
            // A bf16 is the upper half of an f32.
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(halves)))
        }
    }

    #[inline(always)]
    unsafe fn load_first(at: *const Self, count: usize) -> __m512 {
        // AVX-512F alone has no masked load of 16-bit elements.
        let mut widened = [0.0f32; WIDTH];
        for (k, widened) in widened.iter_mut().enumerate().take(count) {
            // SAFETY: `k < count`, the caller's promise.
            *widened = unsafe { at.add(k).read_unaligned() }.widen();
        }
        // SAFETY: sixteen elements of an array.
        unsafe { _mm512_loadu_ps(widened.as_ptr()) }
    }
}

pub(super) fn linear<W: Load>(
    w: Rows<'_, W>,
    x: Rows<'_, f32>,
    out: &mut [f32],
    out_stride: usize,
) {
    // SAFETY: an `Isa` of this kind exists only where the processor has
    // AVX-512F, and `super::linear` has checked the three extents.
    unsafe { walk(w, x, out.as_mut_ptr(), out_stride) }
}

/// # Safety
/// The processor has AVX-512F, the columns of `w` and `x` are equal, and every
/// `t * out_stride + r` lies inside the memory of `out`.
#[target_feature(enable = "avx512f")]
unsafe fn walk<W: Load>(w: Rows<'_, W>, x: Rows<'_, f32>, out: *mut f32, out_stride: usize) {
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
                // SAFETY: tile inside of both matrices, see the loops.
                unsafe {
                    let tile = Tile {
                        w: w.values.as_ptr().add(row * w.stride),
                        w_stride: w.stride,
                        x: x.values.as_ptr().add(token * x.stride),
                        x_stride: x.stride,
                        cols: w.cols,
                        out: out.add(token * out_stride + row),
                        out_stride,
                    };
                    tile.compute_dynamic(rows, (block_end - token).min(TOKENS));
                }
            }
            row += rows;
        }
    }
}

/// Where a tile reads and writes.
struct Tile<W> {
    w: *const W,
    w_stride: usize,
    x: *const f32,
    x_stride: usize,
    cols: usize,
    out: *mut f32,
    out_stride: usize,
}

impl<W: Load> Tile<W> {
    /// # Safety
    /// As [`Tile::compute`]; `rows` is 1 or [`ROWS`], `tokens` in `1..=TOKENS`.
    #[target_feature(enable = "avx512f")]
    unsafe fn compute_dynamic(&self, rows: usize, tokens: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            match (rows, tokens) {
                (1, 1) => self.compute::<1, 1>(),
                (1, 2) => self.compute::<1, 2>(),
                (1, 3) => self.compute::<1, 3>(),
                (1, 4) => self.compute::<1, 4>(),
                (1, 5) => self.compute::<1, 5>(),
                (1, _) => self.compute::<1, TOKENS>(),
                (_, 1) => self.compute::<ROWS, 1>(),
                (_, 2) => self.compute::<ROWS, 2>(),
                (_, 3) => self.compute::<ROWS, 3>(),
                (_, 4) => self.compute::<ROWS, 4>(),
                (_, 5) => self.compute::<ROWS, 5>(),
                _ => self.compute::<ROWS, TOKENS>(),
            }
        }
    }

    /// # Safety
    /// The processor has AVX-512F; `R` rows of weights, `T` tokens and `R x T`
    /// outputs lie in memory at the strides given.
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn compute<const R: usize, const T: usize>(&self) {
        let mut sums = [[_mm512_setzero_ps(); T]; R];
        let whole = self.cols - self.cols % WIDTH;
        let mut k = 0;
        while k < whole {
            // SAFETY: `k + WIDTH <= cols`.
            unsafe {
                let mut w = [_mm512_setzero_ps(); R];
                for r in 0..R {
                    w[r] = W::load(self.w.add(r * self.w_stride + k));
                }
                for t in 0..T {
                    let x = _mm512_loadu_ps(self.x.add(t * self.x_stride + k));
                    for r in 0..R {
                        sums[r][t] = _mm512_fmadd_ps(w[r], x, sums[r][t]);
                    }
                }
            }
            k += WIDTH;
        }
        let rest = self.cols - whole;
        if rest > 0 {
            // SAFETY: `rest` elements are left in every row.
            unsafe {
                for t in 0..T {
                    let x = f32::load_first(self.x.add(t * self.x_stride + k), rest);
                    for r in 0..R {
                        let w = W::load_first(self.w.add(r * self.w_stride + k), rest);
                        sums[r][t] = _mm512_fmadd_ps(w, x, sums[r][t]);
                    }
                }
            }
        }
        for r in 0..R {
            for t in 0..T {
                // SAFETY: inside of the output, the caller's promise.
                unsafe { *self.out.add(t * self.out_stride + r) = sum(sums[r][t]) };
            }
        }
    }
}

/// Pairwise, as `lanes::sum`.
#[inline]
#[target_feature(enable = "avx512f")]
fn sum(lanes: __m512) -> f32 {
    let upper = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(lanes)));
    let eight = _mm256_add_ps(_mm512_castps512_ps256(lanes), upper);
    let four = _mm_add_ps(
        _mm256_castps256_ps128(eight),
        _mm256_extractf128_ps::<1>(eight),
    );
    let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
}
