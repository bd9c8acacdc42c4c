//! Sums over resamples of many values: how many draws fall to each part of
//! the sample first, then the draws within the parts, two at a time.
//!
//! The counts of n independent draws are multinomial. Independent Poisson
//! counts, given their total, are too: so each part gets a Poisson count with
//! a little less than its share, a total above n is drawn again, and what is
//! missing from n is drawn from all values, one by one. Given the counts, the
//! draws within a part are independent and uniform, and a part is so small
//! that all its ordered pairs fit a table. A whole part holds a power of two
//! of values, so that random bits are indices as they come, without a product
//! and without a bias.

use crate::Stream;
use crate::alias::Poisson;
use crate::dice::Dice;
use crate::tuples::Term;

/// From this many values on, counting costs less than it saves.
pub(crate) const WORTHWHILE: usize = 192;

/// Values of a whole part: its pairs are at home in a second-level cache, and
/// one word draws four of them.
const SIZE: usize = 1 << BITS;
const BITS: usize = 7;
const PAIRS: usize = SIZE * SIZE;

/// By how many standard deviations the Poisson counts fall short of n
/// together: one total in 44 is then too large, and few draws are missing.
const SHORT: f64 = 2.0;

/// Resamples that share one filling of the tables, and the most counts that
/// are kept for them. Neither has an influence on the numbers: every step has
/// dice of its own.
const TOGETHER: usize = 2048;
const COUNTS: usize = 1 << 23;

/// Calls `each` with the sums of `resamples` resamples of `values`.
pub(crate) fn sums<T: Term>(
    values: &[f64],
    resamples: usize,
    stream: &mut Stream,
    mut each: impl FnMut(&[T]),
) {
    let parts = values.len().div_ceil(SIZE);
    let most = (COUNTS / parts).clamp(1, TOGETHER).min(resamples);
    let mut counts = Counts::new(values.len(), most, stream);
    let mut missing = Dice::new(stream);
    let mut within: Vec<Dice> = (0..parts).map(|_| Dice::new(stream)).collect();
    let mut table = vec![T::ZERO; PAIRS];
    let mut sums = vec![T::ZERO; most];
    let mut done = 0;
    while done < resamples {
        let sums = &mut sums[..most.min(resamples - done)];
        counts.draw(sums.len());
        for (sum, &count) in sums.iter_mut().zip(&counts.missing) {
            *sum = one_by_one(values, count, &mut missing);
        }
        let counts = counts.of_parts.chunks_exact(most);
        for ((part, counts), dice) in values.chunks(SIZE).zip(counts).zip(&mut within) {
            tabulate(&mut table, part);
            match part.try_into() {
                Ok(whole) => add_draws_by_bits(sums, counts, &table, whole, dice),
                Err(_) => add_draws(sums, counts, &table, part, dice),
            }
        }
        each(sums);
        done += sums.len();
    }
}

/// How many draws of each resample fall to each part.
struct Counts {
    n: usize,
    /// Of a whole part, and of the smaller last one where there is one.
    whole: Poisson,
    last: Option<Poisson>,
    dice: Dice,
    /// Most resamples drawn at once.
    most: usize,
    /// Part by part, `most` counts each.
    of_parts: Vec<u16>,
    /// Draws that no part has got, for each resample.
    missing: Vec<usize>,
}

impl Counts {
    fn new(n: usize, most: usize, stream: &mut Stream) -> Self {
        let each = (1.0 - SHORT / (n as f64).sqrt()).max(0.0);
        let of = |values: usize| Poisson::new(each * values as f64);
        Self {
            n,
            whole: of(SIZE),
            last: (!n.is_multiple_of(SIZE)).then(|| of(n % SIZE)),
            dice: Dice::new(stream),
            most,
            of_parts: vec![0; n.div_ceil(SIZE) * most],
            missing: Vec::with_capacity(most),
        }
    }

    /// Draws the counts of the next resamples.
    fn draw(&mut self, resamples: usize) {
        self.missing.clear();
        let mut own = self.dice.clone();
        for resample in 0..resamples {
            let missing = loop {
                let mut total = 0;
                let mut count_of = |poisson: &Poisson, slot: &mut u16| {
                    let count = poisson.draw(&mut own);
                    total += count;
                    // A part's mean is at most 128: 9 deviations reach 270.
                    *slot = count as u16;
                };
                let mut slots = self.of_parts[resample..].iter_mut().step_by(self.most);
                for slot in slots.by_ref().take(self.n / SIZE) {
                    count_of(&self.whole, slot);
                }
                if let (Some(last), Some(slot)) = (&self.last, slots.next()) {
                    count_of(last, slot);
                }
                if let Some(missing) = self.n.checked_sub(total) {
                    break missing;
                }
            };
            self.missing.push(missing);
        }
        self.dice = own;
    }
}

/// The sum of `count` draws from all values.
#[inline(never)]
fn one_by_one<T: Term>(values: &[f64], count: usize, dice: &mut Dice) -> T {
    // The additions of four draws overlap.
    let mut lanes = [T::ZERO; 4];
    dice.each(count, values.len() as u64, |index| {
        let [a, b, c, d] = lanes;
        lanes = [b, c, d, a.plus(T::of(values[index]))];
    });
    let [a, b, c, d] = lanes;
    a.plus(b).plus(c.plus(d))
}

/// The sums of all ordered pairs of `part`.
fn tabulate<T: Term>(table: &mut [T], part: &[f64]) {
    for (row, &first) in table.chunks_exact_mut(part.len()).zip(part) {
        for (cell, &second) in row.iter_mut().zip(part) {
            *cell = T::of(first).plus(T::of(second));
        }
    }
}

