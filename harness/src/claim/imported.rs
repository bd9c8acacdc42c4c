//! Pairs that something else measured: the same rules, on less knowledge.
//!
//! What nobody declared caps the class, and every cap is named.

use super::judge::{AA_REFUSES_AT, Draft, assemble, finish};
use super::number::round12;
use super::overall::{OverallClaim, overall_claims};
use super::pairs::{Missing, Pairs, mean};
use super::rates::rate_evidence;
use super::units::margins;
use super::{ArmSummary, Claim, Class, SessionControl, evidence::half_width95};
use crate::estimate::{PairedCounts, holm, max_t, mcnemar, stratified_sign_flip};
use crate::gate::{Code, Reason, Severity};
use crate::plan::{
    Design, Direction, Estimand, ExperimentPlan, Margin, MarginScale, Metric, ReplicationUnit,
    Seed, StopRule,
};
use bootstrap::Stream;
use std::collections::BTreeMap;

/// More than this share of units without both values refuses the comparison.
const MISSING_REFUSES_ABOVE: f64 = 0.05;
/// Joint flips of several metrics up to this many units; Holm above.
const JOINT_FLIPS_UP_TO: usize = 10_000;

/// One comparison of an imported data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// Experiment id, with its profile when it has one.
    pub experiment: String,
    /// Profile inside the experiment; empty without profiles.
    pub profile: String,
    /// What was measured.
    pub metric: Metric,
    /// What it is compared with.
    pub control: String,
    /// The arm that is compared.
    pub candidate: String,
    /// The smallest effect that matters.
    pub margin: Margin,
    /// Which effect is estimated.
    pub estimand: Estimand,
    /// What n counts.
    pub unit: ReplicationUnit,
    /// What is known about the order: one of the imported designs.
    pub design: Design,
    /// Whether the number of units was declared before measuring.
    pub stop_rule: StopRule,
    /// What is declared about an A/A control whose units are not at hand.
    pub aa_passed: Option<bool>,
    /// Whether values are outcomes of tasks, 0 or 1.
    pub outcomes: bool,
    /// 1 for the first run of a plan.
    pub attempt: u32,
    /// Which comparisons its p is adjusted with.
    pub family: Family,
    /// The measurements.
    pub pairs: Pairs,
    /// Units that have no pair, because a value was not measured.
    pub missing: Missing,
    /// Units that have no pair, because the work failed.
    pub failed: Missing,
    /// What reading and declaring already gave reason for.
    pub gates: Vec<Reason>,
}

/// Which comparisons a p is adjusted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// With every other primary comparison (Holm).
    Primary,
    /// With the other secondary metrics of one comparison, over the same units
    /// in the same order (joint sign flips).
    Secondary(usize),
}

/// Pairs of the control with itself.
#[derive(Clone, Debug, PartialEq)]
pub struct ControlPairs {
    /// Experiment id.
    pub experiment: String,
    /// Id of the metric.
    pub metric: String,
    /// Which effect is estimated.
    pub estimand: Estimand,
    /// The control, and the control again.
    pub pairs: Pairs,
}

/// What follows from a data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// Number of primary comparisons.
    pub family_size: usize,
    /// The control against itself.
    pub control: Option<SessionControl>,
    /// One claim per comparison, in their order.
    pub claims: Vec<Claim>,
    /// The values of each comparison's control and candidate.
    pub arms: Vec<[ArmSummary; 2]>,
    /// Statements over profiles that are too small for their own.
    pub overall: Vec<OverallClaim>,
}

/// Judges a data set: every comparison by the rules that hold for sessions.
///
/// Pure: the same data and seed give the same claims anywhere.
#[must_use]
pub fn assess(comparisons: &[Imported], controls: &[ControlPairs], seed: Seed) -> Assessment {
    let control = control_test(controls, seed);
    let plans: Vec<ExperimentPlan> = comparisons.iter().map(plan_of).collect();
    let drafts: Vec<Draft<'_>> = comparisons
        .iter()
        .zip(&plans)
        .map(|(imported, plan)| draft(imported, plan, controls, control, seed))
        .collect();
    let adjusted = adjust(comparisons, &drafts, seed);
    let claims: Vec<Claim> = drafts
        .iter()
        .zip(adjusted)
        .map(|(draft, p)| {
            let mut claim = finish(draft, p);
            if claim.class == Class::Invalid {
                // No unit was looked at, so none is counted as too few.
                claim.reasons.retain(|r| r.code != Code::TooFewWorkers);
            }
            claim
        })
        .collect();
    Assessment {
        family_size: comparisons
            .iter()
            .filter(|c| c.family == Family::Primary)
            .count(),
        control,
        overall: overall_claims(comparisons, &claims, seed),
        claims,
        arms: comparisons.iter().map(arms).collect(),
    }
}

