//! The numbers that a class is decided by.

use super::number::round12;
use super::stopping::{Levels, p_value};
use crate::estimate::{
    MeanInterval, PairedCounts, SignFlip, SignFlipMethod, Summary, lag1, mean_interval,
    serial_interval, trend, wins_losses_ties,
};
use crate::plan::{Estimand, StopRule};
use bootstrap::Stream;
use serde::{Deserialize, Serialize};

/// An interval; an open end is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Bounds {
    /// Lower end.
    pub lo: Option<f64>,
    /// Upper end.
    pub hi: Option<f64>,
}

impl Bounds {
    fn of(interval: &MeanInterval) -> Self {
        let end = |x: f64| x.is_finite().then(|| round12(x));
        Self {
            lo: end(interval.lo),
            hi: end(interval.hi),
        }
    }

    /// Whether both ends are closed.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        self.lo.is_some() && self.hi.is_some()
    }

    /// Whether zero is outside by more than `tolerance`.
    #[must_use]
    pub fn excludes_zero(&self, tolerance: f64) -> bool {
        self.lo.is_some_and(|lo| lo > tolerance) || self.hi.is_some_and(|hi| hi < -tolerance)
    }

    /// Whether everything is below the lower or above the upper margin.
    #[must_use]
    pub fn beyond(&self, margin: (f64, f64)) -> bool {
        self.lo.is_some_and(|lo| lo > margin.1) || self.hi.is_some_and(|hi| hi < margin.0)
    }

    /// Whether everything is between the margins.
    #[must_use]
    pub fn inside(&self, margin: (f64, f64)) -> bool {
        self.lo.is_some_and(|lo| lo > margin.0) && self.hi.is_some_and(|hi| hi < margin.1)
    }

    /// Whether both margins are inside.
    #[must_use]
    pub fn reaches_beyond_both(&self, margin: (f64, f64)) -> bool {
        self.lo.is_none_or(|lo| lo < margin.0) && self.hi.is_none_or(|hi| hi > margin.1)
    }
}

/// Above this many units the test flips sums of neighbouring units.
pub(super) const SINGLE_UNITS_UP_TO: usize = 10_000;

/// What the classifier looks at, in full precision.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// Number of units.
    pub n: usize,
    /// Effective number of units: n unless the lag-1 gate fired.
    pub n_eff: f64,
    /// Mean effect: log ratio or difference, candidate relative to control.
    pub effect: f64,
    /// Standard deviation of the units; `None` below two.
    pub sd: Option<f64>,
    /// Smallest and largest unit.
    pub range: (f64, f64),
    /// Units in which the candidate was lower, higher, equal.
    pub lower: usize,
    /// See [`Evidence::lower`].
    pub higher: usize,
    /// See [`Evidence::lower`].
    pub ties: usize,
    /// Exact sign-flip p (Monte-Carlo above 40 units); `None` below 6.
    pub p: Option<f64>,
    /// How p was computed.
    pub p_method: String,
    /// Error rates at which p is read; the intervals' levels complement them.
    pub levels: Levels,
    /// Interval at `1 - levels.moderate`: 95 % unless the plan has looks.
    /// `None` below 6 units or without spread.
    pub ci95: Option<Bounds>,
    /// Interval at `1 - levels.strong`: 99 % unless the plan has looks.
    pub ci99: Option<Bounds>,
    /// Name of the interval's method.
    pub interval_method: String,
    /// Percentile interval, for comparison with other tools; never used.
    pub percentile95: Option<Bounds>,
    /// Margins on the effect's scale: below the first or above the second matters.
    pub margin: (f64, f64),
    /// How far from zero the control's A/A interval reaches, when it was
    /// measured against itself: a strong effect lies beyond it, too.
    pub noise_floor: Option<f64>,
    /// Whether the lag-1 gate fired.
    pub serially_correlated: bool,
    /// Bias-corrected lag-1 correlation, from 12 units.
    pub lag1: Option<f64>,
    /// p of a trend over the units, from 12 units.
    pub trend_p: Option<f64>,
    /// A bound this close to zero touches it.
    pub zero_tolerance: f64,
    /// Which tasks passed (candidate first), when units are outcomes of tasks.
    pub outcomes: Option<PairedCounts>,
}

