//! The embedded runtime: a small Llama decoder with seeded weights, so that a
//! request path can be measured with nothing but cargo.
//!
//! | module | for |
//! |---|---|
//! | [`config`] | the shape of a model, as Hugging Face writes it |
//! | [`model`] | weights: drawn from a seed, or read from a folder |
//! | [`tokenizer`] | byte-level BPE, chat prompts, incremental decoding |
//! | [`decoder`] | the forward pass over key-value caches |
//! | [`export`] | the same model for other engines |
//! | [`constrain`] | answers of a given form |
//! | [`engine`] | many requests on one decoder |
//! | [`api`] | the OpenAI-compatible protocol |
//! | [`server`] | HTTP/1.1 on a socket |
//! | [`child`] | the server as a process of its own |
//!
//! ```
//! use evenhand::runtime::{Decoder, KvCache, LoadOptions, Model, Preset, Step};
//! use std::sync::Arc;
//!
//! let model = Arc::new(Model::preset(Preset::Tiny, 1, &LoadOptions::default())?);
//! let prompt = model.tokenizer().encode("The order of the arms");
//! let mut cache = KvCache::new(&model, 64);
//! let mut decoder = Decoder::new(Arc::clone(&model));
//! let mut logits = Vec::new();
//! let mut steps = [Step { cache: &mut cache, tokens: &prompt }];
//! decoder.forward(&mut steps, &mut logits)?;
//! assert_eq!(logits.len(), model.config().vocab_size);
//! # Ok::<(), evenhand::runtime::ModelError>(())
//! ```

pub mod api;
pub mod child;
pub mod config;
pub mod constrain;
pub mod decoder;
pub mod engine;
pub mod export;
pub mod model;
mod options;
pub mod server;
mod service;
pub mod tokenizer;

pub use config::{Config, Preset};
pub use decoder::{Decoder, KvCache, Step, greedy};
pub use model::{
    Conversion, Description, FfnProjection, LoadOptions, Loading, Model, ModelError, Simd,
    WeightType,
};
pub use options::{Options, OptionsError, Source};
pub use service::{Runtime, RuntimeError};
pub use tokenizer::{ChatMessage, Detokenizer, Role, Tokenizer, TokenizerCache};
