//! The table of metrics: each id names its formula.

use super::gaps;
use crate::serving::attempt::Attempt;
use evenhand_harness::plan::{Direction, Metric};

/// Version of the table. Values under different versions are not compared.
pub const DEFINITION_VERSION: u32 = 1;

/// What a metric is, and how it follows from an attempt.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// Name with the formula in it: quantity, `@` and the start of the clock.
    pub id: &'static str,
    /// Unit of a value.
    pub unit: &'static str,
    /// Whether lower values are better; `None`: neither way.
    pub lower_is_better: Option<bool>,
    /// The formula in terms of stamps and counts.
    pub formula: &'static str,
    value: fn(&Attempt) -> Option<f64>,
}

impl Definition {
    /// The value of an attempt; `None` when a part of the formula is missing.
    /// Failed attempts have the values of what they reached.
    #[must_use]
    pub fn value(&self, attempt: &Attempt) -> Option<f64> {
        (self.value)(attempt)
    }

    /// The metric as plans name it. One without a better way counts as lower.
    #[must_use]
    pub fn metric(&self) -> Metric {
        let direction = match self.lower_is_better {
            Some(false) => Direction::Higher,
            _ => Direction::Lower,
        };
        Metric::new(self.id, self.unit, direction)
    }
}

/// The definition of an id.
#[must_use]
pub fn definition(id: &str) -> Option<&'static Definition> {
    DEFINITIONS.iter().find(|definition| definition.id == id)
}

macro_rules! define {
    ($id:literal, $unit:literal, $lower:expr, $formula:literal, $value:expr) => {
        Definition {
            id: $id,
            unit: $unit,
            lower_is_better: $lower,
            formula: $formula,
            value: $value,
        }
    };
}

const LOWER: Option<bool> = Some(true);

/// Every metric of an attempt.
pub const DEFINITIONS: &[Definition] = &[
    define!("connect", "ns", LOWER, "connect_end - connect_start", |a| {
        span(a.stamps.connect_start_ns, a.stamps.connect_end_ns)
    }),
    define!("ttfb@sent", "ns", LOWER, "first_byte - sent", |a| {
        span(a.stamps.sent_ns, a.stamps.first_byte_ns)
    }),
    define!(
        "ttft.any@sent",
        "ns",
        LOWER,
        "first_event - sent (a role counts)",
        |a| { span(a.stamps.sent_ns, a.stamps.first_event_ns) }
    ),
    define!(
        "ttft.content@sent",
        "ns",
        LOWER,
        "first_content - sent",
        |a| { span(a.stamps.sent_ns, a.stamps.first_content_ns) }
    ),
    define!(
        "ttft.content@intended",
        "ns",
        LOWER,
        "first_content - intended",
        |a| { span(Some(a.stamps.intended_ns), a.stamps.first_content_ns) }
    ),
    define!(
        "ttft.output@sent",
        "ns",
        LOWER,
        "first_output - sent (reasoning does not count)",
        |a| { span(a.stamps.sent_ns, a.stamps.first_output_ns) }
    ),
    define!("full@sent", "ns", LOWER, "done - sent", |a| {
        complete(a).and_then(|done| span(a.stamps.sent_ns, done))
    }),
    define!("full@intended", "ns", LOWER, "done - intended", |a| {
        complete(a).and_then(|done| span(Some(a.stamps.intended_ns), done))
    }),
    define!(
        "tpot.server_usage.excl_first",
        "ns/token",
        LOWER,
        "(last_content - first_content) / (server tokens - 1)",
        |a| {
            let rest = a.tokens.server?.checked_sub(1).filter(|&n| n > 0)?;
            complete(a)?;
            let time = span(a.stamps.first_content_ns, a.stamps.last_content_ns)?;
            Some(time / rest as f64)
        }
    ),
    define!(
        "gap.chunk",
        "ns",
        LOWER,
        "mean time between successive content reads that each brought one content event",
        |a| {
            let gaps = gaps(a).alone_ns;
            let sum: f64 = gaps.iter().map(|&gap| gap as f64).sum();
            (!gaps.is_empty()).then(|| sum / gaps.len() as f64)
        }
    ),
    define!(
        "ms_per_completion_token.e2e",
        "ms/token",
        LOWER,
        "(done - sent) / server tokens / 1,000,000",
        |a| {
            let tokens = a.tokens.server.filter(|&n| n > 0)?;
            let time = complete(a).and_then(|done| span(a.stamps.sent_ns, done))?;
            Some(time / tokens as f64 / 1e6)
        }
    ),
    define!(
        "reads.events_per_read",
        "events",
        None,
        "events / reads that completed an event",
        |a| {
            let events: u64 = a.reads.iter().map(|read| u64::from(read.events)).sum();
            let reads = a.reads.iter().filter(|read| read.events > 0).count();
            (reads > 0).then(|| events as f64 / reads as f64)
        }
    ),
    define!(
        "tokens.server",
        "tokens",
        None,
        "usage.completion_tokens",
        |a| { a.tokens.server.map(|n| n as f64) }
    ),
    define!(
        "tokens.client",
        "tokens",
        None,
        "the client's tokenizer over reasoning and text",
        |a| { a.tokens.client.map(|n| n as f64) }
    ),
    define!(
        "tokens.chunks",
        "chunks",
        None,
        "events with text of the model",
        |a| { Some(a.tokens.chunks as f64) }
    ),
    define!(
        "tokens.requested",
        "tokens",
        None,
        "max_tokens of the request",
        |a| { a.tokens.requested.map(|n| n as f64) }
    ),
];

fn complete(attempt: &Attempt) -> Option<Option<u64>> {
    attempt.succeeded().then_some(Some(attempt.stamps.done_ns))
}

/// A span of the clock; `None` for a missing end and for a negative span.
fn span(from_ns: Option<u64>, to_ns: Option<u64>) -> Option<f64> {
    to_ns?.checked_sub(from_ns?).map(|ns| ns as f64)
}
