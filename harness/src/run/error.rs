//! What can stop a run.

use crate::observation::LineError;
use crate::plan::PlanError;
use std::path::{Path, PathBuf};

/// Why a session could not be planned, run or read.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A JSON file is malformed.
    #[error("{}: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong; it names line and column.
        source: serde_json::Error,
    },
    /// An observation file is malformed.
    #[error("{}: {source}", path.display())]
    Observation {
        /// The file.
        path: PathBuf,
        /// Which line, and what is wrong.
        source: LineError,
    },
    /// A plan can't be run.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A document's contents contradict each other.
    #[error("{}: {problem}", path.display())]
    Document {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A process could not be started.
    #[error("could not start a worker of {}: {source}", path.display())]
    Spawn {
        /// The executable.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The stored plan and this executable do not belong together.
    #[error("{0}")]
    NotComparable(String),
    /// The invocation asks for something that can't be done.
    #[error("{0}")]
    Usage(String),
}

impl RunError {
    pub(crate) fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File {
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn json(path: &Path, source: serde_json::Error) -> Self {
        Self::Json {
            path: path.to_owned(),
            source,
        }
    }
}
