//! Resampled quantiles in constant time per resample.
//!
//! An order statistic of a resample is the order statistic of n uniform
//! numbers pushed through the sample's quantile function: the k-th smallest
//! is Beta(k, n - k + 1), and its neighbour is the least of the n - k
//! uniforms above it (David & Nagaraja 2003, section 2.5). Two draws replace
//! n, with the same distribution.

use crate::Stream;
use crate::dice::Dice;
use crate::distribution::BootstrapDistribution;
use crate::error::{Error, check_resamples, check_values};
use crate::interval::Interval;
use crate::quantile::{check_probability, place};
use crate::replicates::Replicates;
use crate::{normal, quantile};

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
    let rank = lower + 1;
    let (low, high) = (Gamma::new(rank), Gamma::new(n + 1 - rank));
    let above = (n - rank) as f64;
    let at = |u: f64| x[((u * n as f64) as usize).min(n - 1)];
    let mut dice = Dice::new(stream);
    let values = (0..resamples).map(|_| {
        let (a, b) = (low.draw(&mut dice), high.draw(&mut dice));
        let u = a / (a + b);
        let value = at(u);
        if part > 0.0 && above > 0.0 {
            let least = -libm::expm1(libm::log(dice.open_unit()) / above);
            let next = at(u + (1.0 - u) * least);
            quantile::between(value, next, part, p)
        } else {
            value
        }
    });
    let values = values.collect();
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

/// Gamma variates of a shape of at least 1 (Marsaglia & Tsang, ACM TOMS
/// 26(3), 2000).
struct Gamma {
    d: f64,
    c: f64,
}

impl Gamma {
    fn new(shape: usize) -> Self {
        let d = shape as f64 - 1.0 / 3.0;
        Self {
            d,
            c: 1.0 / (9.0 * d).sqrt(),
        }
    }

    fn draw(&self, dice: &mut Dice) -> f64 {
        loop {
            let z = normal::quantile(dice.open_unit());
            let t = 1.0 + self.c * z;
            let v = t * t * t;
            if v <= 0.0 {
                continue;
            }
            let u = dice.open_unit();
            let square = z * z;
            // The cheap test accepts nearly always.
            if u < 1.0 - 0.0331 * square * square
                || libm::log(u) < 0.5 * square + self.d * (1.0 - v + libm::log(v))
            {
                return self.d * v;
            }
        }
    }
}
