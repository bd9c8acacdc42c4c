//! From a plan and its measurements to claims.

use super::evidence::reach95;
use super::number::{margin_percent, plain_percent, round12};
use super::quantiles::worker_quantile;
use super::secondary::{self, SecondaryJudgement};
use super::slots::{below_client_error, unsteady};
use super::stopping::has_enough_workers;
use super::sweep::{self, SweepJudgement};
use super::units::{Unit, comparison_units, control_pair_units, effects, margins};
use super::words::{Subject, sentence};
use super::{Class, Estimate, Evidence, Outcome, Shade, Verdict, classify};
use crate::estimate::planner::floor;
use crate::estimate::{holm, stratified_sign_flip, workers_needed};
use crate::gate::{Code, Reason, check_experiment, check_units};
use crate::observation::{ExperimentData, Measurements, Quantity};
use crate::plan::{Estimand, ExperimentPlan, Margin, Metric, Plan, StopRule};
use bootstrap::Stream;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The A/A test of a session refuses at this p.
pub(super) const AA_REFUSES_AT: f64 = 0.001;

/// Everything that follows from a session's measurements.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Judgement {
    /// Number of primary comparisons that p was adjusted for.
    pub family_size: usize,
    /// The control against itself, over the whole session.
    pub control: Option<SessionControl>,
    /// Per experiment, in plan order.
    pub experiments: Vec<ExperimentJudgement>,
}

/// The A/A test of a session.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SessionControl {
    /// Units over all experiments.
    pub units: usize,
    /// Stratified sign-flip p.
    pub p: f64,
    /// Whether the session stands.
    pub passed: bool,
}

/// What follows for one experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExperimentJudgement {
    /// Bench target.
    pub target: String,
    /// Experiment id.
    pub id: String,
    /// What the arms ran on, when that is not simply this host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Digest of what was planned for it.
    pub plan_digest: String,
    /// The arms' own values.
    pub arms: Vec<ArmSummary>,
    /// How far from zero the A/A interval reaches: what can't be told from
    /// nothing here.
    pub noise_floor: Option<f64>,
    /// Reasons that concern the experiment as a whole.
    pub reasons: Vec<Reason>,
    /// One claim per candidate.
    pub claims: Vec<Claim>,
    /// The secondary metrics, in plan order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secondary: Vec<SecondaryJudgement>,
    /// The cells, their frontier and the best one, when the arms are cells of a
    /// sweep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<SweepJudgement>,
}

/// An arm's value over the workers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ArmSummary {
    /// Name of the arm.
    pub name: String,
    /// Complete workers.
    pub n: usize,
    /// Median over workers of the worker's median slot; `None` when not measured.
    pub median: Option<f64>,
    /// Smallest worker median.
    pub min: Option<f64>,
    /// Largest worker median.
    pub max: Option<f64>,
}

/// What may be said about a candidate and the control.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Claim {
    /// The arm that is compared.
    pub candidate: String,
    /// What it is compared with.
    pub control: String,
    /// Name of the metric.
    pub metric: String,
    /// How strong the statement is.
    pub class: Class,
    /// A finer name inside the class.
    pub shade: Option<Shade>,
    /// Which way it goes.
    pub outcome: Option<Outcome>,
    /// The statement.
    pub sentence: String,
    /// Why it is what it is, the gravest first.
    pub reasons: Vec<Reason>,
    /// The numbers behind it.
    pub estimate: Estimate,
    /// Units that would resolve an effect of the margin, when noise won.
    pub units_needed: Option<u64>,
}

/// A comparison before it knows its family.
pub(super) struct Draft<'a> {
    pub plan: Cow<'a, ExperimentPlan>,
    pub candidate: usize,
    pub evidence: Evidence,
    pub gates: Vec<Reason>,
    pub seed: u64,
}

