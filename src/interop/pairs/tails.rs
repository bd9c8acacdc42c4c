//! Quantiles: the values of a run become one value per run.

use super::pairing::{metric_of, names_of, pair_arms, roles};
use super::{Cell, DataSet, Declared, ReadError, Row, Table};
use evenhand_harness::claim::{TailPair, quantile_name, run_quantile};
use evenhand_harness::gate::{Code, Reason};
use std::collections::BTreeMap;

/// Puts runs together by one quantile of their values.
pub(super) fn pair(
    table: &Table,
    declared: &Declared,
    quantile: f64,
) -> Result<DataSet, ReadError> {
    let ranks = table.names.ranks();
    let roles = roles(table, declared, &ranks)?;
    let mut rows: Vec<&Row> = table.rows.iter().collect();
    rows.sort_by_key(|r| {
        let names = [r.experiment, r.profile, r.metric, r.arm, r.unit];
        names.map(|n| ranks[n as usize])
    });
    let mut reduced = table.clone();
    reduced.rows.clear();
    let mut tails = Vec::new();
    let mut short: BTreeMap<(String, String), Reason> = BTreeMap::new();
    let group = |r: &Row| (r.experiment, r.profile, r.metric);
    for rows in rows.chunk_by(|a, b| group(a) == group(b)) {
        let runs: Vec<Vec<&Row>> = rows
            .chunk_by(|a, b| (a.arm, a.unit) == (b.arm, b.unit))
            .map(in_time)
            .collect();
        let of = |arm: u32| runs.iter().filter(move |r| r[0].arm == arm);
        let (experiment, _) = names_of(table, declared, rows[0]);
        if roles
            .candidates
            .iter()
            .chain([&roles.control])
            .all(|&arm| of(arm).count() <= 1)
        {
            for &candidate in &roles.candidates {
                let (Some(a), Some(b)) = (of(roles.control).next(), of(candidate).next()) else {
                    continue;
                };
                let metric = metric_of(table.names.name(rows[0].metric), declared);
                let gates = [a, b]
                    .iter()
                    .filter_map(|run| unsound(table, run))
                    .collect();
                tails.push(TailPair {
                    experiment: experiment.clone(),
                    metric: metric.metric(),
                    quantile,
                    names: [a, b].map(|run| table.names.name(run[0].arm).to_owned()),
                    values: [a, b].map(|run| values(run)),
                    gates,
                });
            }
            continue;
        }
        for run in &runs {
            let mut row = *run[0];
            row.inner = 0;
            row.order = run.iter().map(|r| r.order).fold(f64::NAN, f64::min);
            // Facts that differ inside the run speak against it.
            if let Some(other) = run.iter().find(|r| r.facts != row.facts) {
                row.facts = other.facts;
            }
            match run.iter().find(|r| !matches!(r.cell, Cell::Measured(_))) {
                Some(lacking) => row.cell = lacking.cell,
                None => {
                    let (found, why) = run_quantile(&values(run), quantile);
                    row.cell = found.map_or(Cell::Missing, Cell::of);
                    if let Some(why) = why {
                        let name = table.names.name(row.arm);
                        let detail =
                            format!("run `{}` of `{name}`: {why}", table.names.name(row.unit));
                        let metric = metric_of(table.names.name(row.metric), declared).id;
                        let reason = Reason::new(Code::QuantileFloor, detail);
                        short.entry((experiment.clone(), metric)).or_insert(reason);
                    }
                }
            }
            reduced.rows.push(row);
        }
    }
    let mut set = if reduced.rows.is_empty() {
        DataSet {
            comparisons: Vec::new(),
            controls: Vec::new(),
            designs: Vec::new(),
            tails: Vec::new(),
            seed: declared.seed.unwrap_or(super::DEFAULT_SEED),
            ignored: table.ignored.clone(),
        }
    } else {
        pair_arms(&reduced, declared)?
    };
    for comparison in &mut set.comparisons {
        let own = &mut comparison.imported;
        let key = (own.experiment.clone(), own.metric.id.clone());
        own.gates.extend(short.get(&key).cloned());
        own.metric.id = named(quantile, &own.metric.id);
    }
    for control in &mut set.controls {
        control.metric = named(quantile, &control.metric);
    }
    set.tails = tails;
    Ok(set)
}

fn named(quantile: f64, metric: &str) -> String {
    format!("{} of {metric}", quantile_name(quantile))
}

/// The rows of a run in the order of their arrival, where it is known.
fn in_time<'a>(run: &[&'a Row]) -> Vec<&'a Row> {
    let mut run = run.to_vec();
    if run.iter().all(|r| r.order.is_finite()) {
        run.sort_by(|a, b| a.order.total_cmp(&b.order));
    } else {
        run.sort_by_key(|r| r.line);
    }
    run
}

fn values(run: &[&Row]) -> Vec<f64> {
    let measured = |r: &&Row| match r.cell {
        Cell::Measured(value) => Some(value),
        _ => None,
    };
    run.iter().filter_map(measured).collect()
}

/// What speaks against a run whose values can't be replaced by another run's.
fn unsound(table: &Table, run: &[&Row]) -> Option<Reason> {
    let row = run.iter().find(|r| !matches!(r.cell, Cell::Measured(_)))?;
    let code = match row.cell {
        Cell::Simulated => Code::SimulatedSource,
        Cell::Failed => Code::ErrorsPresent,
        Cell::NotFinite => Code::NonFinite,
        _ => Code::NotMeasured,
    };
    let name = table.names.name(row.arm);
    Some(Reason::new(code, format!("`{name}`, line {}", row.line)))
}
