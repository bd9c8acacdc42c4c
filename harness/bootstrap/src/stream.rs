//! Named streams of random numbers.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

/// A named ChaCha8 stream.
///
/// The key is `SHA-256("evenhand/1" ‖ seed ‖ label)`, so that streams with
/// different labels are independent and a new consumer never changes the
/// numbers an old one sees. All mappings from raw words are our own and fixed
/// (golden tests pin them): library distributions may change between versions.
///
/// ```
/// use bootstrap::Stream;
/// let mut a = Stream::new(7, "schedule");
/// let mut b = Stream::new(7, "schedule");
/// assert_eq!(a.next_u64(), b.next_u64());
/// assert_ne!(Stream::new(7, "inputs").next_u64(), Stream::new(7, "schedule").next_u64());
/// ```
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// Opens the stream called `label` under `seed`.
    #[must_use]
    pub fn new(seed: u64, label: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"evenhand/1");
        hash.update(seed.to_le_bytes());
        hash.update(label.as_bytes());
        Self(ChaCha8Rng::from_seed(hash.finalize().into()))
    }

    /// The next raw 64-bit word.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// An index in `0..n`: the high half of `word * n` (Lemire, ACM TOMACS
    /// 29(1), 2019, without rejection; the bias is below `n / 2^64`).
    ///
    /// # Panics
    /// If `n` is zero.
    pub fn index(&mut self, n: usize) -> usize {
        assert!(n > 0, "index(0): there is nothing to draw from");
        ((u128::from(self.next_u64()) * n as u128) >> 64) as usize
    }

    /// A fair coin: the top bit of one word.
    pub fn coin(&mut self) -> bool {
        self.next_u64() >> 63 == 1
    }

    /// A number in `[0, 1)` with 53 random bits.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Shuffles `items` (Fisher-Yates from the end; Knuth, TAOCP 2).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.index(last + 1);
            items.swap(last, other);
        }
    }

    /// A uniformly drawn permutation of `0..n`.
    #[must_use]
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut items: Vec<usize> = (0..n).collect();
        self.shuffle(&mut items);
        items
    }
}
