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
    let (mut rows, mut line, mut number) = (Vec::new(), Vec::new(), 0);
    loop {
        line.clear();
        number += 1;
        // Bytes: a line may be torn in the middle of a character.
        reader.read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            return Ok(rows);
        }
        rows.push(serde_json::from_slice(&line).map_err(|e| {
            let problem = format!("{}: line {number}: {e}", path.display());
            io::Error::new(io::ErrorKind::InvalidData, problem)
        })?);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serving::client::{ConnectionEnd, ConnectionUse, Stamps};
    use crate::serving::stream::Answer;
    use crate::serving::{ReadMark, Tokens};

    fn row(text: &str) -> RequestRow {
        RequestRow {
            definitions: RequestRow::DEFINITIONS,
            block: Some(0),
            turn: 0,
            index: 1,
            counts: true,
            work: 7,
            start: None,
            attempt: Attempt {
                stamps: Stamps::default(),
                connection: ConnectionUse::default(),
                connection_end: ConnectionEnd::Open,
                status: Some(200),
                reads: vec![ReadMark {
                    at_ns: 1,
                    bytes: 2,
                    events: 1,
                    content_events: 1,
                }],
                answer: Answer {
                    text: text.to_owned(),
                    ..Answer::default()
                },
                tokens: Tokens::default(),
                failure: None,
            },
        }
    }

    /// A kill may cut the last line anywhere, also inside a character.
    #[test]
    fn every_torn_last_line_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("requests/rows.jsonl");
        let written = [row("first"), row("ü€")];
        Rows::create(path.clone())
            .unwrap()
            .append(&written)
            .unwrap();
        let whole = std::fs::read(&path).unwrap();
        assert_eq!(read_rows(&path).unwrap(), written);
        let first = whole.iter().position(|b| *b == b'\n').unwrap() + 1;
        for end in first..whole.len() {
            std::fs::write(&path, &whole[..end]).unwrap();
            assert_eq!(read_rows(&path).unwrap(), written[..1], "cut at {end}");
        }
        std::fs::write(&path, [&whole[..first], b"{}\n"].concat()).unwrap();
        let error = read_rows(&path).unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
    }
}
