//! Tiles of rows by tokens in AVX2 registers: two registers of eight sums for
//! each dot product, the sixteen lanes of the other paths.

use super::tile::{Tile, for_each};
use super::{Rows, Weight};
use half::bf16;
use std::arch::x86_64::{
    __m128i, __m256, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_loadu_si128, _mm_movehl_ps,
    _mm_shuffle_ps, _mm256_add_ps, _mm256_castps256_ps128, _mm256_castsi256_ps,
    _mm256_cvtepu16_epi32, _mm256_extractf128_ps, _mm256_fmadd_ps, _mm256_loadu_ps,
    _mm256_setzero_ps, _mm256_slli_epi32,
};

/// Elements of a register.
const WIDTH: usize = 8;
/// Lanes of a dot product.
const LANES: usize = 2 * WIDTH;
/// Rows of a tile.
const ROWS: usize = 2;
/// Tokens of a tile: 2 x 3 sums of two registers each leave four of sixteen
/// for the rows; tokens come from memory.
const TOKENS: usize = 3;

/// Eight weights from memory, as `f32`.
pub trait Load: Weight {
    /// # Safety
    /// The processor has AVX2, and eight elements can be read at `at`.
    unsafe fn load(at: *const Self) -> __m256;
}

impl Load for f32 {
    #[inline(always)]
    unsafe fn load(at: *const Self) -> __m256 {
        // SAFETY: the caller's promise.
        unsafe { _mm256_loadu_ps(at) }
    }
}

impl Load for bf16 {
    #[inline(always)]
    unsafe fn load(at: *const Self) -> __m256 {
        // SAFETY: the caller's promise; a bf16 is 16 bits.
        unsafe {
            let halves = _mm_loadu_si128(at.cast::<__m128i>());
            // A bf16 is the upper half of an f32.
            _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(halves)))
        }
    }
}

/// The first `count < 16` elements as `f32`, zeros behind them.
///
/// # Safety
/// `count` elements can be read at `at`.
#[inline(always)]
pub(super) unsafe fn first<W: Weight>(at: *const W, count: usize) -> [f32; LANES] {
    let mut widened = [0.0; LANES];
    for (k, widened) in widened.iter_mut().enumerate().take(count) {
        // SAFETY: `k < count`, the caller's promise.
        *widened = unsafe { at.add(k).read_unaligned() }.widen();
    }
    widened
}

pub(super) fn linear<W: Load>(
    w: Rows<'_, W>,
    x: Rows<'_, f32>,
    out: &mut [f32],
    out_stride: usize,
) {
    // SAFETY: an `Isa` of this kind exists only where the processor has AVX2
    // and FMA, and `super::linear` has checked the three extents.
    unsafe { walk(w, x, out, out_stride) }
}

/// # Safety
/// The processor has AVX2 and FMA, and the extents have passed `super::check`.
#[target_feature(enable = "avx2,fma")]
unsafe fn walk<W: Load>(w: Rows<'_, W>, x: Rows<'_, f32>, out: &mut [f32], out_stride: usize) {
    for_each::<W, ROWS, TOKENS>(w, x, out, out_stride, |tile, rows, tokens| {
        // SAFETY: the caller's promise; the tile has these rows and tokens.
        unsafe {
            match (rows, tokens) {
                (1, 1) => compute::<W, 1, 1>(&tile),
                (1, 2) => compute::<W, 1, 2>(&tile),
                (1, _) => compute::<W, 1, TOKENS>(&tile),
                (_, 1) => compute::<W, ROWS, 1>(&tile),
                (_, 2) => compute::<W, ROWS, 2>(&tile),
                _ => compute::<W, ROWS, TOKENS>(&tile),
            }
        }
    });
}

/// # Safety
/// The processor has AVX2 and FMA; `R` rows of weights, `T` tokens and
/// `R x T` outputs lie in memory at the strides given.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn compute<W: Load, const R: usize, const T: usize>(tile: &Tile<W>) {
    let mut sums = [[[_mm256_setzero_ps(); 2]; T]; R];
    let whole = tile.cols - tile.cols % LANES;
    let mut k = 0;
    while k < whole {
        // SAFETY: `k + LANES <= cols`.
        unsafe {
            for half in 0..2 {
                let at = k + half * WIDTH;
                let mut w = [_mm256_setzero_ps(); R];
                for r in 0..R {
                    w[r] = W::load(tile.w.add(r * tile.w_stride + at));
                }
                for t in 0..T {
                    let x = _mm256_loadu_ps(tile.x.add(t * tile.x_stride + at));
                    for r in 0..R {
                        sums[r][t][half] = _mm256_fmadd_ps(w[r], x, sums[r][t][half]);
                    }
                }
            }
        }
        k += LANES;
    }
    let rest = tile.cols - whole;
    if rest > 0 {
        for t in 0..T {
            // SAFETY: `rest` elements are left in every row.
            let x = unsafe { first(tile.x.add(t * tile.x_stride + k), rest) };
            for r in 0..R {
                // SAFETY: as above.
                let w = unsafe { first(tile.w.add(r * tile.w_stride + k), rest) };
                for half in 0..2 {
                    // SAFETY: eight elements of an array.
                    let (w, x) = unsafe {
                        (
                            _mm256_loadu_ps(w[half * WIDTH..].as_ptr()),
                            _mm256_loadu_ps(x[half * WIDTH..].as_ptr()),
                        )
                    };
                    sums[r][t][half] = _mm256_fmadd_ps(w, x, sums[r][t][half]);
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
#[target_feature(enable = "avx2")]
pub(super) fn sum([lower, upper]: [__m256; 2]) -> f32 {
    let eight = _mm256_add_ps(lower, upper);
    let four = _mm_add_ps(
        _mm256_castps256_ps128(eight),
        _mm256_extractf128_ps::<1>(eight),
    );
    let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
}
