//! Quantiles of raw samples. Values inside a run are not independent, so with
//! several runs the run's own quantile is the unit; quantiles are never averaged.

use super::number::{quantity, round12};
use super::{Bounds, Class, Outcome};
use crate::estimate::{QuantileInterval, quantile_difference, quantile_interval_serial};
use crate::gate::{Code, Reason, Severity};
use crate::plan::{Direction, Metric};
use serde::Serialize;

/// Raw values of one run of each arm, in the order of their arrival.
#[derive(Clone, Debug, PartialEq)]
pub struct TailPair {
    /// What was measured.
    pub experiment: String,
    /// The metric of the values.
    pub metric: Metric,
    /// Which quantile, for example 0.99.
    pub quantile: f64,
    /// Names of control and candidate.
    pub names: [String; 2],
    /// Their values.
    pub values: [Vec<f64>; 2],
    /// What reading already gave reason for.
    pub gates: Vec<Reason>,
}

/// One arm's quantile.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TailArm {
    /// Name of the arm.
    pub name: String,
    /// Number of values.
    pub n: usize,
    /// Independent values that they are worth.
    pub n_eff: f64,
    /// Fewest independent values for an interval.
    pub floor: u64,
    /// The quantile; none below the floor, where it is one or two values.
    pub quantile: Option<f64>,
    /// Order-statistic interval.
    pub ci95: Option<Bounds>,
}

/// What may be said about a quantile with one run per arm.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TailVerdict {
    /// At most `directional`: one run per arm is no replication.
    pub class: Class,
    /// Which way a hint goes.
    pub outcome: Option<Outcome>,
    /// Why, the gravest first.
    pub reasons: Vec<Reason>,
    /// The statement.
    pub sentence: String,
    /// Control and candidate.
    pub arms: Vec<TailArm>,
    /// Candidate minus control.
    pub difference: Option<f64>,
    /// MOVER interval from the arms' intervals.
    pub ci95: Option<Bounds>,
}

/// "p99" for 0.99.
#[must_use]
pub fn quantile_name(quantile: f64) -> String {
    format!("p{}", round12(100.0 * quantile))
}

/// A run's quantile, and why it can't be one when there are too few values.
#[must_use]
pub fn run_quantile(values: &[f64], quantile: f64) -> (Option<f64>, Option<String>) {
    match quantile_interval_serial(values, quantile, 0.95) {
        Ok(found) => {
            let short = found.limits.is_none().then(|| shortage(&found));
            (Some(found.quantile), short)
        }
        Err(_) => {
            let n = values.len();
            (
                None,
                Some(format!("{n} values have no {}", quantile_name(quantile))),
            )
        }
    }
}

fn shortage(found: &QuantileInterval) -> String {
    format!(
        "{} values are worth {:.0} independent ones, {} needs {}",
        found.n,
        found.n_eff,
        quantile_name(found.p),
        found.floor
    )
}

fn bounds(lo: f64, hi: f64) -> Bounds {
    Bounds {
        lo: Some(round12(lo)),
        hi: Some(round12(hi)),
    }
}

/// Judges one run per arm.
#[must_use]
pub fn judge_tails(pair: &TailPair) -> TailVerdict {
    let mut reasons = pair.gates.clone();
    if pair.metric.direction == Direction::Context {
        let detail = format!("`{}` has no direction", pair.metric.id);
        reasons.push(Reason::new(Code::DirectionUndeclared, detail));
    }
    reasons.push(Reason::new(
        Code::UnitsNotWorkers,
        "one run per arm: its values are no runs",
    ));
    let found: Vec<Option<QuantileInterval>> = pair
        .values
        .iter()
        .map(|v| quantile_interval_serial(v, pair.quantile, 0.95).ok())
        .collect();
    for ((name, values), found) in pair.names.iter().zip(&pair.values).zip(&found) {
        let short = match found {
            Some(found) if found.limits.is_some() => continue,
            Some(found) => shortage(found),
            None => format!("{} values", values.len()),
        };
        reasons.push(Reason::new(
            Code::QuantileFloor,
            format!("`{name}`: {short}"),
        ));
    }
    reasons.sort_by_key(|r| std::cmp::Reverse(r.severity));
    let gravest = reasons[0].severity;
    let change = match found.as_slice() {
        [Some(a), Some(b)] if gravest < Severity::Insufficient => quantile_difference(a, b),
        _ => None,
    };
    let ci95 = change.map(|c| bounds(c.lo, c.hi));
    let hint = ci95.is_some_and(|c| c.excludes_zero(0.0));
    let class = match gravest {
        Severity::Invalid => Class::Invalid,
        Severity::Insufficient => Class::Insufficient,
        _ if hint => Class::Directional,
        _ => Class::NoiseDominated,
    };
    let outcome = change.filter(|_| hint).map(|c| {
        if (c.difference < 0.0) == (pair.metric.direction == Direction::Lower) {
            Outcome::Improvement
        } else {
            Outcome::Regression
        }
    });
    let arms = pair
        .names
        .iter()
        .zip(&pair.values)
        .zip(&found)
        .map(|((name, values), found)| {
            let held = found.as_ref().and_then(|f| Some((f, f.limits?)));
            let held = held.filter(|_| gravest < Severity::Invalid);
            TailArm {
                name: name.clone(),
                n: values.len(),
                n_eff: found.as_ref().map_or(0.0, |f| round12(f.n_eff)),
                floor: found.as_ref().map_or(0, |f| f.floor),
                quantile: held.map(|(f, _)| round12(f.quantile)),
                ci95: held.map(|(_, limits)| bounds(limits.lo, limits.hi)),
            }
        });
    let clauses: Vec<String> = reasons
        .iter()
        .filter(|r| r.severity == gravest)
        .map(|r| format!("{} ({})", r.code.meaning(), r.detail))
        .collect();
    let because = clauses.join(", and ");
    let sentence = match change {
        None => format!("No claim, because {because}."),
        Some(c) => {
            let half = Some(0.5 * (c.hi - c.lo));
            let show = |x: f64| quantity(x, half, &pair.metric.unit).trim_end().to_owned();
            let opening = match outcome {
                Some(Outcome::Improvement) => "Not a claim, only a hint of an improvement",
                Some(Outcome::Regression) => "Not a claim, only a hint of a regression",
                None => "No claim, because the interval contains zero",
            };
            format!(
                "{opening}: {} of {} of `{}` minus `{}` is {} (CI95 {} to {}). No claim, because {because}.",
                quantile_name(pair.quantile),
                pair.metric.id,
                pair.names[1],
                pair.names[0],
                show(c.difference),
                show(c.lo),
                show(c.hi)
            )
        }
    };
    TailVerdict {
        class,
        outcome,
        sentence,
        arms: arms.collect(),
        difference: change.map(|c| round12(c.difference)),
        ci95,
        reasons,
    }
}
