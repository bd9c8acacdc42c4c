//! Replications over all cores. The counts depend on the seed only, never on
//! the number of threads.

use super::tally::{Event, Tally};
use bootstrap::Stream;
use serde::Serialize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Which table a cell belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// Claims of a difference where there is none.
    FalseClaims,
    /// Equal means, candidates of another shape.
    Shapes,
    /// Differences found, in units of their standard deviation.
    Power,
    /// Differences found, in percent on a quiet and a noisy machine.
    PowerPercent,
    /// Parity claimed of a difference as large as the margin, and of none.
    Parity,
    /// Any false claim in a family.
    Families,
    /// Stop rules.
    Sequential,
}

/// What a cell simulates: its place in the tables and one replication.
pub struct Study {
    /// Its table.
    pub table: Table,
    /// Its row.
    pub row: String,
    /// Number of units.
    pub n: u32,
    /// Whether our bounds must hold in it.
    pub bound: bool,
    /// What is counted.
    pub events: Vec<Event>,
    /// Replications are divided by this: expensive cells get fewer.
    pub cost: u64,
    /// One replication: counts in the order of `events`.
    pub replicate: Box<dyn Fn(u64) -> Vec<u64> + Send + Sync>,
}

/// A filled cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// Its table.
    pub table: Table,
    /// Its row.
    pub row: String,
    /// Number of units.
    pub n: u32,
    /// Whether our bounds must hold in it.
    pub bound: bool,
    /// What was counted.
    #[serde(flatten)]
    pub tally: Tally,
}

/// How much is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Replications of a cell.
    pub replications: u64,
    /// Threads.
    pub threads: usize,
    /// Root of all draws.
    pub seed: u64,
}

/// Replications that one thread takes at a time.
const CHUNK: u64 = 25;

/// Runs all studies. `progress` hears the share that is done.
///
/// # Panics
/// If a study does.
#[must_use]
pub fn run(studies: &[Study], effort: Effort, progress: &(dyn Fn(f64) + Sync)) -> Vec<Cell> {
    let mut jobs = Vec::new();
    for (index, study) in studies.iter().enumerate() {
        let replications = (effort.replications / study.cost.max(1)).max(1);
        for first in (0..replications).step_by(CHUNK as usize) {
            jobs.push((index, first..replications.min(first + CHUNK)));
        }
    }
    let cells: Vec<Cell> = studies.iter().map(Cell::empty).collect();
    let cells = Mutex::new(cells);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..effort.threads.max(1) {
            scope.spawn(|| {
                loop {
                    let job = next.fetch_add(1, Ordering::Relaxed);
                    let Some((index, range)) = jobs.get(job) else {
                        return;
                    };
                    let study = &studies[*index];
                    let mut tally = Tally::new(&study.events);
                    for replication in range.clone() {
                        let seed = study.seed(effort.seed, replication);
                        tally.add(&(study.replicate)(seed));
                    }
                    let mut cells = cells.lock().expect("no study panicked");
                    cells[*index].tally.merge(&tally);
                    progress((job + 1) as f64 / jobs.len() as f64);
                }
            });
        }
    });
    cells.into_inner().expect("no study panicked")
}

impl Study {
    fn seed(&self, seed: u64, replication: u64) -> u64 {
        let Self { table, row, n, .. } = self;
        Stream::new(seed, &format!("{table:?}/{row}/{n}/{replication}")).next_u64()
    }
}

impl Cell {
    fn empty(study: &Study) -> Self {
        Self {
            table: study.table,
            row: study.row.clone(),
            n: study.n,
            bound: study.bound,
            tally: Tally::new(&study.events),
        }
    }
}
