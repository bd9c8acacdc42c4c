//! What further metrics of the same slots say: claims of their own, or a word
//! about the primary one.

use super::evidence::reach95;
use super::judge::{Draft, assemble, below_noise_floor, control_mean, finish, summaries};
use super::number::round12;
use super::quantiles::check_quantile;
use super::slots::below_client_error;
use super::units::{effects, margins, units_of};
use super::{ArmSummary, Claim, Evidence};
use crate::estimate::{holm, max_t};
use crate::gate::{Code, Reason, check_metric};
use crate::observation::{ExperimentData, Quantity, block_means};
use crate::plan::{ExperimentPlan, SecondaryMetric, SecondaryRole, StopRule};
use bootstrap::Stream;
use serde::{Deserialize, Serialize};

/// Name of the fact with a hash of an arm's machine code.
const CODE_HASH: &str = "code_hash";

/// What follows for one secondary metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SecondaryJudgement {
    /// Id of the metric.
    pub metric: String,
    /// What it is for.
    pub role: SecondaryRole,
    /// The arms' own values.
    pub arms: Vec<ArmSummary>,
    /// How far from zero the A/A interval reaches.
    pub noise_floor: Option<f64>,
    /// One claim per candidate, where the metric has claims.
    pub claims: Vec<Claim>,
}

/// A comparison on one of the metrics, before it knows its family.
struct Member<'a> {
    /// Place of the metric in the plan.
    metric: usize,
    draft: Draft<'a>,
    /// Workers of the units.
    workers: Vec<u32>,
    /// Effects of the units.
    effects: Vec<f64>,
}

fn has_claims(role: SecondaryRole) -> bool {
    matches!(role, SecondaryRole::Claim | SecondaryRole::ClaimPerUnit)
}

/// Judges the secondary metrics of an experiment. `common` concerns every
/// metric, `all` also holds what stops at metrics per unit of work.
pub(super) fn judge(
    plan: &ExperimentPlan,
    data: &ExperimentData,
    common: &[Reason],
    all: &[Reason],
    rule: &StopRule,
    seed: u64,
) -> Vec<SecondaryJudgement> {
    // Each metric as an experiment of its own, so that one set of rules holds.
    let plans: Vec<ExperimentPlan> = plan.secondary.iter().map(|s| alone(plan, s)).collect();
    let mut judged = Vec::with_capacity(plans.len());
    let mut members: Vec<Member<'_>> = Vec::new();
    for (at, (secondary, alone)) in plan.secondary.iter().zip(&plans).enumerate() {
        let quantity = Quantity::Secondary(at);
        let arms = summaries(plan, data, quantity);
        let control = units_of(plan, quantity, data, true, plan.arms.len());
        let noise_floor = reach95(&effects(&control), seed).map(round12);
        if has_claims(secondary.role) {
            let level = control_mean(&arms);
            let bounds = margins(alone.margin, alone.estimand, level);
            let mut gates = match secondary.role {
                SecondaryRole::ClaimPerUnit => common.to_vec(),
                _ => all.to_vec(),
            };
            // The primary metric's own declarations say nothing about this one.
            let own = [Code::DirectionUndeclared, Code::MarginUndeclared];
            gates.retain(|reason| !own.contains(&reason.code));
            gates.extend(check_metric(alone));
            gates.extend(below_noise_floor(
                noise_floor,
                bounds,
                alone.estimand,
                &alone.metric,
            ));
            for candidate in 1..=plan.candidates().len() {
                let units = units_of(plan, quantity, data, false, candidate);
                let first: Vec<bool> = units.iter().map(|u| u.control_first).collect();
                let d = effects(&units);
                let mut draft = assemble((alone, candidate), &d, &first, bounds, rule, seed);
                draft.evidence.noise_floor = noise_floor;
                draft.gates.splice(0..0, gates.iter().cloned());
                draft
                    .gates
                    .extend(check_quantile(plan, data, at, candidate));
                draft
                    .gates
                    .extend(below_client_error(alone, data, &draft.evidence, level));
                members.push(Member {
                    metric: at,
                    draft,
                    workers: units.iter().map(|u| u.worker).collect(),
                    effects: d,
                });
            }
        }
        judged.push(SecondaryJudgement {
            metric: secondary.metric.id.clone(),
            role: secondary.role,
            arms,
            noise_floor,
            claims: Vec::new(),
        });
    }
    for candidate in 1..=plan.candidates().len() {
        let family: Vec<&Member<'_>> = members
            .iter()
            .filter(|member| member.draft.candidate == candidate)
            .collect();
        for (member, p) in family.iter().zip(adjust(&family, rule, seed)) {
            judged[member.metric].claims.push(finish(&member.draft, p));
        }
    }
    judged
}

