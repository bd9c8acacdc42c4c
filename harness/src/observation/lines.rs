//! The lines of an observation file: one worker, one file, append-only.
//!
//! The first line names the worker, then comes one line per slot, and the last
//! line says how it ended. A file without that last line belongs to a worker
//! that was lost; what it measured stays readable.

use super::{OBSERVATION_SCHEMA, WorkerData, WorkerOutcome};
use crate::plan::{SlotFlags, check_schema};
use crate::schedule::BlockKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A line of an observation file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum Line {
    /// First line.
    Worker(WorkerHeader),
    /// A timed slot.
    Slot(SlotLine),
    /// Last line.
    End(WorkerEnd),
}

/// Who measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WorkerHeader {
    /// `evenhand.observation/1.0`.
    pub schema: String,
    /// Bench target.
    pub target: String,
    /// Experiment id.
    pub experiment: String,
    /// Index of the worker.
    pub worker: u32,
    /// Process id: a worker is a fresh process.
    pub pid: u32,
    /// Start, RFC 3339 UTC.
    pub started: String,
    /// Instances in letter order.
    pub letters: Vec<usize>,
    /// Seed of the inputs.
    pub input_seed: crate::plan::Seed,
    /// Iterations of every slot.
    pub iterations: u64,
    /// Warm-up slots per instance before the first block.
    pub warmup_slots: u32,
    /// Whether the warm-up reached a steady state.
    pub steady: bool,
    /// What is known about each instance's built arm.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Facts>,
}

/// Facts of a built arm by name.
pub type Facts = BTreeMap<String, String>;

/// One timed slot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SlotLine {
    /// Index of the block in the worker.
    #[serde(rename = "b")]
    pub block: u32,
    /// What the block compares.
    #[serde(rename = "k")]
    pub kind: BlockKind,
    /// Instance that ran: an index into the arms, or their number for the shadow.
    #[serde(rename = "i")]
    pub instance: usize,
    /// Start of the slot, nanoseconds after the worker's first slot.
    #[serde(rename = "t")]
    pub start_ns: u64,
    /// The metric, per iteration; absent when the work gave no value.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Host time of the whole slot, nanoseconds.
    #[serde(rename = "h")]
    pub host_ns: u64,
    /// The secondary metrics, per iteration, in the plan's order.
    #[serde(rename = "s", default, skip_serializing_if = "Vec::is_empty")]
    pub secondary: Vec<Option<f64>>,
    /// The single values behind every secondary metric that is a quantile, in
    /// the order of their arrival; `null` is a failure.
    #[serde(rename = "q", default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<Vec<Option<f64>>>,
    /// What is wrong with the slot.
    #[serde(rename = "f", default, skip_serializing_if = "SlotFlags::is_empty")]
    pub flags: SlotFlags,
}

/// How a worker ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WorkerEnd {
    /// The reason when it did not measure everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<ArmFault>,
    /// What is known about each instance only after its last slot.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Facts>,
}

/// What went wrong with an arm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ArmFault {
    /// The arm, when one can be named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arm: Option<String>,
    /// What kind of fault.
    pub fault: Fault,
    /// What was seen.
    pub message: String,
}

/// Kinds of faults of an experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The arm panicked.
    Panicked,
    /// The output differs from the control's or the reference's.
    WrongOutput,
    /// The arm reported that it can't go on.
    Failed,
    /// The arm is written in a way that can't be measured.
    WrongUse,
    /// A value is not finite, or not positive where it must be.
    BadValue,
    /// The process died or went silent.
    Killed,
    /// Files or processes failed underneath.
    System,
}

impl Fault {
    /// The fault in words, as the predicate of a sentence about the arm.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Panicked => "panicked",
            Self::WrongOutput => "gave a wrong output",
            Self::Failed => "failed",
            Self::WrongUse => "can't be measured as written",
            Self::BadValue => "gave a value that can't be used",
            Self::Killed => "was killed",
            Self::System => "met a system error",
        }
    }
}

