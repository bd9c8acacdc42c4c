//! Conversion between `f32` and bf16, in both directions.
//!
//! The per-element variants call the [`half`] crate for every element. The
//! others work on the bits without branches, which shortens the vector code
//! that the compiler makes of all of them:
//!
//! | direction | variant | NaN |
//! |---|---|---|
//! | narrow | [`f32_to_bf16_per_element`], [`f32_to_bf16_branch_free`] | quietened, bit for bit alike |
//! | widen | [`bf16_to_f32_per_element`] | quietened |
//! | widen | [`bf16_to_f32_shift`] | as it is |
//!
//! Narrowing rounds to nearest, ties to even. Widening is exact; its variants
//! differ for signalling NaN only, which the next arithmetic operation quietens
//! anyway.

use crate::{Tolerance, inputs, reference};
use half::bf16;

/// Narrows with [`bf16::from_f32`], element by element.
///
/// # Panics
/// If the lengths differ.
pub fn f32_to_bf16_per_element(x: &[f32], out: &mut [bf16]) {
    assert_eq!(x.len(), out.len(), "input and output differ in length");
    for (out, &x) in out.iter_mut().zip(x) {
        *out = bf16::from_f32(x);
    }
}

/// Narrows by one addition to the bits and a shift.
///
/// # Panics
/// If the lengths differ.
pub fn f32_to_bf16_branch_free(x: &[f32], out: &mut [bf16]) {
    assert_eq!(x.len(), out.len(), "input and output differ in length");
    for (out, &x) in out.iter_mut().zip(x) {
        // Signed: SSE2 packs sign-extended halves only.
        let bits = x.to_bits() as i32;
        let addend = if x.is_nan() {
            // Sets the quiet bit where it is clear.
            0x0040_0000 & !bits
        } else {
            // Just under half a unit, one more for odd results: ties go to
            // even. A carry out of the mantissa is the right exponent, up to
            // infinity.
            0x7FFF + (bits >> 16 & 1)
        };
        *out = bf16::from_bits((bits.wrapping_add(addend) >> 16) as u16);
    }
}

/// Widens with [`bf16::to_f32`], element by element.
///
/// # Panics
/// If the lengths differ.
pub fn bf16_to_f32_per_element(x: &[bf16], out: &mut [f32]) {
    assert_eq!(x.len(), out.len(), "input and output differ in length");
    for (out, x) in out.iter_mut().zip(x) {
        *out = x.to_f32();
    }
}

/// Widens by shifting the bits.
///
/// # Panics
/// If the lengths differ.
pub fn bf16_to_f32_shift(x: &[bf16], out: &mut [f32]) {
    assert_eq!(x.len(), out.len(), "input and output differ in length");
    for (out, x) in out.iter_mut().zip(x) {
        *out = f32::from_bits(u32::from(x.to_bits()) << 16);
    }
}

/// Seeded `f32` values, standard deviation 1, to be narrowed.
#[derive(Clone, Debug)]
pub struct F32ToBf16 {
    x: Vec<f32>,
    out: Vec<bf16>,
}

impl F32ToBf16 {
    /// Draws the input.
    ///
    /// # Panics
    /// If `len` is zero.
    #[must_use]
    pub fn new(len: usize, seed: u64) -> Self {
        assert!(len > 0, "nothing to convert");
        let x = inputs::normal(seed, "inputs/convert/f32", 1.0, len);
        Self {
            out: vec![bf16::NAN; len],
            x,
        }
    }

    /// Runs [`f32_to_bf16_per_element`].
    pub fn per_element(&mut self) {
        f32_to_bf16_per_element(&self.x, &mut self.out);
    }

    /// Runs [`f32_to_bf16_branch_free`].
    pub fn branch_free(&mut self) {
        f32_to_bf16_branch_free(&self.x, &mut self.out);
    }

    /// The values to narrow.
    #[must_use]
    pub fn input(&self) -> &[f32] {
        &self.x
    }

    /// The narrowed values of the last run; NaN before it.
    #[must_use]
    pub fn output(&self) -> &[bf16] {
        &self.out
    }

    /// The rounded values, from the definition of the format.
    #[must_use]
    pub fn reference(&self) -> Vec<f64> {
        self.x
            .iter()
            .map(|&x| reference::round_to_bf16(x))
            .collect()
    }

    /// Exact: the rounding is defined to the last bit.
    #[must_use]
    pub fn tolerance(&self) -> Tolerance {
        Tolerance::EXACT
    }

    /// Bytes that a call must move: four in and two out, `6 * len`.
    #[must_use]
    pub fn bytes_moved(&self) -> u64 {
        6 * self.x.len() as u64
    }

    /// None: a conversion computes nothing.
    #[must_use]
    pub fn flops(&self) -> u64 {
        0
    }

    /// Fills the output with NaN, so that a stale one cannot pass.
    pub fn poison(&mut self) {
        self.out.fill(bf16::NAN);
    }
}

/// Seeded bf16 values, standard deviation 1, to be widened.
#[derive(Clone, Debug)]
pub struct Bf16ToF32 {
    x: Vec<bf16>,
    out: Vec<f32>,
}

impl Bf16ToF32 {
    /// Draws the input.
    ///
    /// # Panics
    /// If `len` is zero.
    #[must_use]
    pub fn new(len: usize, seed: u64) -> Self {
        assert!(len > 0, "nothing to convert");
        let wide = inputs::normal(seed, "inputs/convert/bf16", 1.0, len);
        Self {
            x: wide.into_iter().map(bf16::from_f32).collect(),
            out: vec![f32::NAN; len],
        }
    }

    /// Runs [`bf16_to_f32_per_element`].
    pub fn per_element(&mut self) {
        bf16_to_f32_per_element(&self.x, &mut self.out);
    }

    /// Runs [`bf16_to_f32_shift`].
    pub fn shift(&mut self) {
        bf16_to_f32_shift(&self.x, &mut self.out);
    }

    /// The values to widen.
    #[must_use]
    pub fn input(&self) -> &[bf16] {
        &self.x
    }

    /// The widened values of the last run; NaN before it.
    #[must_use]
    pub fn output(&self) -> &[f32] {
        &self.out
    }

    /// The same values as `f64`.
    #[must_use]
    pub fn reference(&self) -> Vec<f64> {
        self.x.iter().map(|x| x.to_f64()).collect()
    }

    /// Exact: every bf16 is an `f32`.
    #[must_use]
    pub fn tolerance(&self) -> Tolerance {
        Tolerance::EXACT
    }

    /// Bytes that a call must move: two in and four out, `6 * len`.
    #[must_use]
    pub fn bytes_moved(&self) -> u64 {
        6 * self.x.len() as u64
    }

    /// None: a conversion computes nothing.
    #[must_use]
    pub fn flops(&self) -> u64 {
        0
    }

    /// Fills the output with NaN, so that a stale one cannot pass.
    pub fn poison(&mut self) {
        self.out.fill(f32::NAN);
    }
}
