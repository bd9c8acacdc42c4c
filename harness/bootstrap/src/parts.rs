//! Sums over resamples of many values: how many draws fall to each part of
//! the sample first, then the draws within the parts, two at a time.
//!
//! The counts of n independent draws are multinomial. They are had by
//! halving: of c draws on a run of equal parts, a binomial number with one
//! half falls on the first half. Given the counts, the draws within a part
//! are independent and uniform, and a part is so small that all its ordered
//! pairs fit a table.

use crate::Stream;
use crate::alias::Binomial;
use crate::dice::Dice;
use crate::tuples::Term;

/// From this many values on, counting costs less than it saves.
pub(crate) const WORTHWHILE: usize = 192;

/// Most values of a part, so that its pairs are at home in a second-level
/// cache. Three pairs have less than 2^44 outcomes: one word draws them, with
/// no probability off by more than one part in 2^20.
const LARGEST: usize = 160;
const PAIRS: usize = LARGEST * LARGEST;

/// Resamples that share one filling of the tables. Has no influence on the
/// numbers: every step has dice of its own.
const TOGETHER: usize = 2048;

/// Calls `each` with the sums of `resamples` resamples of at least two values.
pub(crate) fn sums<T: Term>(
    values: &[f64],
    resamples: usize,
    stream: &mut Stream,
    mut each: impl FnMut(&[T]),
) {
    let mut parts = Parts::new(values, stream);
    let mut done = 0;
    while done < resamples {
        let together = TOGETHER.min(resamples - done);
        each(parts.sums(together));
        done += together;
    }
}

struct Parts<'a, T> {
    /// Equal parts, two to the number of halvings of them, one after another.
    parts: &'a [f64],
    /// Values of a part.
    size: usize,
    /// Fewer values than there are parts.
    rest: &'a [f64],
    /// Draws that fall on the rest.
    on_rest: Binomial,
    halvings: Vec<Halving>,
    dice: Vec<Dice>,
    /// Draws of each resample on the run of parts at each depth.
    counts: Vec<Vec<usize>>,
    table: Vec<T>,
    sums: Vec<T>,
}

impl<'a, T: Term> Parts<'a, T> {
    fn new(values: &'a [f64], stream: &mut Stream) -> Self {
        let n = values.len();
        let mut depth = 0;
        while n >> depth > LARGEST {
            depth += 1;
        }
        let (count, size) = (1_usize << depth, n >> depth);
        let (parts, rest) = values.split_at(count * size);
        let share = |level: usize| (parts.len() >> level) as f64 / n as f64;
        Self {
            parts,
            size,
            rest,
            on_rest: Binomial::new(n, rest.len() as f64 / n as f64),
            halvings: (0..depth).map(|d| Halving::new(n, share(d))).collect(),
            dice: (0..2 * count).map(|_| Dice::new(stream)).collect(),
            counts: vec![Vec::new(); depth + 1],
            table: vec![T::ZERO; PAIRS],
            sums: Vec::new(),
        }
    }

    /// The sums of the next resamples, part by part from the left.
    fn sums(&mut self, resamples: usize) -> &[T] {
        let depths = self.halvings.len();
        let n = self.parts.len() + self.rest.len();
        let mut dice = self.dice.iter_mut();
        let mut next = || dice.next().expect("one for each step");
        self.sums.clear();
        self.counts[0].clear();
        let rest = next();
        for _ in 0..resamples {
            let mut sum = T::ZERO;
            let mut drawn = 0;
            if !self.rest.is_empty() {
                drawn = self.on_rest.draw(rest);
                rest.each(drawn, self.rest.len() as u64, |index| {
                    sum = sum.plus(T::of(self.rest[index]));
                });
            }
            self.sums.push(sum);
            self.counts[0].push(n - drawn);
        }
        for (number, part) in self.parts.chunks_exact(self.size).enumerate() {
            // Up to the latest run whose second half is still to come.
            let mut depth = 0;
            if number > 0 {
                depth = depths - number.trailing_zeros() as usize;
                self.counts.swap(depth - 1, depth);
            }
            while depth < depths {
                let (run, half) = self.counts.split_at_mut(depth + 1);
                self.halvings[depth].halve(&mut run[depth], &mut half[0], next());
                depth += 1;
            }
            tabulate(&mut self.table, part);
            add_draws(
                &mut self.sums,
                &self.counts[depths],
                &self.table,
                part,
                next(),
            );
        }
        &self.sums
    }
}

