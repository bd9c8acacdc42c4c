//! The schedule: which arm runs in which slot, drawn from the plan's seed.
//!
//! Every draw comes from a stream named after its use, so the schedule is a
//! pure function of the plan: the same on every platform and in every
//! repetition.
//!
//! A worker builds its *instances* (the arms, and a shadow of the control for
//! A/A blocks) under letters. A uniformly drawn permutation assigns instances
//! to letters; for any two instances, swapping them is therefore a fair coin
//! given everything else. Letters, not arms, decide the order of allocation,
//! verification and warm-up, and which arm of a block comes first.

mod williams;

pub use williams::williams_rows;

use crate::plan::{Design, ExperimentPlan, Seed, digest_of};
use bootstrap::Stream;
use serde::{Deserialize, Serialize};

/// What the slots of a block compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// Arms with each other.
    Comparison,
    /// The control with its shadow.
    ControlPair,
}

/// A balanced group of slots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Block {
    /// What is compared.
    pub kind: BlockKind,
    /// Instances that run one untimed slot each before the block, in letter
    /// order: every participant was then the last to run, or one before.
    pub primers: Vec<usize>,
    /// Instance of each timed slot, in order.
    pub slots: Vec<usize>,
}

/// Everything a worker's coins decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WorkerSchedule {
    /// Index of the worker.
    pub worker: u32,
    /// `letters[i]` is the instance under letter i: the order of allocation,
    /// verification and warm-up.
    pub letters: Vec<usize>,
    /// Seed of the inputs, the same for all arms of the worker.
    pub input_seed: u64,
    /// Bytes of padding in the environment, which shifts the stack.
    pub environment_pad: usize,
    /// Bytes of padding on the heap.
    pub heap_pad: usize,
    /// The blocks, in order.
    pub blocks: Vec<Block>,
}

impl WorkerSchedule {
    /// Number of slots of all blocks.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.blocks.iter().map(|b| b.slots.len()).sum()
    }
}

/// Number of slots of one comparison block.
#[must_use]
pub fn slots_per_block(arms: usize) -> usize {
    match Design::for_arms(arms) {
        Design::Single => 0,
        Design::Abba => 4,
        _ => arms,
    }
}

/// Slots of an A/A block (ABBA or BAAB).
pub const CONTROL_PAIR_SLOTS: usize = 4;

/// The largest number of A/A blocks that takes at most a third of all slots.
#[must_use]
pub fn control_pair_blocks(arms: usize, blocks: u32) -> u32 {
    if arms < 2 {
        return blocks;
    }
    (blocks as usize * slots_per_block(arms) / 2 / CONTROL_PAIR_SLOTS) as u32
}

/// Rounds a number of comparison blocks up to whole designs.
#[must_use]
pub fn whole_designs(arms: usize, blocks: u32) -> u32 {
    match Design::for_arms(arms) {
        Design::Williams => blocks.next_multiple_of(williams_rows(arms).len() as u32),
        _ => blocks,
    }
}

/// The schedule of worker `worker` of an experiment.
#[must_use]
pub fn worker_schedule(
    seed: Seed,
    target: &str,
    experiment: &ExperimentPlan,
    worker: u32,
) -> WorkerSchedule {
    let stream = |use_: &str| {
        Stream::new(
            seed.0,
            &format!("{use_}/{target}/{}/worker-{worker}", experiment.id),
        )
    };
    let letters = stream("letters").permutation(experiment.instances());
    let mut letter_of = vec![0; letters.len()];
    for (letter, &instance) in letters.iter().enumerate() {
        letter_of[instance] = letter;
    }

    let mut pads = stream("padding");
    WorkerSchedule {
        worker,
        input_seed: stream("inputs").next_u64(),
        environment_pad: pads.index(4096),
        heap_pad: pads.index(65_536),
        blocks: blocks(experiment, &letter_of, &mut stream("order")),
        letters,
    }
}

/// Runs of A/A blocks among the comparison blocks of a worker. Few and longer
/// runs, because every change between the two kinds costs primers.
const CONTROL_PAIR_RUNS: u64 = 5;