/// Medians and extremes of both arms over the units.
fn arms(imported: &Imported) -> [ArmSummary; 2] {
    let (control, candidate) = imported.pairs.averaged();
    // What was not measured has no value to show.
    let unreal = [Code::NotMeasured, Code::SimulatedSource, Code::NonFinite];
    let real = !imported.gates.iter().any(|g| unreal.contains(&g.code));
    let of = |name: &String, values: &[f64]| {
        let shown = |x: Option<f64>| x.filter(|x| real && x.is_finite()).map(round12);
        let extreme = |pick: fn(f64, f64) -> f64| values.iter().copied().reduce(pick);
        ArmSummary {
            name: name.clone(),
            n: values.len(),
            median: shown(bootstrap::moments::median(values).ok()),
            min: shown(extreme(f64::min)),
            max: shown(extreme(f64::max)),
        }
    };
    [
        of(&imported.control, &control),
        of(&imported.candidate, &candidate),
    ]
}

fn draft<'a>(
    imported: &Imported,
    plan: &'a ExperimentPlan,
    controls: &[ControlPairs],
    control: Option<SessionControl>,
    seed: Seed,
) -> Draft<'a> {
    let seed = seed_of(seed, &imported.experiment, &imported.metric.id);
    let mut gates = imported.gates.clone();
    gates.extend(lost(
        imported,
        imported.missing,
        Code::NotMeasured,
        "a value is missing",
    ));
    gates.extend(lost(
        imported,
        imported.failed,
        Code::ErrorsPresent,
        "the work failed",
    ));
    gates.extend(declaration(imported));
    let level = mean(&imported.pairs.averaged().0);
    let of_level = imported.margin.scale == MarginScale::Relative
        && imported.estimand == Estimand::PairedDifference;
    if !level.is_finite() && gates.iter().all(|g| g.severity < Severity::Invalid) {
        gates.push(Reason::new(
            Code::NonFinite,
            "the control's mean is out of range",
        ));
    } else if of_level && level == 0.0 && imported.pairs.units() > 0 {
        let detail = "the margin is a share of the control's mean, which is 0";
        gates.push(Reason::new(Code::ZeroBaseline, detail));
    }
    // Without a level there is no margin either; the comparison is refused.
    let level = if level.is_finite() && level != 0.0 {
        level
    } else {
        1.0
    };
    let bounds = margins(imported.margin, imported.estimand, level);
    let own_control = controls
        .iter()
        .find(|c| c.experiment == imported.experiment && c.metric == imported.metric.id);
    match control {
        Some(control) if !control.passed => {
            let detail = format!("p = {:.1e} over {} A/A units", control.p, control.units);
            gates.push(Reason::new(Code::AaFailed, detail));
        }
        _ => {
            let floor = own_control
                .and_then(|c| half_width95(&c.pairs.effects(c.estimand), seed))
                .filter(|floor| *floor > bounds.1);
            if let Some(floor) = floor {
                let detail = format!("A/A half width {floor:.2e}, margin {:.2e}", bounds.1);
                gates.push(Reason::new(Code::BelowNoiseFloor, detail));
            }
        }
    }
    if own_control.is_none() {
        match imported.aa_passed {
            Some(true) => {}
            Some(false) => gates.push(Reason::new(
                Code::AaFailed,
                "the data say that the control differed from itself",
            )),
            None => gates.push(Reason::new(
                Code::NoAaControl,
                "the data hold no A/A control",
            )),
        }
    }
    // A refused comparison has no estimate: its numbers are not comparable.
    let refused = gates.iter().any(|r| r.severity == Severity::Invalid);
    let effects = if refused {
        Vec::new()
    } else {
        imported.pairs.effects(imported.estimand)
    };
    let mut draft = if imported.outcomes && !refused {
        Draft {
            plan,
            candidate: 1,
            evidence: rate_evidence(&imported.pairs, bounds, &imported.stop_rule, seed),
            gates: Vec::new(),
            seed,
        }
    } else {
        assemble(
            (plan, 1),
            &effects,
            &imported.pairs.control_first,
            bounds,
            &imported.stop_rule,
            seed,
        )
    };
    if refused {
        // Nothing was computed, so nothing may be said about the units.
        draft.gates.clear();
    }
    draft.gates.splice(0..0, gates);
    draft
}

/// Units without a pair: a note up to 5 %, refused above or when one arm
/// loses more than the other.
fn lost(imported: &Imported, lost: Missing, code: Code, what: &str) -> Option<Reason> {
    let total = lost.total();
    if total == 0 {
        return None;
    }
    let paired = imported.pairs.units();
    let all = paired + imported.missing.total() + imported.failed.total();
    let detail = format!(
        "{what} in {total} of {all} units: {} in `{}`, {} in `{}`, {} in both",
        lost.control, imported.control, lost.candidate, imported.candidate, lost.both
    );
    let unequal = mcnemar(&PairedCounts {
        both: paired as u64,
        first_only: lost.control as u64,
        second_only: lost.candidate as u64,
        neither: lost.both as u64,
    });
    let mut reason = Reason::new(code, detail);
    if total as f64 <= MISSING_REFUSES_ABOVE * all as f64 && unequal.mid_p > 0.05 {
        reason.severity = Severity::Note;
    }
    Some(reason)
}

