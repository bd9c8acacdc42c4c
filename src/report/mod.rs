//! Words and pictures: renders records, holds no statistics.

pub mod bencher;
pub mod detail;
pub mod detail_json;
pub mod json;
pub mod markdown;
pub mod plot;
mod quantity;
pub mod style;
mod sweep;
pub mod terminal;

pub use quantity::{rate, seconds, value};
pub use terminal::label;

use evenhand_harness::claim::{Class, ExperimentJudgement, Judgement, SessionControl, p_value};
use evenhand_harness::observation::ArmFault;
use evenhand_harness::plan::Direction;
use evenhand_harness::record::Record;

/// Which part of a record is shown, and how much of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct View<'a> {
    /// One bench target only.
    pub target: Option<&'a str>,
    /// Every reason, also the notes.
    pub verbose: bool,
}

impl View<'_> {
    /// The experiments to show.
    pub fn experiments<'r>(&self, record: &'r Record) -> Vec<&'r ExperimentJudgement> {
        let all = record.judgement.experiments.iter();
        all.filter(|e| self.target.is_none_or(|t| e.target == t))
            .collect()
    }
}

/// A fault as a sentence that names experiment and arm.
#[must_use]
pub fn fault_sentence(experiment: &str, fault: &ArmFault) -> String {
    let words = fault.fault.words();
    match &fault.arm {
        Some(arm) => format!(
            "experiment `{experiment}`: arm `{arm}` {words}: {}",
            fault.message
        ),
        None => format!("experiment `{experiment}` {words}: {}", fault.message),
    }
}

/// Id of an experiment, with what it ran on.
fn title(judged: &ExperimentJudgement) -> String {
    match &judged.device {
        Some(device) => format!("{} on {device}", judged.id),
        None => judged.id.clone(),
    }
}

/// The device behind an arm's name; empty when it is simply this host.
fn device_mark(judged: &ExperimentJudgement) -> String {
    judged
        .device
        .as_ref()
        .map_or(String::new(), |device| format!(" [{device}]"))
}

/// Which way is better, in words.
#[must_use]
pub fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Lower => "lower is better",
        Direction::Higher => "higher is better",
        Direction::Context => "describes only",
    }
}

/// The order in which classes are counted and listed.
pub const CLASSES: [Class; 7] = [
    Class::Strong,
    Class::Moderate,
    Class::ParityEstablished,
    Class::Directional,
    Class::NoiseDominated,
    Class::Insufficient,
    Class::Invalid,
];

/// "3 strong, 1 noise_dominated".
#[must_use]
pub fn class_counts(experiments: &[&ExperimentJudgement]) -> String {
    let count = |class| {
        experiments
            .iter()
            .flat_map(|e| &e.claims)
            .filter(|c| c.class == class)
            .count()
    };
    let parts: Vec<String> = CLASSES
        .iter()
        .map(|&class| (count(class), class.name()))
        .filter(|&(n, _)| n > 0)
        .map(|(n, name)| format!("{n} {name}"))
        .collect();
    parts.join(", ")
}

/// The session's A/A line.
#[must_use]
pub fn control_sentence(judgement: &Judgement) -> String {
    control_words(judgement.control.as_ref())
}

/// What an A/A control says.
#[must_use]
pub fn control_words(control: Option<&SessionControl>) -> String {
    match control {
        None => "A/A control: none was measured".to_owned(),
        Some(c) if c.passed => {
            format!(
                "A/A control: passed (p = {} over {} units)",
                p_value(c.p),
                c.units
            )
        }
        Some(c) => format!(
            "A/A control: FAILED (p = {} over {} units): nothing in this session may be claimed",
            p_value(c.p),
            c.units
        ),
    }
}
