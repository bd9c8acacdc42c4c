//! What can be wrong with a request.

use std::fmt;

/// Why no answer was given. Data never make this crate panic, and no answer
/// is ever NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// There is no value (or no stratum, cluster, metric) at all.
    Empty,
    /// The value at this place is NaN or infinite.
    NotFinite {
        /// Place of the first such value in its slice.
        index: usize,
    },
    /// The confidence level is not inside (0, 1).
    Level {
        /// The level that was asked for.
        level: f64,
    },
    /// The probability is not inside [0, 1].
    Probability {
        /// The probability that was asked for.
        p: f64,
    },
    /// The tails of the interval would hold less than one resample each.
    TooFewResamples {
        /// Number of resamples at hand.
        given: usize,
        /// Smallest number that serves the request.
        needed: usize,
    },
    /// The method needs more values than there are.
    TooFewValues {
        /// Number of values at hand.
        given: usize,
        /// Smallest number that serves the request.
        needed: usize,
    },
    /// More values than the method can take (full enumeration, index type).
    TooManyValues {
        /// Number of values at hand.
        given: usize,
        /// Largest number that the method takes.
        limit: usize,
    },
    /// Two inputs that must have one length have two.
    Lengths {
        /// The first length.
        left: usize,
        /// The second length.
        right: usize,
    },
    /// A resample names an observation that does not exist.
    Index {
        /// The index found.
        index: usize,
        /// Number of observations.
        n: usize,
    },
    /// The statistic is NaN on a resample, or not finite on the data.
    Statistic,
    /// The number of grid points is not a power of two in `64..=1 << 24`.
    Grid {
        /// The number that was asked for.
        points: usize,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Empty => write!(f, "no values"),
            Self::NotFinite { index } => write!(f, "value {index} is not finite"),
            Self::Level { level } => write!(f, "confidence level {level} is not inside (0, 1)"),
            Self::Probability { p } => write!(f, "probability {p} is not inside [0, 1]"),
            Self::TooFewResamples { given, needed } => {
                write!(f, "{given} resamples, at least {needed} needed")
            }
            Self::TooFewValues { given, needed } => {
                write!(f, "{given} values, at least {needed} needed")
            }
            Self::TooManyValues { given, limit } => {
                write!(f, "{given} values, at most {limit} possible")
            }
            Self::Lengths { left, right } => write!(f, "lengths differ: {left} and {right}"),
            Self::Index { index, n } => write!(f, "index {index} outside 0..{n}"),
            Self::Statistic => write!(f, "the statistic is not a number"),
            Self::Grid { points } => {
                write!(f, "{points} grid points: not a power of two in 64..=2^24")
            }
        }
    }
}

impl std::error::Error for Error {}

/// Refuses empty and non-finite data.
pub(crate) fn check_values(x: &[f64]) -> Result<(), Error> {
    if x.is_empty() {
        return Err(Error::Empty);
    }
    match x.iter().position(|v| !v.is_finite()) {
        Some(index) => Err(Error::NotFinite { index }),
        None => Ok(()),
    }
}

/// Refuses levels outside the open unit interval, NaN included.
pub(crate) fn check_level(level: f64) -> Result<(), Error> {
    if level > 0.0 && level < 1.0 {
        Ok(())
    } else {
        Err(Error::Level { level })
    }
}

/// Refuses an empty set of resamples.
pub(crate) fn check_resamples(given: usize) -> Result<(), Error> {
    if given == 0 {
        Err(Error::TooFewResamples { given, needed: 1 })
    } else {
        Ok(())
    }
}
