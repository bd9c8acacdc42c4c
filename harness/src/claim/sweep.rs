//! Sweeps: claims of every pair of cells, the frontier and the best cell that
//! follow from them.

use super::evidence::reach95;
use super::frontier::{Relation, Relations, Standing};
use super::judge::{
    ArmSummary, Claim, Draft, assemble, below_noise_floor, control_mean, summaries,
};
use super::number::round12;
use super::slots::below_client_error;
use super::units::{effects, margins, pair_units, units_of};
use crate::gate::{Code, Reason, Severity, check_metric};
use crate::observation::{ExperimentData, Quantity};
use crate::plan::{ExperimentPlan, StopRule, Sweep};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What may be said about the cells of a sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SweepJudgement {
    /// Id of the metric of throughput.
    pub throughput: String,
    /// Id of the metric of latency.
    pub latency: String,
    /// The one of them that says which cell is best.
    pub best_by: String,
    /// The best cell: claimed to come before every other. Equal cells are told
    /// apart by the other metric.
    pub best: Option<String>,
    /// Which cell is best, or why none is.
    pub sentence: String,
    /// The cells, in plan order.
    pub cells: Vec<CellStanding>,
    /// What is claimed of every pair of cells. All these claims, on both
    /// metrics, stand in the family of the session.
    pub pairs: Vec<CellPair>,
}

/// A cell and where it stands to the latency-throughput frontier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CellStanding {
    /// Its throughput over the workers.
    pub throughput: ArmSummary,
    /// Its latency over the workers.
    pub latency: ArmSummary,
    /// Where it stands.
    pub standing: Standing,
    /// The cells that decide it: those that dominate it, or those from which it
    /// is not told apart.
    pub others: Vec<String>,
}

/// What is claimed of two cells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CellPair {
    /// On the metric of throughput.
    pub throughput: Claim,
    /// On the metric of latency.
    pub latency: Claim,
}

/// Pairs of `cells` cells, the earlier one first.
fn pairs(cells: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..cells).flat_map(move |one| (one + 1..cells).map(move |other| (one, other)))
}

/// Where a metric of the experiment stands in a slot.
fn quantity(plan: &ExperimentPlan, id: &str) -> Quantity {
    let at = plan.secondary.iter().position(|s| s.metric.id == id);
    at.map_or(Quantity::Primary, Quantity::Secondary)
}

/// The experiment with one of its metrics as the primary one.
fn alone(plan: &ExperimentPlan, quantity: Quantity) -> ExperimentPlan {
    let mut alone = plan.clone();
    if let Quantity::Secondary(at) = quantity {
        let secondary = &plan.secondary[at];
        alone.metric = secondary.metric.clone();
        alone.margin = secondary.margin;
        alone.estimand = secondary.estimand;
    }
    alone.secondary = Vec::new();
    alone.sweep = None;
    alone
}

/// The comparisons of a sweep before they know their family: for every pair of
/// cells throughput, then latency. `reasons` concern the experiment as a whole.
pub(super) fn drafts(
    plan: &ExperimentPlan,
    sweep: &Sweep,
    data: &ExperimentData,
    reasons: &[Reason],
    (rule, seed): (&StopRule, u64),
) -> Vec<Draft<'static>> {
    let metrics = sweep.metrics().map(|id| {
        let quantity = quantity(plan, id);
        let alone = alone(plan, quantity);
        let control = units_of(plan, quantity, data, true, plan.arms.len());
        let floor = reach95(&effects(&control), seed).map(round12);
        let arms = summaries(plan, data, quantity);
        // The primary metric's own declarations say nothing about another one.
        let own = [Code::DirectionUndeclared, Code::MarginUndeclared];
        let mut gates = reasons.to_vec();
        gates.retain(|reason| !own.contains(&reason.code));
        gates.extend(check_metric(&alone));
        let bounds = margins(alone.margin, alone.estimand, control_mean(&arms));
        gates.extend(below_noise_floor(
            floor,
            bounds,
            alone.estimand,
            &alone.metric,
        ));
        (quantity, alone, floor, arms, gates)
    });
    let mut drafts = Vec::with_capacity(plan.comparisons());
    for (one, other) in pairs(plan.arms.len()) {
        for (quantity, alone, floor, arms, gates) in &metrics {
            let pair = ExperimentPlan {
                arms: vec![plan.arms[one].clone(), plan.arms[other].clone()],
                ..alone.clone()
            };
            let level = arms[one].median.unwrap_or(1.0);
            let bounds = margins(pair.margin, pair.estimand, level);
            let units = pair_units(plan, *quantity, data, one, other);
            let first: Vec<bool> = units.iter().map(|u| u.control_first).collect();
            let draft = assemble((&pair, 1), &effects(&units), &first, bounds, rule, seed);
            let (mut evidence, own) = (draft.evidence, draft.gates);
            evidence.noise_floor = *floor;
            let client = below_client_error(&pair, data, &evidence, level);
            drafts.push(Draft {
                gates: gates.iter().cloned().chain(own).chain(client).collect(),
                plan: Cow::Owned(pair),
                candidate: 1,
                evidence,
                seed,
            });
        }
    }
    drafts
}

