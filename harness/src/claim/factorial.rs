//! 2x2 designs: two factors, each off or on, and an arm that neither touches.

use super::number::{round12, signed_percent};
use super::pairs::Pairs;
use super::{Bounds, Class, Outcome};
use crate::estimate::{
    Cell, PairedCounts, RateDifference, ablation_2x2, newcombe_paired, sign_flip, untouched_arm,
    wilson,
};
use crate::gate::{Code, Reason, Severity};
use crate::plan::{Direction, Estimand, Metric};
use serde::Serialize;

/// Fewest tasks in a cell.
const FEWEST_PER_CELL: u64 = 6;
/// Level at which an untouched arm has moved. A design has up to four toggles.
const MOVED_LEVEL: f64 = 0.99;
/// Names of the cells, first factor first.
const CELLS: [&str; 4] = ["off, off", "off, on", "on, off", "on, on"];

/// Outcomes of tasks in a 2x2 design, counted: which tasks the cells share is
/// not known, so they are taken as independent.
#[derive(Clone, Debug, PartialEq)]
pub struct CountedDesign {
    /// What was measured.
    pub experiment: String,
    /// The arm; empty without arms.
    pub arm: String,
    /// Its metric: a rate of success.
    pub metric: Metric,
    /// The factors.
    pub factors: [String; 2],
    /// Cells 00, 01, 10, 11: first digit first factor.
    pub cells: [Cell; 4],
    /// What reading and the untouched arms already gave reason for.
    pub gates: Vec<Reason>,
}

/// A cell's rate.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CellRate {
    /// Levels of the factors, first factor first.
    pub levels: String,
    /// Passed tasks.
    pub passed: u64,
    /// All tasks.
    pub n: u64,
    /// Wilson's interval at 95 %.
    pub ci95: Option<Bounds>,
}

/// One contrast of a design.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FactorialEffect {
    /// What is compared.
    pub name: String,
    /// Difference of rates.
    pub difference: f64,
    /// MOVER interval on Wilson limits.
    pub ci95: Bounds,
    /// `directional` or `noise_dominated`: counts carry no claim.
    pub class: Class,
    /// Which way a hint goes; none for the interaction.
    pub outcome: Option<Outcome>,
    /// The statement.
    pub sentence: String,
}

/// What follows from a counted design.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FactorialVerdict {
    /// The highest class among the effects, or `invalid`, or `insufficient`.
    pub class: Class,
    /// Why it is not higher, the gravest first.
    pub reasons: Vec<Reason>,
    /// The statement about the design as a whole.
    pub sentence: String,
    /// The cells, while they may be compared.
    pub cells: Vec<CellRate>,
    /// Simple effects, main effects, interaction; empty when refused.
    pub effects: Vec<FactorialEffect>,
}

/// Judges a counted design.
#[must_use]
pub fn judge_counts(design: &CountedDesign) -> FactorialVerdict {
    let mut reasons = design.gates.clone();
    if design.metric.direction == Direction::Context {
        let detail = format!("`{}` has no direction", design.metric.id);
        reasons.push(Reason::new(Code::DirectionUndeclared, detail));
    }
    for (cell, levels) in design.cells.iter().zip(CELLS) {
        if cell.k > cell.n {
            let detail = format!("{} of {} tasks passed ({levels})", cell.k, cell.n);
            reasons.push(Reason::new(Code::NonFinite, detail));
        } else if cell.n < FEWEST_PER_CELL {
            let detail = format!("{} of at least {FEWEST_PER_CELL} ({levels})", cell.n);
            reasons.push(Reason::new(Code::TooFewWorkers, detail));
        }
    }
    reasons.push(Reason::new(
        Code::UnitUnknown,
        "counts do not say which tasks the cells share",
    ));
    reasons.push(Reason::new(Code::OrderUnknown, "counts have no order"));
    reasons.sort_by_key(|r| std::cmp::Reverse(r.severity));
    let gravest = reasons[0].severity;
    let refused = gravest >= Severity::Insufficient;
    let effects = if refused { Vec::new() } else { effects(design) };
    let class = match gravest {
        Severity::Invalid => Class::Invalid,
        Severity::Insufficient => Class::Insufficient,
        _ if effects.iter().any(|e| e.class == Class::Directional) => Class::Directional,
        _ => Class::NoiseDominated,
    };
    let clauses: Vec<String> = reasons
        .iter()
        .filter(|r| r.severity == gravest)
        .map(|r| format!("{} ({})", r.code.meaning(), r.detail))
        .collect();
    FactorialVerdict {
        class,
        sentence: format!("No claim, because {}.", clauses.join(", and ")),
        cells: if gravest == Severity::Invalid {
            Vec::new()
        } else {
            rates(&design.cells)
        },
        reasons,
        effects,
    }
}

fn rates(cells: &[Cell; 4]) -> Vec<CellRate> {
    let of = |(cell, levels): (&Cell, &str)| CellRate {
        levels: levels.to_owned(),
        passed: cell.k,
        n: cell.n,
        ci95: wilson(cell.k, cell.n, 0.95)
            .ok()
            .filter(|_| cell.n >= FEWEST_PER_CELL)
            .map(|r| bounds(r.lo, r.hi)),
    };
    cells.iter().zip(CELLS).map(of).collect()
}

fn bounds(lo: f64, hi: f64) -> Bounds {
    Bounds {
        lo: Some(round12(lo)),
        hi: Some(round12(hi)),
    }
}

