//! Ways to load a model that give the same greedy text: what a request path
//! can be compared with itself in.

use crate::runtime::tokenizer::TokenizerCache;
use serde::{Deserialize, Serialize};

/// How a model is loaded and run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoadOptions {
    /// What weights are rounded to.
    pub weights: WeightType,
    /// When bf16 weights become `f32`.
    pub conversion: Conversion,
    /// When weights are read or drawn.
    pub loading: Loading,
    /// How the feed-forward layer projects.
    pub ffn: FfnProjection,
    /// Instructions of the linear layers.
    pub simd: Simd,
    /// Whether the tokenizer remembers words.
    pub tokenizer_cache: TokenizerCache,
}

/// What weights are rounded to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum WeightType {
    /// Single precision.
    #[default]
    F32,
    /// The nearest bf16: half the bytes, other text.
    Bf16,
}

impl WeightType {
    /// `f32` or `bf16`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        }
    }
}

/// When bf16 weights become `f32`; without effect on `f32` weights. Both give
/// the same bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum Conversion {
    /// Once: twice the memory, no work per step.
    AtLoad,
    /// In every product: half the bytes to read.
    #[default]
    OnTheFly,
}

/// When weights are read or drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum Loading {
    /// Before the model is there.
    #[default]
    Preload,
    /// Each tensor when it is first used: in the first request.
    Lazy,
}

/// How the feed-forward layer projects; both give the same bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum FfnProjection {
    /// Gate and up as one matrix.
    #[default]
    Batched,
    /// Two matrices, one after the other.
    Separate,
}

/// Instructions of the linear layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum Simd {
    /// The widest that the processor has.
    #[default]
    Auto,
    /// Safe Rust without intrinsics.
    Scalar,
}
