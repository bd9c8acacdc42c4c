//! False claims, coverage, power and parity of single comparisons.

use super::noise::Shape;
use super::pipeline::{Finding, Pipeline, SHIPPED};
use super::rivals::Rule;
use super::runner::{Study, Table};
use super::scenarios::{EQUAL_ARMS, NOISY, OTHER_SHAPES, QUIET, STATE_SHAPES, Scenario, standard};
use super::session::{Layout, Session};
use super::tally::Event;
use super::world::{Machine, Turn, World};
use super::{families, sequential};
use crate::harness::claim::Class;
use crate::harness::plan::ReplicationUnit;
use bootstrap::Stream;
use bootstrap::moments::mean;

/// Numbers of workers that the tables go through.
pub const WORKERS: [u32; 5] = [6, 8, 12, 24, 36];

/// What is counted of our own claim.
pub const OURS: [Event; 7] = [
    Event::Strong,
    Event::ModerateOrBetter,
    Event::DirectionalOrBetter,
    Event::Parity,
    Event::OnePercent,
    Event::Miss,
    Event::Refused,
];

/// Counts of one finding in the order of [`OURS`].
#[must_use]
pub fn counts(finding: &Finding, truth: f64) -> Vec<u64> {
    [
        finding.class == Class::Strong,
        finding.claims_difference(),
        finding.claims_difference() || finding.class == Class::Directional,
        finding.class == Class::ParityEstablished,
        finding.one_percent,
        finding.misses(truth),
        matches!(finding.class, Class::Invalid | Class::Insufficient),
    ]
    .map(u64::from)
    .to_vec()
}

/// Every study of the suite.
#[must_use]
pub fn all() -> Vec<Study> {
    let mut studies = Vec::new();
    for n in WORKERS {
        studies.extend(EQUAL_ARMS.map(|s| with_rivals(Table::FalseClaims, s, n)));
        studies.extend(OTHER_SHAPES.map(|s| with_rivals(Table::Shapes, s, n)));
    }
    for n in [8, 12, 24, 36] {
        studies.extend(power(n));
        studies.extend(power_percent(n));
    }
    for n in [12, 24, 36] {
        studies.extend(parity(n));
    }
    studies.extend(families::all());
    studies.extend(sequential::all());
    studies
}

/// A part of the suite that a debug build runs in a minute: few blocks, no
/// rivals, small numbers of workers.
#[must_use]
pub fn short() -> Vec<Study> {
    let mut studies = Vec::new();
    for n in [8, 12] {
        let layout = Layout {
            blocks: 8,
            ..Layout::with_workers(n)
        };
        let honest = EQUAL_ARMS.into_iter().filter(|s| s.honest);
        studies.extend(honest.map(|s| ours(Table::FalseClaims, s, layout, SHIPPED)));
        studies.extend(OTHER_SHAPES.map(|s| ours(Table::Shapes, s, layout, SHIPPED)));
        let normal = |s: &Study| s.row.starts_with("normal");
        studies.extend(power(n).into_iter().filter(normal));
    }
    studies.extend(parity(12));
    studies.push(families::family(
        8,
        5,
        families::Kinship::Independent,
        SHIPPED,
    ));
    studies.push(sequential::study(
        sequential::Stop::EProcess,
        Shape::Normal,
        0.0,
    ));
    studies
}

/// Exact p-values and resampling cost more with more units.
fn cost(n: u32) -> u64 {
    if n > 24 { 2 } else { 1 }
}

/// A study of one pipeline in one scenario, without rivals.
#[must_use]
pub fn ours(table: Table, scenario: Scenario, layout: Layout, pipeline: Pipeline) -> Study {
    let layout = Layout {
        unit: scenario.unit,
        ..layout
    };
    Study {
        table,
        row: scenario.name.to_owned(),
        n: layout.workers,
        bound: scenario.honest,
        events: OURS.to_vec(),
        cost: cost(layout.workers),
        replicate: Box::new(move |seed| {
            let world = &scenario.world;
            let session = Session::draw_scheduled(world, &layout, seed, pipeline.schedule);
            let findings = (pipeline.judge)(&session);
            counts(&findings[0], world.effect)
        }),
    }
}

/// A study of the shipped rules with the rivals beside them.
fn with_rivals(table: Table, scenario: Scenario, n: u32) -> Study {
    let layout = Layout {
        unit: scenario.unit,
        ..Layout::with_workers(n)
    };
    let mut events = OURS.to_vec();
    events.extend(Rule::ALL.map(Event::Rival));
    events.extend(Rule::ALL.map(Event::RivalAsRun));
    Study {
        table,
        row: scenario.name.to_owned(),
        n,
        bound: scenario.honest,
        events,
        cost: cost(n),
        replicate: Box::new(move |seed| {
            let session = Session::draw(&scenario.world, &layout, seed);
            let findings = (SHIPPED.judge)(&session);
            let mut row = counts(&findings[0], scenario.world.effect);
            let (a, b) = worker_means(&session);
            row.extend(Rule::all_report(&a, &b, seed).map(u64::from));
            row.extend(
                AsRun::draw(&scenario.world, seed)
                    .all_report(seed)
                    .map(u64::from),
            );
            row
        }),
    }
}

/// Mean slot of each arm in each worker, over the comparison blocks.
fn worker_means(session: &Session) -> (Vec<f64>, Vec<f64>) {
    let (_, data) = session.only();
    let arm = |arm: u8| {
        data.workers
            .iter()
            .map(|w| {
                let slots = (0..w.len()).filter(|&s| !w.control_pair[s] && w.instance[s] == arm);
                mean(&slots.filter_map(|s| w.value[s]).collect::<Vec<_>>()).unwrap_or(0.0)
            })
            .collect()
    };
    (arm(0), arm(1))
}