impl Evidence {
    /// Gathers the evidence in the effects `d` of the units, in run order, as
    /// far as the stop rule lets it be read.
    #[must_use]
    pub fn gather(d: &[f64], margin: (f64, f64), rule: &StopRule, seed: u64) -> Self {
        let summary = Summary::of(d).ok();
        let counts = wins_losses_ties(d, 0.0).ok();
        let enough = d.len() >= 6 && summary.as_ref().is_some_and(|s| s.sd != Some(0.0));
        let levels = Levels::after(rule, d.len());
        let (p, p_method) = match enough.then(|| p_value(rule, d, seed)).flatten() {
            Some((p, method)) => (Some(p), method),
            None => (None, String::new()),
        };
        let interval = |level| {
            if enough {
                serial_interval(d, level, seed).ok().flatten()
            } else {
                None
            }
        };
        let (ci95, ci99) = (
            interval(1.0 - levels.moderate),
            interval(1.0 - levels.strong),
        );
        let lag = if d.len() >= 12 { lag1(d).ok() } else { None };
        let scale = d.iter().fold(0.0f64, |m, x| m.max(x.abs()));
        Self {
            n: d.len(),
            n_eff: lag.as_ref().map_or(d.len() as f64, |l| l.n_eff),
            effect: summary.as_ref().map_or(0.0, |s| s.mean),
            sd: summary.as_ref().and_then(|s| s.sd),
            range: summary.as_ref().map_or((0.0, 0.0), |s| (s.min, s.max)),
            lower: counts.as_ref().map_or(0, |c| c.wins),
            higher: counts.as_ref().map_or(0, |c| c.losses),
            ties: counts.as_ref().map_or(0, |c| c.ties),
            p,
            p_method,
            levels,
            ci95: ci95.as_ref().map(Bounds::of),
            ci99: ci99.as_ref().map(Bounds::of),
            interval_method: ci95
                .as_ref()
                .map_or(String::new(), |i| i.method.to_string()),
            percentile95: if enough && d.len() <= SINGLE_UNITS_UP_TO {
                percentile(d, seed)
            } else {
                None
            },
            margin,
            noise_floor: None,
            serially_correlated: lag.as_ref().is_some_and(|l| l.fired),
            lag1: lag.as_ref().map(|l| l.r1c),
            trend_p: if d.len() >= 12 {
                trend(d).ok().map(|t| t.p)
            } else {
                None
            },
            zero_tolerance: 1e-9 * scale,
            outcomes: None,
        }
    }

    /// Half the width of the CI95: what this many units can resolve.
    #[must_use]
    pub fn half_width(&self) -> Option<f64> {
        let Bounds {
            lo: Some(lo),
            hi: Some(hi),
        } = self.ci95?
        else {
            return None;
        };
        Some(0.5 * (hi - lo))
    }
}

pub(super) fn describe(test: &SignFlip, units: usize) -> String {
    let method = match test.method {
        SignFlipMethod::Enumeration => "sign-flip, all signs".to_owned(),
        SignFlipMethod::MeetInTheMiddle => "sign-flip, exact by meeting in the middle".to_owned(),
        SignFlipMethod::MonteCarlo { draws } => format!("sign-flip, {draws} draws"),
    };
    if test.n < units {
        format!("{method}, {} sums of neighbouring units", test.n)
    } else {
        method
    }
}

/// The interval most tools print.
fn percentile(d: &[f64], seed: u64) -> Option<Bounds> {
    let mut stream = Stream::new(seed, "claim/percentile");
    let interval = bootstrap::mean::percentile(d, 0.95, 9_999, &mut stream).ok()?;
    Some(Bounds {
        lo: Some(round12(interval.lo)),
        hi: Some(round12(interval.hi)),
    })
}

/// How far from zero the reported CI95 of some units reaches; `None` where it
/// is open. Its width alone would leave out what an A/A interval is off zero.
pub(super) fn reach95(d: &[f64], seed: u64) -> Option<f64> {
    let interval = mean_interval(d, 0.95, seed).ok()??;
    interval
        .is_bounded()
        .then_some(interval.lo.abs().max(interval.hi.abs()))
}

