//! Families: any false claim among many comparisons.

use super::pipeline::{Finding, Pipeline, SHIPPED};
use super::runner::{Study, Table};
use super::session::{Layout, Session};
use super::tally::Event;
use super::world::World;
use crate::harness::claim::{Class, comparison_units, effects};
use crate::harness::estimate::max_t;
use crate::harness::plan::ReplicationUnit;

/// How the comparisons of a family hang together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kinship {
    /// One comparison in each of several experiments.
    Independent,
    /// Several candidates against one control whose states are twice as wide:
    /// effects correlate with .8.
    SharedControl,
}

/// What is counted of a family.
const EVENTS: [Event; 6] = [
    Event::Strong,
    Event::ModerateOrBetter,
    Event::DirectionalOrBetter,
    Event::OnePercent,
    Event::AnyPercentile,
    Event::MaxT,
];

/// The families of the suite.
#[must_use]
pub fn all() -> Vec<Study> {
    let mut studies = Vec::new();
    for n in [8, 12, 24] {
        studies.push(family(n, 5, Kinship::Independent, SHIPPED));
        studies.push(family(n, 5, Kinship::SharedControl, SHIPPED));
    }
    studies.push(family(12, 20, Kinship::Independent, SHIPPED));
    studies.push(family(12, 20, Kinship::SharedControl, SHIPPED));
    studies
}

/// A family of `size` comparisons of equal arms.
#[must_use]
pub fn family(n: u32, size: usize, kinship: Kinship, pipeline: Pipeline) -> Study {
    let world = World {
        control_state_factor: match kinship {
            Kinship::Independent => 1.0,
            Kinship::SharedControl => 2.0,
        },
        slot_cv: 0.002,
        ..World::STATES
    };
    let (experiments, candidates) = match kinship {
        Kinship::Independent => (size, 1),
        Kinship::SharedControl => (1, size),
    };
    let layout = Layout {
        workers: n,
        blocks: 6,
        control_pairs: true,
        candidates,
        experiments,
        margin: 0.01,
        unit: ReplicationUnit::Worker,
    };
    Study {
        table: Table::Families,
        row: match kinship {
            Kinship::Independent => format!("{size} independent"),
            Kinship::SharedControl => format!("{size} with rho .8"),
        },
        n,
        bound: true,
        events: EVENTS.to_vec(),
        cost: size as u64 / 5,
        replicate: Box::new(move |seed| {
            let session = Session::draw_scheduled(&world, &layout, seed, pipeline.schedule);
            let findings = (pipeline.judge)(&session);
            let any = |test: &dyn Fn(&Finding) -> bool| u64::from(findings.iter().any(test));
            vec![
                any(&|f| f.class == Class::Strong),
                any(&Finding::claims_difference),
                any(&|f| f.claims_difference() || f.class == Class::Directional),
                any(&|f| f.one_percent),
                u64::from(any_percentile(&session, seed)),
                u64::from(any_max_t(&session, kinship, seed)),
            ]
        }),
    }
}

/// The units of every comparison of the session.
fn units(session: &Session) -> Vec<Vec<f64>> {
    let plans = session.plan.experiments().map(|(_, e)| e);
    let pairs = plans.zip(&session.measurements.experiments);
    pairs
        .flat_map(|(plan, data)| {
            (1..plan.arms.len()).map(|c| effects(&comparison_units(plan, data, c)))
        })
        .collect()
}

fn any_percentile(session: &Session, seed: u64) -> bool {
    let mut stream = bootstrap::Stream::new(seed, "families/percentile");
    units(session).iter().any(|d| {
        bootstrap::mean::percentile(d, 0.95, 999, &mut stream)
            .is_ok_and(|ci| ci.lo > 0.0 || ci.hi < 0.0)
    })
}

/// maxT flips all metrics of a worker at once, so they must share the worker.
fn any_max_t(session: &Session, kinship: Kinship, seed: u64) -> bool {
    kinship == Kinship::SharedControl
        && max_t(&units(session), seed).is_ok_and(|t| t.adjusted.iter().any(|&p| p <= 0.05))
}