/// Judges a session. Pure: the same record gives the same judgement anywhere.
#[must_use]
pub fn judge(plan: &Plan, measurements: &Measurements) -> Judgement {
    let entries: Vec<(&str, &ExperimentPlan, Cow<'_, ExperimentData>)> = plan
        .experiments()
        .map(|(t, e)| (t, e, find(measurements, t, e)))
        .collect();
    let control_units: Vec<Vec<Unit>> = entries
        .iter()
        .map(|(_, e, data)| control_pair_units(e, data))
        .collect();
    let control = session_control(plan, &control_units);

    let rule = &plan.stop_rule;
    let mut experiments = Vec::with_capacity(entries.len());
    let mut drafts = Vec::new();
    for ((target, experiment, data), control_units) in entries.iter().zip(&control_units) {
        let seed = seed_of(plan, target, &experiment.id);
        let mut reasons = check_experiment(
            plan,
            target,
            experiment,
            data,
            data.fault.is_none() && !has_enough_workers(&plan.stop_rule, experiment, data),
            &measurements.environment,
        );
        if let Some(control) = control.filter(|c| !c.passed) {
            let detail = format!("p = {:.1e} over {} A/A units", control.p, control.units);
            reasons.push(Reason::new(Code::AaFailed, detail));
        }
        let arms = summaries(experiment, data, Quantity::Primary);
        let level = control_mean(&arms);
        reasons.extend(unsteady(experiment, data, level, seed));
        // What differing amounts of work refuse stops at metrics per unit of work.
        let common = reasons.clone();
        reasons.extend(secondary::unmatched(experiment, data));
        let judged_secondary = secondary::judge(experiment, data, &common, &reasons, rule, seed);
        let cells = experiment.sweep.as_ref();
        drafts.extend(
            cells
                .into_iter()
                .flat_map(|cells| sweep::drafts(experiment, cells, data, &reasons, (rule, seed))),
        );
        let noise_floor = reach95(&effects(control_units), seed).map(round12);
        let bounds = margins(experiment.margin, experiment.estimand, level);
        reasons.extend(below_noise_floor(
            noise_floor,
            bounds,
            experiment.estimand,
            &experiment.metric,
        ));
        for candidate in 1..=experiment.candidates().len() {
            let units = comparison_units(experiment, data, candidate);
            let first: Vec<bool> = units.iter().map(|u| u.control_first).collect();
            let mut draft = assemble(
                (experiment, candidate),
                &effects(&units),
                &first,
                bounds,
                rule,
                seed,
            );
            draft.evidence.noise_floor = noise_floor;
            draft.gates.extend(secondary::same_code(data, candidate));
            draft
                .gates
                .extend(below_client_error(experiment, data, &draft.evidence, level));
            draft.gates.extend(secondary::uncorroborated(
                experiment,
                data,
                candidate,
                &draft.evidence,
                (rule, seed),
            ));
            drafts.push(Draft {
                gates: [reasons.clone(), draft.gates].concat(),
                ..draft
            });
        }
        experiments.push(ExperimentJudgement {
            target: (*target).to_owned(),
            id: experiment.id.clone(),
            device: experiment.device.clone(),
            plan_digest: plan.experiment_digest(target, experiment),
            arms,
            noise_floor,
            reasons,
            claims: Vec::new(),
            secondary: judged_secondary,
            sweep: None,
        });
    }

    let family_size = plan.family_size();
    let adjusted = adjust(&drafts, family_size);
    let mut claims = drafts
        .iter()
        .zip(adjusted)
        .map(|(draft, p)| finish(draft, p));
    for (judged, (_, experiment, data)) in experiments.iter_mut().zip(&entries) {
        let own = claims.by_ref().take(experiment.comparisons());
        match &experiment.sweep {
            None => judged.claims = own.collect(),
            Some(cells) => {
                let sweep = sweep::conclude(experiment, cells, data, &judged.reasons, own);
                judged.sweep = Some(sweep);
            }
        }
    }
    Judgement {
        family_size,
        control,
        experiments,
    }
}

/// The data of an experiment; empty when it was never begun.
fn find<'m>(
    measurements: &'m Measurements,
    target: &str,
    plan: &ExperimentPlan,
) -> Cow<'m, ExperimentData> {
    let found = measurements
        .experiments
        .iter()
        .find(|d| d.target == target && d.id == plan.id);
    found.map_or_else(
        || {
            Cow::Owned(ExperimentData {
                target: target.to_owned(),
                id: plan.id.clone(),
                fault: None,
                workers: Vec::new(),
            })
        },
        Cow::Borrowed,
    )
}

/// Seed of the resampling of one experiment.
fn seed_of(plan: &Plan, target: &str, experiment: &str) -> u64 {
    Stream::new(plan.seed.0, &format!("bootstrap/{target}/{experiment}")).next_u64()
}

fn session_control(plan: &Plan, units: &[Vec<Unit>]) -> Option<SessionControl> {
    let strata: Vec<Vec<f64>> = units
        .iter()
        .map(|u| effects(u))
        .filter(|d| !d.is_empty())
        .collect();
    let count = strata.iter().map(Vec::len).sum();
    let seed = seed_of(plan, "", "A/A over the session");
    let p = stratified_sign_flip(&strata, seed).ok()?.p;
    Some(SessionControl {
        units: count,
        p: round12(p),
        passed: p > AA_REFUSES_AT,
    })
}

/// The reason of an A/A interval that reaches beyond the margin.
pub(super) fn below_noise_floor(
    floor: Option<f64>,
    bounds: (f64, f64),
    estimand: Estimand,
    metric: &Metric,
) -> Option<Reason> {
    let floor = floor.filter(|floor| *floor > bounds.1)?;
    let detail = match estimand {
        Estimand::PairedLogRatio => format!(
            "A/A within {}, margin {}",
            plain_percent(libm::expm1(floor), Some(floor)),
            margin_percent(libm::expm1(bounds.1))
        ),
        Estimand::PairedDifference => format!(
            "A/A within {}, margin {} {}",
            round12(floor),
            round12(bounds.1),
            metric.unit
        ),
    };
    Some(Reason::new(Code::BelowNoiseFloor, detail))
}

