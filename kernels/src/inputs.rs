//! Seeded inputs with realistic magnitudes.
//!
//! Every tensor has a stream of its own, so that a new tensor never changes
//! the numbers of an old one, and only integer arithmetic and exact scaling
//! are involved: a seed means the same bits on every platform.

use bootstrap::Stream;

/// No value is smaller than this many standard deviations: zeros and denormals
/// take other paths through some processors and would time something else.
const GAP: f64 = 1.0 / 1024.0;

/// `len` bell-shaped values with mean 0 and about the given standard deviation.
///
/// The sum of four uniform numbers stands in for the normal distribution: it is
/// cheap, and bounded by [`LARGEST`] standard deviations.
///
/// # Panics
/// If `std_dev` is not a positive number.
#[must_use]
pub fn normal(seed: u64, label: &str, std_dev: f32, len: usize) -> Vec<f32> {
    assert!(
        std_dev > 0.0,
        "a standard deviation is positive, not {std_dev}"
    );
    let mut stream = Stream::new(seed, label);
    (0..len)
        .map(|_| (standard(&mut stream) * f64::from(std_dev)) as f32)
        .collect()
}

/// `len` weights of a normalisation: mean 1, standard deviation 0.1.
#[must_use]
pub fn near_one(seed: u64, label: &str, len: usize) -> Vec<f32> {
    let mut weights = normal(seed, label, 0.1, len);
    for weight in &mut weights {
        *weight += 1.0;
    }
    weights
}

/// `len` bell-shaped weights with mean 0 and about the given standard deviation.
///
/// Coarser and faster than [`normal`], for whole models: four uniforms of 16
/// bits from one word, so every value is a multiple of `sqrt(3) 2^-16`
/// standard deviations before it is scaled, and none is zero.
#[must_use]
pub fn weights(seed: u64, label: &str, std_dev: f32, len: usize) -> Vec<f32> {
    // Twice the sum, centred on an odd number, is an exact integer; one
    // rounding for the scale and one for the product.
    let scale = std_dev * (1.732_050_8 / 131_072.0);
    let mut stream = Stream::new(seed, label);
    let mut draw = || {
        let word = stream.next_u64();
        // Neighbouring pairs first: two sums of 17 bits, side by side.
        let pairs = (word & 0x0000_FFFF_0000_FFFF) + ((word >> 16) & 0x0000_FFFF_0000_FFFF);
        let sum = (pairs >> 32) + (pairs & 0xFFFF_FFFF);
        (2 * sum as i32 - 262_139) as f32 * scale
    };
    (0..len).map(|_| draw()).collect()
}

/// No value of [`normal`] or [`weights`] exceeds this many standard deviations.
pub const LARGEST: f64 = 3.5;

/// A uniform number in `[0, 1)`.
#[must_use]
pub fn uniform(seed: u64, label: &str) -> f32 {
    // 24 bits, so that no value rounds up to 1.
    (Stream::new(seed, label).next_u64() >> 40) as f32 / (1u32 << 24) as f32
}

fn standard(stream: &mut Stream) -> f64 {
    let halves = |word: u64| (word >> 32) + (word & 0xFFFF_FFFF);
    let sum = halves(stream.next_u64()) + halves(stream.next_u64());
    // Four uniforms have the variance 4/12; the offset keeps zero out.
    let centred = (sum as f64 + 0.5) / 4_294_967_296.0 - 2.0;
    let z = centred * 1.732_050_807_568_877_2;
    z + GAP.copysign(z)
}
