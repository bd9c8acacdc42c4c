//! Intervals and where they come from.

use std::fmt;

/// How the bounds are read off a bootstrap distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// Quantiles of the replicates (Efron 1979; Davison & Hinkley 1997).
    Percentile,
    /// Quantiles mirrored at the estimate (Davison & Hinkley 1997).
    Basic,
    /// Bias-corrected and accelerated (Efron 1987).
    Bca,
    /// Studentised pivot (Hall 1988; Davison & Hinkley 1997).
    BootstrapT,
    /// Joint studentised pivot, the largest |t*| over several metrics
    /// (Beran 1988; Romano & Wolf 2005).
    MaxT,
}

impl Method {
    /// A stable lower-case name for records: `percentile`, `basic`, `bca`,
    /// `bootstrap_t`, `max_t`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Percentile => "percentile",
            Self::Basic => "basic",
            Self::Bca => "bca",
            Self::BootstrapT => "bootstrap_t",
            Self::MaxT => "max_t",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How the bootstrap distribution was obtained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// Seeded random resamples.
    Resampled {
        /// Number of resamples, B.
        resamples: usize,
    },
    /// Every possible resample with its exact weight.
    Enumerated {
        /// Number of distinct values.
        atoms: usize,
    },
    /// The n-th power of a discrete Fourier transform: no randomness.
    Fourier {
        /// Number of grid points.
        points: usize,
    },
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resampled { resamples } => write!(f, "resampled({resamples})"),
            Self::Enumerated { atoms } => write!(f, "enumerated({atoms})"),
            Self::Fourier { points } => write!(f, "fourier({points})"),
        }
    }
}

/// A two-sided, equal-tailed confidence interval in the unit of the data.
///
/// `lo <= hi`, never NaN. A bound may be infinite: the bootstrap-t interval
/// of a very small sample is, because most of its resamples have no spread.
/// Print such a bound as "unbounded".
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Nominal coverage, inside (0, 1).
    pub level: f64,
    /// Lower bound; may be `-inf`.
    pub lo: f64,
    /// Upper bound; may be `+inf`.
    pub hi: f64,
    /// How the bounds were read off.
    pub method: Method,
    /// Where the bootstrap distribution came from.
    pub scheme: Scheme,
}

impl Interval {
    /// Whether `value` lies between the bounds, both included.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        self.lo <= value && value <= self.hi
    }

    /// Whether both bounds are finite.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        self.lo.is_finite() && self.hi.is_finite()
    }

    /// `hi - lo`; infinite when a bound is.
    #[must_use]
    pub fn width(&self) -> f64 {
        if self.is_bounded() {
            self.hi - self.lo
        } else {
            f64::INFINITY
        }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bound = |v: f64| {
            if v.is_finite() {
                v.to_string()
            } else {
                "unbounded".to_owned()
            }
        };
        write!(
            f,
            "[{}, {}] ({} {}, {} %)",
            bound(self.lo),
            bound(self.hi),
            self.method,
            self.scheme,
            100.0 * self.level
        )
    }
}
