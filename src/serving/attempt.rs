//! The record of one attempt: stamps, reads and what the answer said.

use super::client::{Capture, ConnectionEnd, ConnectionUse, ErrorClass, Failure, Stamps};
use super::stream::{self, Answer};
use serde::{Deserialize, Serialize};

/// One read that brought at least one byte, with what it completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadMark {
    /// Stamped right after the read returned.
    pub at_ns: u64,
    /// Bytes on the wire.
    pub bytes: u32,
    /// Events completed by this read.
    pub events: u32,
    /// Events with text of the model among them.
    pub content_events: u32,
}

/// Token counts of one answer, by who counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// What the request asked for at most.
    pub requested: Option<u64>,
    /// The server's `usage.completion_tokens`.
    pub server: Option<u64>,
    /// The client's tokenizer over reasoning and text.
    pub client: Option<u64>,
    /// Events with text: not tokens, but what many tools take for them.
    pub chunks: u64,
}

/// One attempt of one request. Serialises as one record line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// All moments.
    pub stamps: Stamps,
    /// How the attempt came to its connection.
    pub connection: ConnectionUse,
    /// What became of the connection.
    pub connection_end: ConnectionEnd,
    /// Status of the response.
    pub status: Option<u16>,
    /// Every read in order.
    pub reads: Vec<ReadMark>,
    /// What the answer said, as far as it came.
    pub answer: Answer,
    /// Token counts, by who counted.
    pub tokens: Tokens,
    /// Why it failed; `None` for a complete answer.
    pub failure: Option<Failure>,
}

impl Attempt {
    /// Parses what was captured. Call it after the clock stopped.
    #[must_use]
    pub fn from_capture(capture: &Capture) -> Self {
        Self::counted(capture, None)
    }

    /// Parses what was captured and counts the answer's tokens with
    /// `tokenizer` (tokens of a text, without special ones).
    #[must_use]
    pub fn counted(capture: &Capture, tokenizer: Option<&dyn Fn(&str) -> u64>) -> Self {
        let reading = stream::read(capture);
        let mut reads: Vec<ReadMark> = capture
            .reads
            .iter()
            .map(|read| ReadMark {
                at_ns: read.at_ns,
                bytes: read.bytes,
                events: 0,
                content_events: 0,
            })
            .collect();
        let mut stamps = capture.stamps;
        for mark in &reading.events {
            let Some(read) = reads.get_mut(mark.read) else {
                continue;
            };
            read.events += 1;
            read.content_events += u32::from(mark.content);
            let at = read.at_ns;
            if mark.chunk {
                stamps.first_event_ns.get_or_insert(at);
            }
            if mark.content {
                stamps.first_content_ns.get_or_insert(at);
                stamps.last_content_ns = Some(at);
            }
            if mark.output {
                stamps.first_output_ns.get_or_insert(at);
            }
        }
        let answer = reading.answer;
        let tokens = Tokens {
            requested: capture.requested_tokens,
            server: answer.usage.and_then(|usage| usage.completion_tokens),
            client: tokenizer.map(|count| count(&answer.reasoning) + count(&answer.text)),
            chunks: answer.content_chunks,
        };
        Self {
            stamps,
            connection: capture.connection,
            connection_end: capture.connection_end,
            status: capture.status,
            reads,
            answer,
            tokens,
            failure: cause(capture.failure.clone(), reading.failure),
        }
    }

    /// Whether a complete answer came.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.failure.is_none()
    }

    /// The class of the failure.
    #[must_use]
    pub fn error_class(&self) -> Option<ErrorClass> {
        self.failure.as_ref().map(|failure| failure.class)
    }
}

/// An error that the server reported explains the close that followed it.
fn cause(transport: Option<Failure>, content: Option<Failure>) -> Option<Failure> {
    let explained = |f: &Failure| matches!(f.class, ErrorClass::ClosedEarly | ErrorClass::Reset);
    match (transport, content) {
        (Some(transport), Some(content))
            if explained(&transport)
                && matches!(
                    content.class,
                    ErrorClass::ErrorObject | ErrorClass::HttpStatus | ErrorClass::NonJson
                ) =>
        {
            Some(content)
        }
        (transport, content) => transport.or(content),
    }
}
