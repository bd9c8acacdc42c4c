//! What can go wrong, and what the reader must be told: both as data.

use std::fmt;

/// Why an estimate does not exist.
///
/// Data can never make this module panic: numbers that do not fit a method
/// come back as one of these.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum EstimateError {
    /// The method needs more values.
    TooFew {
        /// Smallest number of values the method is defined for.
        needed: usize,
        /// Number of values given.
        got: usize,
    },
    /// The value at `index` is NaN or infinite.
    NonFinite {
        /// Position in the input.
        index: usize,
    },
    /// The value at `index` must be above zero.
    NotPositive {
        /// Position in the input.
        index: usize,
        /// The offending value.
        value: f64,
    },
    /// Paired inputs have different lengths.
    LengthMismatch {
        /// Length of the first input.
        left: usize,
        /// Length of the input that disagrees.
        right: usize,
    },
    /// A confidence level, probability or error rate outside its open range.
    OutOfRange {
        /// Which argument.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// All values are equal, so there is no scale to judge them by.
    NoVariation,
    /// A quantity that the method divides by is zero.
    ZeroDenominator,
    /// More successes than trials.
    CountExceedsTrials {
        /// Successes.
        count: u64,
        /// Trials.
        trials: u64,
    },
    /// The numbers are too large for the sums to stay finite.
    Overflow,
}

impl fmt::Display for EstimateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooFew { needed, got } => write!(f, "{got} values given, {needed} needed"),
            Self::NonFinite { index } => write!(f, "value {index} is not a finite number"),
            Self::NotPositive { index, value } => {
                write!(f, "value {index} is {value}, it must be above zero")
            }
            Self::LengthMismatch { left, right } => {
                write!(f, "paired inputs have {left} and {right} values")
            }
            Self::OutOfRange { name, value } => write!(f, "{name} = {value} is out of range"),
            Self::NoVariation => f.write_str("all values are equal"),
            Self::ZeroDenominator => f.write_str("a denominator is zero"),
            Self::CountExceedsTrials { count, trials } => {
                write!(f, "{count} successes in {trials} trials")
            }
            Self::Overflow => f.write_str("the numbers are too large to be summed"),
        }
    }
}

impl std::error::Error for EstimateError {}

/// What a reader must know besides the numbers.
///
/// Warnings never change a number; the layers above turn them into reason
/// codes, notes or caps.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// The design cannot reach a p-value at or below `wanted`.
    SmallestPAbove {
        /// Error rate asked for.
        wanted: f64,
        /// Smallest p-value that any outcome could give.
        reachable: f64,
    },
    /// The lag-1 gate fired: neighbouring units are alike.
    Autocorrelated {
        /// Bias-corrected lag-1 autocorrelation.
        r1c: f64,
        /// The gate's limit for it.
        threshold: f64,
        /// Effective number of units.
        n_eff: f64,
    },
    /// Tied or zero values made an exact distribution unavailable.
    Ties {
        /// Values that share their size with another value.
        tied: usize,
        /// Values that are exactly zero.
        zeros: usize,
    },
    /// A part of the interval is unbounded: the data do not limit it.
    Unbounded {
        /// No lower limit.
        below: bool,
        /// No upper limit.
        above: bool,
    },
    /// A negative variance component was set to zero.
    TruncatedAtZero {
        /// The component before truncation.
        raw: f64,
    },
    /// The rows differ in size, which makes the F interval approximate.
    Unbalanced {
        /// Smallest row.
        smallest: usize,
        /// Largest row.
        largest: usize,
    },
    /// Fewer independent values than the quantile's floor.
    BelowQuantileFloor {
        /// Which quantile.
        p: f64,
        /// Smallest number of independent values.
        floor: u64,
        /// Effective number of values.
        n_eff: f64,
    },
    /// The arm that the factor does not touch moved all the same.
    UntouchedArmMoved {
        /// How much it moved.
        difference: f64,
        /// Lower limit of the movement.
        lo: f64,
        /// Upper limit of the movement.
        hi: f64,
    },
}

pub(crate) type Result<T> = std::result::Result<T, EstimateError>;

/// Every value is a finite number, and there are at least `needed` of them.
pub(crate) fn check(values: &[f64], needed: usize) -> Result<()> {
    if let Some(index) = values.iter().position(|v| !v.is_finite()) {
        return Err(EstimateError::NonFinite { index });
    }
    if values.len() < needed {
        return Err(EstimateError::TooFew {
            needed,
            got: values.len(),
        });
    }
    Ok(())
}

/// Both inputs are finite, equally long and have at least `needed` pairs.
pub(crate) fn check_pairs(left: &[f64], right: &[f64], needed: usize) -> Result<()> {
    if left.len() != right.len() {
        return Err(EstimateError::LengthMismatch {
            left: left.len(),
            right: right.len(),
        });
    }
    check(left, needed)?;
    check(right, needed)
}

/// `value` lies strictly between zero and one.
pub(crate) fn check_open_unit(name: &'static str, value: f64) -> Result<()> {
    if value > 0.0 && value < 1.0 {
        Ok(())
    } else {
        Err(EstimateError::OutOfRange { name, value })
    }
}

/// Successes do not exceed trials and there is at least one trial.
pub(crate) fn check_count(count: u64, trials: u64) -> Result<()> {
    if trials == 0 {
        Err(EstimateError::TooFew { needed: 1, got: 0 })
    } else if count > trials {
        Err(EstimateError::CountExceedsTrials { count, trials })
    } else {
        Ok(())
    }
}

/// Hands `value` on if arithmetic stayed finite.
pub(crate) fn finite(value: f64) -> Result<f64> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(EstimateError::Overflow)
    }
}
