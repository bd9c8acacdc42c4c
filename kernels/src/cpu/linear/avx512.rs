//! Tiles of rows by tokens in AVX-512 registers: one register of sixteen sums
//! for each dot product.

use super::tile::{Tile, for_each};
use super::{Rows, avx2};
use half::bf16;
use std::arch::x86_64::{
    __m256i, __m512, __mmask16, _mm256_castpd_ps, _mm256_loadu_si256, _mm512_castps_pd,
    _mm512_castps512_ps256, _mm512_castsi512_ps, _mm512_cvtepu16_epi32, _mm512_extractf64x4_pd,
    _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_maskz_loadu_ps, _mm512_setzero_ps, _mm512_slli_epi32,
};

/// Elements of a register.
const WIDTH: usize = 16;
/// Rows of a tile.
const ROWS: usize = 4;
/// Tokens of a tile: 4 x 6 sums, 4 rows and a token fill 29 of 32 registers.
const TOKENS: usize = 6;

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
        // SAFETY: the caller's promise; sixteen elements of an array.
        unsafe { _mm512_loadu_ps(avx2::first(at, count).as_ptr()) }
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
    unsafe { walk(w, x, out, out_stride) }
}

/// # Safety
/// The processor has AVX-512F, and the extents have passed `super::check`.
#[target_feature(enable = "avx512f")]
unsafe fn walk<W: Load>(w: Rows<'_, W>, x: Rows<'_, f32>, out: &mut [f32], out_stride: usize) {
    for_each::<W, ROWS, TOKENS>(w, x, out, out_stride, |tile, rows, tokens| {
        // SAFETY: the caller's promise; the tile has these rows and tokens.
        unsafe { compute_any(&tile, rows, tokens) }
    });
}

/// # Safety
/// As [`compute`]; `rows` is 1 or [`ROWS`], `tokens` in `1..=TOKENS`.
#[target_feature(enable = "avx512f")]
unsafe fn compute_any<W: Load>(tile: &Tile<W>, rows: usize, tokens: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        match (rows, tokens) {
            (1, 1) => compute::<W, 1, 1>(tile),
            (1, 2) => compute::<W, 1, 2>(tile),
            (1, 3) => compute::<W, 1, 3>(tile),
            (1, 4) => compute::<W, 1, 4>(tile),
            (1, 5) => compute::<W, 1, 5>(tile),
            (1, _) => compute::<W, 1, TOKENS>(tile),
            (_, 1) => compute::<W, ROWS, 1>(tile),
            (_, 2) => compute::<W, ROWS, 2>(tile),
            (_, 3) => compute::<W, ROWS, 3>(tile),
            (_, 4) => compute::<W, ROWS, 4>(tile),
            (_, 5) => compute::<W, ROWS, 5>(tile),
            _ => compute::<W, ROWS, TOKENS>(tile),
        }
    }
}

/// # Safety
/// The processor has AVX-512F; `R` rows of weights, `T` tokens and `R x T`
/// outputs lie in memory at the strides given.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn compute<W: Load, const R: usize, const T: usize>(tile: &Tile<W>) {
    let mut sums = [[_mm512_setzero_ps(); T]; R];
    let whole = tile.cols - tile.cols % WIDTH;
    let mut k = 0;
    while k < whole {
        // SAFETY: `k + WIDTH <= cols`.
        unsafe {
            let mut w = [_mm512_setzero_ps(); R];
            for r in 0..R {
                w[r] = W::load(tile.w.add(r * tile.w_stride + k));
            }
            for t in 0..T {
                let x = _mm512_loadu_ps(tile.x.add(t * tile.x_stride + k));
                for r in 0..R {
                    sums[r][t] = _mm512_fmadd_ps(w[r], x, sums[r][t]);
                }
            }
        }
        k += WIDTH;
    }
    let rest = tile.cols - whole;
    if rest > 0 {
        // SAFETY: `rest` elements are left in every row.
        unsafe {
            for t in 0..T {
                let x = f32::load_first(tile.x.add(t * tile.x_stride + k), rest);
                for r in 0..R {
                    let w = W::load_first(tile.w.add(r * tile.w_stride + k), rest);
                    sums[r][t] = _mm512_fmadd_ps(w, x, sums[r][t]);
                }
            }
        }
    }
    for r in 0..R {
        for t in 0..T {
            // SAFETY: inside of the output, the caller's promise.
            unsafe { *tile.out.add(t * tile.out_stride + r) = sum(sums[r][t]) };
        }
    }
}

/// Pairwise, as `lanes::sum`.
#[inline]
#[target_feature(enable = "avx512f")]
fn sum(lanes: __m512) -> f32 {
    let upper = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(lanes)));
    avx2::sum([_mm512_castps512_ps256(lanes), upper])
}
