//! The rules of other tools, as published, reduced to their decision: is a
//! difference reported?
//!
//! Each takes the control's and the candidate's values; the paired rules take
//! them in pairs. Times: lower is better. Resampling uses `RESAMPLES`
//! resamples where the tools use 10,000 to 100,000; that changes the Monte-Carlo
//! error of a single verdict, not its rate.

use crate::harness::estimate::{mann_whitney, welch};
use bootstrap::moments::{mean, sd};
use bootstrap::{Stream, quantile_sorted};
use serde::Serialize;

/// Resamples of a rival's bootstrap.
const RESAMPLES: usize = 399;

/// A published rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// "The percentile CI95 of the mean paired difference excludes zero":
    /// what hand-written scripts do.
    NaivePercentile,
    /// criterion 0.8: p < .05 of its pooled bootstrap t test.
    CriterionP,
    /// criterion 0.8: that, and the change's interval beyond 1 % noise.
    CriterionFull,
    /// benchstat (golang.org/x/perf): Mann-Whitney p < .05.
    Benchstat,
    /// tango 0.7: |z| >= 2.6 on paired differences and more than 1 %.
    Tango,
    /// hyperfine 1.20: `scripts/welch_ttest.py`, p < .05.
    Hyperfine,
    /// zenbench 0.1.9: percentile interval beyond 1 % after IQR trimming.
    Zenbench,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 7] = [
        Self::NaivePercentile,
        Self::CriterionP,
        Self::CriterionFull,
        Self::Benchstat,
        Self::Tango,
        Self::Hyperfine,
        Self::Zenbench,
    ];

    /// As it stands in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NaivePercentile => "naive percentile",
            Self::CriterionP => "criterion p<.05",
            Self::CriterionFull => "criterion full",
            Self::Benchstat => "benchstat",
            Self::Tango => "tango",
            Self::Hyperfine => "hyperfine Welch",
            Self::Zenbench => "zenbench",
        }
    }

    /// What every rule reports of the same values, in the order of
    /// [`Rule::ALL`].
    #[must_use]
    pub fn all_report(control: &[f64], candidate: &[f64], seed: u64) -> [bool; 7] {
        // criterion's p is the dearest of all: once for both of its rules.
        let significant = Self::CriterionP.reports(control, candidate, seed);
        Self::ALL.map(|rule| match rule {
            Self::CriterionP => significant,
            Self::CriterionFull => significant && rule.reports(control, candidate, seed),
            _ => rule.reports(control, candidate, seed),
        })
    }

    /// Whether the rule reports a difference.
    #[must_use]
    pub fn reports(self, control: &[f64], candidate: &[f64], seed: u64) -> bool {
        let label = match self {
            Self::CriterionFull => Self::CriterionP.name(),
            _ => self.name(),
        };
        let mut stream = Stream::new(seed, label);
        match self {
            Self::NaivePercentile => naive_percentile(control, candidate, &mut stream),
            Self::CriterionP => criterion_p(control, candidate, &mut stream) < 0.05,
            Self::CriterionFull => {
                criterion_p(control, candidate, &mut stream) < 0.05
                    && criterion_beyond_noise(control, candidate, &mut stream)
            }
            Self::Benchstat => mann_whitney(control, candidate).is_ok_and(|t| t.p < 0.05),
            Self::Tango => tango(control, candidate),
            Self::Hyperfine => welch(control, candidate, 0.95).is_ok_and(|t| t.p < 0.05),
            Self::Zenbench => zenbench(control, candidate, &mut stream),
        }
    }
}

fn differences(control: &[f64], candidate: &[f64]) -> Vec<f64> {
    control.iter().zip(candidate).map(|(a, b)| b - a).collect()
}

fn naive_percentile(control: &[f64], candidate: &[f64], stream: &mut Stream) -> bool {
    let d = differences(control, candidate);
    let largest = d.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    bootstrap::mean::percentile(&d, 0.95, RESAMPLES, stream)
        .is_ok_and(|ci| ci.lo > 1e-12 * largest || ci.hi < -1e-12 * largest)
}

fn welch_t(a: &[f64], b: &[f64]) -> f64 {
    welch(a, b, 0.95).map_or(0.0, |test| test.t)
}