/// The sums of all ordered pairs of `part`.
fn tabulate<T: Term>(table: &mut [T], part: &[f64]) {
    for (row, &first) in table.chunks_exact_mut(part.len()).zip(part) {
        for (cell, &second) in row.iter_mut().zip(part) {
            *cell = T::of(first).plus(T::of(second));
        }
    }
}

/// Adds as many draws from `part` as `counts` says to each sum: six to a
/// word, then up to five more from one last word.
#[inline(never)]
fn add_draws<T: Term>(
    sums: &mut [T],
    counts: &[usize],
    table: &[T],
    part: &[f64],
    dice: &mut Dice,
) {
    let size = part.len() as u64;
    let pairs = size * size;
    let table = &table[..part.len() * part.len()];
    let mut own = dice.clone();
    for (sum, &count) in sums.iter_mut().zip(counts) {
        let mut lanes = [T::ZERO; 3];
        for _ in 0..count / 6 {
            let indices = own.indices::<3>(pairs);
            for (lane, index) in lanes.iter_mut().zip(indices) {
                *lane = lane.plus(table[index]);
            }
        }
        let over = count % 6;
        let [first, second, single] = own.indices_of([pairs, pairs, size]);
        let or_zero = |wanted: bool, term: T| if wanted { term } else { T::ZERO };
        let first = or_zero(over >= 2, table[first]);
        let second = or_zero(over >= 4, table[second]);
        let single = or_zero(over % 2 == 1, T::of(part[single]));
        let [a, b, c] = lanes;
        *sum = sum.plus(a.plus(first).plus(b.plus(second)).plus(c.plus(single)));
    }
    *dice = own;
}

/// Draws a binomial number with one half for counts that vary little.
struct Halving {
    /// Nearly every count is larger than this.
    base: usize,
    of_base: Binomial,
}

impl Halving {
    /// For the counts of a run that holds `share` of n values.
    fn new(n: usize, share: f64) -> Self {
        let mean = n as f64 * share;
        let base = (mean - 3.0 * (mean * (1.0 - share)).sqrt()).max(0.0) as usize;
        Self {
            base,
            of_base: Binomial::new(base, 0.5),
        }
    }

    /// Gives each of the draws of `run` to the first half or leaves it.
    #[inline(never)]
    fn halve(&self, run: &mut [usize], first: &mut Vec<usize>, dice: &mut Dice) {
        let mut own = dice.clone();
        first.clear();
        first.extend(run.iter_mut().map(|count| {
            let mut half = 0;
            let mut coins = *count;
            if coins >= self.base {
                half = self.of_base.draw(&mut own);
                coins -= self.base;
            }
            while coins > 0 {
                let tossed = coins.min(64);
                half += (own.word() >> (64 - tossed)).count_ones() as usize;
                coins -= tossed;
            }
            *count -= half;
            half
        }));
        *dice = own;
    }
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
        for n in [2, 128, 129, 130, 192, 256, 257, 1_000, 1_009, 5_000] {
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
        let n = 391; // four parts of 97, three values over
        let subsets: [&[usize]; 9] = [
            &[0],
            &[96],
            &[97],
            &[387],
            &[388],
            &[390],
            &[5, 6],
            &[5, 200],
            &[389, 300],
        ];
        let all: Vec<Vec<usize>> = subsets
            .iter()
            .map(|s| s.to_vec())
            .chain([(0..97).collect(), (0..194).collect(), (90..300).collect()])
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
