//! What slots say about themselves: whether they could see the effect, and
//! whether they were steady.

use super::Evidence;
use super::judge::worker_medians;
use super::units::margins;
use crate::estimate::sign_flip;
use crate::gate::{Code, Reason, check_client_error};
use crate::observation::{ExperimentData, Quantity};
use crate::plan::{Estimand, ExperimentPlan, SecondaryRole};

/// An arm without a trend is called unsteady this rarely, per experiment.
const UNSTEADY_AT: f64 = 0.01;

/// Whether a claim on a time would be smaller than the error of the client
/// that measured it. `level` is the control's own value.
pub(super) fn below_client_error(
    plan: &ExperimentPlan,
    data: &ExperimentData,
    evidence: &Evidence,
    level: f64,
) -> Option<Reason> {
    if plan.metric.unit != "ns" {
        return None;
    }
    let inside = evidence.ci95.is_some_and(|ci| ci.inside(evidence.margin));
    let effect = if inside {
        evidence.margin.1
    } else {
        evidence.effect
    };
    let size_ns = match plan.estimand {
        Estimand::PairedLogRatio => level.abs() * libm::expm1(effect).abs(),
        Estimand::PairedDifference => effect.abs(),
    };
    check_client_error(size_ns, data.workers.iter().filter(|w| w.is_complete()))
}

/// Arms that change within their slots by more than the margin, to the same
/// side in so many workers that chance does not explain it. Workers are the
/// units, so it does not matter that the parts of a slot resemble each other.
pub(super) fn unsteady(
    plan: &ExperimentPlan,
    data: &ExperimentData,
    level: f64,
    seed: u64,
) -> Vec<Reason> {
    let (_, matters) = margins(plan.margin, Estimand::PairedLogRatio, level);
    let mut reasons = Vec::new();
    for (at, secondary) in plan.secondary.iter().enumerate() {
        if secondary.role != SecondaryRole::Trend {
            continue;
        }
        for (arm, name) in plan.arms.iter().enumerate() {
            let trends = worker_medians(plan, data, Quantity::Secondary(at), arm);
            let Ok(test) = sign_flip(&trends, seed) else {
                continue;
            };
            let mean = trends.iter().sum::<f64>() / trends.len() as f64;
            if mean.abs() > matters && test.p <= UNSTEADY_AT / plan.arms.len() as f64 {
                let detail = format!(
                    "{}: `{name}` changes by {:+.1} % within a slot, p = {:.4}",
                    secondary.metric.id,
                    100.0 * mean,
                    test.p
                );
                reasons.push(Reason::new(Code::NotSteady, detail));
            }
        }
    }
    reasons
}
