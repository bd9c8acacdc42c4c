//! Published summaries: numbers without the units behind them.
//!
//! A mean and an interval that somebody printed can be quoted, but nothing can
//! be concluded from them here: neither the order, nor the pairs, nor the
//! spread can be checked.

use super::number::{quantity, round12};
use super::{Bounds, Class};
use crate::gate::{Code, Reason};
use crate::plan::Metric;
use serde::{Deserialize, Serialize};

/// Fewest units for an interval.
const FEWEST_UNITS: u64 = 6;

/// One comparison as it was published.
#[derive(Clone, Debug, PartialEq)]
pub struct Summarised {
    /// What was compared.
    pub experiment: String,
    /// What was measured.
    pub metric: Metric,
    /// What it was compared with.
    pub control: String,
    /// The arm that was compared.
    pub candidate: String,
    /// Number of units; `None` when it was not published.
    pub n: Option<u64>,
    /// Mean of candidate minus control.
    pub difference: Option<f64>,
    /// Units in which the candidate was lower, higher, equal.
    pub counts: Option<(u64, u64, u64)>,
    /// The published interval of the difference.
    pub interval: Option<PublishedInterval>,
    /// What the source called its result.
    pub label: Option<String>,
    /// What reading already gave reason for.
    pub gates: Vec<Reason>,
}

/// An interval as it was published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PublishedInterval {
    /// Stated level, for example 0.95.
    pub level: f64,
    /// The ends.
    pub bounds: Bounds,
    /// Stated method.
    pub method: Option<String>,
}

/// What may be said about a published summary.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SummaryVerdict {
    /// `insufficient` or `invalid`.
    pub class: Class,
    /// Why.
    pub reasons: Vec<Reason>,
    /// The statement.
    pub sentence: String,
    /// The published difference.
    pub published_difference: Option<f64>,
    /// The published interval; `None` below 6 units, where none holds.
    pub published_interval: Option<PublishedInterval>,
}

/// Judges one published summary.
#[must_use]
pub fn judge_summary(summary: &Summarised) -> SummaryVerdict {
    let mut reasons = summary.gates.clone();
    let few = summary.n.is_some_and(|n| n < FEWEST_UNITS);
    if few {
        let n = summary.n.unwrap_or(0);
        reasons.push(Reason::new(
            Code::TooFewWorkers,
            format!("{n} of at least {FEWEST_UNITS}"),
        ));
    }
    let units = match summary.n {
        Some(1) => "1 unit was published as a summary".to_owned(),
        Some(n) => format!("{n} units were published as a summary"),
        None => "the number of units was not published".to_owned(),
    };
    reasons.push(Reason::new(Code::NotStated, units));
    reasons.sort_by_key(|r| std::cmp::Reverse(r.severity));
    let class = match reasons[0].severity {
        crate::gate::Severity::Invalid => Class::Invalid,
        _ => Class::Insufficient,
    };
    // No interval below 6 units, and none of numbers that are not comparable.
    let quoted = summary
        .interval
        .clone()
        .filter(|_| !few && class == Class::Insufficient);
    let difference = summary.difference.filter(|_| class == Class::Insufficient);
    SummaryVerdict {
        sentence: sentence(summary, &reasons, difference, quoted.as_ref()),
        class,
        reasons,
        published_difference: difference.map(round12),
        published_interval: quoted,
    }
}

fn sentence(
    summary: &Summarised,
    reasons: &[Reason],
    difference: Option<f64>,
    interval: Option<&PublishedInterval>,
) -> String {
    let gravest = reasons[0].severity;
    let clauses: Vec<String> = reasons
        .iter()
        .filter(|r| r.severity == gravest)
        .map(|r| format!("{} ({})", r.code.meaning(), r.detail))
        .collect();
    let mut text = format!("No claim, because {}.", clauses.join(", and "));
    let Some(difference) = difference else {
        return text;
    };
    let show = |x: f64| shown(x, &summary.metric.unit);
    text.push_str(&format!(
        " Published, not recomputed: {} of `{}` minus `{}` is {} on average",
        summary.metric.id,
        summary.candidate,
        summary.control,
        show(difference)
    ));
    if let Some((lower, higher, equal)) = summary.counts {
        text.push_str(&format!(
            ", {lower} units lower, {higher} higher, {equal} equal"
        ));
    }
    match interval {
        Some(interval) => {
            let end = |x: Option<f64>| x.map_or("open".to_owned(), show);
            let method = interval.method.as_deref().unwrap_or("method not stated");
            text.push_str(&format!(
                ", {:.0} % interval {} to {} ({method}).",
                100.0 * interval.level,
                end(interval.bounds.lo),
                end(interval.bounds.hi)
            ));
        }
        None if summary.interval.is_some() => text.push_str(
            "; the published interval is left out, because below 6 units no interval holds.",
        ),
        None => text.push('.'),
    }
    text
}

/// A published number with the digits it was published with.
fn shown(x: f64, unit: &str) -> String {
    let text = format!("{x}");
    let decimals = text.split_once('.').map_or(0, |(_, d)| d.len());
    quantity(x, Some(libm::pow(10.0, 1.0 - decimals as f64)), unit)
        .trim_end()
        .to_owned()
}