fn alone(plan: &ExperimentPlan, secondary: &SecondaryMetric) -> ExperimentPlan {
    ExperimentPlan {
        metric: secondary.metric.clone(),
        margin: secondary.margin,
        estimand: secondary.estimand,
        secondary: Vec::new(),
        ..plan.clone()
    }
}

/// p adjusted over the secondary metrics of one comparison: joint sign flips
/// where p comes from sign flips and all have the same units, Holm otherwise.
fn adjust(family: &[&Member<'_>], rule: &StopRule, seed: u64) -> Vec<Option<f64>> {
    let own: Vec<Option<f64>> = family.iter().map(|m| m.draft.evidence.p).collect();
    let ps: Vec<f64> = own.iter().map(|p| p.unwrap_or(1.0)).collect();
    let joinable = |member: &&Member<'_>| {
        member.draft.evidence.p.is_some() && member.workers == family[0].workers
    };
    let flipped = *rule != StopRule::EProcess;
    let joint = if flipped && family.len() > 1 && family.iter().all(joinable) {
        let effects: Vec<Vec<f64>> = family.iter().map(|m| m.effects.clone()).collect();
        let seed = Stream::new(seed, "secondary metrics").next_u64();
        max_t(&effects, seed).ok().map(|t| t.adjusted)
    } else {
        None
    };
    let adjusted = joint
        .or_else(|| holm(&ps).ok())
        .unwrap_or_else(|| vec![1.0; ps.len()]);
    own.into_iter()
        .zip(adjusted)
        .map(|(own, adjusted)| own.map(|p| adjusted.max(p)))
        .collect()
}

/// Metrics that must be equal in both arms and are not.
pub(super) fn unmatched(plan: &ExperimentPlan, data: &ExperimentData) -> Vec<Reason> {
    let matched = plan
        .secondary
        .iter()
        .enumerate()
        .filter(|(_, secondary)| secondary.role == SecondaryRole::Match);
    let mut reasons = Vec::new();
    for (at, secondary) in matched {
        for candidate in 1..plan.arms.len() {
            let (mut blocks, mut unequal, mut example) = (0, 0, None);
            for worker in data.workers.iter().filter(|w| w.is_complete()) {
                let pairs = block_means(worker, Quantity::Secondary(at), false, 0, candidate);
                blocks += pairs.len();
                let differ = pairs.iter().filter(|(control, other)| control != other);
                unequal += differ.clone().count();
                example = example.or_else(|| differ.clone().next().copied());
            }
            let code = match secondary.metric.unit.as_str() {
                "tokens" => Code::TokenMismatch,
                _ => Code::WorkUnitMismatch,
            };
            if let Some(unknown) = unknown_in_part(plan, data, at, candidate) {
                let detail = format!("{}: not known of {unknown}", secondary.metric.id);
                reasons.push(Reason::new(code, detail));
            }
            if let Some((control, other)) = example {
                let detail = format!(
                    "{}: {unequal} of {blocks} blocks differ between `{}` and `{}`, for example \
                     {} and {}",
                    secondary.metric.id,
                    plan.arms[0],
                    plan.arms[candidate],
                    round12(control),
                    round12(other)
                );
                reasons.push(Reason::new(code, detail));
            }
        }
    }
    reasons
}

