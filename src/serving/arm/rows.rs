//! Raw rows: every request of a worker with all its stamps, one line each.

use crate::serving::Attempt;
use crate::serving::metrics::DEFINITION_VERSION;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

/// A request as it is kept in `requests/`. Every printed number of a slot
/// follows from its rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestRow {
    /// Version of the metric definitions.
    pub definitions: u32,
    /// Block of the worker's schedule; `null` outside of what is measured.
    pub block: Option<u32>,
    /// Slot of the arm in the block.
    pub turn: u32,
    /// Index of the prompt under the worker's input seed.
    pub index: u64,
    /// Whether it counts: not part of a ramp.
    pub counts: bool,
    /// Digest of what was asked.
    pub work: u64,
    /// When the server's process was started and was ready, where the slot did that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<[u64; 2]>,
    /// The attempt.
    pub attempt: Attempt,
}

impl RequestRow {
    /// The current version of the definitions.
    pub(super) const DEFINITIONS: u32 = DEFINITION_VERSION;
}

/// The file of rows of one arm of one worker.
pub(super) struct Rows {
    path: PathBuf,
    file: File,
}

impl Rows {
    pub(super) fn create(path: PathBuf) -> Result<Self, String> {
        let open = || {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            OpenOptions::new().append(true).create_new(true).open(&path)
        };
        let file = open().map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(Self { path, file })
    }

    /// Appends whole lines, so that a kill leaves at most one torn line.
    pub(super) fn append(&mut self, rows: &[RequestRow]) -> Result<(), String> {
        let mut lines = Vec::new();
        for row in rows {
            serde_json::to_writer(&mut lines, row).map_err(|e| e.to_string())?;
            lines.push(b'\n');
        }
        self.file
            .write_all(&lines)
            .map_err(|e| format!("{}: {e}", self.path.display()))
    }
}

/// Reads a file of rows. A torn last line, left by a kill, is left out.
///
/// # Errors
/// If the file can't be read or a line in it is none of ours; names the line.
pub fn read_rows(path: &Path) -> io::Result<Vec<RequestRow>> {
    let mut reader = BufReader::new(File::open(path)?);
    let (mut rows, mut line, mut number) = (Vec::new(), String::new(), 0);
    loop {
        line.clear();
        number += 1;
        if reader.read_line(&mut line)? == 0 || !line.ends_with('\n') {
            return Ok(rows);
        }
        rows.push(serde_json::from_str(&line).map_err(|e| {
            let problem = format!("{}: line {number}: {e}", path.display());
            io::Error::new(io::ErrorKind::InvalidData, problem)
        })?);
    }
}
