//! Weights: drawn from a seed, or read from a Hugging Face folder.

mod error;
mod folder;
mod options;
mod seeded;
mod tensor;

pub use error::ModelError;
pub use options::{Conversion, FfnProjection, LoadOptions, Loading, Simd, WeightType};
pub(super) use tensor::{Slice, Tensor, Values};

use super::config::{Config, Preset};
use super::tokenizer::Tokenizer;
use evenhand_kernels::cpu::Isa;
use evenhand_kernels::cpu::rope::RopeTable;
use std::path::Path;
use tensor::Source;

/// A Llama decoder's weights with its tokenizer; shared between threads.
pub struct Model {
    pub(super) config: Config,
    pub(super) isa: Isa,
    pub(super) rope: RopeTable,
    pub(super) embedding: Tensor,
    pub(super) layers: Vec<Layer>,
    pub(super) norm: Tensor,
    /// None: the embedding is the output layer too.
    pub(super) head: Option<Tensor>,
    options: LoadOptions,
    tokenizer: Tokenizer,
}

/// Without the weights: millions of numbers help nobody.
impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("config", &self.config)
            .field("options", &self.options)
            .field("isa", &self.isa)
            .finish_non_exhaustive()
    }
}

/// The weights of one layer; matrices are row-major, outputs by inputs.
pub(super) struct Layer {
    pub(super) attention_norm: Tensor,
    pub(super) query: Tensor,
    pub(super) key: Tensor,
    pub(super) value: Tensor,
    pub(super) output: Tensor,
    pub(super) ffn_norm: Tensor,
    /// Gate above up in one matrix, or the two of them.
    pub(super) gate_up: Vec<Tensor>,
    pub(super) down: Tensor,
}

/// What a loaded model is, for reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Weights, whether in memory yet or not.
    pub parameters: u64,
    /// Bytes that all weights take in memory.
    pub weight_bytes: u64,
    /// How weights are rounded: `f32` or `bf16`.
    pub weights: &'static str,
    /// Instructions of the linear layers: `scalar`, `avx2+fma`, `avx512f`.
    pub simd: &'static str,
}

impl Model {
    /// Draws a preset: the same bits for a seed on every platform.
    ///
    /// # Errors
    /// None so far; drawing shares the way of reading.
    pub fn preset(preset: Preset, seed: u64, options: &LoadOptions) -> Result<Self, ModelError> {
        let config = preset.config();
        let tokenizer = Tokenizer::builtin(config.vocab_size, options.tokenizer_cache);
        let source = seeded::Seeded::new(seed, &config, &tokenizer);
        Self::assemble(config, tokenizer, Source::Seeded(source), options)
    }

    /// Reads `config.json`, `model.safetensors` and `tokenizer.json` from a
    /// folder.
    ///
    /// # Errors
    /// The file, the field or tensor, and what is wrong with it.
    pub fn load(dir: &Path, options: &LoadOptions) -> Result<Self, ModelError> {
        let path = dir.join("config.json");
        let config = Config::from_json(&folder::read_text(&path)?)
            .map_err(|message| ModelError::invalid(&path, message))?;
        let path = dir.join("tokenizer.json");
        let text = folder::read_text(&path)?;
        let tokenizer = Tokenizer::from_json(&text, options.tokenizer_cache)
            .map_err(|message| ModelError::invalid(&path, message))?;
        if tokenizer.vocab_size() > config.vocab_size {
            return Err(ModelError::invalid(
                &path,
                format!(
                    "{} tokens, but config.json has vocab_size {}",
                    tokenizer.vocab_size(),
                    config.vocab_size
                ),
            ));
        }
        let weights = folder::Safetensors::open(&dir.join("model.safetensors"))?;
        Self::assemble(config, tokenizer, Source::File(weights), options)
    }

    fn assemble(
        config: Config,
        tokenizer: Tokenizer,
        source: Source,
        options: &LoadOptions,
    ) -> Result<Self, ModelError> {
        let source = std::sync::Arc::new(source);
        let matrix = |name: &str, rows, cols| Tensor::new(&source, &[name], rows, cols, options);
        let vector = |name: &str, len| Tensor::vector(&source, name, len);
        let (hidden, ffn) = (config.hidden_size, config.intermediate_size);
        let layers = (0..config.num_hidden_layers).map(|layer| {
            let named = |part: &str| format!("model.layers.{layer}.{part}.weight");
            let (gate, up) = (named("mlp.gate_proj"), named("mlp.up_proj"));
            Ok(Layer {
                attention_norm: vector(&named("input_layernorm"), hidden)?,
                query: matrix(&named("self_attn.q_proj"), config.query_width(), hidden)?,
                key: matrix(&named("self_attn.k_proj"), config.key_value_width(), hidden)?,
                value: matrix(&named("self_attn.v_proj"), config.key_value_width(), hidden)?,
                output: matrix(&named("self_attn.o_proj"), hidden, config.query_width())?,
                ffn_norm: vector(&named("post_attention_layernorm"), hidden)?,
                gate_up: match options.ffn {
                    FfnProjection::Batched => {
                        vec![Tensor::new(&source, &[&gate, &up], ffn, hidden, options)?]
                    }
                    FfnProjection::Separate => {
                        vec![matrix(&gate, ffn, hidden)?, matrix(&up, ffn, hidden)?]
                    }
                },
                down: matrix(&named("mlp.down_proj"), hidden, ffn)?,
            })
        });
        let model = Self {
            layers: layers.collect::<Result<_, ModelError>>()?,
            embedding: matrix("model.embed_tokens.weight", config.vocab_size, hidden)?,
            norm: vector("model.norm.weight", hidden)?,
            head: match config.tie_word_embeddings {
                true => None,
                false => Some(matrix("lm_head.weight", config.vocab_size, hidden)?),
            },
            isa: match options.simd {
                Simd::Auto => Isa::detect(),
                Simd::Scalar => Isa::SCALAR,
            },
            rope: RopeTable::new(
                config.rope_theta,
                config.head_dim,
                config.max_position_embeddings,
            ),
            options: options.clone(),
            config,
            tokenizer,
        };
        if options.loading == Loading::Preload {
            for tensor in model.tensors() {
                tensor.get()?;
            }
        }
        Ok(model)
    }

    /// Its shape.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Its tokenizer.
    #[must_use]
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// How it was loaded.
    #[must_use]
    pub fn options(&self) -> &LoadOptions {
        &self.options
    }

    /// Sizes and code path, for reports.
    #[must_use]
    pub fn describe(&self) -> Description {
        let sizes = self.tensors().map(|t| (t.elements(), t.bytes()));
        let (parameters, weight_bytes) = sizes.fold((0, 0), |sum, t| (sum.0 + t.0, sum.1 + t.1));
        Description {
            parameters: parameters as u64,
            weight_bytes: weight_bytes as u64,
            weights: self.options.weights.name(),
            simd: self.isa.name(),
        }
    }

    /// All tensors, in the order of the forward pass.
    pub(super) fn tensors(&self) -> impl Iterator<Item = &Tensor> {
        let layers = self.layers.iter().flat_map(|layer| {
            [
                &layer.attention_norm,
                &layer.query,
                &layer.key,
                &layer.value,
            ]
            .into_iter()
            .chain([&layer.output, &layer.ffn_norm])
            .chain(&layer.gate_up)
            .chain([&layer.down])
        });
        std::iter::once(&self.embedding)
            .chain(layers)
            .chain([&self.norm])
            .chain(&self.head)
    }
}
