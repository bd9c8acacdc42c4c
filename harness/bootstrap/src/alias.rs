//! One draw from a finite distribution in constant time.

use crate::dice::Dice;

/// Walker's alias table (Walker, ACM TOMS 3(3), 1977): every cell keeps its
/// own outcome below its threshold and gives another one above it.
#[derive(Clone, Debug)]
pub(crate) struct Alias {
    thresholds: Vec<u64>,
    others: Vec<u32>,
}

impl Alias {
    /// Outcome i with a probability in proportion to `weights[i]`; at least
    /// one weight is positive and there are at most `u32::MAX` of them.
    pub fn new(weights: &[f64]) -> Self {
        let cells = weights.len();
        let scale = cells as f64 / weights.iter().sum::<f64>();
        let mut rest: Vec<f64> = weights.iter().map(|w| w * scale).collect();
        let mut table = Self {
            thresholds: vec![u64::MAX; cells],
            others: (0..cells as u32).collect(),
        };
        let (mut small, mut large): (Vec<usize>, Vec<usize>) =
            (0..cells).partition(|&i| rest[i] < 1.0);
        while let (Some(&giver), Some(taker)) = (large.last(), small.pop()) {
            table.thresholds[taker] = (rest[taker] * 2_f64.powi(64)) as u64;
            table.others[taker] = giver as u32;
            rest[giver] -= 1.0 - rest[taker];
            if rest[giver] < 1.0 {
                large.pop();
                small.push(giver);
            }
        }
        table
    }

    /// One word: its product with the number of cells names the cell in the
    /// high half and decides within it by the low half.
    #[inline(always)]
    pub fn draw(&self, dice: &mut Dice) -> usize {
        let product = u128::from(dice.word()) * self.thresholds.len() as u128;
        let cell = (product >> 64) as usize;
        // Both outcomes are at hand before the choice, which no branch could guess.
        let other = self.others[cell] as usize;
        std::hint::select_unpredictable((product as u64) < self.thresholds[cell], cell, other)
    }
}

/// A Poisson number of fixed mean, by an alias table.
#[derive(Clone, Debug)]
pub(crate) struct Poisson {
    first: usize,
    table: Alias,
}

impl Poisson {
    /// Outside the table lies less than 1e-15 of the probability.
    pub fn new(mean: f64) -> Self {
        let reach = 9.0 * mean.sqrt() + 40.0;
        let first = (mean - reach).max(0.0) as usize;
        let last = (mean + reach) as usize;
        let mode = mean as usize;
        let mut weights = vec![1.0; last + 1 - first];
        for k in mode..last {
            weights[k + 1 - first] = weights[k - first] * (mean / (k + 1) as f64);
        }
        for k in (first..mode).rev() {
            weights[k - first] = weights[k + 1 - first] * ((k + 1) as f64 / mean);
        }
        Self {
            first,
            table: Alias::new(&weights),
        }
    }

    #[inline(always)]
    pub fn draw(&self, dice: &mut Dice) -> usize {
        self.first + self.table.draw(dice)
    }
}