/// Comparison blocks with runs of A/A blocks between them.
fn blocks(experiment: &ExperimentPlan, letter_of: &[usize], order: &mut Stream) -> Vec<Block> {
    let arms = experiment.arms.len();
    let mut rows = WilliamsCycle::new(arms);
    let planned = if arms > 1 {
        u64::from(experiment.blocks)
    } else {
        0
    };
    let aa = u64::from(experiment.aa_blocks);
    let runs = CONTROL_PAIR_RUNS.min(planned).min(aa).max(1);
    let mut blocks = Vec::with_capacity((planned + aa) as usize);
    for run in 0..runs {
        let share = |of: u64| (run + 1) * of / runs - run * of / runs;
        for _ in 0..share(planned) {
            blocks.push(match Design::for_arms(arms) {
                Design::Abba => pair_block(BlockKind::Comparison, 0, 1, letter_of, order),
                _ => row_block(arms, &mut rows, letter_of, order),
            });
        }
        for _ in 0..share(aa) {
            blocks.push(pair_block(
                BlockKind::ControlPair,
                0,
                arms,
                letter_of,
                order,
            ));
        }
    }
    if !experiment.cold {
        prime(&mut blocks, letter_of);
    }
    blocks
}

/// A row of the Williams design, which speaks of ranks among the arms' letters.
fn row_block(
    arms: usize,
    rows: &mut WilliamsCycle,
    letter_of: &[usize],
    order: &mut Stream,
) -> Block {
    let mut ranked: Vec<usize> = (0..arms).collect();
    ranked.sort_by_key(|&arm| letter_of[arm]);
    let row = rows.next(order);
    Block {
        kind: BlockKind::Comparison,
        primers: Vec::new(),
        slots: row.into_iter().map(|rank| ranked[rank]).collect(),
    }
}

/// Puts primers before every block that has other participants than the block
/// before it. Without them the control, which takes part in both kinds of
/// blocks, would meet warm caches where the others meet cold ones.
fn prime(blocks: &mut [Block], letter_of: &[usize]) {
    let mut before = None;
    for block in blocks {
        if before != Some(block.kind) {
            let mut participants = block.slots.clone();
            participants.sort_by_key(|&instance| letter_of[instance]);
            participants.dedup();
            block.primers = participants;
        }
        before = Some(block.kind);
    }
}

/// ABBA or BAAB, where A is the instance with the earlier letter.
fn pair_block(
    kind: BlockKind,
    one: usize,
    other: usize,
    letter_of: &[usize],
    order: &mut Stream,
) -> Block {
    let (a, b) = if letter_of[one] < letter_of[other] {
        (one, other)
    } else {
        (other, one)
    };
    let slots = if order.coin() {
        vec![a, b, b, a]
    } else {
        vec![b, a, a, b]
    };
    Block {
        kind,
        primers: Vec::new(),
        slots,
    }
}

/// Deals the rows of a Williams design, reshuffled for every pass.
struct WilliamsCycle {
    rows: Vec<Vec<usize>>,
    next: usize,
}

impl WilliamsCycle {
    fn new(arms: usize) -> Self {
        let rows = if arms > 2 {
            williams_rows(arms)
        } else {
            Vec::new()
        };
        Self { rows, next: 0 }
    }

    fn next(&mut self, order: &mut Stream) -> Vec<usize> {
        if self.next == 0 {
            order.shuffle(&mut self.rows);
        }
        let row = self.rows[self.next].clone();
        self.next = (self.next + 1) % self.rows.len();
        row
    }
}

/// In which order the experiments of a target run in round `round`.
#[must_use]
pub fn round_order(seed: Seed, target: &str, experiments: usize, round: u32) -> Vec<usize> {
    Stream::new(seed.0, &format!("rounds/{target}/{round}")).permutation(experiments)
}

/// Digest of the schedules of all planned workers. A version that draws
/// another schedule from the same plan is found by it before it measures.
#[must_use]
pub fn schedule_digest(seed: Seed, target: &str, experiment: &ExperimentPlan) -> String {
    let all: Vec<WorkerSchedule> = (0..experiment.workers)
        .map(|w| worker_schedule(seed, target, experiment, w))
        .collect();
    digest_of(&all)
}

#[cfg(test)]
mod tests;
