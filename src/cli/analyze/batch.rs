//! Many documents, one per line.

use super::Failure;
use super::document::Analysis;
use crate::interop::pairs::{Declared, ReadError, read_json};
use crate::protocol::exit;
use serde::Serialize;
use std::io::Write;

#[derive(Serialize)]
struct Good<'a> {
    line: usize,
    #[serde(flatten)]
    analysis: &'a Analysis,
}

#[derive(Serialize)]
struct Bad {
    line: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u64>,
    error: String,
}

/// Prints one line per line; a line that can't be read does not stop the rest.
pub(super) fn run(
    name: &str,
    bytes: &[u8],
    declared: &Declared,
    describe: bool,
) -> Result<u8, Failure> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let analyse = if describe {
        Analysis::described
    } else {
        Analysis::of
    };
    let (mut lines, mut bad) = (0, 0);
    let mut out = std::io::stdout().lock();
    for (i, text) in bytes.split(|&b| b == b'\n').enumerate() {
        if text.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        lines += 1;
        let line = i + 1;
        let source = format!("{name}:{line}");
        let result: Result<Analysis, ReadError> =
            read_json(text).and_then(|document| analyse(document, declared, &source, text));
        let printed = match &result {
            Ok(analysis) => serde_json::to_string(&Good { line, analysis }),
            Err(error) => {
                bad += 1;
                serde_json::to_string(&Bad {
                    line,
                    column: error.column,
                    error: error.message.clone(),
                })
            }
        };
        let printed = printed.expect("plain data has a JSON form");
        if let Err(error) = writeln!(out, "{printed}") {
            return match error.kind() {
                std::io::ErrorKind::BrokenPipe => Ok(exit::OK),
                _ => Err(Failure::internal(error.to_string())),
            };
        }
    }
    match (lines, bad) {
        (0, _) => Err(Failure::usage(format!("{name}: the file is empty"))),
        (_, 0) => Ok(exit::OK),
        _ => Err(Failure::usage(format!(
            "{name}: {bad} of {lines} lines can't be analysed; their result lines say why"
        ))),
    }
}
