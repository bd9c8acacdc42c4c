//! Answers from bytes: server-sent events in the dialects that servers write,
//! and whole JSON answers. Runs after the clock stopped.

mod answer;
mod chunk;
pub mod sse;

pub use answer::{Answer, Dialect, Place, ToolCall};
pub use chunk::Usage;

use crate::serving::client::{Capture, ErrorClass, Failure};
use answer::Folding;
use chunk::Chunk;
use serde_json::Value;
use sse::{Decoder, Event};

/// How much of a foreign text a failure quotes.
const QUOTED: usize = 200;

/// An event of an answer and the read that completed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventMark {
    /// Index into the capture's reads.
    pub read: usize,
    /// A chunk of the protocol; `[DONE]` is none.
    pub chunk: bool,
    /// Holds text of the model.
    pub content: bool,
    /// Holds text of the model that is not reasoning.
    pub output: bool,
}

/// A parsed body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What the answer said.
    pub answer: Answer,
    /// Its events in order; a whole JSON answer is one event.
    pub events: Vec<EventMark>,
    /// Why the body is not the answer asked for.
    pub failure: Option<Failure>,
}

/// Gives the events of a capture with the index of the read that completed each.
///
/// # Errors
///
/// When a line or an event exceeds the capture's limit.
pub fn events(capture: &Capture) -> Result<Vec<(usize, Event)>, sse::TooLong> {
    let mut decoder = Decoder::new(capture.line_limit);
    let mut all = Vec::new();
    for (read, bytes) in slices(capture) {
        let mut events = Vec::new();
        decoder.push(bytes, &mut events)?;
        all.extend(events.into_iter().map(|event| (read, event)));
    }
    Ok(all)
}

fn slices(capture: &Capture) -> impl Iterator<Item = (usize, &[u8])> {
    let mut start = 0;
    capture.reads.iter().enumerate().map(move |(index, read)| {
        let end = usize::try_from(read.body_end).unwrap_or(usize::MAX);
        let end = end.clamp(start, capture.body.len());
        (
            index,
            &capture.body[std::mem::replace(&mut start, end)..end],
        )
    })
}

/// Parses a capture's body.
#[must_use]
pub fn read(capture: &Capture) -> Reading {
    let status = capture.status.unwrap_or(0);
    if !(200..300).contains(&status) {
        let failure = (status > 0).then(|| {
            let json = serde_json::from_slice::<Value>(&capture.body).ok();
            let words = json.and_then(|value| Chunk::read(&value).error);
            let words = words.unwrap_or_else(|| quote(&capture.body));
            let text = format!("{status}: {words}");
            Failure::new(ErrorClass::HttpStatus, text)
        });
        return Reading {
            answer: Answer::default(),
            events: Vec::new(),
            failure,
        };
    }
    let kind = capture.header("content-type").unwrap_or("");
    if kind.starts_with("text/event-stream") {
        return read_stream(capture);
    }
    let mut body = capture.body.as_slice();
    body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let start = body.trim_ascii_start();
    // Some servers stream under another content type.
    let fields: [&[u8]; 4] = [b"data:", b"event:", b"id:", b":"];
    if fields.iter().any(|field| start.starts_with(field)) {
        return read_stream(capture);
    }
    read_whole(capture)
}

struct Reader {
    folding: Folding,
    events: Vec<EventMark>,
    failure: Option<Failure>,
}

impl Reader {
    fn fail(&mut self, class: ErrorClass, detail: String) {
        self.failure.get_or_insert(Failure { class, detail });
    }

    fn json(&mut self, data: &[u8]) -> Option<Value> {
        let text = String::from_utf8_lossy(data);
        match serde_json::from_str::<Value>(&text) {
            Ok(value @ Value::Object(_)) => {
                let replaced = matches!(text, std::borrow::Cow::Owned(_));
                self.folding.answer.dialect.invalid_utf8 += u64::from(replaced);
                Some(value)
            }
            _ => {
                self.fail(ErrorClass::NonJson, quote(data));
                None
            }
        }
    }

    fn event(&mut self, read: usize, event: &Event) {
        let mut mark = EventMark {
            read,
            chunk: false,
            content: false,
            output: false,
        };
        if event.data.trim_ascii() == b"[DONE]" {
            self.folding.answer.dialect.done_marker = true;
        } else if let Some(value) = self.json(&event.data) {
            let chunk = Chunk::read(&value);
            if let Some(error) = &chunk.error {
                self.fail(ErrorClass::ErrorObject, error.clone());
            } else if event.name.as_deref() == Some("error") {
                self.fail(ErrorClass::ErrorObject, quote(&event.data));
            } else {
                mark.chunk = chunk.choice || chunk.usage.is_some();
                mark.content = chunk.has_content();
                mark.output = chunk.has_output();
                self.folding.take(chunk);
            }
        }
        self.events.push(mark);
    }

    fn finish(self) -> Reading {
        Reading {
            answer: self.folding.finish(),
            events: self.events,
            failure: self.failure,
        }
    }
}

fn reader() -> Reader {
    Reader {
        folding: Folding::default(),
        events: Vec::new(),
        failure: None,
    }
}

fn read_stream(capture: &Capture) -> Reading {
    let mut reader = reader();
    reader.folding.answer.dialect.stream = true;
    let mut decoder = Decoder::new(capture.line_limit);
    let mut events = Vec::new();
    let mut last_read = 0;
    for (read, bytes) in slices(capture) {
        let pushed = decoder.push(bytes, &mut events);
        if !bytes.is_empty() {
            last_read = read;
        }
        for event in events.drain(..) {
            reader.event(read, &event);
        }
        if pushed.is_err() {
            let limit = capture.line_limit;
            reader.fail(
                ErrorClass::TooLarge,
                format!("a line or event exceeds {limit} bytes"),
            );
            return reader.finish();
        }
    }
    let remains = decoder.finish();
    reader.folding.answer.dialect.comments = remains.comments;
    let complete = capture.failure.is_none();
    // A cut-off event is no fault of its own when the transport has failed.
    if let Some(event) = remains.unterminated.filter(|_| complete) {
        reader.event(last_read, &event);
    }
    if let Some(line) = remains.foreign.filter(|_| complete) {
        let json = serde_json::from_slice::<Value>(&line).ok();
        match json.and_then(|value| Chunk::read(&value).error) {
            Some(error) => reader.fail(ErrorClass::ErrorObject, error),
            None => reader.fail(ErrorClass::NonJson, quote(&line)),
        }
    }
    let answer = &reader.folding.answer;
    if complete && answer.finish_reason.is_none() && !answer.dialect.done_marker {
        reader.fail(
            ErrorClass::ClosedEarly,
            "the stream ended without finish reason and [DONE]".to_owned(),
        );
    }
    reader.finish()
}

fn read_whole(capture: &Capture) -> Reading {
    let mut reader = reader();
    if capture.failure.is_none() {
        let body = capture.body.as_slice();
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let filled = |read: &crate::serving::client::Read| read.body_end == body.len() as u64;
        let read = capture.reads.iter().position(filled).unwrap_or(0);
        let event = Event {
            name: None,
            data: body.to_vec(),
        };
        reader.event(read, &event);
    }
    reader.finish()
}

/// The start of a foreign text, fit for a terminal.
fn quote(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * QUOTED)]);
    let text: String = text.trim().chars().take(QUOTED).collect();
    if text.is_empty() {
        return "(empty body)".to_owned();
    }
    let visible = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().map(visible).collect()
}
