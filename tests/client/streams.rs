//! Streams of real engines, through the socket: `tests/data/streams`.
//! `EVENHAND_UPDATE=1` writes the expected parses anew.

use super::support::{attempt, options, put, server};
use evenhand::serving::Attempt;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/streams")
}

/// What does not depend on when bytes arrive.
fn parsed(seen: &Attempt) -> Value {
    let events: u32 = seen.reads.iter().map(|read| read.events).sum();
    let content: u32 = seen.reads.iter().map(|read| read.content_events).sum();
    json!({
        "status": seen.status,
        "answer": seen.answer,
        "tokens": seen.tokens,
        "events": events,
        "content_events": content,
        "failure": seen.failure,
    })
}

fn serve(raw: Vec<u8>, part: usize) -> Attempt {
    let address = server(move |stream, _| {
        for part in raw.chunks(part) {
            put(stream, part);
        }
    });
    attempt(address, options())
}

#[test]
fn every_dialect_is_parsed_however_it_is_cut() {
    let mut files: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "http"))
        .collect();
    files.sort();
    assert!(files.len() >= 10, "{files:?}");
    for path in files {
        let raw = std::fs::read(&path).unwrap();
        let whole = parsed(&serve(raw.clone(), raw.len()));
        let golden = path.with_extension("json");
        if std::env::var_os("EVENHAND_UPDATE").is_some() {
            let text = serde_json::to_string_pretty(&whole).unwrap();
            std::fs::write(&golden, text + "\n").unwrap();
        }
        let expected: Value =
            serde_json::from_str(&std::fs::read_to_string(&golden).unwrap()).unwrap();
        assert_eq!(whole, expected, "{}", path.display());
        for part in [1, 7, 100] {
            let cut = parsed(&serve(raw.clone(), part));
            assert_eq!(cut, expected, "{} in parts of {part}", path.display());
        }
    }
}
