//! Mean, variance and their kin.

use crate::error::{Error, check_values};
use crate::sample::Sample;

/// Mean and spread of a sample, in its unit.
///
/// Safe for every finite input: huge values do not overflow on the way and
/// denormal ones do not vanish.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// Number of values.
    pub n: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// Standard deviation with divisor `n - 1`; 0 for a single value.
    pub sd: f64,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
}

impl Moments {
    /// Moments of `x`.
    ///
    /// # Errors
    /// Empty or non-finite data.
    ///
    /// ```
    /// let m = bootstrap::Moments::of(&[1.0, 2.0, 4.0, 5.0])?;
    /// assert_eq!((m.mean, m.min, m.max), (3.0, 1.0, 5.0));
    /// assert_eq!(m.standard_error(), m.sd / 2.0);
    /// # Ok::<(), bootstrap::Error>(())
    /// ```
    pub fn of(x: &[f64]) -> Result<Self, Error> {
        let sample = Sample::of(x)?;
        Ok(Self {
            n: x.len(),
            mean: sample.mean,
            sd: sample.unscale(sample.sd()),
            min: sample.min,
            max: sample.max,
        })
    }

    /// `sd / sqrt(n)`, the standard error of the mean.
    #[must_use]
    pub fn standard_error(&self) -> f64 {
        self.sd / (self.n as f64).sqrt()
    }
}

/// Arithmetic mean.
///
/// # Errors
/// Empty or non-finite data.
pub fn mean(x: &[f64]) -> Result<f64, Error> {
    Ok(Sample::of(x)?.mean)
}

/// Standard deviation with divisor `n - 1`; 0 for a single value.
///
/// # Errors
/// Empty or non-finite data.
pub fn sd(x: &[f64]) -> Result<f64, Error> {
    Ok(Moments::of(x)?.sd)
}

/// Median: the quantile of type 7 at one half.
///
/// # Errors
/// Empty or non-finite data.
pub fn median(x: &[f64]) -> Result<f64, Error> {
    check_values(x)?;
    crate::quantile(x, 0.5)
}
