//! From a session to verdicts: the rules as shipped, and deliberately broken
//! ones that prove the bounds can fail.

use super::session::{Scheduler, Session};
use crate::harness::claim::{Bounds, Class, Evidence, classify, comparison_units, effects, judge};
use crate::harness::gate::{Code, Reason, Severity, check_units};
use crate::harness::plan::{Direction, ExperimentPlan, Seed};
use crate::harness::schedule::{Block, WorkerSchedule, worker_schedule};

/// What was said about one comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finding {
    /// The class.
    pub class: Class,
    /// Whether everything that `strong` asks for is there except what the
    /// margin asks for: n, p, adjusted p, CI99 and no cap to a hint. Here the
    /// 1 % is at stake; margin and noise floor only lower it.
    pub one_percent: bool,
    /// The reported CI95.
    pub ci95: Option<Bounds>,
}

impl Finding {
    /// Whether a difference is claimed.
    #[must_use]
    pub fn claims_difference(&self) -> bool {
        matches!(self.class, Class::Strong | Class::Moderate)
    }

    /// Whether there is a CI95 and it leaves `truth` out.
    #[must_use]
    pub fn misses(&self, truth: f64) -> bool {
        self.ci95.is_some_and(|b| {
            b.lo.is_some_and(|lo| lo > truth + TOUCH) || b.hi.is_some_and(|hi| hi < truth - TOUCH)
        })
    }
}

/// A bound this close to the truth touches it.
const TOUCH: f64 = 1e-12;

/// A way from slots to classes.
#[derive(Clone, Copy, Debug)]
pub struct Pipeline {
    /// As it stands in messages.
    pub name: &'static str,
    /// Draws the schedule.
    pub schedule: Scheduler,
    /// Judges every comparison of a session.
    pub judge: fn(&Session) -> Vec<Finding>,
}

/// The rules as shipped: the public `judge` on the real schedule.
pub const SHIPPED: Pipeline = Pipeline {
    name: "as shipped",
    schedule: worker_schedule,
    judge: shipped,
};

/// Broken: a percentile interval where the hull stands.
pub const PERCENTILE_INTERVAL: Pipeline = Pipeline {
    name: "percentile interval instead of the hull",
    schedule: worker_schedule,
    judge: percentile_interval,
};

/// Broken: the percentile interval decides instead of the exact test.
pub const PERCENTILE_DECIDES: Pipeline = Pipeline {
    name: "percentile interval instead of the sign-flip p",
    schedule: worker_schedule,
    judge: percentile_decides,
};

/// Broken: the arms have the same letters in every worker.
pub const NO_COIN: Pipeline = Pipeline {
    name: "no coin",
    schedule: fixed_letters,
    judge: workers_as_units,
};

/// Broken: blocks count as units.
pub const BLOCKS_AS_UNITS: Pipeline = Pipeline {
    name: "blocks as units",
    schedule: worker_schedule,
    judge: blocks_as_units,
};

/// Broken: p is not adjusted for the family.
pub const NO_HOLM: Pipeline = Pipeline {
    name: "no adjustment for the family",
    schedule: worker_schedule,
    judge: workers_as_units,
};

fn shipped(session: &Session) -> Vec<Finding> {
    let judgement = judge(&session.plan, &session.measurements);
    let claims = judgement.experiments.iter().flat_map(|e| &e.claims);
    claims
        .map(|claim| {
            let e = &claim.estimate;
            let tolerance = TOUCH * e.min.abs().max(e.max.abs());
            let strong = 1.0 - e.interval_levels.1;
            let refused = claim
                .reasons
                .iter()
                .any(|r| r.severity >= Severity::CapDirectional);
            Finding {
                class: claim.class,
                one_percent: !refused
                    && e.n >= 8
                    && e.p.is_some_and(|p| p <= strong)
                    && e.p_adjusted.is_some_and(|p| p <= 0.05)
                    && e.ci99.is_some_and(|b| b.excludes_zero(tolerance)),
                ci95: e.ci95,
            }
        })
        .collect()
}

/// Classes of single comparisons by evidence that `change` may spoil.
fn graded(
    session: &Session,
    units: impl Fn(&ExperimentPlan, usize, usize) -> Vec<f64>,
    change: impl Fn(&mut Evidence),
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let experiments = session.plan.experiments().map(|(_, e)| e);
    for (index, experiment) in experiments.enumerate() {
        let bound = experiment.margin.value.ln_1p();
        for candidate in 1..experiment.arms.len() {
            let d = units(experiment, index, candidate);
            let mut evidence = Evidence::gather(
                &d,
                (-bound, bound),
                &session.plan.stop_rule,
                session.plan.seed.0,
            );
            change(&mut evidence);
            let gates = check_units(&d, evidence.lower, evidence.higher, evidence.ties, &[]);
            findings.push(graded_alone(&evidence, &gates));
        }
    }
    findings
}

fn graded_alone(evidence: &Evidence, gates: &[Reason]) -> Finding {
    let verdict = classify(evidence, Direction::Lower, evidence.p, gates);
    let ci99 = evidence
        .ci99
        .is_some_and(|b| b.excludes_zero(evidence.zero_tolerance));
    Finding {
        class: verdict.class,
        one_percent: evidence.n >= 8
            && evidence.p.is_some_and(|p| p <= evidence.levels.strong)
            && ci99,
        ci95: evidence.ci95,
    }
}

fn worker_units(session: &Session) -> impl Fn(&ExperimentPlan, usize, usize) -> Vec<f64> {
    |plan, index, candidate| {
        let data = &session.measurements.experiments[index];
        effects(&comparison_units(plan, data, candidate))
    }
}

fn workers_as_units(session: &Session) -> Vec<Finding> {
    graded(session, worker_units(session), |_| {})
}

fn percentile_interval(session: &Session) -> Vec<Finding> {
    graded(session, worker_units(session), |e| e.ci95 = e.percentile95)
}

fn percentile_decides(session: &Session) -> Vec<Finding> {
    graded(session, worker_units(session), |e| {
        e.ci95 = e.percentile95;
        let out = e.ci95.is_some_and(|b| b.excludes_zero(e.zero_tolerance));
        e.p = Some(if out { 0.05 } else { 1.0 });
    })
}

fn blocks_as_units(session: &Session) -> Vec<Finding> {
    let blocks = |plan: &ExperimentPlan, index: usize, candidate| {
        let data = &session.measurements.experiments[index];
        let units = comparison_units(plan, data, candidate);
        units.into_iter().flat_map(|u| u.blocks).collect()
    };
    graded(session, blocks, |_| {})
}

/// The schedule of a harness that forgot the coin: letters in arm order, the
/// control first in every block.
fn fixed_letters(
    seed: Seed,
    target: &str,
    experiment: &ExperimentPlan,
    worker: u32,
) -> WorkerSchedule {
    let mut schedule = worker_schedule(seed, target, experiment, worker);
    schedule.letters.sort_unstable();
    for Block { slots, .. } in &mut schedule.blocks {
        let (a, b) = (slots[0].min(slots[1]), slots[0].max(slots[1]));
        *slots = vec![a, b, b, a];
    }
    schedule
}

/// Whether `judge` itself refuses a session that forgot the coin.
#[must_use]
pub fn refuses_fixed_letters(session: &Session) -> bool {
    let judgement = judge(&session.plan, &session.measurements);
    judgement.experiments.iter().all(|e| {
        e.claims.iter().all(|c| c.class == Class::Invalid)
            && e.reasons.iter().any(|r| r.code == Code::PlanChanged)
    })
}
