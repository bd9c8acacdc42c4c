//! What the client stores while the clock runs: stamps and bytes, unparsed.

use super::Failure;
use serde::{Deserialize, Serialize};

/// The moments of one attempt in nanoseconds on
/// [`clock`](crate::serving::clock). `None`: not reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamps {
    /// When the schedule wanted the request to start.
    pub intended_ns: u64,
    /// When the load gave it to the client.
    pub queued_ns: u64,
    /// Start of the TCP handshake; `None` on a reused connection.
    pub connect_start_ns: Option<u64>,
    /// End of the TCP handshake.
    pub connect_end_ns: Option<u64>,
    /// Just before the write that took the request's last byte: no server can
    /// have had the whole request earlier.
    pub sent_ns: Option<u64>,
    /// The read with the first byte of the response.
    pub first_byte_ns: Option<u64>,
    /// The read that completed the response head.
    pub headers_ns: Option<u64>,
    /// The read with the first byte of the body.
    pub first_body_ns: Option<u64>,
    /// The read that completed the first event of any kind (a role counts).
    pub first_event_ns: Option<u64>,
    /// The read that completed the first event with text of the model: content,
    /// reasoning or a tool call.
    pub first_content_ns: Option<u64>,
    /// The same without reasoning: what a user sees.
    pub first_output_ns: Option<u64>,
    /// The read that completed the last event with text of the model.
    pub last_content_ns: Option<u64>,
    /// The read that completed the answer, or when the attempt failed.
    pub done_ns: u64,
}

/// One read from the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// Stamped right after the read returned, before anything looked at it.
    pub at_ns: u64,
    /// Bytes on the wire.
    pub bytes: u32,
    /// Length of the body so far, after transfer decoding.
    pub body_end: u64,
}

/// What became of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionEnd {
    /// Still open when last looked at.
    Open,
    /// The server closed it as its answer announced.
    AnnouncedClose,
    /// The server closed it although its answer let it live on: pooled clients
    /// lose requests there.
    ClosedUnannounced,
    /// The server sent bytes beyond its answer.
    StrayBytes,
    /// Given up with the attempt.
    Abandoned,
}

/// How the attempt came to its connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionUse {
    /// Requests that the connection had served before.
    pub earlier_requests: u32,
    /// Idle connections found closed by the server before this one was taken.
    /// Nothing had been sent on them: no failure and no retry.
    pub found_closed: u32,
}

/// One attempt as it was seen on the wire.
#[derive(Clone, Debug, PartialEq)]
pub struct Capture {
    /// Stamps of the transport; those of events come with the parse.
    pub stamps: Stamps,
    /// How the attempt came to its connection.
    pub connection: ConnectionUse,
    /// What became of the connection.
    pub connection_end: ConnectionEnd,
    /// Status of the response.
    pub status: Option<u16>,
    /// Headers of the response; bytes outside UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// Every read, also those of head and end.
    pub reads: Vec<Read>,
    /// The body after transfer decoding, as far as it came.
    pub body: Vec<u8>,
    /// Why the transport failed.
    pub failure: Option<Failure>,
    /// Tokens asked for.
    pub requested_tokens: Option<u64>,
    /// Longest line or event that the parse will accept.
    pub line_limit: usize,
}

impl Capture {
    /// The value of a response header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }
}