/// The arms' own values of a metric.
pub(super) fn summaries(
    plan: &ExperimentPlan,
    data: &ExperimentData,
    quantity: Quantity,
) -> Vec<ArmSummary> {
    let summary = |(arm, name): (usize, &String)| {
        let medians = worker_medians(plan, data, quantity, arm);
        let extreme = |pick: fn(f64, f64) -> f64| medians.iter().copied().reduce(pick).map(round12);
        ArmSummary {
            name: name.clone(),
            n: medians.len(),
            median: bootstrap::moments::median(&medians).ok().map(round12),
            min: extreme(f64::min),
            max: extreme(f64::max),
        }
    };
    plan.arms.iter().enumerate().map(summary).collect()
}

/// The median slot of an instance in every complete worker that has one, or
/// its quantile.
pub(super) fn worker_medians(
    plan: &ExperimentPlan,
    data: &ExperimentData,
    quantity: Quantity,
    instance: usize,
) -> Vec<f64> {
    let complete = data.workers.iter().filter(|w| w.is_complete());
    complete
        .filter_map(|worker| {
            if let Some(found) = worker_quantile(plan, quantity, worker, None, instance) {
                return found.value;
            }
            let values: Vec<f64> = worker
                .values(quantity)
                .iter()
                .zip(&worker.instance)
                .filter(|&(_, &of)| usize::from(of) == instance)
                .filter_map(|(value, _)| *value)
                .collect();
            bootstrap::moments::median(&values).ok()
        })
        .collect()
}

pub(super) fn control_mean(arms: &[ArmSummary]) -> f64 {
    arms.first().and_then(|a| a.median).unwrap_or(1.0)
}

pub(super) fn assemble<'a>(
    (plan, candidate): (&'a ExperimentPlan, usize),
    d: &[f64],
    first: &[bool],
    bounds: (f64, f64),
    rule: &StopRule,
    seed: u64,
) -> Draft<'a> {
    let mut gates = Vec::new();
    if d.iter().any(|x| !x.is_finite()) {
        gates.push(Reason::new(Code::NonFinite, "an effect can't be computed"));
        let evidence = Evidence::gather(&[], bounds, rule, seed);
        return Draft {
            plan: Cow::Borrowed(plan),
            candidate,
            evidence,
            gates,
            seed,
        };
    }
    let evidence = Evidence::gather(d, bounds, rule, seed);
    gates.extend(check_units(
        d,
        evidence.lower,
        evidence.higher,
        evidence.ties,
        first,
    ));
    if *rule == StopRule::EProcess {
        gates.push(Reason::new(
            Code::SequentialInterval,
            "the e-process chose when to stop",
        ));
    }
    if evidence.n >= 6 {
        let detail = format!("3/n = {:.2}", 3.0 / evidence.n as f64);
        gates.push(Reason::new(Code::UnseenMode, detail));
    }
    Draft {
        plan: Cow::Borrowed(plan),
        candidate,
        evidence,
        gates,
        seed,
    }
}

/// Holm over the family; comparisons without a p count as p = 1.
fn adjust(drafts: &[Draft<'_>], family_size: usize) -> Vec<Option<f64>> {
    let mut ps: Vec<f64> = drafts.iter().map(|d| d.evidence.p.unwrap_or(1.0)).collect();
    ps.resize(family_size.max(ps.len()), 1.0);
    let adjusted = holm(&ps).unwrap_or_else(|_| vec![1.0; ps.len()]);
    drafts
        .iter()
        .zip(adjusted)
        .map(|(d, p)| d.evidence.p.map(|_| p))
        .collect()
}

pub(super) fn finish(draft: &Draft<'_>, p_adjusted: Option<f64>) -> Claim {
    let plan = draft.plan.as_ref();
    let e = &draft.evidence;
    let verdict = classify(e, plan.metric.direction, p_adjusted, &draft.gates);
    // Fewer than this can neither find the margin nor prove parity. When there
    // are as many already, the effect itself is about as large as the margin.
    let units_needed = (verdict.class == Class::NoiseDominated)
        .then(|| workers_needed(e.margin.1, e.sd?).ok())
        .flatten()
        .map(|n| n.max(floor::PARITY))
        .filter(|&n| n > e.n as u64);
    let (control, candidate) = (&plan.arms[0], &plan.arms[draft.candidate]);
    let sentence = worded(
        plan.margin,
        &plan.metric,
        plan,
        (control, candidate),
        units_needed,
        e,
        &verdict,
    );
    Claim {
        candidate: candidate.clone(),
        control: control.clone(),
        metric: plan.metric.id.clone(),
        class: verdict.class,
        shade: verdict.shade,
        outcome: verdict.outcome,
        sentence,
        reasons: verdict.reasons,
        estimate: Estimate::of(e, plan.estimand, p_adjusted, draft.seed),
        units_needed,
    }
}

fn worded(
    margin: Margin,
    metric: &Metric,
    plan: &ExperimentPlan,
    (control, candidate): (&str, &str),
    needed: Option<u64>,
    evidence: &Evidence,
    verdict: &Verdict,
) -> String {
    let subject = Subject {
        control,
        candidate,
        metric,
        device: plan.device.as_deref(),
        estimand: plan.estimand,
        margin,
        unit: plan.unit,
        outcomes: evidence.outcomes.is_some(),
        needed,
    };
    sentence(&subject, evidence, verdict)
}
