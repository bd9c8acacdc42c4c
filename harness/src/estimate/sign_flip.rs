//! The exact sign-flip test: the p-value that claims hang on.
//!
//! A recorded fair coin per unit decides which arm comes first. If the arms
//! are the same, each unit's effect could as well have had the other sign, so
//! all `2^n` sign vectors are equally likely given the sizes, whatever the
//! noise looks like (Fisher, The Design of Experiments, 1935, section 21).
//! `p` is the share of sign vectors whose sum is at least as large as the
//! observed one, both ways.

use bootstrap::Stream;

use super::error::{Result, check, finite};

mod interval;

pub use interval::{SignFlipInterval, sign_flip_interval};

/// Sums within this share of `sum |d|` count as equal, so that rounding never
/// turns a tie into evidence.
const TIE: f64 = 1e-9;
/// Sign vectors drawn when the exact count is out of reach.
pub const MONTE_CARLO_DRAWS: usize = 99_999;
const ENUMERATION_MAX: usize = 12;
const EXACT_MAX: usize = 40;

/// How the reference distribution was obtained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignFlipMethod {
    /// All `2^n` sign vectors, one by one (`n <= 12`). Exact.
    Enumeration,
    /// All `2^n` sign vectors as pairs from two sorted halves (`n <= 40`;
    /// Horowitz and Sahni, J. ACM 21(2), 1974). Exact.
    MeetInTheMiddle,
    /// Seeded sign vectors, with the observed one counted among them:
    /// `p = (b + 1) / (draws + 1)` (Phipson and Smyth, SAGMB 9(1), 2010).
    /// Still a valid test at every level.
    MonteCarlo {
        /// Number of sign vectors drawn.
        draws: usize,
    },
}

/// Outcome of a sign-flip test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignFlip {
    /// Two-sided p-value in `(0, 1]`.
    pub p: f64,
    /// Number of units whose signs were flipped.
    pub n: usize,
    /// How `p` was computed.
    pub method: SignFlipMethod,
}

/// Exact two-sided sign-flip test of "the arms are the same".
///
/// Zeros stay in and count as conservative ties. The seed is used only above
/// 40 units.
///
/// # Errors
/// `TooFew` without units, `NonFinite`, `Overflow`.
///
/// ```
/// use evenhand_harness::estimate::sign_flip;
/// // Six units that all went the same way: 2 / 2^6.
/// let test = sign_flip(&[0.9066, 1.3279, 0.1295, 1.1861, 1.5152, 1.4352], 0)?;
/// assert_eq!(test.p, 0.03125);
/// # Ok::<(), evenhand_harness::estimate::EstimateError>(())
/// ```
pub fn sign_flip(d: &[f64], seed: u64) -> Result<SignFlip> {
    check(d, 1)?;
    test(d.to_vec(), seed, "estimate/sign-flip")
}

/// One sign-flip test over units of several strata with different noise.
///
/// Each unit is divided by the root mean square of its stratum, so a noisy
/// stratum can not outshout the others. The scale depends on sizes only, so the
/// test stays exact under a coin per unit. Strata of zeros add zeros.
///
/// # Errors
/// `TooFew` without any unit, `NonFinite` (index within its stratum), `Overflow`.
pub fn stratified_sign_flip(strata: &[Vec<f64>], seed: u64) -> Result<SignFlip> {
    test(standardise(strata)?, seed, "estimate/stratified-sign-flip")
}

/// All units, each divided by the root mean square of its stratum.
pub(crate) fn standardise(strata: &[Vec<f64>]) -> Result<Vec<f64>> {
    let mut units = Vec::with_capacity(strata.iter().map(Vec::len).sum());
    for stratum in strata {
        check(stratum, 0)?;
        let square: f64 = stratum.iter().map(|v| v * v).sum();
        let rms = finite(square / stratum.len().max(1) as f64)?.sqrt();
        units.extend(
            stratum
                .iter()
                .map(|v| if rms > 0.0 { v / rms } else { 0.0 }),
        );
    }
    check(&units, 1)?;
    Ok(units)
}