/// A line that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct LineError {
    /// 1-based number of the line.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

/// Reads an observation file. A last line that was cut off mid-way (a crash, a
/// full disk) is left out; any other unreadable line is an error. `None` is a
/// worker that never came to measure: it died or failed while it warmed up.
///
/// # Errors
/// Names the line.
pub fn read_worker_lines(text: &str) -> Result<Option<WorkerData>, LineError> {
    let mut data: Option<WorkerData> = None;
    let count = text.lines().count();
    for (index, raw) in text.lines().enumerate() {
        if raw.trim().is_empty() {
            continue;
        }
        let number = index + 1;
        let cut_off = number == count && !text.ends_with('\n');
        let fail = |problem: String| LineError {
            line: number,
            problem,
        };
        let line = match serde_json::from_str::<Line>(raw) {
            Ok(line) => line,
            Err(_) if cut_off => break,
            Err(e) => return Err(fail(format!("column {}: {}", e.column(), cause(&e)))),
        };
        match (line, &mut data) {
            (Line::Worker(header), None) => {
                check_schema(&header.schema, OBSERVATION_SCHEMA)
                    .map_err(|e| fail(e.to_string()))?;
                data = Some(WorkerData::new(header));
            }
            (Line::Worker(_), Some(_)) => return Err(fail("a second worker in one file".into())),
            (Line::End(WorkerEnd { fault: Some(_), .. }), None) => {}
            (_, None) => return Err(fail("the first line must name the worker".into())),
            (Line::Slot(slot), Some(data)) => data.push(slot),
            (Line::End(end), Some(data)) => {
                data.learn(end.facts);
                data.outcome = match end.fault {
                    None => WorkerOutcome::Complete,
                    Some(fault) => WorkerOutcome::Failed(fault),
                };
            }
        }
    }
    Ok(data)
}

/// What a JSON parser says of one line, without the place: it saw that line
/// only and would call it the first.
pub(crate) fn cause(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ")
        .map_or(text.clone(), |(cause, _)| cause.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_of_the_end_join_those_of_the_beginning() {
        let header = serde_json::to_string(&Line::Worker(WorkerHeader {
            schema: OBSERVATION_SCHEMA.to_owned(),
            target: "t".into(),
            experiment: "e".into(),
            worker: 0,
            pid: 1,
            started: String::new(),
            letters: vec![0, 1],
            input_seed: crate::plan::Seed(1),
            iterations: 1,
            warmup_slots: 0,
            steady: true,
            facts: vec![Facts::from([
                ("a".into(), "1".into()),
                ("b".into(), "2".into()),
            ])],
        }));
        let read = |end: &str| {
            let text = format!("{}\n{end}\n", header.as_ref().unwrap());
            read_worker_lines(&text).unwrap().unwrap()
        };
        let ended = read(r#"{"line":"end","facts":[{"b":"3"},{"c":"4"}]}"#);
        assert!(ended.is_complete());
        let names = |facts: &Facts| format!("{facts:?}");
        assert_eq!(names(&ended.facts[0]), r#"{"a": "1", "b": "3"}"#);
        assert_eq!(names(&ended.facts[1]), r#"{"c": "4"}"#);
        // A file of an earlier version has none.
        assert_eq!(read(r#"{"line":"end"}"#).facts.len(), 1);
    }

    #[test]
    fn a_worker_that_never_measured_is_none() {
        let failed = r#"{"line":"end","fault":{"arm":"b","fault":"failed","message":"gone"}}"#;
        for text in ["", "\n", "{\"line\":\"wor", &format!("{failed}\n")] {
            assert_eq!(read_worker_lines(text), Ok(None), "{text:?}");
        }
        // A good end without a beginning, or a slot, is no worker's file.
        for text in ["{\"line\":\"end\"}\n", "nonsense\n"] {
            assert_eq!(read_worker_lines(text).unwrap_err().line, 1, "{text:?}");
        }
    }
}
