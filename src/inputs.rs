//! Seeded inputs for arms: the same bits on every platform, never zeros.

use bootstrap::Stream;

/// `n` numbers spread evenly over (0, 1].
///
/// ```
/// let x = evenhand::inputs::uniform_f64(7, 1000);
/// assert_eq!(x, evenhand::inputs::uniform_f64(7, 1000));
/// assert!(x.iter().all(|&x| 0.0 < x && x <= 1.0));
/// ```
#[must_use]
pub fn uniform_f64(seed: u64, n: usize) -> Vec<f64> {
    let mut stream = Stream::new(seed, "uniform");
    (0..n).map(|_| 1.0 - stream.unit()).collect()
}

/// `n` single-precision numbers spread evenly over (0, 1].
#[must_use]
pub fn uniform_f32(seed: u64, n: usize) -> Vec<f32> {
    uniform_f64(seed, n)
        .into_iter()
        .map(|x| (x as f32).max(f32::MIN_POSITIVE))
        .collect()
}

/// `n` random bytes.
#[must_use]
pub fn bytes(seed: u64, n: usize) -> Vec<u8> {
    let mut stream = Stream::new(seed, "bytes");
    let mut bytes: Vec<u8> = (0..n.div_ceil(8))
        .flat_map(|_| stream.next_u64().to_le_bytes())
        .collect();
    bytes.truncate(n);
    bytes
}
