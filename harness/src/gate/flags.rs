//! What flagged slots give reason for.

use super::{Code, Reason, Severity};
use crate::estimate::newcombe_independent;
use crate::observation::WorkerData;
use crate::plan::{ExperimentPlan, SlotFlags};

/// Failures above this share refuse the comparison.
const FAILURES_REFUSE_ABOVE: f64 = 0.05;

/// An arm that hides work hides it in most slots. A single one is the thread
/// that looked: in 24,554 slots on an H100 without hidden work it was late once.
const HIDDEN_WORK_REFUSES_ABOVE: f64 = 0.01;

/// Which code a flag leads to, and above which share of slots it acts with the
/// code's own severity. Below, it is a note.
const RULES: &[(SlotFlags, Code, f64)] = &[
    (SlotFlags::THROTTLED, Code::Throttled, 0.10),
    (SlotFlags::CLOCK_CHANGED, Code::ClockChanged, 0.10),
    (SlotFlags::SCHEDULE_LATE, Code::ScheduleLate, 0.05),
    (SlotFlags::CLIENT_SATURATED, Code::ClientSaturated, 0.05),
    (SlotFlags::CACHE_STATE, Code::CacheStateUnequal, 0.0),
    (SlotFlags::FALLBACK, Code::FallbackUsed, 0.0),
    (SlotFlags::MEMORY_GREW, Code::MemoryGrew, 0.0),
    (SlotFlags::INPUT_CHANGED, Code::InputChanged, 0.0),
    (
        SlotFlags::HIDDEN_WORK,
        Code::HiddenWork,
        HIDDEN_WORK_REFUSES_ABOVE,
    ),
    (SlotFlags::FOREIGN_WORK, Code::ForeignLoad, 0.0),
    (SlotFlags::TOO_SHORT, Code::BelowResolution, 0.0),
];

/// Slots of one arm.
#[derive(Clone, Copy, Default)]
struct Count {
    flagged: u64,
    all: u64,
}

impl Count {
    fn share(self) -> f64 {
        self.flagged as f64 / self.all.max(1) as f64
    }
}

/// Reasons of the flags and the missing values of all slots.
pub(super) fn flagged(plan: &ExperimentPlan, workers: &[&WorkerData]) -> Vec<Reason> {
    let failed = counts(plan, workers, WorkerData::failed);
    let mut reasons: Vec<Reason> = failures(plan, &failed).into_iter().collect();
    if workers.iter().all(|w| w.flags.is_empty()) {
        return reasons;
    }
    for &(flag, code, limit) in RULES {
        let counts = counts(plan, workers, |w, slot| w.flags_of(slot).contains(flag));
        if counts.iter().all(|c| c.flagged == 0) {
            continue;
        }
        let mut reason = Reason::new(code, words(plan, &counts, "slots"));
        // One arm above the limit is enough: the pair shares nothing then.
        if counts.iter().all(|c| c.share() <= limit) {
            reason.severity = reason.severity.min(Severity::Note);
        }
        reasons.push(reason);
    }
    reasons
}

/// Failures refuse above a share, or when one arm fails more than the other.
fn failures(plan: &ExperimentPlan, counts: &[Count]) -> Option<Reason> {
    if counts.iter().all(|c| c.flagged == 0) {
        return None;
    }
    let mut reason = Reason::new(Code::ErrorsPresent, words(plan, counts, "slots failed"));
    let unequal = counts.iter().skip(1).any(|candidate| {
        let control = counts[0];
        newcombe_independent(
            (candidate.flagged, candidate.all),
            (control.flagged, control.all),
            0.95,
        )
        .is_ok_and(|d| d.lo > 0.0 || d.hi < 0.0)
    });
    if !unequal && counts.iter().all(|c| c.share() <= FAILURES_REFUSE_ABOVE) {
        reason.severity = Severity::Note;
    }
    Some(reason)
}

/// Per arm; the shadow counts with the control, whose code it runs.
fn counts(
    plan: &ExperimentPlan,
    workers: &[&WorkerData],
    flagged: impl Fn(&WorkerData, usize) -> bool,
) -> Vec<Count> {
    let mut counts = vec![Count::default(); plan.arms.len()];
    for worker in workers {
        for (slot, &instance) in worker.instance.iter().enumerate() {
            let instance = usize::from(instance);
            let count = &mut counts[if instance < plan.arms.len() {
                instance
            } else {
                0
            }];
            count.all += 1;
            count.flagged += u64::from(flagged(worker, slot));
        }
    }
    counts
}

fn words(plan: &ExperimentPlan, counts: &[Count], what: &str) -> String {
    let parts: Vec<String> = plan
        .arms
        .iter()
        .zip(counts)
        .map(|(arm, c)| format!("{} of {} in `{arm}`", c.flagged, c.all))
        .collect();
    format!("{what}: {}", parts.join(", "))
}
