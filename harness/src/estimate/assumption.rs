//! What each result takes for granted, as a type.

use std::fmt;

use super::{
    Ablation, Components, Correlation, CosineInterval, EarlyStopping, GeometricMeanRatio,
    HodgesLehmann, MannWhitney, MaxT, McNemar, MeanInterval, QuantileInterval, Rate,
    RateDifference, RatioOfMeans, SignFlip, SignFlipInterval, SignedRank, TInterval, Tost, Trend,
    VangelInterval, Welch,
};

/// What must be true for a result to mean what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Assumption {
    /// A recorded fair coin ordered the arms in every unit. Made true by the
    /// design, whatever the noise looks like.
    FairCoin,
    /// As [`FairCoin`](Self::FairCoin), and the effect is one shift of all units.
    FairCoinAndShift,
    /// Independent units; their mean is approximated, not exact.
    IndependentUnits,
    /// Independent units whose mean is close to normal.
    NormalMean,
    /// A stationary series that forgets.
    Stationary,
    /// Independent values spread symmetrically about one location.
    Symmetric,
    /// Two independent samples.
    IndependentSamples,
    /// Independent trials with one success rate per arm.
    IndependentTrials,
    /// Normal data.
    NormalData,
}

impl fmt::Display for Assumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FairCoin => "a recorded fair coin ordered the arms in every unit",
            Self::FairCoinAndShift => "a recorded fair coin, and one shift of all units",
            Self::IndependentUnits => "independent units",
            Self::NormalMean => "independent units with a nearly normal mean",
            Self::Stationary => "a stationary series",
            Self::Symmetric => "independent values, symmetric about one location",
            Self::IndependentSamples => "two independent samples",
            Self::IndependentTrials => "independent trials with one rate per arm",
            Self::NormalData => "normal data",
        })
    }
}

/// A result that knows its assumption.
///
/// ```
/// use evenhand_harness::estimate::{Assumes, Assumption, SignFlip};
/// assert_eq!(SignFlip::ASSUMPTION, Assumption::FairCoin);
/// ```
pub trait Assumes {
    /// What the result takes for granted.
    const ASSUMPTION: Assumption;
}

macro_rules! assumes {
    ($($assumption:ident: $($result:ty),+;)+) => {
        $($(impl Assumes for $result {
            const ASSUMPTION: Assumption = Assumption::$assumption;
        })+)+
    };
}

assumes! {
    FairCoin: SignFlip, MaxT;
    FairCoinAndShift: SignFlipInterval;
    IndependentUnits: MeanInterval, RatioOfMeans, GeometricMeanRatio;
    NormalMean: TInterval, Tost, Trend;
    Stationary: CosineInterval;
    Symmetric: SignedRank, HodgesLehmann;
    IndependentSamples: MannWhitney, Welch;
    IndependentTrials: Rate, RateDifference, McNemar, Ablation, QuantileInterval, EarlyStopping;
    NormalData: Components, Correlation, VangelInterval;
}
