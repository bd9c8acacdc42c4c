//! What the engine counts for `/metrics`.

use super::request::Finish;
use super::timings::Timings;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counters (`*_total` in Prometheus' words) and gauges.
#[derive(Debug, Default)]
pub struct Counters {
    /// Answers that ended by themselves.
    pub stopped: AtomicU64,
    /// Answers that ended at their length.
    pub length: AtomicU64,
    /// Answers that called a tool.
    pub tool_calls: AtomicU64,
    /// Requests whose client went away.
    pub cancelled: AtomicU64,
    /// Requests that the model failed.
    pub failed: AtomicU64,
    /// Requests refused by the engine.
    pub refused: AtomicU64,
    /// Requests that wait for a slot.
    pub waiting: AtomicU64,
    /// Requests in a slot.
    pub running: AtomicU64,
    /// Prompt tokens taken in.
    pub prompt_tokens: AtomicU64,
    /// Tokens generated.
    pub completion_tokens: AtomicU64,
    /// Steps computed.
    pub steps: AtomicU64,
    /// Tokens that the KV caches hold.
    pub kv_tokens: AtomicU64,
    /// Tokens that the KV caches have room for.
    pub kv_capacity: AtomicU64,
    /// Nanoseconds by stage, in the order of [`super::Timings::stages`].
    pub stages: [AtomicU64; 7],
}

impl Counters {
    pub(super) fn add(counter: &AtomicU64, more: u64) {
        counter.fetch_add(more, Ordering::Relaxed);
    }

    pub(super) fn set(gauge: &AtomicU64, value: usize) {
        gauge.store(value as u64, Ordering::Relaxed);
    }

    pub(super) fn done(&self, finish: Finish, timings: &Timings) {
        Self::add(
            match finish {
                Finish::Stop => &self.stopped,
                Finish::Length => &self.length,
                Finish::ToolCalls => &self.tool_calls,
            },
            1,
        );
        for (sum, (_, ns)) in self.stages.iter().zip(timings.stages()) {
            Self::add(sum, ns);
        }
    }
}