/// Frontier and best cell from the finished claims, in the order of [`drafts`].
pub(super) fn conclude(
    plan: &ExperimentPlan,
    sweep: &Sweep,
    data: &ExperimentData,
    reasons: &[Reason],
    mut claims: impl Iterator<Item = Claim>,
) -> SweepJudgement {
    let cells = plan.arms.len();
    let mut relations = Relations::open(cells);
    let mut claimed = Vec::new();
    for (one, other) in pairs(cells) {
        let (Some(throughput), Some(latency)) = (claims.next(), claims.next()) else {
            break;
        };
        // The candidate of a pair is the later cell.
        relations.set(
            other,
            one,
            [Relation::of(&throughput), Relation::of(&latency)],
        );
        claimed.push(CellPair {
            throughput,
            latency,
        });
    }
    let values = sweep
        .metrics()
        .map(|id| summaries(plan, data, quantity(plan, id)));
    let name = |&cell: &usize| plan.arms[cell].clone();
    let standings = relations.frontier();
    let cells = standings
        .into_iter()
        .enumerate()
        .map(|(cell, (standing, others))| CellStanding {
            throughput: values[0][cell].clone(),
            latency: values[1][cell].clone(),
            standing,
            others: others.iter().map(name).collect(),
        });
    let by = usize::from(sweep.latency == plan.metric.id);
    let best = relations.best(by);
    let sentence = match best {
        Some(best) => format!(
            "Best cell by {}: `{}`, claimed to come before every other one.",
            plan.metric.id, plan.arms[best]
        ),
        None => none_is_best(plan, &relations, by, &values[by], reasons),
    };
    SweepJudgement {
        throughput: sweep.throughput.clone(),
        latency: sweep.latency.clone(),
        best_by: plan.metric.id.clone(),
        best: best.as_ref().map(name),
        sentence,
        cells: cells.collect(),
        pairs: claimed,
    }
}

/// Why no cell is best: which one is first by its median alone, and which ones
/// it is not claimed to come before.
fn none_is_best(
    plan: &ExperimentPlan,
    relations: &Relations,
    by: usize,
    values: &[ArmSummary],
    reasons: &[Reason],
) -> String {
    let metric = &plan.metric.id;
    let refused: Vec<String> = reasons
        .iter()
        .filter(|r| r.severity == Severity::Invalid)
        .map(|r| format!("{} ({})", r.code.meaning(), r.detail))
        .collect();
    if !refused.is_empty() {
        return format!("No best cell by {metric}, because {}.", listed(&refused));
    }
    let candidates = match relations.unbeaten(by) {
        // Parity is not transitive: each may be led by another one.
        none if none.is_empty() => (0..values.len()).collect(),
        some => some,
    };
    // Throughput is better when higher, latency when lower.
    let value = |cell: usize| values[cell].median.map(|m| if by == 0 { -m } else { m });
    let measured = candidates.iter().filter_map(|&c| Some((c, value(c)?)));
    let Some((first, _)) = measured.min_by(|a, b| a.1.total_cmp(&b.1)) else {
        return format!("No best cell by {metric}, because none was measured.");
    };
    let rivals = (0..values.len()).filter(|&o| o != first && !relations.leads(first, o, by));
    let (equal, open): (Vec<usize>, Vec<usize>) =
        rivals.partition(|&o| relations.of(first, o) == [Relation::Equal; 2]);
    let names = |cells: &[usize]| {
        let quoted: Vec<String> = cells
            .iter()
            .map(|&c| format!("`{}`", plan.arms[c]))
            .collect();
        listed(&quoted)
    };
    let mut why = Vec::new();
    if !open.is_empty() {
        why.push(format!(
            "`{}`, the first by its median, can't be told apart from {}",
            plan.arms[first],
            names(&open)
        ));
    }
    if !equal.is_empty() {
        why.push(format!(
            "`{}` and {} differ by less than the margin in throughput and latency",
            plan.arms[first],
            names(&equal)
        ));
    }
    format!("No best cell by {metric}, because {}.", listed(&why))
}

/// "a", "a and b", "a, b and c".
fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
