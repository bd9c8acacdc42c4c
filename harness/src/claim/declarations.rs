//! What a data set does not say, and what that caps.

use super::Imported;
use super::pairs::Missing;
use crate::estimate::{PairedCounts, mcnemar};
use crate::gate::{Code, Reason, Severity};
use crate::plan::{Design, Direction, ReplicationUnit, StopRule};

/// More than this share of units without both values refuses the comparison.
const MISSING_REFUSES_ABOVE: f64 = 0.05;

/// Units without a pair: a note up to 5 %, refused above or when one arm
/// loses more than the other.
pub(super) fn lost(imported: &Imported, lost: Missing, code: Code, what: &str) -> Option<Reason> {
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
pub(super) fn declaration(imported: &Imported) -> Vec<Reason> {
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
