//! The CPU decoder as a back end.

use super::backend::{Backend, BackendError, Work};
use crate::runtime::decoder::{Decoder, KvCache, Step};
use crate::runtime::model::Model;
use std::sync::Arc;

/// A [`Decoder`] and one cache per open slot.
#[derive(Debug)]
pub struct CpuBackend {
    decoder: Decoder,
    caches: Vec<Option<KvCache>>,
}

impl CpuBackend {
    /// A back end without open slots.
    #[must_use]
    pub fn new(model: Arc<Model>) -> Self {
        Self {
            decoder: Decoder::new(model),
            caches: Vec::new(),
        }
    }
}

impl Backend for CpuBackend {
    fn vocabulary(&self) -> usize {
        self.decoder.model().config().vocab_size
    }

    fn context(&self) -> usize {
        self.decoder.model().config().max_position_embeddings
    }

    fn open(&mut self, slot: usize, capacity: usize) -> Result<(), BackendError> {
        if self.caches.len() <= slot {
            self.caches.resize_with(slot + 1, || None);
        }
        self.caches[slot] = Some(KvCache::new(self.decoder.model(), capacity));
        Ok(())
    }

    fn close(&mut self, slot: usize) {
        self.caches[slot] = None;
    }

    fn clear(&mut self, slot: usize) {
        if let Some(cache) = &mut self.caches[slot] {
            cache.clear();
        }
    }

    fn forward(&mut self, work: &[Work<'_>], logits: &mut Vec<f32>) -> Result<(), BackendError> {
        let mut pieces = work.iter().peekable();
        let mut steps = Vec::with_capacity(work.len());
        for (slot, cache) in self.caches.iter_mut().enumerate() {
            if let (Some(cache), Some(piece)) = (cache, pieces.next_if(|w| w.slot == slot)) {
                steps.push(Step {
                    cache,
                    tokens: piece.tokens,
                });
            }
        }
        if steps.len() < work.len() {
            return Err(BackendError("work for a slot that is not open".to_owned()));
        }
        self.decoder
            .forward(&mut steps, logits)
            .map_err(|e| BackendError(e.to_string()))
    }
}
