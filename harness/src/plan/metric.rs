//! What is measured, which way is better, and how much matters.

use serde::{Deserialize, Serialize};

/// Which way is better. There is no default: an undeclared direction can't
/// carry a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Smaller is better (times).
    Lower,
    /// Larger is better (rates).
    Higher,
    /// Neither: the metric describes, it never wins.
    Context,
}

/// A quantity with its definition in the name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Metric {
    /// Name with the formula in it, for example `wall_time` or `ttft.content@sent`.
    pub id: String,
    /// Unit of a value, for example `ns`.
    pub unit: String,
    /// Which way is better.
    pub direction: Direction,
}

impl Metric {
    /// A metric of your own.
    pub fn new(id: impl Into<String>, unit: impl Into<String>, direction: Direction) -> Self {
        Self {
            id: id.into(),
            unit: unit.into(),
            direction,
        }
    }

    /// Host time of one iteration on the monotonic clock, in nanoseconds.
    #[must_use]
    pub fn wall_time() -> Self {
        Self::new("wall_time", "ns", Direction::Lower)
    }

    /// Whether values are nanoseconds (and may be printed as µs, ms or s).
    #[must_use]
    pub fn is_time(&self) -> bool {
        self.unit == "ns"
    }
}

/// The effect that is estimated over the units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Estimand {
    /// Mean over units of `ln(candidate / control)`. The default for times.
    PairedLogRatio,
    /// Mean over units of `candidate - control`, for values that may be zero
    /// or negative.
    PairedDifference,
}

/// What a margin is a fraction of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MarginScale {
    /// A fraction of the control: 0.01 is one percent.
    Relative,
    /// In the metric's unit.
    Absolute,
}

/// The smallest effect that matters, declared before measuring.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Margin {
    /// How to read `value`.
    pub scale: MarginScale,
    /// The margin, above zero.
    pub value: f64,
    /// False when nobody declared one and the default stands in; that caps the
    /// claim at `moderate`.
    pub declared: bool,
}

impl Margin {
    /// One percent of the control, used when no margin was declared.
    pub const DEFAULT: Self = Self {
        scale: MarginScale::Relative,
        value: 0.01,
        declared: false,
    };

    /// A declared fraction of the control; `relative(0.01)` is one percent.
    #[must_use]
    pub fn relative(fraction: f64) -> Self {
        Self {
            scale: MarginScale::Relative,
            value: fraction,
            declared: true,
        }
    }

    /// A declared margin in the metric's unit.
    #[must_use]
    pub fn absolute(value: f64) -> Self {
        Self {
            scale: MarginScale::Absolute,
            value,
            declared: true,
        }
    }
}
