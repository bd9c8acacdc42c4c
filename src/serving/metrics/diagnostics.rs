//! What a comparison must know about how answers arrived.

use crate::serving::attempt::Attempt;
use crate::serving::client::{ConnectionEnd, ErrorClass};
use std::collections::BTreeMap;

/// Times between the content events of one attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    /// Gaps between neighbours that each came alone in their reads.
    pub alone_ns: Vec<u64>,
    /// Steps to or from a read with several content events: their gaps are
    /// unknown, not zero.
    pub coalesced: u64,
}

/// The gaps of an attempt.
#[must_use]
pub fn gaps(attempt: &Attempt) -> Gaps {
    let mut gaps = Gaps::default();
    let mut last: Option<(u64, bool)> = None;
    for read in attempt.reads.iter().filter(|read| read.content_events > 0) {
        let alone = read.content_events == 1;
        gaps.coalesced += u64::from(read.content_events - 1);
        if let Some((at_ns, true)) = last.filter(|_| alone) {
            gaps.alone_ns.push(read.at_ns.saturating_sub(at_ns));
        } else if last.is_some() {
            gaps.coalesced += 1;
        }
        last = Some((read.at_ns, alone));
    }
    gaps
}

/// How the answers of one server arrived.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diagnostics {
    /// Attempts.
    pub attempts: usize,
    /// Failed attempts by class.
    pub failures: BTreeMap<ErrorClass, usize>,
    /// Events for each read that completed one.
    pub events_per_read: Option<f64>,
    /// Share of steps between content events whose gap is unknown.
    pub coalesced: Option<f64>,
    /// Answers after which the server closed a connection it had kept alive.
    pub closed_after_answer: usize,
    /// Idle connections found closed.
    pub found_closed: u64,
    /// Answers where the server's count differs from the chunks.
    pub usage_not_chunks: usize,
    /// Answers where the server's count differs from the request.
    pub usage_not_requested: usize,
    /// Answers without a server's count.
    pub without_usage: usize,
    /// Answers that repeated the whole text in every chunk.
    pub cumulative: usize,
    /// Median `full@sent` on used connections minus that on fresh ones, in
    /// nanoseconds; 27 to 40 ms point to a server without `TCP_NODELAY`.
    pub reuse_penalty_ns: Option<f64>,
}

impl Diagnostics {
    /// Looks at attempts against one server.
    #[must_use]
    pub fn new(attempts: &[Attempt]) -> Self {
        let mut seen = Self {
            attempts: attempts.len(),
            ..Self::default()
        };
        let (mut events, mut reads, mut known, mut unknown) = (0_u64, 0_u64, 0_u64, 0_u64);
        for attempt in attempts {
            if let Some(class) = attempt.error_class() {
                *seen.failures.entry(class).or_default() += 1;
            }
            for read in attempt.reads.iter().filter(|read| read.events > 0) {
                events += u64::from(read.events);
                reads += 1;
            }
            let gaps = gaps(attempt);
            known += gaps.alone_ns.len() as u64;
            unknown += gaps.coalesced;
            let closed = attempt.connection_end == ConnectionEnd::ClosedUnannounced;
            seen.closed_after_answer += usize::from(closed);
            seen.found_closed += u64::from(attempt.connection.found_closed);
            seen.cumulative += usize::from(attempt.answer.dialect.cumulative);
            if attempt.succeeded() {
                seen.count_tokens(attempt);
            }
        }
        let ratio = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        seen.events_per_read = ratio(events, reads);
        seen.coalesced = ratio(unknown, known + unknown);
        seen.reuse_penalty_ns = reuse_penalty(attempts);
        seen
    }

    fn count_tokens(&mut self, attempt: &Attempt) {
        let tokens = attempt.tokens;
        let Some(server) = tokens.server else {
            self.without_usage += 1;
            return;
        };
        self.usage_not_chunks += usize::from(server != tokens.chunks);
        self.usage_not_requested += usize::from(tokens.requested.is_some_and(|n| n != server));
    }
}

fn reuse_penalty(attempts: &[Attempt]) -> Option<f64> {
    let (mut fresh, mut used) = (Vec::new(), Vec::new());
    for attempt in attempts.iter().filter(|a| a.succeeded()) {
        let Some(sent) = attempt.stamps.sent_ns else {
            continue;
        };
        let time = attempt.stamps.done_ns.saturating_sub(sent);
        match attempt.connection.earlier_requests {
            0 => fresh.push(time),
            _ => used.push(time),
        }
    }
    Some(median(used)? - median(fresh)?)
}

fn median(mut values: Vec<u64>) -> Option<f64> {
    values.sort_unstable();
    let half = values.len() / 2;
    let upper = *values.get(half)? as f64;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    Some((values[half - 1] as f64 + upper) / 2.0)
}
