//! Which metrics an experiment of the request path declares, and their values.

use super::load::{Load, Mode};
use super::throughput::{THROUGHPUT, UNIT};
use crate::serving::Attempt;
use crate::serving::metrics::{Definition, definition};
use evenhand_harness::plan::{Direction, Estimand, Metric, SecondaryMetric, SecondaryRole, Sweep};

/// The primary metric of an experiment and its secondary ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Values {
    /// What the claim is about.
    pub primary: Metric,
    /// The others, in the order of a slot's values.
    pub secondary: Vec<SecondaryMetric>,
}

/// Latencies of a request, claimed unless they are the primary metric.
const SENT: &[&str] = &[
    "ttft.content@sent",
    "full@sent",
    "tpot.server_usage.excl_first",
];
const INTENDED: &[&str] = &[
    "ttft.content@intended",
    "full@intended",
    "tpot.server_usage.excl_first",
];

/// Metrics of a load on warm servers.
///
/// # Errors
/// If the load names a primary metric that is none of its latencies.
pub fn request_metrics(load: &Load) -> Result<Values, String> {
    let ids = ids(load);
    let primary = load.metric.as_deref().unwrap_or(ids[0]);
    if !ids.contains(&primary) {
        return Err(format!(
            "`{primary}` is no primary metric of this load; choose one of {}",
            ids.join(", ")
        ));
    }
    let mut secondary: Vec<SecondaryMetric> = ids
        .iter()
        .filter(|id| **id != primary)
        .map(|id| {
            let role = match *id {
                "tpot.server_usage.excl_first" => SecondaryRole::ClaimPerUnit,
                _ => SecondaryRole::Claim,
            };
            SecondaryMetric::new(metric(id), role)
        })
        .collect();
    secondary.extend(shared(load));
    secondary.extend(load.tails.iter().map(|&quantile| {
        SecondaryMetric::new(metric(primary), SecondaryRole::Claim).quantile(quantile)
    }));
    Ok(Values {
        primary: metric(primary),
        secondary,
    })
}

/// What the cells of a sweep are compared on: the throughput and the latency
/// that is the load's metric, by default `full@sent`.
#[must_use]
pub fn sweep_of(load: &Load) -> Sweep {
    let latency = load.metric.as_deref().filter(|id| *id != THROUGHPUT);
    Sweep {
        throughput: THROUGHPUT.to_owned(),
        latency: latency.unwrap_or("full@sent").to_owned(),
    }
}

/// Metrics of a cold start. `cold.total` is the sum of `cold.startup`,
/// `cold.handover` and `cold.full`; a slot where it is not fails.
///
/// # Errors
/// If the load names a primary metric that is none of these.
pub fn cold_metrics(load: &Load) -> Result<Values, String> {
    const COLD: [&str; 4] = ["cold.total", "cold.startup", "cold.ttft", "cold.full"];
    let primary = load.metric.as_deref().unwrap_or(COLD[0]);
    if !COLD.contains(&primary) {
        return Err(format!(
            "`{primary}` is no primary metric of a cold start; choose one of {}",
            COLD.join(", ")
        ));
    }
    let time = |id: &str| Metric::new(id, "ns", Direction::Lower);
    let mut secondary: Vec<SecondaryMetric> = COLD
        .iter()
        .filter(|id| **id != primary)
        .map(|id| SecondaryMetric::new(time(id), SecondaryRole::Claim))
        .collect();
    secondary.push(describe("cold.handover", "ns"));
    secondary.extend(shared(load));
    Ok(Values {
        primary: time(primary),
        secondary,
    })
}

/// Latencies of a load, its own primary metric first.
pub(super) fn latencies(load: &Load) -> &'static [&'static str] {
    if load.open.is_some() { INTENDED } else { SENT }
}

/// What may be the primary metric of a load, its own one first.
pub(super) fn ids(load: &Load) -> Vec<&'static str> {
    let throughput = load.sweep.map(|_| THROUGHPUT);
    let latencies = latencies(load).iter().copied();
    throughput.into_iter().chain(latencies).collect()
}

