//! Requests, serialised before the run.

use bytes::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, Uri};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt;
use std::time::Duration;

/// A request as it goes over the wire, as often as needed.
#[derive(Clone, Debug)]
pub struct Request {
    pub(super) method: Method,
    pub(super) path: Uri,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
    /// Tokens asked for (`max_tokens` or `max_completion_tokens`).
    pub requested_tokens: Option<u64>,
    /// Hang up this long after sending: a load with impatient users.
    pub hang_up_after: Option<Duration>,
}

/// A path or header that HTTP does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestError(String);

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RequestError {}

impl Request {
    /// A `POST` of a JSON body to a path such as `/v1/chat/completions`.
    ///
    /// # Errors
    ///
    /// When the path is not the path of a URL.
    pub fn json(path: &str, body: &Value) -> Result<Self, RequestError> {
        let tokens = ["max_completion_tokens", "max_tokens"]
            .iter()
            .find_map(|key| body.get(*key)?.as_u64());
        let mut request = Self::raw(Method::POST, path, Bytes::from(body.to_string()))?;
        request.requested_tokens = tokens;
        request.header("content-type", "application/json")
    }

    /// A `GET`, for health checks and counters.
    ///
    /// # Errors
    ///
    /// When the path is not the path of a URL.
    pub fn get(path: &str) -> Result<Self, RequestError> {
        Self::raw(Method::GET, path, Bytes::new())
    }

    /// A `POST` of any bytes, for tests of a server's manners.
    ///
    /// # Errors
    ///
    /// When the path is not the path of a URL.
    pub fn post(path: &str, body: impl Into<Bytes>) -> Result<Self, RequestError> {
        Self::raw(Method::POST, path, body.into())
    }

    fn raw(method: Method, path: &str, body: Bytes) -> Result<Self, RequestError> {
        let uri = path.parse::<Uri>().ok().filter(|_| path.starts_with('/'));
        Ok(Self {
            method,
            path: uri.ok_or_else(|| {
                RequestError(format!(
                    "path `{path}` must start with `/` and hold no spaces, as in `/v1/chat/completions`"
                ))
            })?,
            headers: Vec::new(),
            body,
            requested_tokens: None,
            hang_up_after: None,
        })
    }

    /// Adds a header, for example a key or a fault rule for a proxy.
    ///
    /// # Errors
    ///
    /// When HTTP does not allow the name or the value, or when it is
    /// `accept-encoding`: compressed answers have no token times.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, RequestError> {
        let parsed = name.parse::<HeaderName>().ok().zip(value.parse().ok());
        let (name, value) = parsed
            .ok_or_else(|| RequestError(format!("header `{name}: {value}` is not valid HTTP")))?;
        if name == hyper::header::ACCEPT_ENCODING {
            return Err(RequestError(
                "header `accept-encoding` is refused: compression hides when a token arrived"
                    .to_owned(),
            ));
        }
        self.headers.push((name, value));
        Ok(self)
    }

    /// Hangs up this long after sending.
    #[must_use]
    pub fn hang_up_after(mut self, time: Duration) -> Self {
        self.hang_up_after = Some(time);
        self
    }

    /// The body's bytes.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// SHA-256 of method, path and body, in hex: equal digests are equal work.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.method.as_str());
        hash.update(b" ");
        hash.update(self.path.to_string());
        hash.update(b"\n");
        hash.update(&self.body);
        hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
    }
}

/// When a request was meant to start and when the load handed it over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dispatch {
    /// The schedule's time, on [`clock`](crate::serving::clock).
    pub intended_ns: u64,
    /// When the load gave the request to the client.
    pub queued_ns: u64,
}

impl Dispatch {
    /// A request without a schedule: it is meant to start now.
    #[must_use]
    pub fn now() -> Self {
        Self::scheduled(crate::serving::clock::now())
    }

    /// A request scheduled for `intended_ns`, handed over now.
    #[must_use]
    pub fn scheduled(intended_ns: u64) -> Self {
        Self {
            intended_ns,
            queued_ns: crate::serving::clock::now(),
        }
    }
}
