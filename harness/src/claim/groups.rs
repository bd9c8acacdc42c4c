//! Descriptions of runs, without any claim.

use super::Bounds;
use super::number::round12;
use crate::estimate::{Summary, coefficient_of_variation, components, pearson, spearman};
use serde::Serialize;

/// Fewest runs for an interval.
const FEWEST_RUNS: usize = 6;

/// Runs of one arm on one metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RunGroup {
    /// What was measured.
    pub experiment: String,
    /// Name of the metric.
    pub metric: String,
    /// Unit of its values.
    pub unit: String,
    /// The arm.
    pub arm: String,
    /// Measured runs.
    pub n: usize,
    /// Runs without a measured value.
    pub not_measured: usize,
    /// Mean of the runs.
    pub mean: Option<f64>,
    /// Standard deviation of the runs: a spread, not an interval.
    pub sd: Option<f64>,
    /// Smallest run.
    pub min: Option<f64>,
    /// Largest run.
    pub max: Option<f64>,
    /// sd / |mean|: a description without an interval.
    pub cv: Option<f64>,
    /// Where the spread comes from, when runs have repeats.
    pub components: Option<VarianceShares>,
}

/// Spread between and within runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VarianceShares {
    /// Runs.
    pub runs: usize,
    /// Standard deviation between runs.
    pub between_sd: f64,
    /// Standard deviation within runs.
    pub within_sd: f64,
    /// Intraclass correlation: the share of variance between runs.
    pub icc: f64,
    /// Its F interval at 95 %, cut at 0.
    pub icc_ci95: Bounds,
    /// Whether the estimate between runs was negative and is shown as 0.
    pub truncated: bool,
}

/// Two metrics of the same runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Link {
    /// What was measured.
    pub experiment: String,
    /// The arm.
    pub arm: String,
    /// Names of the metrics.
    pub metrics: [String; 2],
    /// Runs that have both.
    pub n: usize,
    /// Spearman's rank correlation.
    pub rank_r: Option<f64>,
    /// Bonett and Wright's interval at 95 %.
    pub ci95: Option<Bounds>,
    /// Why there is no correlation.
    pub refused: Option<String>,
}

/// Describes runs: one list of repeats per run.
#[must_use]
pub fn describe_runs(
    experiment: String,
    (metric, unit): (String, String),
    arm: String,
    runs: &[Vec<f64>],
    not_measured: usize,
) -> RunGroup {
    let means: Vec<f64> = runs
        .iter()
        .map(|r| r.iter().sum::<f64>() / r.len() as f64)
        .collect();
    let summary = Summary::of(&means).ok();
    let shown = |pick: fn(&Summary) -> f64| summary.as_ref().map(|s| round12(pick(s)));
    RunGroup {
        experiment,
        metric,
        unit,
        arm,
        n: runs.len(),
        not_measured,
        mean: shown(|s| s.mean),
        sd: summary.as_ref().and_then(|s| s.sd).map(round12),
        min: shown(|s| s.min),
        max: shown(|s| s.max),
        cv: coefficient_of_variation(&means).ok().map(round12),
        components: shares(runs),
    }
}

fn shares(runs: &[Vec<f64>]) -> Option<VarianceShares> {
    let found = components(runs, 0.95).ok()?;
    Some(VarianceShares {
        runs: runs.len(),
        between_sd: round12(found.between.sqrt()),
        within_sd: round12(found.within.sqrt()),
        icc: round12(found.icc.max(0.0)),
        icc_ci95: Bounds {
            lo: Some(round12(found.icc_lo.max(0.0))),
            hi: Some(round12(found.icc_hi.clamp(0.0, 1.0))),
        },
        truncated: found.between_raw < 0.0,
    })
}

/// Correlates two metrics of the same runs, unless one follows from the other.
#[must_use]
pub fn link_runs(
    experiment: String,
    arm: String,
    metrics: [String; 2],
    a: &[f64],
    b: &[f64],
) -> Link {
    let n = a.len();
    let ranks = spearman(a, b, 0.95).ok();
    let line = pearson(a, b, 0.95).ok();
    let exact = |r: f64| r.abs() > 1.0 - 1e-9;
    let refused = if n < FEWEST_RUNS {
        Some(format!("{n} runs of at least {FEWEST_RUNS}"))
    } else if ranks.is_some_and(|c| exact(c.r)) || line.is_some_and(|c| exact(c.r)) {
        Some("one seems to be computed from the other: their order is the same or reversed".into())
    } else if ranks.is_none() {
        Some("one of them does not vary".to_owned())
    } else {
        None
    };
    let kept = ranks.filter(|_| refused.is_none());
    Link {
        experiment,
        arm,
        metrics,
        n,
        rank_r: kept.map(|c| round12(c.r)),
        ci95: kept.map(|c| Bounds {
            lo: Some(round12(c.lo)),
            hi: Some(round12(c.hi)),
        }),
        refused,
    }
}
