//! Cells of one server as the arms of one experiment.

use super::load::Load;
use super::metrics::{request_metrics, sweep_of};
use super::paths::{RequestArms, RequestPath};
use crate::serving::target::Target;
use evenhand_harness::plan::Margin;

/// A cell of a sweep: a setting of the server and a number of users.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Name in reports.
    pub name: String,
    /// Users of the closed loop.
    pub users: u32,
    /// The server in the cell's setting.
    pub target: Target,
}

impl<'s> RequestPath<'s> {
    /// Compares cells with each other: every one is asked the same requests that
    /// count, interleaved block by block. Claimed are the differences of
    /// throughput and latency of all pairs, and from them the
    /// latency-throughput frontier and the best cell.
    ///
    /// The primary metric, by which a cell is best, is the throughput unless
    /// [`metric`](Self::metric) names a latency. `margin` holds for both.
    ///
    /// # Panics
    /// If there are fewer than two cells.
    pub fn cells(self, cells: Vec<Cell>, margin: Margin) -> RequestArms<'s> {
        let most = cells.iter().map(|c| c.users).max();
        assert!(cells.len() > 1, "a sweep needs two cells");
        let load = |users| Load {
            concurrency: users,
            sweep: most,
            ..self.load.clone()
        };
        let loads: Vec<Load> = cells.iter().map(|cell| load(cell.users)).collect();
        let (sweep, values) = (sweep_of(&loads[0]), request_metrics(&loads[0]));
        let mut cells = cells.into_iter().zip(loads);
        let (first, load) = cells.next().expect("there are two");
        let mut arms = self
            .load(load)
            .begin_with(values, first.name, first.target, |e, name, build| {
                e.sweep(sweep).control(name, build);
            })
            .margin(margin);
        for (cell, load) in cells {
            arms = arms.load(load).candidate(cell.name, cell.target);
        }
        arms
    }
}
