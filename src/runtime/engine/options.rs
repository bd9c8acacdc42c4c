//! How the engine works.

use serde::{Deserialize, Serialize};

/// Toggles and limits of the engine. Every toggle is real work done or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EngineOptions {
    /// Streams that hold a slot, and with it a KV cache, at the same time.
    pub slots: usize,
    /// Most sequences of one step. With more streams they take turns, the one
    /// that waited longest first.
    pub batch: usize,
    /// Most prompt tokens of one step, so that running streams go on while a
    /// long prompt is taken in. Without a KV cache prompts come whole.
    pub prefill_chunk: usize,
    /// Requests that may wait for a slot.
    pub queue: usize,
    /// Keep keys and values of past tokens; without it every step computes
    /// the whole sequence again.
    pub kv_cache: bool,
    /// Compute the entropy of every token's distribution.
    pub statistics: bool,
    /// Seed of requests that name none.
    pub seed: u64,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            slots: 64,
            batch: 16,
            prefill_chunk: 64,
            queue: 256,
            kv_cache: true,
            statistics: true,
            seed: 0,
        }
    }
}

impl EngineOptions {
    /// Names the first option that makes no sense.
    ///
    /// # Errors
    /// If slots, batch, prefill chunk or queue is zero.
    pub fn check(&self) -> Result<(), String> {
        for (name, value) in [
            ("slots", self.slots),
            ("batch", self.batch),
            ("prefill_chunk", self.prefill_chunk),
            ("queue", self.queue),
        ] {
            if value == 0 {
                return Err(format!("`{name}` is 0; it must be at least 1"));
            }
        }
        Ok(())
    }
}
