//! What the server puts up with.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Limits of the server; times in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Open connections; further ones get 503.
    pub connections: usize,
    /// Bytes of a request's body; more gets 413.
    pub body_bytes: usize,
    /// Bytes of a request's head; more gets 431.
    pub head_bytes: usize,
    /// Time for a head to arrive, also on an idle connection.
    pub head_ms: u64,
    /// Time for a body to arrive; then 408.
    pub body_ms: u64,
    /// Longest time that a client may take no byte while there are some for
    /// it; then its connection is cut and its request dropped.
    pub write_ms: u64,
    /// Time for running requests to finish when the server stops.
    pub drain_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            body_bytes: 1 << 20,
            head_bytes: 16 << 10,
            head_ms: 10_000,
            body_ms: 10_000,
            write_ms: 10_000,
            drain_ms: 5_000,
        }
    }
}

/// hyper's least read buffer.
const LEAST_HEAD: usize = 8192;

impl Limits {
    /// Names the first limit that makes no sense.
    ///
    /// # Errors
    /// If one is zero or the head has less than 8 KiB.
    pub fn check(&self) -> Result<(), String> {
        if self.head_bytes < LEAST_HEAD {
            return Err(format!(
                "`head_bytes` is {}; it must be at least {LEAST_HEAD}",
                self.head_bytes
            ));
        }
        let zero = [
            ("connections", self.connections == 0),
            ("body_bytes", self.body_bytes == 0),
            ("head_ms", self.head_ms == 0),
            ("body_ms", self.body_ms == 0),
            ("write_ms", self.write_ms == 0),
        ];
        match zero.iter().find(|(_, zero)| *zero) {
            Some((name, _)) => Err(format!("`{name}` is 0; it must be at least 1")),
            None => Ok(()),
        }
    }

    pub(super) fn head(&self) -> Duration {
        Duration::from_millis(self.head_ms)
    }

    pub(super) fn body(&self) -> Duration {
        Duration::from_millis(self.body_ms)
    }

    pub(super) fn write(&self) -> Duration {
        Duration::from_millis(self.write_ms)
    }

    pub(super) fn drain(&self) -> Duration {
        Duration::from_millis(self.drain_ms)
    }
}