/// The smallest p-value that `n` units can reach in any outcome.
#[must_use]
pub fn smallest_p(n: usize) -> f64 {
    match n {
        0 => 1.0,
        1..=EXACT_MAX => 2.0 / (1u64 << n) as f64,
        _ => 1.0 / (MONTE_CARLO_DRAWS + 1) as f64,
    }
}

fn test(mut d: Vec<f64>, seed: u64, label: &str) -> Result<SignFlip> {
    scale_down(&mut d);
    // One order for all permutations of the same values.
    d.sort_by(|a, b| a.abs().total_cmp(&b.abs()).then(a.total_cmp(b)));
    let observed = finite(d.iter().sum::<f64>())?.abs();
    let sizes: Vec<f64> = d.iter().map(|v| v.abs()).collect();
    let total = finite(sizes.iter().sum::<f64>())?;
    let threshold = observed - TIE * total;
    let n = d.len();
    let (p, method) = match n {
        _ if n <= ENUMERATION_MAX => (
            exact_p(count_by_enumeration(&sizes, threshold), n),
            SignFlipMethod::Enumeration,
        ),
        _ if n <= EXACT_MAX => (
            exact_p(count_by_halves(&sizes, threshold), n),
            SignFlipMethod::MeetInTheMiddle,
        ),
        _ => {
            let hits = Draws::new(&sizes, seed, label)
                .filter(|draw| draw.sum.abs() >= threshold)
                .count();
            let p = (hits + 1) as f64 / (MONTE_CARLO_DRAWS + 1) as f64;
            (
                p,
                SignFlipMethod::MonteCarlo {
                    draws: MONTE_CARLO_DRAWS,
                },
            )
        }
    };
    Ok(SignFlip { p, n, method })
}

/// Doubles the upper tail; a threshold at or below zero counts everything twice.
fn exact_p(upper: u64, n: usize) -> f64 {
    (2.0 * upper as f64 / (1u64 << n) as f64).min(1.0)
}

fn count_by_enumeration(sizes: &[f64], threshold: f64) -> u64 {
    let mut sums = vec![0.0];
    for size in sizes {
        let upper: Vec<f64> = sums.iter().map(|s| s + size).collect();
        sums.iter_mut().for_each(|s| *s -= size);
        sums.extend(upper);
    }
    sums.iter().filter(|s| **s >= threshold).count() as u64
}

/// Brings huge values near one, so that no sum of them overflows: p does not
/// depend on the scale, and a power of two changes no digit. Returns the power.
fn scale_down(values: &mut [f64]) -> i32 {
    let largest = values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    if !(largest.is_finite() && largest > 1e100) {
        return 0;
    }
    let (_, exponent) = libm::frexp(largest);
    for value in values {
        *value = libm::ldexp(*value, -exponent);
    }
    exponent
}

/// Counts sign vectors of at least two sizes by meeting in the middle.
///
/// The two largest sizes stay out of the sorted halves: their four sign
/// patterns are four thresholds, counted side by side, and the lists are half
/// as long.
fn count_by_halves(sizes: &[f64], threshold: f64) -> u64 {
    let mut sizes = sizes.to_vec();
    let threshold = libm::ldexp(threshold, -scale_down(&mut sizes));
    if !threshold.is_finite() {
        return if threshold < 0.0 { 1 << sizes.len() } else { 0 };
    }
    let (rest, top) = sizes.split_at(sizes.len() - 2);
    let (left, right) = rest.split_at(rest.len() / 2);
    let (mut left, mut right) = (signed_sums(left), signed_sums(right));
    let steps = left.len() + right.len();
    // An infinity ends each list: beyond it no sum reaches, or all of them do.
    left.push(f64::INFINITY);
    right.push(f64::INFINITY);
    let (sum, gap) = (top[0] + top[1], top[0] - top[1]);
    let thresholds = [sum, -sum, gap, -gap].map(|shift| threshold + shift);
    let mut lanes = [Lane::default(); 4];
    for _ in 0..steps {
        for (lane, threshold) in lanes.iter_mut().zip(thresholds) {
            lane.step(&left, &right, threshold);
        }
    }
    lanes.iter().map(|lane| lane.count).sum()
}

