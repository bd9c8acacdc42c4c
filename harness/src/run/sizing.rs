//! How much is measured: workers, blocks, iterations, within a budget.

use super::planner::{Draft, Options};
use crate::estimate;
use crate::plan::{DEFAULT_BLOCKS, DEFAULT_WORKERS, Level, StopRule};
use crate::schedule::{control_pair_blocks, slots_per_block, whole_designs};

/// Slots of the slowest arm last at least this long.
const SLOT_NS: f64 = 1_000_000.0;
/// Slots of the fastest arm last at least this long, thousands of clock steps,
/// where that does not stretch the slowest beyond its limit.
const SHORTEST_SLOT_NS: f64 = 200_000.0;
/// Slots of the slowest arm are at most this long, unless one iteration is longer.
const LONGEST_SLOT_NS: f64 = 50_000_000.0;
/// An arm that ignores the number of iterations seems to need no time at all.
const MOST_ITERATIONS: f64 = 1e8;
/// Fewest workers, and blocks, of `--quick`.
const QUICK_WORKERS: u32 = 6;
const QUICK_BLOCKS: u32 = 16;
/// Most workers of a rule that stops by itself.
const SEQUENTIAL_WORKERS: u32 = 3 * DEFAULT_WORKERS;
/// A budget never goes below these.
const FEWEST_BLOCKS: u32 = 12;
const FEWEST_WORKERS: u32 = 6;
/// Warm-up slots per instance in the time estimate.
const EXPECTED_WARMUP_SLOTS: f64 = 10.0;
/// Which classes a plan can reach with its number of workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Fewer than 6 workers: no interval at all.
    Nothing,
    /// 6 or 7, or no A/A blocks: `moderate` at best.
    Moderate,
    /// 8 to 11: `strong`, not parity.
    Strong,
    /// 12 and more: every class.
    Everything,
}

impl Reach {
    /// What `workers` workers can reach in a family of `family` comparisons
    /// (the smallest p of the exact test is 2 / 2^n, times the family by Holm).
    #[must_use]
    pub fn of(workers: u32, family: usize) -> Self {
        let smallest_adjusted = 2.0 * libm::exp2(-f64::from(workers)) * family.max(1) as f64;
        match workers {
            0..6 => Self::Nothing,
            _ if smallest_adjusted > 0.05 => Self::Nothing,
            6..8 => Self::Moderate,
            8..12 => Self::Strong,
            _ => Self::Everything,
        }
    }
}

/// Fewest workers whose smallest possible p survives Holm over `family`.
fn workers_for_family(family: usize) -> u32 {
    estimate::workers_for_family(family.max(1) as u64, 0.05).map_or(DEFAULT_WORKERS, |n| n as u32)
}

/// Chooses workers, blocks and iterations.
pub(super) fn size(drafts: &mut [Draft], options: &Options, rule: &StopRule, family: usize) {
    let (level_workers, level_blocks) = match options.level {
        Level::Default => (
            DEFAULT_WORKERS.max(workers_for_family(family)),
            DEFAULT_BLOCKS,
        ),
        // Fewer could not claim anything in this family.
        Level::Quick => (QUICK_WORKERS.max(workers_for_family(family)), QUICK_BLOCKS),
    };
    let workers = match rule {
        StopRule::Looks { at } => at.last().copied().unwrap_or(level_workers),
        StopRule::Fixed | StopRule::Undeclared => options.workers.unwrap_or(level_workers),
        // These stop by themselves: the number of workers is their limit.
        _ => options.workers.unwrap_or(SEQUENTIAL_WORKERS),
    };
    for draft in drafts.iter_mut() {
        let declared = draft.sizes.blocks.unwrap_or(level_blocks);
        let blocks = options.blocks.unwrap_or(declared);
        draft.plan.iterations = draft
            .sizes
            .iterations
            .unwrap_or_else(|| iterations(&draft.plan.pilot_ns));
        draft.set(workers, blocks);
        if let Some(time) = options.measurement_time {
            shrink(
                std::slice::from_mut(draft),
                time.as_secs_f64() * 1e9,
                options,
            );
        }
    }
    if let Some(budget) = options.budget {
        shrink(drafts, budget.as_secs_f64() * 1e9, options);
    }
}