/// Slots that did their work and do not tell how much, where others do.
fn unknown_in_part(
    plan: &ExperimentPlan,
    data: &ExperimentData,
    metric: usize,
    candidate: usize,
) -> Option<String> {
    let counts = [0, candidate].map(|arm| {
        let (mut known, mut all) = (0, 0);
        for worker in data.workers.iter().filter(|w| w.is_complete()) {
            let values = worker.values(Quantity::Secondary(metric));
            let compared = (0..worker.len()).filter(|&slot| {
                usize::from(worker.instance[slot]) == arm
                    && !worker.control_pair[slot]
                    && !worker.failed(slot)
            });
            for slot in compared {
                all += 1;
                known += usize::from(values.get(slot).is_some_and(Option::is_some));
            }
        }
        (known, all)
    });
    let [(control, _), (other, _)] = counts;
    if control + other == 0 || counts.iter().all(|(known, all)| known == all) {
        return None;
    }
    let parts = [0, candidate].into_iter().zip(counts);
    let parts = parts.map(|(arm, (known, all))| {
        format!("{} of {all} slots of `{}`", all - known, plan.arms[arm])
    });
    Some(parts.collect::<Vec<_>>().join(" and "))
}

/// Whether a metric that must move like the primary one does not.
pub(super) fn uncorroborated(
    plan: &ExperimentPlan,
    data: &ExperimentData,
    candidate: usize,
    primary: &Evidence,
    (rule, seed): (&StopRule, u64),
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for (at, secondary) in plan.secondary.iter().enumerate() {
        if secondary.role != SecondaryRole::Corroborate {
            continue;
        }
        let quantity = Quantity::Secondary(at);
        let arms = summaries(plan, data, quantity);
        let bounds = margins(secondary.margin, secondary.estimand, control_mean(&arms));
        let d = effects(&units_of(plan, quantity, data, false, candidate));
        let other = Evidence::gather(&d, bounds, rule, seed);
        if let Some(problem) = disagreement(primary, &other) {
            let detail = format!("{}: {problem}", secondary.metric.id);
            reasons.push(Reason::new(Code::Uncorroborated, detail));
        }
    }
    reasons
}

/// What the primary evidence concludes and the other does not.
fn disagreement(primary: &Evidence, other: &Evidence) -> Option<&'static str> {
    let ci = primary.ci95?;
    let Some(other_ci) = other.ci95 else {
        return Some("not measured in enough workers");
    };
    let zero = primary.zero_tolerance;
    if ci.excludes_zero(zero) && !ci.inside(primary.margin) {
        let same_side = (primary.effect < 0.0) == (other.effect < 0.0);
        if !(same_side && other_ci.excludes_zero(other.zero_tolerance)) {
            return Some("no change to the same side that its CI95 shows");
        }
    } else if ci.inside(primary.margin) && !other_ci.inside(other.margin) {
        return Some("its CI95 does not lie inside the margin");
    }
    None
}

/// Whether both arms ran the same machine code in every worker.
pub(super) fn same_code(data: &ExperimentData, candidate: usize) -> Option<Reason> {
    let hash = |worker: &crate::observation::WorkerData, instance: usize| {
        worker.facts.get(instance)?.get(CODE_HASH).cloned()
    };
    let mut complete = data.workers.iter().filter(|w| w.is_complete()).peekable();
    let first = hash(complete.peek()?, 0)?;
    let same = complete.all(|w| hash(w, 0).is_some() && hash(w, 0) == hash(w, candidate));
    same.then(|| {
        let short: String = first.chars().take(12).collect();
        Reason::new(Code::SameCode, format!("code hash {short}"))
    })
}