/// One walk over both lists: from the smallest left sum up, ever more of the
/// right half reaches.
#[derive(Clone, Copy, Default)]
struct Lane {
    place: usize,
    reach: usize,
    count: u64,
}

impl Lane {
    /// Moves up one list or the other; no branch depends on the data, they
    /// would be unpredictable. The lists are symmetric about zero, so the right
    /// one is read upwards with its sign turned.
    #[inline]
    fn step(&mut self, left: &[f64], right: &[f64], threshold: f64) {
        let reaches = left[self.place] - right[self.reach] >= threshold;
        self.reach += usize::from(reaches);
        self.place += usize::from(!reaches);
        self.count += if reaches { 0 } else { self.reach as u64 };
    }
}

/// All signed sums of `sizes`, ascending, built by merging the two shifts.
///
/// The list is symmetric about zero at every stage: its lower half is merged,
/// the upper one mirrored.
fn signed_sums(sizes: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; 1 << sizes.len()];
    let mut merged = sums.clone();
    for (stage, size) in sizes.iter().enumerate() {
        let old = &sums[..1 << stage];
        let (lower, upper) = merged[..2 << stage].split_at_mut(1 << stage);
        let (mut down, mut up) = (0, 0);
        for (low, high) in lower.iter_mut().zip(upper.iter_mut().rev()) {
            let (a, b) = (old[down] - size, old[up] + size);
            down += usize::from(a <= b);
            up += usize::from(a > b);
            *low = if a <= b { a } else { b };
            *high = -*low;
        }
        std::mem::swap(&mut sums, &mut merged);
    }
    sums
}

/// One drawn sign vector: its signed sum and the sum of its signs.
pub(crate) struct Draw {
    pub sum: f64,
    pub signs: f64,
}

/// Seeded sign vectors applied to fixed sizes, eight units per table look-up.
pub(crate) struct Draws {
    tables: Vec<[f64; 256]>,
    n: usize,
    left: usize,
    stream: Stream,
}

impl Draws {
    pub(crate) fn new(values: &[f64], seed: u64, label: &str) -> Self {
        let tables = values.chunks(8).map(byte_table).collect();
        Self {
            tables,
            n: values.len(),
            left: MONTE_CARLO_DRAWS,
            stream: Stream::new(seed, label),
        }
    }
}

/// Signed sums of up to eight values for every pattern of bits.
pub(crate) fn byte_table(values: &[f64]) -> [f64; 256] {
    std::array::from_fn(|bits| {
        let signed = |(i, v): (usize, &f64)| if bits >> i & 1 == 1 { *v } else { -v };
        values.iter().enumerate().map(signed).sum()
    })
}

impl Iterator for Draws {
    type Item = Draw;

    fn next(&mut self) -> Option<Draw> {
        self.left = self.left.checked_sub(1)?;
        let (mut sum, mut plus) = (0.0, 0);
        for (word_tables, start) in self.tables.chunks(8).zip((0..).step_by(64)) {
            let width = (self.n - start).min(64);
            let word = self.stream.next_u64() >> (64 - width);
            plus += word.count_ones() as usize;
            for (table, byte) in word_tables.iter().zip(word.to_le_bytes()) {
                sum += table[usize::from(byte)];
            }
        }
        Some(Draw {
            sum,
            signs: 2.0 * plus as f64 - self.n as f64,
        })
    }
}

#[cfg(test)]
mod tests;
