//! Replicates of a statistic over seeded resamples.

use crate::distribution::BootstrapDistribution;
use crate::error::{Error, check_resamples};
use crate::interval::Scheme;
use crate::quantile;

/// The values of one statistic over B resamples, in the order drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Replicates {
    observed: f64,
    values: Vec<f64>,
    /// Values this close to the observed one count as equal to it.
    tie: f64,
    sorted: bool,
}

impl Replicates {
    /// Replicates of a statistic computed elsewhere. Infinities are kept.
    ///
    /// # Errors
    /// No replicate; a NaN; an observed value that is not finite.
    pub fn new(observed: f64, values: Vec<f64>) -> Result<Self, Error> {
        check_resamples(values.len())?;
        if !observed.is_finite() || values.iter().any(|v| v.is_nan()) {
            return Err(Error::Statistic);
        }
        let widest = values
            .iter()
            .map(|v| (v - observed).abs())
            .filter(|d| d.is_finite())
            .fold(0.0, f64::max);
        let tie = 1e-12 * widest + 4.0 * f64::EPSILON * observed.abs();
        Ok(Self {
            observed,
            values,
            tie,
            sorted: false,
        })
    }

    /// For callers that know the values to be good.
    pub(crate) fn trusted(observed: f64, values: Vec<f64>, tie: f64) -> Self {
        Self {
            observed,
            values,
            tie,
            sorted: false,
        }
    }

    /// The replicates: in the order drawn, or ascending after
    /// [`sorted`](Self::sorted). Element b belongs to resample b, so joint
    /// resamples of several metrics line up.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Number of resamples, B; at least 1.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // never empty
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Sorts the replicates: worth it before reading many quantiles, since
    /// each of them is a selection in B values otherwise.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        if !self.sorted {
            self.values.sort_unstable_by(f64::total_cmp);
            self.sorted = true;
        }
        self
    }

    /// Bootstrap standard error: the standard deviation of the replicates,
    /// divisor B - 1 (Davison & Hinkley 1997). Infinite when a
    /// replicate is.
    #[must_use]
    pub fn standard_error(&self) -> f64 {
        crate::moments::sd(&self.values).unwrap_or(f64::INFINITY)
    }

    /// Bootstrap estimate of bias: mean of the replicates minus the observed
    /// value (Davison & Hinkley 1997). `None` when a replicate
    /// is infinite.
    #[must_use]
    pub fn bias(&self) -> Option<f64> {
        crate::moments::mean(&self.values)
            .ok()
            .map(|mean| mean - self.observed)
    }

    /// The replicates of a function of this statistic, such as a logarithm.
    ///
    /// # Errors
    /// The function gives NaN, or an infinity for the observed value.
    pub fn map(&self, function: impl Fn(f64) -> f64) -> Result<Self, Error> {
        Self::new(
            function(self.observed),
            self.values.iter().map(|&v| function(v)).collect(),
        )
    }

    /// The replicates of a function of two statistics over the same (joint)
    /// or over independent resamples: a difference, a ratio.
    ///
    /// # Errors
    /// Different numbers of resamples; replicates already sorted
    /// apart cannot be told and must not be combined; a NaN.
    pub fn combine(&self, other: &Self, function: impl Fn(f64, f64) -> f64) -> Result<Self, Error> {
        if self.len() != other.len() {
            return Err(Error::Lengths {
                left: self.len(),
                right: other.len(),
            });
        }
        let values = self
            .values
            .iter()
            .zip(&other.values)
            .map(|(&a, &b)| function(a, b))
            .collect();
        Self::new(function(self.observed, other.observed), values)
    }
}

impl BootstrapDistribution for Replicates {
    fn observed(&self) -> f64 {
        self.observed
    }

    fn quantile(&self, p: f64) -> f64 {
        let p = p.clamp(0.0, 1.0);
        if self.sorted {
            quantile::sorted(&self.values, p)
        } else {
            quantile::select(&mut self.values.clone(), p)
        }
    }

    fn quantiles(&self, p: f64, q: f64) -> (f64, f64) {
        if self.sorted {
            (self.quantile(p), self.quantile(q))
        } else {
            let (p, q) = (p.clamp(0.0, 1.0), q.clamp(0.0, 1.0));
            quantile::tails(&self.values, p, q)
                .unwrap_or_else(|| quantile::select_two(&mut self.values.clone(), p, q))
        }
    }

    fn fraction_below(&self) -> f64 {
        let (mut below, mut at_most) = (0_usize, 0_usize);
        let (low, high) = (self.observed - self.tie, self.observed + self.tie);
        for &v in &self.values {
            below += usize::from(v < low);
            at_most += usize::from(v <= high);
        }
        (below + at_most) as f64 / (2 * self.len()) as f64
    }

    fn tail_floor(&self) -> f64 {
        0.5 / self.len() as f64
    }

    fn scheme(&self) -> Scheme {
        Scheme::Resampled {
            resamples: self.len(),
        }
    }
}
