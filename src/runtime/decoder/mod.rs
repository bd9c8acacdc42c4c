//! The forward pass: RMSNorm, rotary attention with grouped queries, SwiGLU.
//!
//! The tokens of all steps go through a layer together, so that its weights
//! are read once. A token's logits have the same bits in whatever company it
//! is computed: see [`evenhand_kernels::cpu::linear`].

mod cache;
mod scratch;

pub use cache::KvCache;

use super::model::{Layer, Model, ModelError, Tensor, Values};
use evenhand_kernels::cpu::causal_attention::attention;
use evenhand_kernels::cpu::linear::{self, Rows};
use evenhand_kernels::cpu::rms_norm::rms_norm_lanes;
use evenhand_kernels::cpu::swiglu::swiglu;
use half::slice::HalfFloatSliceExt;
use scratch::Scratch;
use std::ops::Range;
use std::sync::Arc;

/// Tokens that go through the layers together, at most: bounds the memory of
/// a long prompt, without effect on its result.
const CHUNK: usize = 256;

/// Tokens to append to one sequence: many are a prefill, one is a decode step.
#[derive(Debug)]
pub struct Step<'a> {
    /// The sequence so far.
    pub cache: &'a mut KvCache,
    /// What follows; at least one token.
    pub tokens: &'a [u32],
}

/// Runs a model on one thread; keeps its scratch memory between calls.
#[derive(Debug)]
pub struct Decoder {
    model: Arc<Model>,
    scratch: Scratch,
}

/// A piece of a step, in the rows of the activations.
struct Piece<'a> {
    cache: &'a mut KvCache,
    tokens: &'a [u32],
    rows: Range<usize>,
}

