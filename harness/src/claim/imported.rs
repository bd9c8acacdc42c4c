//! Pairs that something else measured: the same rules, on less knowledge.
//!
//! What nobody declared caps the class, and every cap is named.

use super::declarations::{declaration, lost};
use super::family::adjust;
use super::judge::{AA_REFUSES_AT, Draft, assemble, finish};
use super::number::round12;
use super::overall::{OverallClaim, overall_claims};
use super::pairs::{Missing, Pairs, mean};
use super::rates::rate_evidence;
use super::units::margins;
use super::{ArmSummary, Claim, Class, SessionControl, evidence::reach95};
use crate::estimate::stratified_sign_flip;
use crate::gate::{Code, Reason, Severity};
use crate::plan::{
    Design, Estimand, ExperimentPlan, Margin, MarginScale, Metric, ReplicationUnit, Seed, StopRule,
};
use bootstrap::Stream;
use std::borrow::Cow;

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
    let noise_floor = own_control.and_then(|c| reach95(&c.pairs.effects(c.estimand), seed));
    match control {
        Some(control) if !control.passed => {
            let detail = format!("p = {:.1e} over {} A/A units", control.p, control.units);
            gates.push(Reason::new(Code::AaFailed, detail));
        }
        _ => {
            if let Some(floor) = noise_floor.filter(|floor| *floor > bounds.1) {
                let detail = format!("A/A within {floor:.2e}, margin {:.2e}", bounds.1);
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
            plan: Cow::Borrowed(plan),
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
    draft.evidence.noise_floor = noise_floor;
    draft
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

fn plan_of(imported: &Imported) -> ExperimentPlan {
    ExperimentPlan {
        id: imported.experiment.clone(),
        arms: vec![imported.control.clone(), imported.candidate.clone()],
        metric: imported.metric.clone(),
        margin: imported.margin,
        estimand: imported.estimand,
        secondary: Vec::new(),
        device: None,
        sweep: None,
        cold: false,
        separate: false,
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

pub(super) fn seed_of(seed: Seed, experiment: &str, metric: &str) -> u64 {
    Stream::new(seed.0, &format!("bootstrap/imported/{experiment}/{metric}")).next_u64()
}
