//! What the null server answers, and when.

use serde::{Deserialize, Serialize};

/// A fault of one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Fault {
    /// This status instead of an answer.
    Status {
        /// The status code.
        code: u16,
    },
    /// An error object in the stream after so many content events.
    ErrorObject {
        /// Content events before it.
        after: u32,
    },
    /// A reset of the connection after so many content events.
    Reset {
        /// Content events before it.
        after: u32,
    },
    /// The connection closed in the middle of the body.
    Close {
        /// Content events before it.
        after: u32,
    },
    /// Silence, with the connection open.
    Stall {
        /// Content events before it.
        after: u32,
    },
}

/// What the first requests after a pause cost: a server that has to warm up for
/// every burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wake {
    /// Time without a request in flight after which the server sleeps; it is
    /// asleep when it starts.
    pub pause_us: u64,
    /// Requests that are slower, each a little less than the one before.
    pub requests: u32,
    /// How much later the first content event of the first of them comes.
    pub extra_us: u64,
}

/// The schedule of one answer. Times count from the moment at which the server
/// had read the whole request, or with `at_once` from when it found a place. A
/// request overrides it field by field with an object `script` in its body, and
/// `tokens` with its `max_tokens`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// Time to the response head, in microseconds.
    pub head_us: u64,
    /// Time to an event that holds only the role; absent without a value.
    pub role_us: Option<u64>,
    /// Time to the first content event.
    pub first_us: u64,
    /// Time from one content event to the next, and from the last to the end.
    pub gap_us: u64,
    /// Tokens of the answer: ` w0 w1 w2`...
    pub tokens: u32,
    /// Tokens in one content event.
    pub tokens_per_event: u32,
    /// Content events in one write; they go out at the time of the first.
    pub events_per_write: u32,
    /// Whether the usage comes, in an event of its own.
    pub usage: bool,
    /// Whether `[DONE]` comes.
    pub done: bool,
    /// Close after the answer although keep-alive was announced.
    pub close: bool,
    /// What the first requests after a pause cost.
    pub wake: Option<Wake>,
    /// What goes wrong.
    pub fault: Option<Fault>,
    /// Requests that the server works on at once; the others wait in the order
    /// of their arrival. A request can't override it. No limit without a value.
    pub at_once: Option<u32>,
}

/// Longest time of a script.
const LONGEST_US: u64 = 3_600_000_000;

impl Default for Script {
    fn default() -> Self {
        Self {
            head_us: 0,
            role_us: None,
            first_us: 20_000,
            gap_us: 5_000,
            tokens: 16,
            tokens_per_event: 1,
            events_per_write: 1,
            usage: true,
            done: true,
            close: false,
            wake: None,
            fault: None,
            at_once: None,
        }
    }
}

impl Script {
    /// The script of a request: `script` and `max_tokens` of its body over `self`.
    ///
    /// # Errors
    ///
    /// When the body is not JSON or `script` has an unknown or ill-typed field,
    /// more than 1,048,576 tokens or a time above an hour.
    pub fn overridden(&self, body: &[u8]) -> Result<(Self, bool), String> {
        let body: serde_json::Value =
            serde_json::from_slice(body).map_err(|e| format!("body is not JSON: {e}"))?;
        let mut fields = serde_json::to_value(self).map_err(|e| e.to_string())?;
        if let Some(tokens) = body.get("max_tokens").filter(|t| t.is_u64()) {
            fields["tokens"] = tokens.clone();
        }
        match body.get("script") {
            None => {}
            Some(serde_json::Value::Object(asked)) => {
                for (name, value) in asked {
                    fields[name.as_str()] = value.clone();
                }
            }
            Some(_) => return Err("`script` must be an object".to_owned()),
        }
        let script: Self = serde_json::from_value(fields).map_err(|e| format!("`script`: {e}"))?;
        if script.at_once != self.at_once {
            return Err("`at_once` belongs to the server, not to a request".to_owned());
        }
        if script.tokens > 1 << 20 {
            return Err(format!("{} tokens are more than 1048576", script.tokens));
        }
        let times = [
            ("head_us", script.head_us),
            ("role_us", script.role_us.unwrap_or(0)),
            ("first_us", script.first_us),
            ("gap_us", script.gap_us),
            ("wake.extra_us", script.wake.map_or(0, |w| w.extra_us)),
        ];
        if let Some((name, us)) = times.iter().find(|(_, us)| *us > LONGEST_US) {
            return Err(format!("`{name}` {us} is more than {LONGEST_US}, an hour"));
        }
        let stream = body.get("stream").and_then(serde_json::Value::as_bool);
        Ok((script, stream.unwrap_or(false)))
    }

    /// Content events of the answer.
    #[must_use]
    pub fn events(&self) -> u32 {
        self.tokens.div_ceil(self.tokens_per_event.max(1))
    }

    /// The text of the answer.
    #[must_use]
    pub fn text(&self) -> String {
        (0..self.tokens).map(|token| format!(" w{token}")).collect()
    }

    /// When a content event is due, in nanoseconds after the request.
    #[must_use]
    pub fn due_ns(&self, event: u32) -> u64 {
        let per_write = self.events_per_write.max(1);
        let first_of_write = u64::from(event / per_write * per_write);
        self.first_us
            .saturating_add(self.gap_us.saturating_mul(first_of_write))
            .saturating_mul(1000)
    }

    /// When the end of the answer is due, in nanoseconds after the request.
    #[must_use]
    pub fn end_ns(&self) -> u64 {
        self.first_us
            .saturating_add(self.gap_us.saturating_mul(u64::from(self.events())))
            .saturating_mul(1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endless_scripts_are_refused_by_name() {
        for name in ["head_us", "role_us", "first_us", "gap_us"] {
            let body = format!(r#"{{"script": {{"{name}": {}}}}}"#, u64::MAX);
            let error = Script::default().overridden(body.as_bytes()).unwrap_err();
            assert!(error.contains(name), "{error}");
        }
        let wake =
            br#"{"script": {"wake": {"pause_us": 1, "requests": 1, "extra_us": 3600000001}}}"#;
        let error = Script::default().overridden(wake).unwrap_err();
        assert!(error.contains("wake.extra_us"), "{error}");
        let body = br#"{"script": {"first_us": 3600000000, "gap_us": 3600000000}}"#;
        assert!(Script::default().overridden(body).is_ok());
        let error = Script::default().overridden(br#"{"script": {"at_once": 3}}"#);
        assert!(error.unwrap_err().contains("at_once"));
    }
}
