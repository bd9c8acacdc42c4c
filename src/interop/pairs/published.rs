//! Published summaries: numbers without the units behind them.

use super::json::MetricText;
use evenhand_harness::claim::{Bounds, PublishedInterval, Summarised};
use evenhand_harness::gate::{Code, Reason};
use evenhand_harness::plan::Direction;
use serde::Deserialize;

/// Schema of documents that hold published summaries.
pub const SUMMARY_SCHEMA: &str = "evenhand.summary/1.0";

/// A document of published summaries.
#[derive(Clone, Debug)]
pub struct Summaries {
    /// Where they were published.
    pub source: Option<String>,
    /// The comparisons.
    pub comparisons: Vec<Summarised>,
}

#[derive(Deserialize)]
struct Root {
    source: Option<String>,
    metric: Option<MetricText>,
    control: Option<String>,
    candidate: Option<String>,
    comparisons: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    experiment: String,
    metric: Option<MetricText>,
    control: Option<String>,
    candidate: Option<String>,
    n: Option<u64>,
    difference: Option<f64>,
    lower: Option<u64>,
    higher: Option<u64>,
    equal: Option<u64>,
    interval: Option<Interval>,
    class: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Interval {
    level: f64,
    low: Option<f64>,
    high: Option<f64>,
    method: Option<String>,
}

impl Summaries {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let root: Root = serde_json::from_slice(bytes)?;
        let metric = root.metric.map(|m| m.0);
        let comparisons = root.comparisons.into_iter().map(|entry| {
            let metric = entry
                .metric
                .map(|m| m.0)
                .or_else(|| metric.clone())
                .unwrap_or_default();
            let mut gates = Vec::new();
            if metric.direction.unwrap_or(Direction::Context) == Direction::Context {
                let detail = format!("`{}` has no direction", metric.id);
                gates.push(Reason::new(Code::DirectionUndeclared, detail));
            }
            let arm = |own: Option<String>, all: &Option<String>, stands_in: &str| {
                own.or_else(|| all.clone())
                    .unwrap_or_else(|| stands_in.to_owned())
            };
            Summarised {
                experiment: entry.experiment,
                metric: metric.metric(),
                control: arm(entry.control, &root.control, "control"),
                candidate: arm(entry.candidate, &root.candidate, "candidate"),
                n: entry.n,
                difference: entry.difference,
                counts: entry
                    .lower
                    .zip(entry.higher)
                    .map(|(lower, higher)| (lower, higher, entry.equal.unwrap_or(0))),
                interval: entry.interval.map(|i| PublishedInterval {
                    level: i.level,
                    bounds: Bounds {
                        lo: i.low,
                        hi: i.high,
                    },
                    method: i.method,
                }),
                label: entry.class,
                gates,
            }
        });
        Ok(Self {
            source: root.source,
            comparisons: comparisons.collect(),
        })
    }
}
