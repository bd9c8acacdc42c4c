//! How spans get to the device without the host between them.

use super::super::DeviceError;
use super::context::Context;
use super::driver::{GRAPHS, has};
use super::graph::SpanGraph;
use super::held::Hold;
use super::memory::Event;
use super::module::Function;
use std::rc::Rc;

/// The way of all arms on a device: two ways in one comparison would be a
/// difference of their own.
pub(super) enum Launches {
    Graph,
    Held(Hold),
}

impl Launches {
    /// A graph where one with events works, else a held stream. A small graph
    /// around `empty` is the trial.
    pub fn choose(
        context: &Rc<Context>,
        empty: Function,
        hold: Function,
    ) -> Result<Self, DeviceError> {
        if has(GRAPHS) {
            let one = [1, 1, 1];
            let tried = timed_graph(context, 1, |_| empty.launch(context, one, one, 0, &[]));
            match tried {
                Ok(_) => return Ok(Self::Graph),
                // The driver's words about graphs and events; a launch that fails or hangs
                // would do so on a held stream, too.
                Err(DeviceError::Driver { function, .. })
                    if GRAPHS.contains(&function) || function == "cuEventElapsedTime_v2" => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self::Held(Hold::new(context, hold)?))
    }

    /// `graph` or `held stream`.
    pub fn shown(&self) -> &'static str {
        match self {
            Self::Graph => "graph",
            Self::Held(_) => "held stream",
        }
    }

    /// Times `count` spans of `work`, the second run of them.
    pub fn spans(
        &self,
        context: &Rc<Context>,
        count: usize,
        mut work: impl FnMut(usize) -> Result<(), DeviceError>,
    ) -> Result<Vec<f64>, DeviceError> {
        match self {
            Self::Graph => timed_graph(context, count, work),
            Self::Held(hold) => {
                // In parts, so that the queue never fills.
                let mut all = Vec::with_capacity(count);
                hold.run(1, |_| Ok(()), &mut work)?;
                while all.len() < count {
                    let (first, part) = (all.len(), (count - all.len()).min(32));
                    all.extend(hold.run(part, |_| Ok(()), |span| work(first + span))?);
                }
                Ok(all)
            }
        }
    }
}

fn timed_graph(
    context: &Rc<Context>,
    count: usize,
    work: impl FnMut(usize) -> Result<(), DeviceError>,
) -> Result<Vec<f64>, DeviceError> {
    let graph = SpanGraph::capture(context, count, |_| Ok(()), work)?;
    let done = Event::new(context)?;
    for _ in 0..2 {
        graph.launch()?;
        done.record()?;
        done.wait()?;
    }
    graph.spans_ns().collect()
}