/// Two draws from each word of the stream.
fn resample(from: &[f64], to: &mut [f64], stream: &mut Stream) {
    let pick = |half: u64| from[((half * from.len() as u64) >> 32) as usize];
    for pair in to.chunks_mut(2) {
        let word = stream.next_u64();
        pair[0] = pick(word >> 32);
        if let Some(second) = pair.get_mut(1) {
            *second = pick(word & 0xffff_ffff);
        }
    }
}

/// criterion.rs `analysis/compare.rs`: both samples are pooled, t is computed
/// for resampled halves, `p = 2 min(hits, B - hits) / B` with hits below the
/// observed t.
fn criterion_p(control: &[f64], candidate: &[f64], stream: &mut Stream) -> f64 {
    let observed = welch_t(control, candidate);
    let pooled = [control, candidate].concat();
    let (mut a, mut b) = (control.to_vec(), candidate.to_vec());
    let mut hits = 0;
    for _ in 0..RESAMPLES {
        resample(&pooled, &mut a, stream);
        resample(&pooled, &mut b, stream);
        hits += usize::from(t_of(&a, &b) < observed);
    }
    2.0 * hits.min(RESAMPLES - hits) as f64 / RESAMPLES as f64
}

/// Welch's statistic alone, without its p.
fn t_of(a: &[f64], b: &[f64]) -> f64 {
    let part = |x: &[f64]| {
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        let squares: f64 = x.iter().map(|v| (v - mean).powi(2)).sum();
        (mean, squares / (x.len() - 1) as f64 / x.len() as f64)
    };
    let ((mean_a, share_a), (mean_b, share_b)) = (part(a), part(b));
    let variance = share_a + share_b;
    if variance > 0.0 {
        (mean_b - mean_a) / variance.sqrt()
    } else {
        0.0
    }
}

/// criterion.rs `compare_to_threshold`: both ends of the percentile interval
/// of the relative change of the mean beyond 1 %.
fn criterion_beyond_noise(control: &[f64], candidate: &[f64], stream: &mut Stream) -> bool {
    let (mut a, mut b) = (control.to_vec(), candidate.to_vec());
    let mut changes: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            resample(control, &mut a, stream);
            resample(candidate, &mut b, stream);
            b.iter().sum::<f64>() / a.iter().sum::<f64>() - 1.0
        })
        .collect();
    changes.sort_unstable_by(f64::total_cmp);
    let end = |p| quantile_sorted(&changes, p).unwrap_or(0.0);
    end(0.025) > 0.01 || end(0.975) < -0.01
}

/// tango `cli.rs`: |z| >= 2.6 and the mean difference above 1 % of the
/// baseline's mean.
fn tango(control: &[f64], candidate: &[f64]) -> bool {
    let d = differences(control, candidate);
    let (Ok(difference), Ok(spread), Ok(base)) = (mean(&d), sd(&d), mean(control)) else {
        return false;
    };
    let z = difference / (spread / (d.len() as f64).sqrt());
    z.abs() >= 2.6 && difference.abs() > 0.01 * base
}

/// zenbench `stats.rs`: pairs beyond 1.5 IQR are dropped, then the percentile
/// interval of the mean difference lies beyond 1 % of the baseline's mean.
fn zenbench(control: &[f64], candidate: &[f64], stream: &mut Stream) -> bool {
    let mut d = differences(control, candidate);
    d.sort_unstable_by(f64::total_cmp);
    let quartile = |p| quantile_sorted(&d, p).unwrap_or(0.0);
    let (low, high) = (quartile(0.25), quartile(0.75));
    let reach = 1.5 * (high - low);
    d.retain(|&x| x >= low - reach && x <= high + reach);
    let Ok(base) = mean(control) else {
        return false;
    };
    bootstrap::mean::percentile(&d, 0.95, RESAMPLES, stream)
        .is_ok_and(|ci| ci.lo > 0.01 * base || ci.hi < -0.01 * base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_sees_what_is_plain_and_nothing_in_equal_samples() {
        let a: Vec<f64> = (0..20).map(|i| 100.0 + f64::from(i * 7 % 10)).collect();
        let b: Vec<f64> = a.iter().rev().map(|x| x + 50.0).collect();
        for rule in Rule::ALL {
            assert!(rule.reports(&a, &b, 1), "{rule:?}");
            assert!(!rule.reports(&a, &a, 1), "{rule:?}");
        }
    }
}
