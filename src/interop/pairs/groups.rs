//! Groups of runs, to be described.

use super::pairing::{metric_of, names_of};
use super::{Cell, Declared, Row, Table};
use evenhand_harness::claim::{Link, RunGroup, describe_runs, link_runs};
use std::collections::BTreeMap;

/// Metrics correlated in pairs up to this many.
const LINKED_METRICS: usize = 8;

/// A description of runs. Nothing in it is a claim.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// One per experiment, metric and arm.
    pub groups: Vec<RunGroup>,
    /// Metrics of the same runs, two by two.
    pub links: Vec<Link>,
}

/// Means of an arm's runs on each metric, by the unit's number.
type Means = BTreeMap<u32, f64>;

/// Describes every arm by itself.
#[must_use]
pub fn describe(table: &Table, over: &Declared) -> Description {
    let declared = table.declared.clone().overlaid(over.clone());
    let ranks = table.names.ranks();
    let rank = |n: u32| ranks[n as usize];
    let mut rows: Vec<&Row> = table.rows.iter().collect();
    let key = |r: &Row| {
        (
            rank(r.experiment),
            rank(r.profile),
            rank(r.arm),
            rank(r.metric),
            rank(r.unit),
        )
    };
    rows.sort_by_key(|r| key(r));
    let mut found = Description {
        groups: Vec::new(),
        links: Vec::new(),
    };
    for arm_rows in
        rows.chunk_by(|a, b| (a.experiment, a.profile, a.arm) == (b.experiment, b.profile, b.arm))
    {
        let (experiment, _) = names_of(table, &declared, arm_rows[0]);
        let arm = table.names.name(arm_rows[0].arm).to_owned();
        let mut metrics: Vec<(String, Means)> = Vec::new();
        for metric_rows in arm_rows.chunk_by(|a, b| a.metric == b.metric) {
            let metric = metric_of(table.names.name(metric_rows[0].metric), &declared);
            let (mut runs, mut means, mut without) = (Vec::new(), Means::new(), 0);
            for run in metric_rows.chunk_by(|a, b| a.unit == b.unit) {
                let values: Option<Vec<f64>> = run
                    .iter()
                    .map(|r| match r.cell {
                        Cell::Measured(value) => Some(value),
                        _ => None,
                    })
                    .collect();
                match values {
                    Some(values) => {
                        let mean = values.iter().sum::<f64>() / values.len() as f64;
                        means.insert(run[0].unit, mean);
                        runs.push(values);
                    }
                    None => without += 1,
                }
            }
            found.groups.push(describe_runs(
                experiment.clone(),
                (metric.id.clone(), metric.unit),
                arm.clone(),
                &runs,
                without,
            ));
            metrics.push((metric.id, means));
        }
        for (i, (first, a)) in metrics.iter().enumerate().take(LINKED_METRICS) {
            for (second, b) in metrics.iter().take(LINKED_METRICS).skip(i + 1) {
                let both = a.iter().filter_map(|(unit, x)| Some((*x, *b.get(unit)?)));
                let (x, y): (Vec<f64>, Vec<f64>) = both.unzip();
                let names = [first.clone(), second.clone()];
                found
                    .links
                    .push(link_runs(experiment.clone(), arm.clone(), names, &x, &y));
            }
        }
    }
    found
}
