//! How spans get to the device without the host between them.

use super::super::DeviceError;
use super::context::Context;
use super::driver::{GRAPHS, has};
use super::graph::SpanGraph;
use super::held::Hold;
use super::memory::Event;
use super::module::Function;
use std::rc::Rc;

/// `graph` or `held`, for a comparison of the two; without it the first that works.
const VARIABLE: &str = "EVENHAND_LAUNCHES";

/// The way of all arms on a device: two ways in one comparison would be a
/// difference of their own.
pub(super) enum Launches {
    Graph,
    Held(Hold),
}

impl Launches {
    /// A graph where one with events works, else a held stream. A small graph
    /// around `empty` is the trial; [`VARIABLE`] decides instead.
    pub fn choose(
        context: &Rc<Context>,
        empty: Function,
        hold: Function,
    ) -> Result<Self, DeviceError> {
        let asked = std::env::var(VARIABLE).ok().filter(|way| !way.is_empty());
        let held = match asked.as_deref() {
            None | Some("graph") => false,
            Some("held") => true,
            Some(other) => {
                return Err(DeviceError::Unavailable(format!(
                    "{VARIABLE}={other}: give graph or held"
                )));
            }
        };
        if !held && has(GRAPHS) {
            let one = [1, 1, 1];
            let tried = timed_graph(context, 1, |_| empty.launch(context, one, one, 0, &[]));
            match tried {
                Ok(_) => return Ok(Self::Graph),
                // The driver's words about graphs and events; a launch that fails or hangs
                // would do so on a held stream, too.
                Err(DeviceError::Driver { function, .. })
                    if asked.is_none()
                        && (GRAPHS.contains(&function) || function == "cuEventElapsedTime_v2") => {}
                Err(error) => return Err(error),
            }
        } else if !held && asked.is_some() {
            return Err(DeviceError::Unavailable(format!(
                "{VARIABLE}=graph: this driver has no graphs; leave it out"
            )));
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
