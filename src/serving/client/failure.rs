//! Why an attempt failed.

use serde::{Deserialize, Serialize};
use std::error::Error;
use std::fmt;
use std::io;

/// The kinds of failure a comparison keeps apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// Nobody listens at the address.
    ConnectRefused,
    /// No connection in time.
    ConnectTimeout,
    /// Another reason for which no connection came about.
    ConnectFailed,
    /// The response head was not complete in time.
    HeaderTimeout,
    /// The head came, the body did not start in time.
    FirstByteTimeout,
    /// Nothing arrived for too long in the middle of the body.
    IdleTimeout,
    /// The whole answer took too long.
    TotalTimeout,
    /// The client hung up on purpose, as the request asked.
    Cancelled,
    /// The server reset the connection.
    Reset,
    /// The connection or the stream ended before the answer was complete.
    ClosedEarly,
    /// A reused connection was closed between the look for FIN and the answer.
    ClosedWhileIdle,
    /// The response head is not HTTP/1.1.
    BadHead,
    /// A status other than 2xx.
    HttpStatus,
    /// An error object inside the answer.
    ErrorObject,
    /// Something other than the protocol's JSON inside the answer.
    NonJson,
    /// Broken chunked transfer encoding.
    MalformedChunking,
    /// Head, body, line or number of reads beyond the limit.
    TooLarge,
    /// A content encoding that was not asked for.
    Encoding,
}

impl ErrorClass {
    /// The class as records and reports name it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::ConnectRefused => "connect_refused",
            Self::ConnectTimeout => "connect_timeout",
            Self::ConnectFailed => "connect_failed",
            Self::HeaderTimeout => "header_timeout",
            Self::FirstByteTimeout => "first_byte_timeout",
            Self::IdleTimeout => "idle_timeout",
            Self::TotalTimeout => "total_timeout",
            Self::Cancelled => "cancelled",
            Self::Reset => "reset",
            Self::ClosedEarly => "closed_early",
            Self::ClosedWhileIdle => "closed_while_idle",
            Self::BadHead => "bad_head",
            Self::HttpStatus => "http_status",
            Self::ErrorObject => "error_object",
            Self::NonJson => "non_json",
            Self::MalformedChunking => "malformed_chunking",
            Self::TooLarge => "too_large",
            Self::Encoding => "encoding",
        }
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The failure of one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of failure.
    pub class: ErrorClass,
    /// What was seen, for people.
    pub detail: String,
}

impl Failure {
    /// A failure of a class, with what was seen.
    pub fn new(class: ErrorClass, detail: impl Into<String>) -> Self {
        Self {
            class,
            detail: detail.into(),
        }
    }

    pub(super) fn connecting(error: &io::Error) -> Self {
        let class = match error.kind() {
            io::ErrorKind::ConnectionRefused => ErrorClass::ConnectRefused,
            io::ErrorKind::TimedOut => ErrorClass::ConnectTimeout,
            _ => ErrorClass::ConnectFailed,
        };
        #[cfg(unix)]
        if error.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error()) {
            return Self::new(class, format!("{error}; raise the limit, see `ulimit -n`"));
        }
        Self::new(class, error.to_string())
    }

    pub(super) fn exchanging(error: &hyper::Error) -> Self {
        Self::new(class_of(error), chain(error))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class, self.detail)
    }
}

impl Error for Failure {}

fn class_of(error: &hyper::Error) -> ErrorClass {
    if error.is_parse_too_large() {
        return ErrorClass::TooLarge;
    }
    if error.is_parse() {
        return ErrorClass::BadHead;
    }
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return match io.kind() {
                io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                    ErrorClass::MalformedChunking
                }
                io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe => ErrorClass::Reset,
                _ => ErrorClass::ClosedEarly,
            };
        }
        source = cause.source();
    }
    ErrorClass::ClosedEarly
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