impl Decoder {
    /// A decoder of this model.
    #[must_use]
    pub fn new(model: Arc<Model>) -> Self {
        Self {
            model,
            scratch: Scratch::default(),
        }
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Appends each step's tokens to its cache and leaves in `logits` one row of
    /// `vocab_size` per step: those after its last token.
    ///
    /// # Errors
    /// A step that is empty, has an unknown token or does not fit; then no cache
    /// has changed. A lazily loaded tensor that cannot be read; then the caches
    /// hold what they held, without the new tokens.
    pub fn forward(
        &mut self,
        steps: &mut [Step<'_>],
        logits: &mut Vec<f32>,
    ) -> Result<(), ModelError> {
        logits.clear();
        for step in &*steps {
            step.check(&self.model)?;
        }
        let lengths: Vec<usize> = steps.iter().map(|step| step.cache.len()).collect();
        let result = self.forward_checked(steps, logits);
        if result.is_err() {
            for (step, length) in steps.iter_mut().zip(lengths) {
                step.cache.truncate(length);
            }
        }
        result
    }

    fn forward_checked(
        &mut self,
        steps: &mut [Step<'_>],
        logits: &mut Vec<f32>,
    ) -> Result<(), ModelError> {
        let mut start = 0;
        while start < steps.len() {
            // As many steps as fit a chunk; the long one is first cut to size.
            let mut pieces = Vec::new();
            let mut rows = 0;
            let mut end = start;
            for step in &mut steps[start..] {
                if end > start && rows + step.tokens.len() > CHUNK {
                    break;
                }
                let keep = step.tokens.len().min(CHUNK);
                let (before, last) = step.tokens.split_at(step.tokens.len() - keep);
                for tokens in before.chunks(CHUNK) {
                    let rows = 0..tokens.len();
                    let cache = &mut *step.cache;
                    self.layers(&mut [Piece {
                        cache,
                        tokens,
                        rows,
                    }])?;
                }
                pieces.push(Piece {
                    cache: &mut *step.cache,
                    tokens: last,
                    rows: rows..rows + keep,
                });
                rows += keep;
                end += 1;
            }
            self.layers(&mut pieces)?;
            self.head(pieces.len(), logits)?;
            start = end;
        }
        Ok(())
    }

    /// Takes the pieces through all layers; leaves the hidden state of each
    /// piece's last token in the first rows of the scratch memory.
    fn layers(&mut self, pieces: &mut [Piece<'_>]) -> Result<(), ModelError> {
        let Self { model, scratch } = self;
        let mut rows = pieces.last().map_or(0, |last| last.rows.end);
        scratch.resize(model.config(), rows);
        embed(model, pieces, &mut scratch.hidden)?;
        let last_layer = model.layers.len() - 1;
        for (index, layer) in model.layers.iter().enumerate() {
            attend(model, layer, index, pieces, rows, scratch)?;
            if index == last_layer {
                // Nothing reads the other tokens any more.
                for (to, piece) in pieces.iter().enumerate() {
                    scratch.keep(model.config(), piece.rows.end - 1, to);
                }
                rows = pieces.len();
            }
            feed_forward(model, layer, rows, scratch)?;
        }
        for piece in pieces {
            piece.cache.grow(piece.tokens.len());
        }
        Ok(())
    }

    /// Appends the logits of the first `rows` hidden states.
    fn head(&mut self, rows: usize, logits: &mut Vec<f32>) -> Result<(), ModelError> {
        let Self { model, scratch } = self;
        let config = model.config();
        let states = rows * config.hidden_size;
        rms_norm_lanes(
            &scratch.hidden[..states],
            model.norm.vector_values()?,
            config.rms_norm_eps,
            &mut scratch.normed[..states],
        );
        let from = logits.len();
        logits.resize(from + rows * config.vocab_size, 0.0);
        let head = model.head.as_ref().unwrap_or(&model.embedding);
        let x = &scratch.normed[..states];
        project(model, head, x, &mut logits[from..], config.vocab_size)
    }
}

impl Step<'_> {
    fn check(&self, model: &Model) -> Result<(), ModelError> {
        let config = model.config();
        if self.tokens.is_empty() {
            return Err(ModelError::EmptyStep);
        }
        let vocab_size = config.vocab_size;
        if let Some(&token) = self.tokens.iter().find(|&&t| t as usize >= vocab_size) {
            return Err(ModelError::UnknownToken { token, vocab_size });
        }
        if !self.cache.fits(config) {
            return Err(ModelError::CacheMismatch);
        }
        let (cached, added) = (self.cache.len(), self.tokens.len());
        let capacity = self.cache.capacity().min(config.max_position_embeddings);
        if added > capacity.saturating_sub(cached) {
            return Err(ModelError::ContextFull {
                cached,
                added,
                capacity,
            });
        }
        Ok(())
    }
}

/// `out = x W^T` for whole rows of `x`; rows of `out` are `stride` apart.
fn project(
    model: &Model,
    w: &Tensor,
    x: &[f32],
    out: &mut [f32],
    stride: usize,
) -> Result<(), ModelError> {
    let (rows, cols) = (w.rows(), w.cols());
    let x = Rows::new(x, x.len() / cols, cols);
    match w.get()? {
        Values::F32(w) => linear::linear(model.isa, Rows::new(w, rows, cols), x, out, stride),
        Values::Bf16(w) => linear::linear(model.isa, Rows::new(w, rows, cols), x, out, stride),
    }
    Ok(())
}

fn embed(model: &Model, pieces: &[Piece<'_>], hidden: &mut [f32]) -> Result<(), ModelError> {
    let size = model.config().hidden_size;
    let tokens = pieces.iter().flat_map(|piece| piece.tokens);
    let values = model.embedding.get()?;
    for (&token, row) in tokens.zip(hidden.chunks_exact_mut(size)) {
        let at = token as usize * size;
        match values {
            Values::F32(table) => row.copy_from_slice(&table[at..][..size]),
            Values::Bf16(table) => table[at..][..size].convert_to_f32_slice(row),
        }
    }
    Ok(())
}

/// `hidden += W_o attention(norm(hidden))`, with the caches extended.
fn attend(
    model: &Model,
    layer: &Layer,
    index: usize,
    pieces: &mut [Piece<'_>],
    rows: usize,
    scratch: &mut Scratch,
) -> Result<(), ModelError> {
    let config = model.config();
    let (wide, narrow) = (config.query_width(), config.key_value_width());
    let x = &mut scratch.normed[..rows * config.hidden_size];
    rms_norm_lanes(
        &scratch.hidden[..x.len()],
        layer.attention_norm.vector_values()?,
        config.rms_norm_eps,
        x,
    );
    project(model, &layer.query, x, &mut scratch.queries, wide)?;
    project(model, &layer.key, x, &mut scratch.keys, narrow)?;
    project(model, &layer.value, x, &mut scratch.values, narrow)?;
    for piece in pieces {
        let first = piece.cache.len();
        let cache = piece.cache.layer_mut(index);
        for (position, row) in (first..).zip(piece.rows.clone()) {
            let key = &mut scratch.keys[row * narrow..][..narrow];
            model.rope.rotate(position, key);
            let query = &mut scratch.queries[row * wide..][..wide];
            model.rope.rotate(position, query);
            cache.store(position, key, &scratch.values[row * narrow..][..narrow]);
        }
        let part = piece.rows.start * wide..piece.rows.end * wide;
        attention(
            model.isa,
            cache,
            config.num_attention_heads,
            first,
            &scratch.queries[part.clone()],
            &mut scratch.scores,
            &mut scratch.attended[part],
        );
    }
    let attended = &scratch.attended[..rows * wide];
    let delta = &mut scratch.delta[..rows * config.hidden_size];
    project(model, &layer.output, attended, delta, config.hidden_size)?;
    add(&mut scratch.hidden, delta);
    Ok(())
}

/// `hidden += W_down (silu(W_gate x) * W_up x)`, `x = norm(hidden)`.
fn feed_forward(
    model: &Model,
    layer: &Layer,
    rows: usize,
    scratch: &mut Scratch,
) -> Result<(), ModelError> {
    let config = model.config();
    let width = config.intermediate_size;
    let x = &mut scratch.normed[..rows * config.hidden_size];
    rms_norm_lanes(
        &scratch.hidden[..x.len()],
        layer.ffn_norm.vector_values()?,
        config.rms_norm_eps,
        x,
    );
    for (part, w) in layer.gate_up.iter().enumerate() {
        let out = &mut scratch.gate_up[part * width..];
        project(model, w, x, out, 2 * width)?;
    }
    let gated = &mut scratch.gated[..rows * width];
    swiglu(&scratch.gate_up[..2 * rows * width], width, gated);
    let delta = &mut scratch.delta[..rows * config.hidden_size];
    project(model, &layer.down, gated, delta, config.hidden_size)?;
    add(&mut scratch.hidden, delta);
    Ok(())
}

fn add(to: &mut [f32], delta: &[f32]) {
    for (to, delta) in to.iter_mut().zip(delta) {
        *to += delta;
    }
}

/// The token of the largest logit, the lowest among equals; 0 of none.
#[must_use]
pub fn greedy(logits: &[f32]) -> u32 {
    let mut best = (0, f32::NEG_INFINITY);
    for (token, &logit) in (0..).zip(logits) {
        if logit > best.1 {
            best = (token, logit);
        }
    }
    best.0
}
