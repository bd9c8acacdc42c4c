//! Where the time of a request went.

use serde::Serialize;
use std::time::Instant;

/// Wall time of a request by stage, in nanoseconds. The stages are disjoint
/// and add up to the total exactly: what no stage names is `other_ns`, mostly
/// the work of other streams between two steps.
///
/// A step that a batch shares counts in full for everyone in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Timings {
    /// From text to tokens.
    pub tokenise_ns: u64,
    /// Waiting for a slot.
    pub queue_ns: u64,
    /// Steps that took in the prompt.
    pub prefill_ns: u64,
    /// Steps that took in a generated token.
    pub decode_ns: u64,
    /// Statistics, form and picking.
    pub sample_ns: u64,
    /// From tokens to text, and the search for stop texts.
    pub detokenise_ns: u64,
    /// The rest.
    pub other_ns: u64,
    /// From the request to its last token.
    pub total_ns: u64,
    /// Number of decode steps.
    pub decode_steps: u64,
}

impl Timings {
    /// Stages by name, without the total.
    #[must_use]
    pub fn stages(&self) -> [(&'static str, u64); 7] {
        [
            ("tokenise", self.tokenise_ns),
            ("queue", self.queue_ns),
            ("prefill", self.prefill_ns),
            ("decode", self.decode_ns),
            ("sample", self.sample_ns),
            ("detokenise", self.detokenise_ns),
            ("other", self.other_ns),
        ]
    }

    /// Sets the total, and with it the rest. Every stage is a truncated part
    /// of the total, so that the rest is never negative.
    pub(super) fn close(&mut self, total_ns: u64) {
        self.total_ns = total_ns;
        self.other_ns = 0;
        let named: u64 = self.stages().iter().map(|(_, ns)| ns).sum();
        self.other_ns = total_ns - named;
    }
}

/// Nanoseconds between two instants.
pub(super) fn between(from: Instant, to: Instant) -> u64 {
    to.duration_since(from).as_nanos() as u64
}
