//! Time limits, size limits and the use of connections.

use std::time::Duration;

/// When the client gives up. Each limit has an error class of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the TCP handshake.
    pub connect: Duration,
    /// From the start of sending to the complete response head.
    pub header: Duration,
    /// From the response head to the first byte of the body.
    pub first_byte: Duration,
    /// Between two reads of the body.
    pub idle: Duration,
    /// From the start of sending to the end of the answer.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            header: Duration::from_secs(60),
            first_byte: Duration::from_secs(60),
            idle: Duration::from_secs(60),
            total: Duration::from_secs(300),
        }
    }
}

/// What one answer may occupy: beyond it the attempt fails as `too_large`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the response head; at least 8,192.
    pub head: usize,
    /// Bytes of the body after transfer decoding.
    pub body: usize,
    /// Bytes of one line or one event of a stream.
    pub line: usize,
    /// Reads from the socket.
    pub reads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: 64 << 10,
            body: 64 << 20,
            line: 4 << 20,
            reads: 1 << 20,
        }
    }
}

/// Whether connections serve more than one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Connections {
    /// A connection of its own for every request, opened before its clock starts.
    #[default]
    Fresh,
    /// Idle connections are used again, after a look for FIN.
    Reuse,
}

/// How a [`Client`](super::Client) behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// When it gives up.
    pub timeouts: Timeouts,
    /// What it stores at most per answer.
    pub limits: Limits,
    /// Whether connections serve more than one request.
    pub connections: Connections,
    /// How long to watch the connection after an answer for the server's FIN.
    /// Zero looks once, at once. The time lies after all stamps.
    pub watch_close: Duration,
}
