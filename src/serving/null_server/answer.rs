//! A script as writes, rendered before they are due.

use super::script::{Fault, Script};
use std::fmt::Write;

/// Digits of a stamp in an event.
const DIGITS: usize = 20;
const BLANK: &str = "00000000000000000000";

/// What happens to the connection after a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Continue,
    Finish,
    Close,
    Reset,
}

/// One write.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) due_ns: u64,
    pub(super) bytes: Vec<u8>,
    /// Where stamps of the write's own time belong.
    stamps: Vec<usize>,
    pub(super) then: Then,
}

impl Step {
    /// Puts the time of writing into the events.
    pub(super) fn stamp(&mut self, at_ns: u64) {
        let digits = format!("{at_ns:0DIGITS$}");
        for &at in &self.stamps {
            self.bytes[at..at + DIGITS].copy_from_slice(digits.as_bytes());
        }
    }

    fn new(due_ns: u64, text: String, then: Then) -> Self {
        let stamps = text.match_indices(BLANK).map(|(at, _)| at).collect();
        Self {
            due_ns,
            stamps,
            bytes: text.into_bytes(),
            then,
        }
    }
}

/// Everything after the last content event, at once: far beyond any test.
const FAR_NS: u64 = 3_600_000_000_000;

/// An answer that is complete in one write.
pub(super) fn plain(received_ns: u64, status: u16, body: &str) -> Vec<Step> {
    let text = format!(
        "HTTP/1.1 {status} Null\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    vec![Step::new(received_ns, text, Then::Finish)]
}

/// The writes of a request received at `received_ns`.
pub(super) fn steps(script: &Script, stream: bool, received_ns: u64) -> Vec<Step> {
    if let Some(Fault::Status { code }) = script.fault {
        return plain(received_ns, code, r#"{"error":{"message":"null server"}}"#);
    }
    let last = if script.close {
        Then::Close
    } else {
        Then::Finish
    };
    if !stream {
        let mut steps = plain(received_ns, 200, &whole(script));
        steps[0].due_ns = received_ns + script.end_ns();
        steps[0].then = last;
        return steps;
    }
    let at = |offset_ns: u64| received_ns.saturating_add(offset_ns);
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\
                Transfer-Encoding: chunked\r\nKeep-Alive: timeout=5\r\n\r\n";
    let mut steps = vec![Step::new(
        at(script.head_us * 1000),
        head.to_owned(),
        Then::Continue,
    )];
    if let Some(role_us) = script.role_us {
        let due_ns = at(role_us * 1000);
        let delta = r#"{"role":"assistant","content":""}"#;
        let event = event(received_ns, due_ns, delta, "null");
        steps.push(Step::new(due_ns, chunked(&event), Then::Continue));
    }
    let fault_after = match script.fault {
        Some(
            Fault::ErrorObject { after }
            | Fault::Reset { after }
            | Fault::Close { after }
            | Fault::Stall { after },
        ) => after.min(script.events()),
        _ => script.events(),
    };
    let per_write = script.events_per_write.max(1);
    let mut next = 0;
    while next < fault_after {
        let due_ns = at(script.due_ns(next));
        let end = next.saturating_add(per_write).min(fault_after);
        let events: String = (next..end)
            .map(|i| event(received_ns, due_ns, &content(script, i), "null"))
            .collect();
        steps.push(Step::new(due_ns, chunked(&events), Then::Continue));
        next = end;
    }
    let end_ns = at(script.due_ns(fault_after).max(script.first_us * 1000));
    steps.push(match script.fault {
        Some(Fault::ErrorObject { .. }) => {
            let text = chunked("data: {\"error\":{\"message\":\"scripted error\"}}\n\n");
            Step::new(end_ns, text + "0\r\n\r\n", last)
        }
        // Half a chunk, so that the end cannot pass for a complete answer.
        Some(Fault::Reset { .. }) => Step::new(end_ns, "ff\r\ndata: {".to_owned(), Then::Reset),
        Some(Fault::Close { .. }) => Step::new(end_ns, "ff\r\ndata: {".to_owned(), Then::Close),
        Some(Fault::Stall { .. }) => Step::new(end_ns + FAR_NS, String::new(), Then::Close),
        _ => {
            let end_ns = at(script.end_ns());
            let text = chunked(&tail(script, received_ns, end_ns)) + "0\r\n\r\n";
            Step::new(end_ns, text, last)
        }
    });
    // Writes keep their order when a script's times do not.
    let mut latest = 0;
    for step in &mut steps {
        latest = latest.max(step.due_ns);
        step.due_ns = latest;
    }
    steps
}

fn event(received_ns: u64, due_ns: u64, delta: &str, finish: &str) -> String {
    format!(
        "data: {{\"id\":\"null\",\"object\":\"chat.completion.chunk\",\"created\":0,\"model\":\"null\",\
         \"stamps\":{{\"received_ns\":{received_ns},\"due_ns\":{due_ns},\"written_ns\":\"{BLANK}\"}},\
         \"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]}}\n\n"
    )
}

fn content(script: &Script, event: u32) -> String {
    let per_event = script.tokens_per_event.max(1);
    let first = event * per_event;
    let end = first.saturating_add(per_event).min(script.tokens);
    let mut text = String::new();
    for token in first..end {
        let _ = write!(text, " w{token}");
    }
    format!("{{\"content\":\"{text}\"}}")
}

fn usage(script: &Script) -> String {
    let tokens = script.tokens;
    format!(
        "{{\"prompt_tokens\":1,\"completion_tokens\":{tokens},\"total_tokens\":{}}}",
        tokens + 1
    )
}

fn tail(script: &Script, received_ns: u64, due_ns: u64) -> String {
    let mut text = event(received_ns, due_ns, "{}", "\"length\"");
    if script.usage {
        let usage = usage(script);
        let _ = write!(
            text,
            "data: {{\"id\":\"null\",\"object\":\"chat.completion.chunk\",\"created\":0,\
             \"model\":\"null\",\"choices\":[],\"usage\":{usage}}}\n\n"
        );
    }
    if script.done {
        text.push_str("data: [DONE]\n\n");
    }
    text
}

fn whole(script: &Script) -> String {
    let usage = if script.usage {
        format!(",\"usage\":{}", usage(script))
    } else {
        String::new()
    };
    format!(
        "{{\"id\":\"null\",\"object\":\"chat.completion\",\"created\":0,\"model\":\"null\",\"choices\":\
         [{{\"index\":0,\"message\":{{\"role\":\"assistant\",\"content\":\"{}\"}},\
         \"finish_reason\":\"length\"}}]{usage}}}",
        script.text()
    )
}

fn chunked(data: &str) -> String {
    format!("{:x}\r\n{data}\r\n", data.len())
}
