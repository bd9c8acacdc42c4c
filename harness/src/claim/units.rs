//! From slots to units: one number per worker.

use super::quantiles::worker_quantile;
use crate::observation::{ExperimentData, Quantity, WorkerData, block_means};
use crate::plan::{Estimand, ExperimentPlan, Margin, MarginScale};

/// What a worker says about two instances.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    /// Index of the worker.
    pub worker: u32,
    /// Median over blocks of the block's effect; of a quantile, the effect
    /// between those of all the worker's samples.
    pub effect: f64,
    /// Effects of the single blocks, in run order: detail, never replicates.
    pub blocks: Vec<f64>,
    /// Whether the control had the earlier letter in this worker.
    pub control_first: bool,
}

/// Units of `candidate` (an arm's index) against the control, over complete
/// workers in index order, on the primary metric.
#[must_use]
pub fn comparison_units(
    plan: &ExperimentPlan,
    data: &ExperimentData,
    candidate: usize,
) -> Vec<Unit> {
    units_of(plan, Quantity::Primary, data, false, candidate)
}

/// Units of the shadow against the control, on the primary metric.
#[must_use]
pub fn control_pair_units(plan: &ExperimentPlan, data: &ExperimentData) -> Vec<Unit> {
    units_of(plan, Quantity::Primary, data, true, plan.arms.len())
}

/// Units of any metric of the experiment.
pub(super) fn units_of(
    plan: &ExperimentPlan,
    quantity: Quantity,
    data: &ExperimentData,
    control_pair: bool,
    other: usize,
) -> Vec<Unit> {
    between(plan, quantity, data, control_pair, (0, other))
}

/// Units of the arm `other` against the arm `one`, neither need be the control.
pub(super) fn pair_units(
    plan: &ExperimentPlan,
    quantity: Quantity,
    data: &ExperimentData,
    one: usize,
    other: usize,
) -> Vec<Unit> {
    between(plan, quantity, data, false, (one, other))
}

fn between(
    plan: &ExperimentPlan,
    quantity: Quantity,
    data: &ExperimentData,
    control_pair: bool,
    pair: (usize, usize),
) -> Vec<Unit> {
    let estimand = match quantity {
        Quantity::Primary => plan.estimand,
        Quantity::Secondary(at) => plan.secondary[at].estimand,
    };
    let effect = |(control, candidate): (f64, f64)| match estimand {
        Estimand::PairedLogRatio => libm::log(candidate / control),
        Estimand::PairedDifference => candidate - control,
    };
    let complete = data.workers.iter().filter(|w| w.is_complete());
    complete
        .filter_map(|worker| {
            let pairs = match quantile_pair(plan, quantity, worker, control_pair, pair) {
                Some(pair) => pair.into_iter().collect(),
                None => block_means(worker, quantity, control_pair, pair.0, pair.1),
            };
            unit(worker, pair, pairs.into_iter().map(effect).collect())
        })
        .collect()
}

/// The effects of some units.
#[must_use]
pub fn effects(units: &[Unit]) -> Vec<f64> {
    units.iter().map(|u| u.effect).collect()
}

/// The quantiles of two instances over all the worker's samples; the outer
/// `None` for metrics that are none.
fn quantile_pair(
    plan: &ExperimentPlan,
    quantity: Quantity,
    worker: &WorkerData,
    control_pair: bool,
    (one, other): (usize, usize),
) -> Option<Option<(f64, f64)>> {
    let found = |instance| worker_quantile(plan, quantity, worker, Some(control_pair), instance);
    let (one, other) = (found(one)?, found(other)?);
    Some(one.value.zip(other.value))
}

fn unit(worker: &WorkerData, (one, other): (usize, usize), blocks: Vec<f64>) -> Option<Unit> {
    let position = |instance| worker.letters.iter().position(|&i| i == instance);
    Some(Unit {
        worker: worker.worker,
        effect: bootstrap::moments::median(&blocks).ok()?,
        control_first: position(one) < position(other),
        blocks,
    })
}

/// Margins on the scale of the effect. A relative margin of a difference needs
/// the control's mean.
pub(super) fn margins(margin: Margin, estimand: Estimand, control_mean: f64) -> (f64, f64) {
    match (margin.scale, estimand) {
        (MarginScale::Relative, Estimand::PairedLogRatio) => {
            let bound = libm::log1p(margin.value);
            (-bound, bound)
        }
        (MarginScale::Relative, Estimand::PairedDifference) => {
            let bound = margin.value * control_mean.abs();
            (-bound, bound)
        }
        // For a ratio, an absolute margin is a fraction of the control's mean.
        (MarginScale::Absolute, Estimand::PairedLogRatio) => {
            let bound = libm::log1p(margin.value / control_mean.abs());
            (-bound, bound)
        }
        (MarginScale::Absolute, Estimand::PairedDifference) => (-margin.value, margin.value),
    }
}
