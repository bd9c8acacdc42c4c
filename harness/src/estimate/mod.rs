//! Estimates: pure functions of numbers and a seed.
//!
//! No clock, no environment, no files: the same numbers give the same bits on
//! every platform. Nothing here panics on data, and no NaN comes out; what a
//! method cannot answer is an [`EstimateError`], what a reader must know
//! besides the numbers is a [`Warning`].
//!
//! Every result type states what it takes for granted ([`Assumes`]).
//!
//! | question | start here |
//! |---|---|
//! | Could chance alone have done this? | [`sign_flip`], [`stratified_sign_flip`] |
//! | How large is the effect? | [`mean_interval`], [`serial_interval`] |
//! | Did neighbours or time matter? | [`lag1`], [`trend`] |
//! | Which arm won how often? | [`wins_losses_ties`] |
//! | Many comparisons at once? | [`holm`], [`max_t`] |
//! | Several profiles, one statement? | [`overall`], [`require_alike`], [`unseen_mode_bound`] |
//! | How slow is the tail? | [`quantile_interval_serial`], [`quantile_difference`] |
//! | How often does it succeed? | [`clopper_pearson`], [`newcombe_paired`], [`mcnemar`] |
//! | Two features, together and apart? | [`ablation_2x2`], [`untouched_arm`] |
//! | Which ratio? | [`ratio_of_means`], [`mean_of_ratios`], [`geometric_mean_ratio`] |
//! | Where does the noise come from? | [`components`], [`spearman`] |
//! | How many workers, and when to stop? | [`workers_needed`], [`precision_stop`], [`obrien_fleming_looks`], [`e_process`] |
//!
//! [`wilcoxon`], [`hodges_lehmann`], [`mann_whitney`], [`welch`], [`tost`],
//! [`pearson`], [`vangel`], [`harrell_davis`], [`mlperf_early_stopping`] and
//! [`politis_white`] are references under their own names: what other tools
//! print, never what a claim rests on.

mod ablation;
mod aggregate;
mod assumption;
mod correlation;
mod error;
mod family;
mod max_t;
mod mean;
pub mod planner;
mod quantile;
mod rank;
mod rates;
mod ratio;
mod sample;
mod sequential;
mod serial;
mod sign_flip;
pub mod special;
mod variance;

#[cfg(test)]
mod properties;

pub use ablation::{Ablation, Cell, UntouchedArm, ablation_2x2, untouched_arm};
pub use aggregate::{
    Direction, MetricKind, Overall, OverallRefusal, Profile, ProfileSummary, UnlikeMetrics,
    overall, require_alike, unseen_mode_bound,
};
pub use assumption::{Assumes, Assumption};
pub use correlation::{Correlation, pearson, spearman};
pub use error::{EstimateError, Warning};
pub use family::{benjamini_hochberg_for_dashboards, holm};
pub use max_t::{MaxT, max_t};
pub use mean::{
    INTERVAL_FROM, MeanInterval, MeanMethod, TInterval, Tost, Welch, mean_interval, t_interval,
    tost, welch,
};
pub use planner::{detectable_effect, workers_for_family, workers_needed};
pub use quantile::{
    EarlyStopping, HarrellDavis, OrderLimits, QuantileDifference, QuantileInterval, harrell_davis,
    mlperf_early_stopping, mlperf_h_min, quantile_difference, quantile_floor,
    quantile_floor_one_sided, quantile_interval, quantile_interval_serial,
};
pub use rank::{
    HodgesLehmann, MannWhitney, RankMethod, SignedRank, hodges_lehmann, mann_whitney, wilcoxon,
};
pub use rates::{
    McNemar, PairedCounts, Rate, RateDifference, bonett_price, clopper_pearson, mcnemar,
    newcombe_independent, newcombe_paired, wilson,
};
pub use ratio::{
    Fieller, GeometricMeanRatio, Limits, RatioOfMeans, geometric_mean_ratio, mean_of_ratios,
    ratio_of_means,
};
pub use sample::{
    Summary, WinsLossesTies, paired_differences, paired_log_ratios, wins_losses_ties,
};
pub use sequential::{
    DEFAULT_LOOKS, Look, PRECISION_FROM, PrecisionStop, e_process, obrien_fleming_looks,
    precision_stop,
};
pub use serial::{
    BlockLengths, CosineInterval, GATE_FROM, Lag1, Trend, acf, ewc_interval, exceedance_n_eff,
    lag1, politis_white, serial_interval, trend,
};
pub use sign_flip::{
    MONTE_CARLO_DRAWS, SignFlip, SignFlipInterval, SignFlipMethod, sign_flip, sign_flip_interval,
    smallest_p, stratified_sign_flip,
};
pub use variance::{
    Components, VangelInterval, best_repeats, coefficient_of_variation, components, vangel,
};