fn effects(design: &CountedDesign) -> Vec<FactorialEffect> {
    let Ok(all) = ablation_2x2(&design.cells, 0.95) else {
        return Vec::new();
    };
    let [first, second] = &design.factors;
    let simple = |f: &str, g: &str, level: &str| (format!("{f} ({g} {level})"), true);
    let main = |f: &str, g: &str| (format!("{f} (averaged over {g})"), true);
    [
        (simple(first, second, "off"), all.first_with_second_off),
        (simple(first, second, "on"), all.first_with_second_on),
        (simple(second, first, "off"), all.second_with_first_off),
        (simple(second, first, "on"), all.second_with_first_on),
        (main(first, second), all.first),
        (main(second, first), all.second),
        (
            (format!("interaction of {first} and {second}"), false),
            all.interaction,
        ),
    ]
    .into_iter()
    .map(|((name, directed), found)| effect(design, name, directed, found))
    .collect()
}

fn effect(
    design: &CountedDesign,
    name: String,
    directed: bool,
    found: RateDifference,
) -> FactorialEffect {
    let RateDifference { difference, lo, hi } = found;
    let ci95 = bounds(lo, hi);
    let hint = ci95.excludes_zero(1e-9);
    let half = Some(0.5 * (hi - lo));
    let points = |x: f64| signed_percent(x, half).replace('%', "points");
    let better = match design.metric.direction {
        Direction::Higher => difference > 0.0,
        Direction::Lower | Direction::Context => difference < 0.0,
    };
    let outcome = (hint && directed).then_some(if better {
        Outcome::Improvement
    } else {
        Outcome::Regression
    });
    let metric = &design.metric.id;
    let opening = match outcome {
        Some(Outcome::Improvement) => "Not a claim, only a hint of an improvement",
        Some(Outcome::Regression) => "Not a claim, only a hint of a regression",
        None if hint => "Not a claim, only a hint that the factors depend on each other",
        None => "No claim, because the interval contains zero",
    };
    FactorialEffect {
        sentence: format!(
            "{opening}: {name} changes {metric} by {} (CI95 {} to {}).",
            points(difference),
            points(lo),
            points(hi)
        ),
        name,
        difference: round12(difference),
        ci95,
        class: if hint {
            Class::Directional
        } else {
            Class::NoiseDominated
        },
        outcome,
    }
}

/// Whether an arm moved although the toggled factor does not touch it:
/// independent counts with the factor off and on.
#[must_use]
pub fn untouched_counts(arm: &str, toggle: &str, off: Cell, on: Cell) -> Option<Reason> {
    let found = untouched_arm(off, on, MOVED_LEVEL).ok()?;
    (!found.warnings.is_empty()).then(|| {
        let what = format!("{} of {} off, {} of {} on", off.k, off.n, on.k, on.n);
        moved(arm, toggle, &what)
    })
}

/// The same for units that have both: off is the control, on the candidate.
#[must_use]
pub fn untouched_units(
    arm: &str,
    toggle: &str,
    pairs: &Pairs,
    estimand: Estimand,
    seed: u64,
) -> Option<Reason> {
    let (off, on) = pairs.averaged();
    let whole = |v: &[f64]| v.iter().all(|&x| x == 0.0 || x == 1.0);
    if estimand == Estimand::PairedDifference && whole(&off) && whole(&on) {
        let passed = |v: &[f64]| v.iter().map(|&x| x == 1.0).collect::<Vec<bool>>();
        let counts = PairedCounts::of(&passed(&on), &passed(&off)).ok()?;
        let change = newcombe_paired(&counts, MOVED_LEVEL).ok()?;
        let total = |v: &[f64]| v.iter().filter(|&&x| x == 1.0).count();
        return (change.lo > 1e-9 || change.hi < -1e-9).then(|| {
            let n = off.len();
            let what = format!("{} of {n} off, {} of {n} on", total(&off), total(&on));
            moved(arm, toggle, &what)
        });
    }
    let effects = pairs.effects(estimand);
    if effects.len() < FEWEST_PER_CELL as usize {
        return None;
    }
    let p = sign_flip(&effects, seed).ok()?.p;
    (p <= 1.0 - MOVED_LEVEL).then(|| moved(arm, toggle, &format!("p = {p:.1e}")))
}

fn moved(arm: &str, toggle: &str, what: &str) -> Reason {
    Reason::new(
        Code::ContaminatedArm,
        format!("`{arm}` with {toggle} off and on: {what}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn design(cells: [(u64, u64); 4]) -> CountedDesign {
        CountedDesign {
            experiment: "tasks".into(),
            arm: String::new(),
            metric: Metric::new("success", "", Direction::Higher),
            factors: ["a".into(), "b".into()],
            cells: cells.map(|(k, n)| Cell { k, n }),
            gates: Vec::new(),
        }
    }

    #[test]
    fn counts_are_hints_at_most() {
        let verdict = judge_counts(&design([(20, 100), (22, 100), (60, 100), (90, 100)]));
        assert_eq!(verdict.class, Class::Directional);
        assert_eq!(verdict.effects.len(), 7);
        let interaction = &verdict.effects[6];
        assert_eq!(interaction.difference, 0.28);
        assert!(interaction.outcome.is_none());
        let few = judge_counts(&design([(1, 5), (5, 10), (5, 10), (5, 10)]));
        assert_eq!(few.class, Class::Insufficient);
        assert!(few.effects.is_empty());
        let wrong = judge_counts(&design([(11, 10), (5, 10), (5, 10), (5, 10)]));
        assert_eq!(wrong.class, Class::Invalid);
        assert!(wrong.cells.is_empty());
    }

    #[test]
    fn an_arm_that_nothing_touches_stands_still() {
        let of = |k| Cell { k, n: 312 };
        let reason = untouched_counts("external", "toggle", of(245), of(281)).unwrap();
        assert_eq!(reason.code, Code::ContaminatedArm);
        assert!(untouched_counts("external", "toggle", of(245), of(250)).is_none());
    }
}
