//! Stop rules: sound ones, and the one that everybody is tempted by.

use super::noise::Shape;
use super::pipeline::SHIPPED;
use super::runner::{Study, Table};
use super::scenarios::standard;
use super::session::{Layout, Session};
use super::tally::Event;
use crate::harness::claim::{comparison_units, effects, has_enough_workers};
use crate::harness::estimate::{DEFAULT_LOOKS, t_interval};
use crate::harness::plan::StopRule;

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// After 36 workers.
    Fixed,
    /// When precise enough, without looking at signs.
    Precision,
    /// Looks at 12, 24 and 36 workers with O'Brien-Fleming levels.
    Looks,
    /// The e-process.
    EProcess,
    /// t after every worker from the third: stop when it is significant.
    UntilSignificant,
}

impl Stop {
    /// Every rule.
    pub const ALL: [Self; 5] = [
        Self::Fixed,
        Self::Precision,
        Self::Looks,
        Self::EProcess,
        Self::UntilSignificant,
    ];

    /// As it stands in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed, 36 workers",
            Self::Precision => "precision without signs",
            Self::Looks => "three O'Brien-Fleming looks",
            Self::EProcess => "e-process",
            Self::UntilSignificant => "UNTIL SIGNIFICANT",
        }
    }

    /// Whether its error rate is promised.
    #[must_use]
    pub fn is_sound(self) -> bool {
        self != Self::UntilSignificant
    }

    /// The plan's stop rule and the most workers, where units scatter by `sd`.
    fn planned(self, sd: f64) -> (StopRule, u32) {
        match self {
            Self::Fixed | Self::UntilSignificant => (StopRule::Fixed, FIXED),
            Self::Precision => {
                let half_width = 0.4 * sd;
                (StopRule::Precision { half_width }, BUDGET)
            }
            Self::Looks => {
                let at = DEFAULT_LOOKS.map(|n| n as u32).to_vec();
                (StopRule::Looks { at }, FIXED)
            }
            Self::EProcess => (StopRule::EProcess, BUDGET),
        }
    }
}

/// Workers of the rules with a fixed end.
const FIXED: u32 = 36;
/// Workers after which the open-ended rules give up.
const BUDGET: u32 = 60;

/// Every rule at effects of 0, .5 and 1 sd.
#[must_use]
pub fn all() -> Vec<Study> {
    let mut studies = Vec::new();
    for shape in [Shape::Normal, Shape::LogNormalOne] {
        for effect in [0.0, 0.5, 1.0] {
            for rule in Stop::ALL {
                studies.push(study(rule, shape, effect));
            }
        }
    }
    studies
}

/// One rule at one effect, in units of the standard deviation of the units.
#[must_use]
pub fn study(stop: Stop, shape: Shape, effect: f64) -> Study {
    let mut world = standard(shape);
    let sd = world.state_sd * std::f64::consts::SQRT_2;
    world.effect = effect * sd;
    let (rule, workers) = stop.planned(sd);
    let layout = Layout {
        blocks: 4,
        margin: 0.0001,
        ..Layout::with_workers(workers)
    };
    Study {
        table: Table::Sequential,
        row: format!("{}; {}, {effect} sd", stop.name(), shape.name()),
        n: workers,
        bound: stop.is_sound() && effect == 0.0,
        events: vec![Event::OnePercent, Event::Claimed, Event::UnitsUsed],
        cost: 4,
        replicate: Box::new(move |seed| {
            let mut session = Session::draw(&world, &layout, seed);
            session.plan.stop_rule = rule.clone();
            if stop == Stop::UntilSignificant {
                return until_significant(&session);
            }
            let workers = stop_early(&mut session);
            let finding = &(SHIPPED.judge)(&session)[0];
            vec![
                u64::from(finding.one_percent),
                u64::from(finding.claims_difference()),
                workers as u64,
            ]
        }),
    }
}

/// Takes away the workers that would not have been started.
fn stop_early(session: &mut Session) -> usize {
    let plan = &session.plan.targets[0].experiments[0];
    let data = &mut session.measurements.experiments[0];
    let mut later = std::mem::take(&mut data.workers).into_iter();
    while !has_enough_workers(&session.plan.stop_rule, plan, data) {
        let Some(worker) = later.next() else { break };
        data.workers.push(worker);
    }
    data.workers.len()
}

/// What everybody is tempted to do.
fn until_significant(session: &Session) -> Vec<u64> {
    let (plan, data) = session.only();
    let d = effects(&comparison_units(plan, data, 1));
    let p = |n: usize| t_interval(&d[..n], 0.95).ok().and_then(|t| t.p);
    let below = |level: f64| (3..=d.len()).find(|&n| p(n).is_some_and(|p| p <= level));
    let stopped = below(0.05);
    vec![
        u64::from(below(0.01).is_some()),
        u64::from(stopped.is_some()),
        stopped.unwrap_or(d.len()) as u64,
    ]
}