/// What the declaration caps.
fn declaration(imported: &Imported) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut add = |code, detail: String| reasons.push(Reason::new(code, detail));
    if imported.metric.direction == Direction::Context {
        let detail = format!("`{}` has no direction", imported.metric.id);
        add(Code::DirectionUndeclared, detail);
    }
    // The reader says more about the order when it knows more.
    let told = |code| imported.gates.iter().any(|r| r.code == code);
    match imported.design {
        Design::ImportedFixed if !told(Code::OrderNotRandomised) => add(
            Code::OrderNotRandomised,
            "the order followed a pattern".into(),
        ),
        Design::ImportedUnknown if !told(Code::OrderUnknown) => {
            add(Code::OrderUnknown, "the data have no order".into());
        }
        _ => {}
    }
    match imported.unit {
        ReplicationUnit::Worker => {}
        ReplicationUnit::PairInProcess => {
            add(Code::UnitsNotWorkers, "pairs inside one process".into());
        }
        ReplicationUnit::Request => add(
            Code::UnitsNotWorkers,
            "requests to one running server".into(),
        ),
        ReplicationUnit::Imported => {
            add(
                Code::UnitUnknown,
                "the data do not say what a pair is".into(),
            );
        }
    }
    if imported.stop_rule == StopRule::Undeclared && !told(Code::StopRuleUndeclared) {
        add(
            Code::StopRuleUndeclared,
            "the data do not say how many units were planned".into(),
        );
    }
    if !imported.margin.declared {
        add(
            Code::MarginUndeclared,
            "the default of 1 % was used".to_owned(),
        );
    }
    if imported.attempt > 1 {
        add(
            Code::Attempts,
            format!("attempt {} of its plan", imported.attempt),
        );
    }
    reasons
}

/// The A/A test over the whole data set.
fn control_test(controls: &[ControlPairs], seed: Seed) -> Option<SessionControl> {
    let strata: Vec<Vec<f64>> = controls
        .iter()
        .map(|c| c.pairs.effects(c.estimand))
        .filter(|d| !d.is_empty())
        .collect();
    let seed = seed_of(seed, "A/A over the session", "");
    let p = stratified_sign_flip(&strata, seed).ok()?.p;
    Some(SessionControl {
        units: strata.iter().map(Vec::len).sum(),
        p: round12(p),
        passed: p > AA_REFUSES_AT,
    })
}

/// Holm over the primary comparisons; joint sign flips over the secondary
/// metrics of each comparison.
fn adjust(comparisons: &[Imported], drafts: &[Draft<'_>], seed: Seed) -> Vec<Option<f64>> {
    let mut families: BTreeMap<Family, Vec<usize>> = BTreeMap::new();
    for (i, comparison) in comparisons.iter().enumerate() {
        families.entry(comparison.family).or_default().push(i);
    }
    let mut adjusted = vec![None; drafts.len()];
    for (family, members) in families {
        // A comparison without a p still counts as asked.
        let ps: Vec<f64> = members
            .iter()
            .map(|&i| drafts[i].evidence.p.unwrap_or(1.0))
            .collect();
        let joint = match family {
            Family::Primary => None,
            Family::Secondary(_) => joint(comparisons, drafts, &members, seed),
        };
        let of_family = joint
            .or_else(|| holm(&ps).ok())
            .unwrap_or_else(|| vec![1.0; ps.len()]);
        for ((&i, p), own) in members.iter().zip(of_family).zip(ps) {
            adjusted[i] = drafts[i].evidence.p.map(|_| p.max(own));
        }
    }
    adjusted
}

/// Adjusted p of metrics over the same units; `None` where they differ.
fn joint(
    comparisons: &[Imported],
    drafts: &[Draft<'_>],
    members: &[usize],
    seed: Seed,
) -> Option<Vec<f64>> {
    let n = drafts[members[0]].evidence.n;
    let usable = |&i: &usize| {
        drafts[i].evidence.p.is_some() && drafts[i].evidence.n == n && !comparisons[i].outcomes
    };
    if members.len() < 2 || n > JOINT_FLIPS_UP_TO || !members.iter().all(usable) {
        return None;
    }
    let effects: Vec<Vec<f64>> = members
        .iter()
        .map(|&i| comparisons[i].pairs.effects(comparisons[i].estimand))
        .collect();
    let seed = seed_of(
        seed,
        &comparisons[members[0]].experiment,
        "secondary metrics",
    );
    Some(max_t(&effects, seed).ok()?.adjusted)
}

fn plan_of(imported: &Imported) -> ExperimentPlan {
    ExperimentPlan {
        id: imported.experiment.clone(),
        arms: vec![imported.control.clone(), imported.candidate.clone()],
        metric: imported.metric.clone(),
        margin: imported.margin,
        estimand: imported.estimand,
        unit: imported.unit,
        design: imported.design,
        workers: u32::try_from(imported.pairs.units()).unwrap_or(u32::MAX),
        blocks: 1,
        aa_blocks: 0,
        iterations: 1,
        throughput: Vec::new(),
        verified: false,
        same_code: None,
        pilot_ns: Vec::new(),
        schedule_digest: String::new(),
    }
}

fn seed_of(seed: Seed, experiment: &str, metric: &str) -> u64 {
    Stream::new(seed.0, &format!("bootstrap/imported/{experiment}/{metric}")).next_u64()
}
