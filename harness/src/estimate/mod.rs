//! Estimates: pure functions of numbers and a seed.
//!
//! No clock, no environment, no files: the same numbers give the same bits on
//! every platform. Nothing here panics on data, and no NaN comes out; what a
//! method cannot answer is an [`EstimateError`], what a reader must know
//! besides the numbers is a [`Warning`].
//!
//! | question | start here |
//! |---|---|
//! | Could chance alone have done this? | [`sign_flip`], [`stratified_sign_flip`] |
//! | How large is the effect? | [`mean_interval`], [`serial_interval`] |
//! | Did neighbours or time matter? | [`lag1`], [`trend`] |
//! | Which arm won how often? | [`wins_losses_ties`] |
//! | Many comparisons at once? | [`holm`] |
//! | How often does it succeed? | [`clopper_pearson`], [`newcombe_paired`], [`mcnemar`] |
//! | How many workers? | [`workers_needed`], [`workers_for_family`] |

mod error;
mod family;
mod mean;
pub mod planner;
mod rates;
mod sample;
mod serial;
mod sign_flip;
pub mod special;

pub use error::{EstimateError, Warning};
pub use family::{benjamini_hochberg_for_dashboards, holm};
pub use mean::{
    MeanInterval, MeanMethod, TInterval, Tost, Welch, mean_interval, t_interval, tost, welch,
};
pub use planner::{detectable_effect, workers_for_family, workers_needed};
pub use rates::{
    McNemar, PairedCounts, Rate, RateDifference, bonett_price, clopper_pearson, mcnemar,
    newcombe_independent, newcombe_paired, wilson,
};
pub use sample::{
    Summary, WinsLossesTies, paired_differences, paired_log_ratios, wins_losses_ties,
};
pub use serial::{
    BlockLengths, CosineInterval, Lag1, Trend, acf, ewc_interval, lag1, politis_white,
    serial_interval, trend,
};
pub use sign_flip::{
    SignFlip, SignFlipInterval, SignFlipMethod, sign_flip, sign_flip_interval, smallest_p,
    stratified_sign_flip,
};
