//! The bootstrap-t: a studentised pivot and its interval.

use crate::distribution::{BootstrapDistribution, tail};
use crate::error::Error;
use crate::interval::{Interval, Method};

/// An estimate, its standard error, and the bootstrap distribution of the
/// pivot `t* = (estimate* - estimate) / se*` (Hall 1988; Davison & Hinkley
/// 1997).
///
/// A resample without spread has `se* = 0` and an infinite pivot. It is kept:
/// dropping it would hide that the sample is too small for its own standard
/// error. With three values one resample in nine is such a resample, so that
/// the 95 % interval is unbounded on at least one side.
#[derive(Clone, Debug, PartialEq)]
pub struct Studentised<D> {
    estimate: f64,
    standard_error: f64,
    pivots: D,
}

impl<D: BootstrapDistribution> Studentised<D> {
    /// Pivots computed elsewhere; their distribution may hold infinities.
    ///
    /// # Errors
    /// An estimate or a standard error that is not finite, or a negative one.
    pub fn new(estimate: f64, standard_error: f64, pivots: D) -> Result<Self, Error> {
        if estimate.is_finite() && standard_error.is_finite() && standard_error >= 0.0 {
            Ok(Self {
                estimate,
                standard_error,
                pivots,
            })
        } else {
            Err(Error::Statistic)
        }
    }

    /// The estimate from the data themselves.
    #[must_use]
    pub fn estimate(&self) -> f64 {
        self.estimate
    }

    /// Its standard error from the data themselves.
    #[must_use]
    pub fn standard_error(&self) -> f64 {
        self.standard_error
    }

    /// The distribution of t*.
    #[must_use]
    pub fn pivots(&self) -> &D {
        &self.pivots
    }

    /// Bootstrap-t interval:
    /// `estimate - t*(1 - tail) se ..= estimate - t*(tail) se`.
    /// Bounds may be infinite. Without spread in the data it is the point.
    ///
    /// # Errors
    /// Level outside (0, 1); too few resamples to have a value in each tail.
    pub fn interval(&self, level: f64) -> Result<Interval, Error> {
        let tail = tail(&self.pivots, level)?;
        let (low, high) = self.pivots.quantiles(tail, 1.0 - tail);
        // 0 * inf has no value; no spread at all leaves the point.
        let bound = |t: f64| {
            if self.standard_error == 0.0 {
                self.estimate
            } else {
                self.estimate - t * self.standard_error
            }
        };
        Ok(Interval {
            level,
            lo: bound(high),
            hi: bound(low),
            method: Method::BootstrapT,
            scheme: self.pivots.scheme(),
        })
    }
}

/// One pivot: `difference / se`, infinite where only `se` is zero.
pub(crate) fn pivot(difference: f64, standard_error: f64) -> f64 {
    if difference == 0.0 {
        0.0
    } else if standard_error > 0.0 {
        difference / standard_error
    } else {
        f64::INFINITY.copysign(difference)
    }
}
