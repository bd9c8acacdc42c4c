//! What coordinator and worker say to each other, one JSON line each.
//!
//! The worker's lines share its standard output with whatever the arms print,
//! so each starts on a line of its own with a mark that no text has.

use crate::observation::ArmFault;
use crate::plan::{ExperimentPlan, Seed, SlotFlags};
use crate::suite::{Output, Place, Warmth};
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

/// ASCII record separator, then our name.
const MARK: &str = "\u{1e}evenhand ";

/// What the coordinator asks of a worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Job {
    pub kind: JobKind,
    pub seed: Seed,
    pub target: String,
    pub experiment: ExperimentPlan,
    pub worker: u32,
}

/// What a worker process is for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum JobKind {
    /// Find out how long an iteration of each arm takes.
    Pilot,
    /// Run the worker's schedule and append observations to the file.
    Measure {
        /// The observation file; must not exist yet.
        file: PathBuf,
    },
    /// Build one instance and answer the worker's turns.
    Arm {
        /// Which instance.
        instance: usize,
        /// The worker's observation file, when it measures.
        file: Option<PathBuf>,
    },
}

impl JobKind {
    /// The worker's observation file, when it measures.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::Pilot => None,
            Self::Measure { file } => Some(file),
            Self::Arm { file, .. } => file.as_deref(),
        }
    }
}

/// What a worker asks of an arm in a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Turn {
    /// Run a slot.
    Slot { place: Place, iterations: u64 },
    /// Tell the output.
    Output,
    /// Tell what is known only now, after the last slot.
    FactsAtEnd,
}

/// What such an arm answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    /// It is built.
    Ready { facts: Vec<(String, String)> },
    /// A slot was run.
    Slot {
        value: Option<f64>,
        host_ns: u64,
        flags: SlotFlags,
        secondary: Vec<Option<f64>>,
        samples: Vec<Vec<Option<f64>>>,
        warmth: Warmth,
    },
    /// The output, when the arm declares one.
    Output(Option<Output>),
    /// What is known after the last slot.
    FactsAtEnd(Vec<(String, String)>),
}

/// What a worker reports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Message {
    /// Nanoseconds per iteration of each arm, and for finding them out.
    Pilot {
        ns_per_iteration: Vec<f64>,
        slots_ns: u64,
    },
    /// So many blocks are done. The worker waits for an answer, so that the
    /// coordinator never draws while a slot runs.
    Progress { blocks: u32 },
    /// An arm in a process of its own took its turn.
    Answer(Answer),
    /// An arm failed; the worker ends.
    Fault(ArmFault),
    /// Everything was measured.
    Done,
}

/// Writes a message as a marked line.
pub(super) fn send(to: &mut impl Write, message: &Message) -> io::Result<()> {
    let json = serde_json::to_string(message).map_err(io::Error::other)?;
    write!(to, "\n{MARK}{json}\n")?;
    to.flush()
}

/// Reads one line as a message; lines of the arms themselves give `None`.
pub(super) fn parse(line: &str) -> Option<Message> {
    serde_json::from_str(line.trim_end().strip_prefix(MARK)?).ok()
}

/// Reads the job from the coordinator.
pub(super) fn receive_job(from: &mut impl BufRead) -> io::Result<Job> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    serde_json::from_str(&line).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_what_an_arm_prints() {
        let mut out = b"half a line".to_vec();
        send(&mut out, &Message::Progress { blocks: 3 }).unwrap();
        let text = String::from_utf8(out).unwrap();
        let found: Vec<_> = text.lines().filter_map(parse).collect();
        assert_eq!(found, [Message::Progress { blocks: 3 }]);
        assert_eq!(parse("{\"progress\":{\"blocks\":3}}"), None);
    }
}
