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

/// No value of [`normal`] exceeds this many standard deviations.
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
