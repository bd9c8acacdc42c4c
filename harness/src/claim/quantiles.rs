//! Quantiles over all samples of a worker: the worker is the unit, so nothing
//! is averaged over its slots.

use super::tails::{quantile_name, run_quantile};
use crate::gate::{Code, Reason};
use crate::observation::{ExperimentData, Quantity, WorkerData, pooled_samples};
use crate::plan::{Direction, ExperimentPlan};

/// A worker's quantile of one instance.
#[derive(Debug)]
pub(super) struct WorkerQuantile {
    /// `None` without samples, and where it falls among the failures.
    pub value: Option<f64>,
    /// Why the samples are too few for it.
    shortage: Option<String>,
    /// Whether it falls among the failures.
    failed: bool,
}

/// The quantile of an instance's samples in blocks of one kind, or in all.
/// Failures rank behind every value. `None` when the metric is no quantile.
pub(super) fn worker_quantile(
    plan: &ExperimentPlan,
    metric: Quantity,
    worker: &WorkerData,
    control_pair: Option<bool>,
    instance: usize,
) -> Option<WorkerQuantile> {
    let Quantity::Secondary(at) = metric else {
        return None;
    };
    let (metric, sampled) = (&plan.secondary[at], plan.sampled(at)?);
    let samples = pooled_samples(worker, sampled, control_pair, instance);
    let failure = match metric.metric.direction {
        Direction::Higher => f64::MIN,
        Direction::Lower | Direction::Context => f64::MAX,
    };
    let ranked: Vec<f64> = samples.iter().map(|s| s.unwrap_or(failure)).collect();
    let (found, shortage) = run_quantile(&ranked, metric.quantile?);
    // Between the last value and a failure lies no value either.
    let known = |found: f64| {
        let reached = |value: &f64| match metric.metric.direction {
            Direction::Higher => *value <= found,
            Direction::Lower | Direction::Context => *value >= found,
        };
        samples.iter().flatten().any(reached)
    };
    let value = found.filter(|&found| known(found));
    Some(WorkerQuantile {
        value,
        shortage,
        failed: found.is_some() && value.is_none(),
    })
}

/// What speaks against claims on a quantile: samples that are too few in most
/// workers, and failures that reach it in any.
pub(super) fn check_quantile(
    plan: &ExperimentPlan,
    data: &ExperimentData,
    metric: usize,
    candidate: usize,
) -> Vec<Reason> {
    let Some(quantile) = plan.secondary[metric].quantile else {
        return Vec::new();
    };
    let runs: Vec<(usize, WorkerQuantile)> = data
        .workers
        .iter()
        .filter(|worker| worker.is_complete())
        .flat_map(|worker| {
            [0, candidate].into_iter().filter_map(move |instance| {
                let quantity = Quantity::Secondary(metric);
                let run = worker_quantile(plan, quantity, worker, Some(false), instance)?;
                Some((instance, run))
            })
        })
        .collect();
    let name = |instance: usize| &plan.arms[instance];
    let mut reasons = Vec::new();
    let short = runs.iter().filter(|(_, run)| run.shortage.is_some());
    if 2 * short.clone().count() > runs.len()
        && let Some((instance, run)) = short.clone().next()
        && let Some(shortage) = &run.shortage
    {
        let detail = format!(
            "{} of {} runs are too short, the first of `{}`: {shortage}",
            short.count(),
            runs.len(),
            name(*instance)
        );
        reasons.push(Reason::new(Code::QuantileFloor, detail));
    }
    let failed = runs.iter().filter(|(_, run)| run.failed);
    if let Some((instance, _)) = failed.clone().next() {
        let detail = format!(
            "{} falls among the failures in {} of {} runs, the first of `{}`",
            quantile_name(quantile),
            failed.count(),
            runs.len(),
            name(*instance)
        );
        reasons.push(Reason::new(Code::ErrorsPresent, detail));
    }
    reasons
}
