//! Statements over several profiles, tasks or metrics.
//!
//! An overall statement has rules of its own: one stratified test instead of
//! many blind ones, log ratios instead of averaged percents, and silence when
//! the way of averaging decides the sign.

use std::fmt;

use super::error::{EstimateError, Result, check_open_unit, finite};
use super::mean::INTERVAL_FROM;
use super::sample::{Summary, WinsLossesTies, mean, paired_log_ratios, wins_losses_ties};
use super::sign_flip::{SignFlip, stratified_sign_flip};

/// Paired measurements of one profile.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Control, one value per unit, all above zero.
    pub control: Vec<f64>,
    /// Candidate, same units.
    pub candidate: Vec<f64>,
}

/// What may be said about one profile alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProfileSummary {
    /// Log ratios of the profile.
    pub log_ratio: Summary,
    /// Units that went either way.
    pub counts: WinsLossesTies,
    /// Too few units for any claim on this profile alone: a point and counts.
    pub insufficient: bool,
}

/// Direction of an effect on a lower-is-better metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The candidate is lower.
    Lower,
    /// The candidate is higher.
    Higher,
    /// Exactly equal.
    Equal,
}

impl Direction {
    fn of(value: f64) -> Self {
        if value < 0.0 {
            Self::Lower
        } else if value > 0.0 {
            Self::Higher
        } else {
            Self::Equal
        }
    }
}

/// Why no overall statement may be made.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum OverallRefusal {
    /// Arithmetic and geometric aggregation point in different directions.
    AggregationsDisagree {
        /// Sign of the mean log ratio.
        geometric: Direction,
        /// Sign of the mean relative change.
        arithmetic: Direction,
    },
    /// Without this profile the sign is another one.
    OneProfileDecides {
        /// Position of the profile.
        profile: usize,
    },
    /// Only one profile: there is nothing to be overall about.
    SingleProfile,
}

/// Several profiles under one test.
#[derive(Clone, Debug, PartialEq)]
pub struct Overall {
    /// Each profile alone.
    pub profiles: Vec<ProfileSummary>,
    /// One exact test over all units, each on its profile's scale.
    pub test: SignFlip,
    /// Mean over profiles of the profile's mean log ratio.
    pub geometric: f64,
    /// Mean over profiles of `mean(candidate) / mean(control) - 1`.
    pub arithmetic: f64,
    /// Reasons against an overall statement; it may be made only without any.
    pub refusals: Vec<OverallRefusal>,
}

/// Evaluates several profiles together.
///
/// Profiles with few units stay `insufficient` alone; the stratified sign-flip
/// test uses all of them at once and is exact under the coin. (Pooling their
/// variance is not: the noisiest profile then makes 11-17 % false claims.)
/// The overall direction counts only if arithmetic and geometric aggregation
/// and every leave-one-out agree in sign.
///
/// # Errors
/// `TooFew` without profiles or units, `LengthMismatch`, `NonFinite`,
/// `NotPositive`, `Overflow`.
pub fn overall(profiles: &[Profile], tie_tolerance: f64, seed: u64) -> Result<Overall> {
    if profiles.is_empty() {
        return Err(EstimateError::TooFew { needed: 1, got: 0 });
    }
    let mut logs = Vec::with_capacity(profiles.len());
    let mut summaries = Vec::with_capacity(profiles.len());
    let mut changes = Vec::with_capacity(profiles.len());
    for profile in profiles {
        let units = paired_log_ratios(&profile.control, &profile.candidate)?;
        summaries.push(ProfileSummary {
            log_ratio: Summary::of(&units)?,
            counts: wins_losses_ties(&units, tie_tolerance)?,
            insufficient: units.len() < INTERVAL_FROM,
        });
        changes.push(finite(
            mean(&profile.candidate) / mean(&profile.control) - 1.0,
        )?);
        logs.push(units);
    }
    let test = stratified_sign_flip(&logs, seed)?;
    let effects: Vec<f64> = summaries.iter().map(|s| s.log_ratio.mean).collect();
    let (geometric, arithmetic) = (mean(&effects), finite(mean(&changes))?);
    Ok(Overall {
        refusals: refusals(&effects, geometric, arithmetic),
        profiles: summaries,
        test,
        geometric,
        arithmetic,
    })
}

fn refusals(effects: &[f64], geometric: f64, arithmetic: f64) -> Vec<OverallRefusal> {
    if effects.len() < 2 {
        return vec![OverallRefusal::SingleProfile];
    }
    let mut refusals = Vec::new();
    let sign = Direction::of(geometric);
    if sign != Direction::of(arithmetic) {
        refusals.push(OverallRefusal::AggregationsDisagree {
            geometric: sign,
            arithmetic: Direction::of(arithmetic),
        });
    }
    let total: f64 = effects.iter().sum();
    for (profile, effect) in effects.iter().enumerate() {
        if Direction::of(total - effect) != sign {
            refusals.push(OverallRefusal::OneProfileDecides { profile });
        }
    }
    refusals
}

/// What a percentage is a percentage of; only like ones may be averaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricKind<'a> {
    /// The metric's id, formula included.
    pub id: &'a str,
    /// Its unit.
    pub unit: &'a str,
    /// Lower is better.
    pub lower_is_better: bool,
}

/// Refusal to average percents of metrics that are not alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnlikeMetrics {
    /// Id of the first metric.
    pub first: String,
    /// Id of the first one that differs from it.
    pub other: String,
}

impl fmt::Display for UnlikeMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, other } = self;
        write!(
            f,
            "changes of {first} and {other} measure different things and have no average"
        )
    }
}

impl std::error::Error for UnlikeMetrics {}

/// Allows an average over metrics only if they are one metric.
///
/// # Errors
/// [`UnlikeMetrics`] naming the first pair that differs in id, unit or
/// direction.
pub fn require_alike(metrics: &[MetricKind<'_>]) -> std::result::Result<(), UnlikeMetrics> {
    let mut rest = metrics.iter();
    let Some(first) = rest.next() else {
        return Ok(());
    };
    match rest.find(|other| *other != first) {
        None => Ok(()),
        Some(other) => Err(UnlikeMetrics {
            first: first.id.into(),
            other: other.id.into(),
        }),
    }
}

/// Largest probability per unit that a mode may have without having shown up
/// in `n` units: `1 - alpha^(1/n)`, close to `3 / n` at 95 %.
///
/// The rule of three (Hanley and Lippman-Hand, JAMA 249, 1983): a slow mode
/// rarer than this cannot be excluded by any statistic of these units.
///
/// # Errors
/// `TooFew` without units, `OutOfRange` for the level.
pub fn unseen_mode_bound(n: usize, level: f64) -> Result<f64> {
    check_open_unit("level", level)?;
    if n == 0 {
        return Err(EstimateError::TooFew { needed: 1, got: 0 });
    }
    Ok(-libm::expm1(libm::log(1.0 - level) / n as f64))
}