/// Gives up blocks, then workers, until the drafts fit; what was asked for by
/// number stays.
fn shrink(drafts: &mut [Draft], available_ns: f64, options: &Options) {
    let total = |drafts: &[Draft]| drafts.iter().map(cost_ns).sum::<f64>();
    let mut blocks = drafts
        .iter()
        .map(|d| d.plan.blocks.max(d.plan.aa_blocks))
        .max()
        .unwrap_or(0);
    while total(drafts) > available_ns && blocks > FEWEST_BLOCKS && options.blocks.is_none() {
        blocks -= 1;
        for draft in drafts.iter_mut() {
            let workers = draft.plan.workers;
            draft.set(
                workers,
                blocks.min(draft.plan.blocks.max(draft.plan.aa_blocks)),
            );
        }
    }
    let mut workers = drafts.iter().map(|d| d.plan.workers).max().unwrap_or(0);
    while total(drafts) > available_ns && workers > FEWEST_WORKERS && options.workers.is_none() {
        workers -= 1;
        for draft in drafts.iter_mut() {
            draft.plan.workers = draft.plan.workers.min(workers);
        }
    }
}

impl Draft {
    fn set(&mut self, workers: u32, blocks: u32) {
        let arms = self.plan.arms.len();
        self.plan.workers = workers.max(1);
        self.plan.aa_blocks = if self.sizes.no_aa {
            0
        } else {
            control_pair_blocks(arms, blocks.max(1))
        };
        self.plan.blocks = if arms > 1 {
            whole_designs(arms, blocks.max(1))
        } else {
            0
        };
    }
}

/// One iteration count for all arms, from the slowest: its slots last a
/// millisecond, or more where the fastest arm needs it for the clock.
fn iterations(pilot_ns: &[f64]) -> u64 {
    let fastest = pilot_ns.iter().copied().fold(f64::INFINITY, f64::min);
    let slowest = pilot_ns.iter().copied().fold(0.0, f64::max);
    if slowest <= 0.0 {
        return 1;
    }
    let wished = (SLOT_NS / slowest)
        .ceil()
        .max((SHORTEST_SLOT_NS / fastest).ceil());
    let allowed = (LONGEST_SLOT_NS / slowest).floor();
    wished.min(allowed).clamp(1.0, MOST_ITERATIONS) as u64
}

/// Expected nanoseconds of an experiment.
pub(super) fn cost_ns(draft: &Draft) -> f64 {
    let plan = &draft.plan;
    if draft.fault.is_some() || plan.pilot_ns.is_empty() {
        return 0.0;
    }
    let arms = plan.arms.len() as f64;
    let slot = plan.pilot_ns.iter().sum::<f64>() / arms * plan.iterations as f64;
    let control_slot = plan.pilot_ns[0] * plan.iterations as f64;
    let comparison = f64::from(plan.blocks) * slots_per_block(plan.arms.len()) as f64 * slot;
    let control_pairs = f64::from(plan.aa_blocks) * 4.0 * control_slot;
    let warm_up = if plan.cold {
        0.0
    } else {
        let shadow = f64::from(u8::from(plan.aa_blocks > 0)) * control_slot;
        EXPECTED_WARMUP_SLOTS * (arms * slot + shadow)
    };
    let worker = draft.setup_ns + warm_up + comparison + control_pairs;
    f64::from(plan.workers) * worker
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iterations_make_slots_long_enough() {
        assert_eq!(iterations(&[100.0, 200.0]), 5000);
        assert_eq!(iterations(&[100.0, 2000.0]), 2000);
        // The slowest arm is bounded even if the fastest then falls short.
        assert_eq!(iterations(&[100.0, 1e6]), 50);
        assert_eq!(iterations(&[1e9]), 1);
        assert_eq!(iterations(&[]), 1);
    }

    #[test]
    fn reach_follows_the_smallest_possible_p() {
        assert_eq!(Reach::of(5, 1), Reach::Nothing);
        assert_eq!(Reach::of(6, 1), Reach::Moderate);
        assert_eq!(Reach::of(6, 2), Reach::Nothing);
        assert_eq!(Reach::of(8, 6), Reach::Strong);
        assert_eq!(Reach::of(8, 7), Reach::Nothing);
        assert_eq!(Reach::of(12, 102), Reach::Everything);
        assert_eq!(Reach::of(12, 103), Reach::Nothing);
        assert_eq!(workers_for_family(102), 12);
        assert_eq!(workers_for_family(103), 13);
    }

    #[test]
    fn what_is_declared_without_control_pairs_is_planned_without() {
        let mut suite = crate::suite::Suite::default();
        let pair = suite.experiment("pair");
        pair.control("a", |_| {}).candidate("b", |_| {}).no_aa();
        let mut draft = Draft {
            plan: pair.declare().unwrap(),
            sizes: pair.sizes(),
            setup_ns: 0.0,
            fault: None,
        };
        draft.plan.pilot_ns = vec![1e6; 2];
        draft.set(8, 20);
        assert_eq!((draft.plan.blocks, draft.plan.aa_blocks), (20, 0));
        let without = cost_ns(&draft);
        draft.sizes.no_aa = false;
        draft.set(8, 20);
        assert_eq!(draft.plan.aa_blocks, 10);
        assert!(without < cost_ns(&draft));
    }
}
