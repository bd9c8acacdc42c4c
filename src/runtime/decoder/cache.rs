//! The keys and values of one sequence.

use crate::runtime::config::Config;
use crate::runtime::model::Model;
use evenhand_kernels::cpu::causal_attention::KeyValues;

/// Keys and values of one sequence in all layers.
#[derive(Clone, Debug)]
pub struct KvCache {
    layers: Vec<KeyValues>,
    kv_heads: usize,
    head_dim: usize,
    capacity: usize,
    len: usize,
}

impl KvCache {
    /// An empty cache with room for `capacity` tokens of this model, prompt and
    /// answer together.
    #[must_use]
    pub fn new(model: &Model, capacity: usize) -> Self {
        let config = model.config();
        let (kv_heads, head_dim) = (config.num_key_value_heads, config.head_dim);
        Self {
            layers: (0..config.num_hidden_layers)
                .map(|_| KeyValues::new(kv_heads, head_dim, capacity))
                .collect(),
            kv_heads,
            head_dim,
            capacity,
            len: 0,
        }
    }

    /// Tokens in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Tokens there is room for.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Forgets all tokens; the memory stays.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Forgets all but the first `len` tokens.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Counts tokens whose keys and values every layer has stored.
    pub(super) fn grow(&mut self, tokens: usize) {
        self.len += tokens;
    }

    pub(super) fn layer_mut(&mut self, layer: usize) -> &mut KeyValues {
        &mut self.layers[layer]
    }

    pub(super) fn fits(&self, config: &Config) -> bool {
        self.layers.len() == config.num_hidden_layers
            && self.kv_heads == config.num_key_value_heads
            && self.head_dim == config.head_dim
    }
}
