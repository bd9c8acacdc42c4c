//! Resampled quantiles in constant time per resample.
//!
//! The k-th smallest value of a resample is the k-th smallest of n uniform
//! numbers pushed through the sample's quantile function (David & Nagaraja
//! 2003). Which of the n values that is has a distribution in closed form:
//! it is tabulated once, and one or two words replace n draws.

use crate::Stream;
use crate::alias::Alias;
use crate::dice::Dice;
use crate::distribution::BootstrapDistribution;
use crate::error::{Error, check_resamples, check_values};
use crate::interval::Interval;
use crate::quantile;
use crate::quantile::{check_probability, place};
use crate::replicates::Replicates;

/// The `p`-quantile of type 7 over `resamples` resamples of `x`.
///
/// # Errors
/// Empty or non-finite data; `p` outside `[0, 1]`; no resamples.
///
/// ```
/// use bootstrap::{BootstrapDistribution, Stream, order_statistics};
/// let latencies: Vec<f64> = (0..1_000).map(f64::from).collect();
/// let p95 = order_statistics::replicates(&latencies, 0.95, 5_000, &mut Stream::new(7, "p95"))?;
/// assert!(p95.percentile(0.95)?.contains(949.05));
/// # Ok::<(), bootstrap::Error>(())
/// ```
pub fn replicates(
    x: &[f64],
    p: f64,
    resamples: usize,
    stream: &mut Stream,
) -> Result<Replicates, Error> {
    check_values(x)?;
    check_probability(p)?;
    check_resamples(resamples)?;
    let mut x = x.to_vec();
    x.sort_unstable_by(f64::total_cmp);
    let n = x.len();
    let (lower, part) = place(n, p);
    let ranks = Ranks::new(n, lower + 1);
    let mut dice = Dice::new(stream);
    let values = if part > 0.0 {
        (0..resamples)
            .map(|_| {
                let (this, next) = ranks.pair(&mut dice);
                quantile::between(x[this], x[next], part, p)
            })
            .collect()
    } else {
        (0..resamples).map(|_| x[ranks.one(&mut dice)]).collect()
    };
    Replicates::new(quantile::sorted(&x, p), values)
}

/// Percentile interval of the `p`-quantile.
///
/// # Errors
/// As [`replicates`]; level outside (0, 1); too few resamples.
pub fn percentile(
    x: &[f64],
    p: f64,
    level: f64,
    resamples: usize,
    stream: &mut Stream,
) -> Result<Interval, Error> {
    replicates(x, p, resamples, stream)?.percentile(level)
}

/// Which of the sorted values is the k-th smallest of a resample, and which
/// the one after it.
///
/// The k-th smallest of n uniform numbers has the density
/// `u^(k-1) (1-u)^(n-k)` up to a factor, and value i owns `u` between `i/n`
/// and `(i+1)/n`. That k uniforms lie below `(i+1)/n`, not all of them below
/// `i/n`, and the others above, is `((i+1)^k - i^k) (n-i-1)^(n-k)` in the same
/// way; beyond that every further step repeats `((n-j-1)/(n-j))^(n-k)`.
struct Ranks {
    first: usize,
    cells: Alias,
    /// Probability that the next value is not the same again.
    leave: Vec<f64>,
    /// Probability that the next value, if not below this one, is above it.
    pass: Vec<f64>,
}

impl Ranks {
    fn new(n: usize, rank: usize) -> Self {
        let (size, k, above) = (n as f64, rank as f64, (n - rank) as f64);
        // Outside this window lies less than 1e-15 of the probability.
        let mean = k / (size + 1.0);
        let reach = 9.0 * (mean * (1.0 - mean) / (size + 2.0)).sqrt() + 40.0 / size;
        let first = ((mean - reach).max(0.0) * size) as usize;
        let end = (((mean + reach) * size) as usize + 1).min(n);
        // Powers relative to those at the mean, so that none leaves the range.
        let (low, high) = (
            |u: f64| libm::log(u / mean),
            |u: f64| libm::log((1.0 - u) / (1.0 - mean)),
        );
        let density = |u: f64| libm::exp((k - 1.0) * low(u) + above * high(u));
        let mut weights = Vec::with_capacity(end - first);
        let (mut leave, mut pass) = (Vec::new(), Vec::new());
        for i in first..end {
            let (from, to) = (i as f64 / size, (i + 1) as f64 / size);
            let weight = integral(from, to, density);
            if above > 0.0 {
                let beyond = if i + 1 < n {
                    let grown = -libm::expm1(k * libm::log(i as f64 / (i + 1) as f64));
                    libm::exp(k * low(to) + above * high(to)) * grown * mean / k
                } else {
                    0.0
                };
                leave.push(if weight > 0.0 { beyond / weight } else { 0.0 });
                pass.push(libm::exp(above * libm::log1p(-1.0 / (n - i) as f64)));
            }
            weights.push(weight);
        }
        Self {
            first,
            cells: Alias::new(&weights),
            leave,
            pass,
        }
    }

    #[inline]
    fn one(&self, dice: &mut Dice) -> usize {
        self.first + self.cells.draw(dice)
    }

    /// Needs a rank below n.
    #[inline]
    fn pair(&self, dice: &mut Dice) -> (usize, usize) {
        let this = self.cells.draw(dice);
        let (u, mut tail) = (dice.open_unit(), self.leave[this]);
        let mut next = this;
        while u < tail && next + 1 < self.pass.len() {
            next += 1;
            tail *= self.pass[next];
        }
        (self.first + this, self.first + next)
    }
}

/// Gauss-Legendre with eight points: exact for the polynomials of n up to 16,
/// and a cell narrows faster than the density does beyond.
fn integral(from: f64, to: f64, f: impl Fn(f64) -> f64) -> f64 {
    const POINTS: [(f64, f64); 4] = [
        (0.183_434_642_495_649_8, 0.362_683_783_378_362),
        (0.525_532_409_916_329, 0.313_706_645_877_887_3),
        (0.796_666_477_413_626_7, 0.222_381_034_453_374_48),
        (0.960_289_856_497_536_3, 0.101_228_536_290_376_26),
    ];
    let (middle, half) = (0.5 * (from + to), 0.5 * (to - from));
    let sum: f64 = POINTS
        .iter()
        .map(|(x, w)| w * (f(middle - half * x) + f(middle + half * x)))
        .sum();
    half * sum
}