/// Evidence as it stands in a record: rounded to 12 digits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Estimate {
    /// What the effect is.
    pub estimand: Estimand,
    /// Number of units.
    pub n: usize,
    /// Effective number of units.
    pub n_eff: f64,
    /// Mean effect, candidate relative to control.
    pub effect: f64,
    /// Standard deviation of the units.
    pub sd: Option<f64>,
    /// Smallest unit.
    pub min: f64,
    /// Largest unit.
    pub max: f64,
    /// Units in which the candidate was lower.
    pub lower: usize,
    /// Units in which the candidate was higher.
    pub higher: usize,
    /// Units without a difference.
    pub ties: usize,
    /// Levels of the two intervals: 0.95 and 0.99 unless the plan has looks.
    pub interval_levels: (f64, f64),
    /// Interval of the mean effect at the first level.
    pub ci95: Option<Bounds>,
    /// Interval of the mean effect at the second level.
    pub ci99: Option<Bounds>,
    /// Name of the intervals' method.
    pub interval_method: String,
    /// Percentile bootstrap interval, for comparison with other tools; it
    /// makes two to five times the stated number of false claims below 30
    /// units and never decides a class.
    pub compat_percentile95: Option<Bounds>,
    /// Two-sided sign-flip p.
    pub p: Option<f64>,
    /// p adjusted for the family.
    pub p_adjusted: Option<f64>,
    /// How p was computed.
    pub p_method: String,
    /// The margins on the effect's scale.
    pub margin: (f64, f64),
    /// Bias-corrected lag-1 correlation of the units.
    pub lag1: Option<f64>,
    /// p of a trend over the units.
    pub trend_p: Option<f64>,
    /// Seed of resampling.
    pub seed: crate::plan::Seed,
    /// Passed tasks of both arms, when units are outcomes of tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcomes: Option<Outcomes>,
}

/// How many tasks passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Outcomes {
    /// Passed by the candidate.
    pub candidate: u64,
    /// Passed by the control.
    pub control: u64,
    /// Passed by both.
    pub both: u64,
    /// All tasks.
    pub n: u64,
}

impl Outcomes {
    fn of(counts: &PairedCounts) -> Self {
        Self {
            candidate: counts.both + counts.first_only,
            control: counts.both + counts.second_only,
            both: counts.both,
            n: counts.n(),
        }
    }
}

impl Estimate {
    /// The evidence, rounded.
    #[must_use]
    pub fn of(e: &Evidence, estimand: Estimand, p_adjusted: Option<f64>, seed: u64) -> Self {
        Self {
            estimand,
            n: e.n,
            n_eff: round12(e.n_eff),
            effect: round12(e.effect),
            sd: e.sd.map(round12),
            min: round12(e.range.0),
            max: round12(e.range.1),
            lower: e.lower,
            higher: e.higher,
            ties: e.ties,
            interval_levels: (
                round12(1.0 - e.levels.moderate),
                round12(1.0 - e.levels.strong),
            ),
            ci95: e.ci95,
            ci99: e.ci99,
            interval_method: e.interval_method.clone(),
            compat_percentile95: e.percentile95,
            p: e.p.map(round12),
            p_adjusted: p_adjusted.map(round12),
            p_method: e.p_method.clone(),
            margin: (round12(e.margin.0), round12(e.margin.1)),
            lag1: e.lag1.map(round12),
            trend_p: e.trend_p.map(round12),
            seed: crate::plan::Seed(seed),
            outcomes: e.outcomes.as_ref().map(Outcomes::of),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_control_is_off_itself_counts_like_its_noise() {
        let noise = [-0.3, 0.5, -1.1, 0.9, 0.2, -0.6, 1.0, -0.4, -0.9, 0.7];
        let around = |centre: f64| noise.map(|z| centre + 0.01 * z);
        let [quiet, biased] = [0.0, -0.04].map(|centre| reach95(&around(centre), 1).unwrap());
        assert!(quiet < 0.01, "{quiet}");
        assert!((0.04..0.05).contains(&biased), "{biased}");
    }
}