/// Which terms of a last word count when 0 to 7 draws are left over: three
/// pairs and a single value. As factors, since no branch could guess them.
const LEFT_OVER: [[f64; 4]; 8] = [
    [0.0, 0.0, 0.0, 0.0],
    [0.0, 0.0, 0.0, 1.0],
    [1.0, 0.0, 0.0, 0.0],
    [1.0, 0.0, 0.0, 1.0],
    [1.0, 1.0, 0.0, 0.0],
    [1.0, 1.0, 0.0, 1.0],
    [1.0, 1.0, 1.0, 0.0],
    [1.0, 1.0, 1.0, 1.0],
];

/// Adds as many draws from `part` as `counts` says to each sum: six to a
/// word, then up to five more from one last word.
#[inline(never)]
fn add_draws<T: Term>(sums: &mut [T], counts: &[u16], table: &[T], part: &[f64], dice: &mut Dice) {
    let size = part.len() as u64;
    let pairs = size * size;
    let table = &table[..part.len() * part.len()];
    let mut own = dice.clone();
    for (sum, &count) in sums.iter_mut().zip(counts) {
        let count = usize::from(count);
        let mut lanes = [T::ZERO; 3];
        for _ in 0..count / 6 {
            let indices = own.indices::<3>(pairs);
            for (lane, index) in lanes.iter_mut().zip(indices) {
                *lane = lane.plus(table[index]);
            }
        }
        let [first, second, single] = own.indices_of([pairs, pairs, size]);
        let [w0, w1, _, w3] = LEFT_OVER[count % 6];
        let [a, b, c] = lanes;
        let a = a.plus(table[first].times(w0));
        let b = b.plus(table[second].times(w1));
        let c = c.plus(T::of(part[single]).times(w3));
        *sum = sum.plus(a.plus(b).plus(c));
    }
    *dice = own;
}

/// The same from a whole part: eight to a word, then up to seven more from
/// one last word.
#[inline(never)]
fn add_draws_by_bits<T: Term>(
    sums: &mut [T],
    counts: &[u16],
    table: &[T],
    part: &[f64; SIZE],
    dice: &mut Dice,
) {
    let table: &[T; PAIRS] = table.try_into().expect("the pairs of a whole part");
    let pair = |word: u64, slot: usize| table[(word >> (2 * BITS * slot)) as usize % PAIRS];
    let mut own = dice.clone();
    for (sum, &count) in sums.iter_mut().zip(counts) {
        let count = usize::from(count);
        let mut lanes = [T::ZERO; 4];
        for _ in 0..count / 8 {
            let word = own.word();
            for (slot, lane) in lanes.iter_mut().enumerate() {
                *lane = lane.plus(pair(word, slot));
            }
        }
        let word = own.word();
        let single = T::of(part[(word >> (6 * BITS)) as usize % SIZE]);
        let terms = [pair(word, 0), pair(word, 1), pair(word, 2), single];
        for ((lane, term), weight) in lanes.iter_mut().zip(terms).zip(LEFT_OVER[count % 8]) {
            *lane = lane.plus(term.times(weight));
        }
        let [a, b, c, d] = lanes;
        *sum = sum.plus(a.plus(b).plus(c.plus(d)));
    }
    *dice = own;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(values: &[f64], resamples: usize) -> Vec<f64> {
        let mut drawn = Vec::new();
        let stream = &mut Stream::new(3, "parts");
        sums(values, resamples, stream, |sums: &[f64]| drawn.extend(sums));
        drawn
    }

    #[test]
    fn every_resample_has_n_draws() {
        for n in [1, 2, 127, 128, 129, 192, 256, 257, 1_000, 1_009, 5_000] {
            let drawn = drawn(&vec![1.0; n], 500);
            assert!(drawn.iter().all(|&sum| sum == n as f64), "n {n}");
        }
    }

    #[test]
    fn the_resamples_together_are_the_resamples_apart() {
        let values: Vec<f64> = (0..333).map(|i| f64::from(i * i)).collect();
        let (few, many) = (drawn(&values, 100), drawn(&values, TOGETHER + 1_000));
        assert_eq!(few, many[..100]);
        assert_eq!(many.len(), TOGETHER + 1_000);
    }

    /// Any subset of m values is drawn binomially: n trials with m/n.
    #[test]
    fn counts_are_multinomial() {
        const RESAMPLES: usize = 40_000;
        let n = 391; // three parts of 128, seven values over
        let subsets: [&[usize]; 9] = [
            &[0],
            &[127],
            &[128],
            &[383],
            &[384],
            &[390],
            &[5, 6],
            &[5, 200],
            &[389, 300],
        ];
        let all: Vec<Vec<usize>> = subsets
            .iter()
            .map(|s| s.to_vec())
            .chain([(0..128).collect(), (0..256).collect(), (90..300).collect()])
            .collect();
        for subset in all {
            let mut values = vec![0.0; n];
            subset.iter().for_each(|&i| values[i] = 1.0);
            let drawn = drawn(&values, RESAMPLES);
            let m = subset.len() as f64;
            let variance = m * (1.0 - m / n as f64);
            let count = RESAMPLES as f64;
            let mean = drawn.iter().sum::<f64>() / count;
            let spread = drawn.iter().map(|d| (d - m) * (d - m)).sum::<f64>() / count;
            let off = (mean - m) / (variance / count).sqrt();
            assert!(off.abs() < 4.0, "{subset:?}: mean off by {off} sigmas");
            // The fourth central moment of a binomial number, for m small and large.
            let fourth = variance * (1.0 + 3.0 * variance);
            let off = (spread - variance) / ((fourth - variance * variance) / count).sqrt();
            assert!(off.abs() < 4.0, "{subset:?}: variance off by {off} sigmas");
        }
    }
}