/// Slots of an arm in a run of another tool: criterion's sample size.
const SLOTS_AS_RUN: usize = 100;
/// Repetitions that benchstat and hyperfine ask for.
const REPETITIONS: usize = 10;

/// Runs of the same world as the rivals make them by themselves.
struct AsRun {
    /// One process, arms alternating.
    interleaved: [Vec<f64>; 2],
    /// One process, all of the control, then all of the candidate.
    sequential: [Vec<f64>; 2],
    /// A process per value, all of the control first.
    processes: [Vec<f64>; 2],
}

impl AsRun {
    fn draw(world: &World, seed: u64) -> Self {
        let machine = |slots, label| Machine::new(world, slots, Stream::new(seed, label));
        let turn = |arm| Turn {
            instance: arm,
            candidate: arm == 1,
            position: 0,
        };
        let is_candidate = |instance| instance == 1;

        let mut one = machine(2 * SLOTS_AS_RUN, "as run/interleaved");
        one.start_worker(&[0, 1], is_candidate);
        let mut interleaved = [Vec::new(), Vec::new()];
        for _ in 0..SLOTS_AS_RUN {
            for (arm, values) in interleaved.iter_mut().enumerate() {
                let position = arm;
                values.push(one.slot(Turn {
                    position,
                    ..turn(arm)
                }));
            }
        }

        let mut one = machine(2 * SLOTS_AS_RUN, "as run/sequential");
        one.start_worker(&[0, 1], is_candidate);
        let sequential = [0, 1].map(|arm| (0..SLOTS_AS_RUN).map(|_| one.slot(turn(arm))).collect());

        let mut many = machine(2 * REPETITIONS, "as run/processes");
        let processes = [0, 1].map(|arm| {
            let mut run = || {
                many.start_worker(&[0, 1], is_candidate);
                many.slot(turn(arm))
            };
            (0..REPETITIONS).map(|_| run()).collect()
        });
        Self {
            interleaved,
            sequential,
            processes,
        }
    }

    fn all_report(&self, seed: u64) -> [bool; 7] {
        let [a, b] = &self.sequential;
        let significant = Rule::CriterionP.reports(a, b, seed);
        Rule::ALL.map(|rule| {
            let [a, b] = match rule {
                Rule::NaivePercentile | Rule::Tango | Rule::Zenbench => &self.interleaved,
                Rule::Hyperfine => &self.processes,
                Rule::CriterionP => return significant,
                Rule::CriterionFull if !significant => return false,
                Rule::CriterionFull => &self.sequential,
                Rule::Benchstat => {
                    return rule.reports(&repetitions(a), &repetitions(b), seed);
                }
            };
            rule.reports(a, b, seed)
        })
    }
}

/// Means of whole repetitions.
fn repetitions(slots: &[f64]) -> Vec<f64> {
    let repetition = |slots: &[f64]| slots.iter().sum::<f64>() / slots.len() as f64;
    slots
        .chunks(SLOTS_AS_RUN / REPETITIONS)
        .map(repetition)
        .collect()
}

/// Effects in units of the standard deviation of the units, margin aside.
fn power(n: u32) -> Vec<Study> {
    let mut studies = Vec::new();
    for shape in STATE_SHAPES {
        for effect in [0.5, 1.0, 1.5] {
            let mut world = standard(shape);
            world.effect = effect * world.state_sd * std::f64::consts::SQRT_2;
            let layout = Layout {
                blocks: 10,
                margin: 0.0001,
                ..Layout::with_workers(n)
            };
            let scenario = Scenario {
                name: "",
                world,
                unit: ReplicationUnit::Worker,
                honest: true,
            };
            studies.push(Study {
                row: format!("{}, effect of {effect} sd", shape.name()),
                ..ours(Table::Power, scenario, layout, SHIPPED)
            });
        }
    }
    studies
}

/// Effects in percent, with the default margin of 1 %.
fn power_percent(n: u32) -> Vec<Study> {
    let mut studies = Vec::new();
    for (machine, world) in [("quiet", QUIET), ("noisy", NOISY)] {
        for percent in [1.0, 3.0, 5.0, 10.0] {
            let scenario = Scenario {
                name: "",
                world: world.with_effect(percent / 100.0),
                unit: ReplicationUnit::Worker,
                honest: true,
            };
            studies.push(Study {
                row: format!("{machine}, {percent} % slower"),
                ..with_rivals(Table::PowerPercent, scenario, n)
            });
        }
    }
    studies
}

/// Parity of differences exactly at the margin (every claim is false), and of
/// equal arms (every claim is true).
fn parity(n: u32) -> Vec<Study> {
    let mut studies = Vec::new();
    for shape in STATE_SHAPES {
        for (at, fraction) in [("at the margin", 0.01), ("equal arms", 0.0)] {
            // Units scatter by half the margin.
            let world = World {
                state_shape: shape,
                state_sd: 0.005 / std::f64::consts::SQRT_2,
                slot_cv: 0.002,
                ..World::PLAIN
            };
            let scenario = Scenario {
                name: "",
                world: world.with_effect(fraction),
                unit: ReplicationUnit::Worker,
                honest: true,
            };
            let layout = Layout {
                blocks: 10,
                ..Layout::with_workers(n)
            };
            studies.push(Study {
                row: format!("{}, {at}", shape.name()),
                ..ours(Table::Parity, scenario, layout, SHIPPED)
            });
        }
    }
    studies
}
