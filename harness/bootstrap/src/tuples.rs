//! The inner loop of resampling a mean: sums over index tuples.

use crate::dice::{Dice, per_word};
use crate::{Stream, parts};

/// Largest table of tuple sums: 128 KiB of `f64`, at home in a second-level
/// cache.
const TABLE: usize = 1 << 14;

/// What is summed over a resample.
pub(crate) trait Term: Copy {
    const ZERO: Self;
    fn of(value: f64) -> Self;
    fn plus(self, other: Self) -> Self;
    fn times(self, factor: f64) -> Self;
}

impl Term for f64 {
    const ZERO: Self = 0.0;
    fn of(value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self + other
    }
    #[inline(always)]
    fn times(self, factor: f64) -> Self {
        self * factor
    }
}

/// Sum and sum of squares, for studentising.
impl Term for [f64; 2] {
    const ZERO: Self = [0.0; 2];
    fn of(value: f64) -> Self {
        [value, value * value]
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        [self[0] + other[0], self[1] + other[1]]
    }
    #[inline(always)]
    fn times(self, factor: f64) -> Self {
        [self[0] * factor, self[1] * factor]
    }
}

/// Calls `each` with the sums of `resamples` resamples of `values`, some at a
/// time.
///
/// Drawing w values one by one is drawing one of the `n^w` ordered tuples, so
/// a small sample is tabulated by tuples: a third or half of the draws and
/// loads, and the same distribution. The width depends on n alone, hence the
/// first resamples do not depend on how many follow.
pub(crate) fn sums<T: Term>(
    values: &[f64],
    resamples: usize,
    stream: &mut Stream,
    mut each: impl FnMut(&[T]),
) {
    if values.len() >= parts::WORTHWHILE {
        return parts::sums(values, resamples, stream, each);
    }
    let dice = &mut Dice::new(stream);
    let n = values.len();
    let width = width(n);
    let (whole, rest) = (n / width, n % width);
    let mut table: Vec<T> = values.iter().map(|&v| T::of(v)).collect();
    let mut remainder = vec![T::ZERO];
    for w in 1..=width {
        if w > 1 {
            table = table
                .iter()
                .flat_map(|&t| values.iter().map(move |&v| t.plus(T::of(v))))
                .collect();
        }
        if w == rest {
            remainder.clone_from(&table);
        }
    }
    match per_word(table.len() as u64) {
        1 => run::<T, 1>(&table, &remainder, whole, resamples, dice, &mut each),
        2 => run::<T, 2>(&table, &remainder, whole, resamples, dice, &mut each),
        3 => run::<T, 3>(&table, &remainder, whole, resamples, dice, &mut each),
        4 => run::<T, 4>(&table, &remainder, whole, resamples, dice, &mut each),
        _ => run::<T, 5>(&table, &remainder, whole, resamples, dice, &mut each),
    }
}

fn width(n: usize) -> usize {
    if n < 2 {
        return n.max(1);
    }
    let (mut width, mut size) = (1, n);
    while width < n && size * n <= TABLE {
        width += 1;
        size *= n;
    }
    width
}

/// One resample after the other: `draws` tuples and, where the width does not
/// divide n, one shorter tuple.
/// Apart from what becomes of the sums, so that nothing else takes registers.
fn run<T: Term, const K: usize>(
    table: &[T],
    remainder: &[T],
    draws: usize,
    resamples: usize,
    dice: &mut Dice,
    each: &mut impl FnMut(&[T]),
) {
    let mut sums = [T::ZERO; 128];
    let mut done = 0;
    while done < resamples {
        let together = sums.len().min(resamples - done);
        block::<T, K>(&mut sums[..together], table, remainder, draws, dice);
        each(&sums[..together]);
        done += together;
    }
}

#[inline(never)]
fn block<T: Term, const K: usize>(
    sums: &mut [T],
    table: &[T],
    remainder: &[T],
    draws: usize,
    dice: &mut Dice,
) {
    let sides = table.len() as u64;
    let (words, loose) = (draws / K, draws % K);
    let mut own = dice.clone();
    for total in sums {
        // One accumulator per index of a word: the additions overlap.
        let mut lanes = [T::ZERO; K];
        for _ in 0..words {
            let indices = own.indices::<K>(sides);
            for (lane, index) in lanes.iter_mut().zip(indices) {
                *lane = lane.plus(table[index]);
            }
        }
        if loose > 0 {
            let indices = own.indices::<K>(sides);
            for (slot, (lane, index)) in lanes.iter_mut().zip(indices).enumerate() {
                if slot < loose {
                    *lane = lane.plus(table[index]);
                }
            }
        }
        let mut sum = lanes.into_iter().fold(T::ZERO, T::plus);
        if remainder.len() > 1 {
            let [index] = own.indices::<1>(remainder.len() as u64);
            sum = sum.plus(remainder[index]);
        }
        *total = sum;
    }
    *dice = own;
}