fn metric(id: &str) -> Metric {
    if id == THROUGHPUT {
        return Metric::new(THROUGHPUT, UNIT, Direction::Higher);
    }
    defined(id).metric()
}

/// What must be equal, and what is shown.
fn shared(load: &Load) -> Vec<SecondaryMetric> {
    let matched = |id: &str, unit: &str| {
        SecondaryMetric::new(
            Metric::new(id, unit, Direction::Context),
            SecondaryRole::Match,
        )
        .estimand(Estimand::PairedDifference)
    };
    let mut metrics = vec![
        matched("tokens.server", "tokens"),
        matched("finish_reason", "code"),
        matched("request.work", "digest"),
        describe("reads.events_per_read", "events"),
        describe("client.cpu_share", "cores"),
    ];
    if load.in_blocks() {
        if load.sweep.is_none() {
            metrics.push(describe(THROUGHPUT, UNIT));
        }
        metrics.push(describe("rate.completed", "requests/s"));
        metrics.push(describe("generator.lag_p99", "ns"));
        metrics.push(SecondaryMetric {
            role: SecondaryRole::Trend,
            ..describe("steady.trend", "ratio")
        });
    }
    metrics
}

fn describe(id: &str, unit: &str) -> SecondaryMetric {
    SecondaryMetric::new(
        Metric::new(id, unit, Direction::Context),
        SecondaryRole::Describe,
    )
    .estimand(Estimand::PairedDifference)
}

pub(super) fn defined(id: &str) -> &'static Definition {
    definition(id).expect("the ids of this file are in the table")
}

/// A finish reason as a number: 0 none or another one.
pub(super) fn finish_code(attempt: &Attempt) -> f64 {
    match attempt.answer.finish_reason.as_deref() {
        Some("stop") => 1.0,
        Some("length") => 2.0,
        Some("tool_calls") => 3.0,
        Some("content_filter") => 4.0,
        _ => 0.0,
    }
}

/// The metrics of a load's mode.
pub(super) fn metrics(load: &Load) -> Result<Values, String> {
    match load.mode {
        Mode::Cold => cold_metrics(load),
        Mode::Warm | Mode::Mixed => request_metrics(load),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_primary_metric_is_not_claimed_twice() {
        let values = request_metrics(&Load::default()).unwrap();
        assert_eq!(values.primary.id, "ttft.content@sent");
        assert!(
            values
                .secondary
                .iter()
                .all(|m| m.metric.id != values.primary.id)
        );
        let full = Load {
            metric: Some("full@sent".to_owned()),
            ..Load::default()
        };
        let values = request_metrics(&full).unwrap();
        assert_eq!(values.secondary[0].metric.id, "ttft.content@sent");
        let wrong = Load {
            metric: Some("speed".to_owned()),
            ..Load::default()
        };
        assert!(request_metrics(&wrong).unwrap_err().contains("full@sent"));
        assert!(cold_metrics(&wrong).unwrap_err().contains("cold.total"));
    }

    #[test]
    fn a_sweep_compares_throughput_and_a_latency() {
        let cell = |metric: Option<&str>| Load {
            sweep: Some(4),
            metric: metric.map(str::to_owned),
            ..Load::default()
        };
        for (metric, primary, latency) in [
            (None, THROUGHPUT, "full@sent"),
            (Some(THROUGHPUT), THROUGHPUT, "full@sent"),
            (
                Some("ttft.content@sent"),
                "ttft.content@sent",
                "ttft.content@sent",
            ),
        ] {
            let load = cell(metric);
            let (values, sweep) = (request_metrics(&load).unwrap(), sweep_of(&load));
            assert_eq!((&*values.primary.id, &*sweep.latency), (primary, latency));
            assert_eq!(sweep.throughput, THROUGHPUT);
            for id in sweep.metrics() {
                let mut all = values.secondary.iter().filter(|s| s.metric.id == id);
                let found = all.next();
                assert_eq!(found.is_none(), id == primary, "{id} stands once");
                assert!(all.next().is_none());
            }
        }
        let error = request_metrics(&cell(Some("speed"))).unwrap_err();
        assert!(error.contains(THROUGHPUT), "{error}");
    }
}
