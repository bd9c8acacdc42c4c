//! What every bootstrap distribution offers, and the intervals read off it.

use crate::error::{Error, check_level};
use crate::interval::{Interval, Method, Scheme};
use crate::normal;

/// The bootstrap distribution of one statistic.
///
/// Three types implement it: [`Replicates`](crate::Replicates) (seeded
/// resamples), [`Atoms`](crate::Atoms) (all resamples) and
/// [`Grid`](crate::Grid) (Fourier). The intervals are the same formulas for
/// all three.
pub trait BootstrapDistribution {
    /// The statistic of the data themselves.
    fn observed(&self) -> f64;

    /// The `p`-quantile; `p` is clamped to `[0, 1]`.
    fn quantile(&self, p: f64) -> f64;

    /// `(P(T* < t) + P(T* <= t)) / 2` at the observed value `t`.
    fn fraction_below(&self) -> f64;

    /// The smallest tail probability that the distribution resolves: half an
    /// atom. Keeps [`z0`](Self::z0) finite when every replicate lies on one
    /// side of the observed value.
    fn tail_floor(&self) -> f64;

    /// Where the distribution came from.
    fn scheme(&self) -> Scheme;

    /// Both quantiles, `p <= q`.
    fn quantiles(&self, p: f64, q: f64) -> (f64, f64) {
        (self.quantile(p), self.quantile(q))
    }

    /// Percentile interval.
    ///
    /// # Errors
    /// Level outside (0, 1); too few resamples to have a value in each tail.
    fn percentile(&self, level: f64) -> Result<Interval, Error> {
        let tail = tail(self, level)?;
        let (lo, hi) = self.quantiles(tail, 1.0 - tail);
        Ok(Interval {
            level,
            lo,
            hi,
            method: Method::Percentile,
            scheme: self.scheme(),
        })
    }

    /// Basic interval: the percentile bounds mirrored at the observed value.
    ///
    /// # Errors
    /// As [`percentile`](Self::percentile).
    fn basic(&self, level: f64) -> Result<Interval, Error> {
        let tail = tail(self, level)?;
        let (low, high) = self.quantiles(tail, 1.0 - tail);
        let t = self.observed();
        // Differences first: twice the observed value could overflow.
        let (lo, hi) = (t + (t - high), t + (t - low));
        Ok(Interval {
            level,
            lo,
            hi,
            method: Method::Basic,
            scheme: self.scheme(),
        })
    }

    /// Bias correction `z0 = Phi^-1(fraction_below)` (Efron 1987), with ties
    /// counted half.
    fn z0(&self) -> f64 {
        let floor = self.tail_floor().max(f64::EPSILON);
        normal::quantile(self.fraction_below().clamp(floor, 1.0 - floor))
    }

    /// The two probabilities at which the BCa interval reads the distribution
    /// (Efron 1987; DiCiccio & Efron 1996), in `[0, 1]`.
    ///
    /// # Errors
    /// Level outside (0, 1).
    fn bca_probabilities(&self, level: f64, acceleration: f64) -> Result<(f64, f64), Error> {
        check_level(level)?;
        let z0 = self.z0();
        let adjusted = |z: f64| {
            let w = z0 + z;
            let stretch = 1.0 - acceleration * w;
            // Beyond the pole the transformation has left its domain.
            if stretch > 0.0 {
                normal::cdf(z0 + w / stretch)
            } else if w > 0.0 {
                1.0
            } else {
                0.0
            }
        };
        let z = normal::quantile(0.5 * (1.0 - level));
        Ok((adjusted(z), adjusted(-z)))
    }

    /// BCa interval with the given acceleration (see
    /// [`acceleration_of_mean`](crate::acceleration_of_mean) and
    /// [`acceleration_of_jackknife`](crate::acceleration_of_jackknife)).
    ///
    /// # Errors
    /// As [`percentile`](Self::percentile); an acceleration that is not finite.
    fn bca(&self, level: f64, acceleration: f64) -> Result<Interval, Error> {
        tail(self, level)?;
        if !acceleration.is_finite() {
            return Err(Error::Statistic);
        }
        let (p, q) = self.bca_probabilities(level, acceleration)?;
        let (lo, hi) = self.quantiles(p, q);
        Ok(Interval {
            level,
            lo,
            hi,
            method: Method::Bca,
            scheme: self.scheme(),
        })
    }
}

/// Tail probability of `level`, if the distribution has that much to read.
pub(crate) fn tail<D: BootstrapDistribution + ?Sized>(d: &D, level: f64) -> Result<f64, Error> {
    check_level(level)?;
    let tail = 0.5 * (1.0 - level);
    if let Scheme::Resampled { resamples } = d.scheme() {
        // The tolerance lets 40 resamples serve 95 %, as on paper.
        if (resamples as f64) * tail < 1.0 - 1e-9 {
            let needed = (1.0 / tail - 1e-9).min(9e15) as usize + 1;
            return Err(Error::TooFewResamples {
                given: resamples,
                needed,
            });
        }
    }
    Ok(tail)
}
