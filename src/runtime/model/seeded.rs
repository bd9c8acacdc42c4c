//! Weights drawn from a seed, each tensor from a stream of its own.

use super::super::config::Config;
use super::super::tokenizer::Tokenizer;
use evenhand_kernels::inputs;

/// Spread of the logits in standard deviations of a unit vector: the best token
/// leads by about one, far more than rounding, and varies with the context.
const LOGIT_SCALE: f32 = 4.0;

/// How to draw a model.
#[derive(Debug)]
pub(super) struct Seeded {
    seed: u64,
    hidden_size: usize,
    /// Rows of the output layer that are zero: these tokens never win a greedy
    /// step.
    muted: Vec<u32>,
}

impl Seeded {
    /// Mutes special tokens, so that no answer ends early, and tokens that are
    /// not UTF-8 alone, so that every token is some text.
    pub(super) fn new(seed: u64, config: &Config, tokenizer: &Tokenizer) -> Self {
        let readable = |id| std::str::from_utf8(tokenizer.bytes(id)).is_ok();
        let ids = 0..config.vocab_size as u32;
        Self {
            seed,
            hidden_size: config.hidden_size,
            muted: ids
                .filter(|&id| tokenizer.is_special(id) || !readable(id))
                .collect(),
        }
    }

    /// A tensor by its name in the checkpoint: norms are one, the embedding has
    /// unit variance, a layer keeps the scale of its input.
    pub(super) fn draw(&self, name: &str, shape: &[usize]) -> Vec<f32> {
        let elements = shape.iter().product();
        let &[_, inputs] = shape else {
            return vec![1.0; elements];
        };
        let unit = 1.0 / (inputs as f32).sqrt();
        let std_dev = match name {
            "model.embed_tokens.weight" => 1.0,
            "lm_head.weight" => LOGIT_SCALE * unit,
            _ => unit,
        };
        let label = format!("runtime/{name}");
        let mut values = inputs::weights(self.seed, &label, std_dev, elements);
        if name == "lm_head.weight" {
            for &token in &self.muted {
                values[token as usize * self.hidden_size..][..self.hidden_size].fill(0.0);
            }
        }
        values
    }
}
