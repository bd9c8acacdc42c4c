//! The shape of a model, named as in Hugging Face's `config.json`.

use serde::Deserialize;
use std::fmt;

/// A model that is drawn rather than read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// 4 layers of 256, 5.2 M parameters: starts in tens of milliseconds.
    Tiny,
    /// 8 layers of 768, 68 M parameters: steps of milliseconds.
    Small,
}

impl Preset {
    /// All presets.
    pub const ALL: [Self; 2] = [Self::Tiny, Self::Small];

    /// `tiny` or `small`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tiny => "tiny",
            Self::Small => "small",
        }
    }

    /// Its shape.
    #[must_use]
    pub fn config(self) -> Config {
        let shared = Config {
            hidden_size: 256,
            intermediate_size: 768,
            num_hidden_layers: 4,
            num_attention_heads: 8,
            num_key_value_heads: 4,
            head_dim: 32,
            vocab_size: 4096,
            max_position_embeddings: 4096,
            rms_norm_eps: 1e-5,
            rope_theta: 10_000.0,
            tie_word_embeddings: false,
            bos_token_id: 0,
            eos_token_ids: vec![1],
            pad_token_id: Some(2),
        };
        match self {
            Self::Tiny => shared,
            Self::Small => Config {
                hidden_size: 768,
                intermediate_size: 2304,
                num_hidden_layers: 8,
                num_attention_heads: 12,
                head_dim: 64,
                vocab_size: 8192,
                ..shared
            },
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Preset {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|p| p.name() == name);
        found.ok_or_else(|| format!("no preset {name:?}: there are tiny and small"))
    }
}

/// The shape of a Llama decoder.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width of the gated feed-forward layer.
    pub intermediate_size: usize,
    /// Decoder layers.
    pub num_hidden_layers: usize,
    /// Query heads.
    pub num_attention_heads: usize,
    /// Key and value heads; divides the query heads.
    pub num_key_value_heads: usize,
    /// Width of a head; even.
    pub head_dim: usize,
    /// Tokens of the vocabulary.
    pub vocab_size: usize,
    /// Longest sequence, prompt and answer together.
    pub max_position_embeddings: usize,
    /// Added to the mean square of RMSNorm.
    pub rms_norm_eps: f32,
    /// Base of the rotary embedding.
    pub rope_theta: f64,
    /// Whether the output layer is the embedding.
    pub tie_word_embeddings: bool,
    /// First token of a prompt.
    pub bos_token_id: u32,
    /// Tokens that end an answer; may be empty.
    pub eos_token_ids: Vec<u32>,
    /// Padding, where named.
    pub pad_token_id: Option<u32>,
}

/// What `config.json` may say, before it is checked.
#[derive(Deserialize)]
struct Document {
    architectures: Option<Vec<String>>,
    model_type: Option<String>,
    hidden_act: Option<String>,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    vocab_size: usize,
    max_position_embeddings: usize,
    rms_norm_eps: f64,
    rope_theta: Option<f64>,
    rope_scaling: Option<serde_json::Value>,
    rope_parameters: Option<serde_json::Value>,
    sliding_window: Option<usize>,
    quantization_config: Option<serde_json::Value>,
    #[serde(default)]
    tie_word_embeddings: bool,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    mlp_bias: bool,
    bos_token_id: Option<u32>,
    eos_token_id: Option<OneOrMany>,
    pad_token_id: Option<u32>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(u32),
    Many(Vec<u32>),
}

/// No dimension of a model that runs on one thread comes near this; products
/// of two stay far from overflow.
const LARGEST_DIMENSION: usize = 1 << 24;

impl Config {
    /// Reads `config.json`.
    ///
    /// # Errors
    /// The field and why it cannot be: not JSON, missing, inconsistent, or a
    /// feature that the decoder does not have.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let d: Document = serde_json::from_str(text).map_err(|e| e.to_string())?;
        d.refuse_unsupported()?;
        let head_dim = match d.head_dim {
            Some(dim) => dim,
            None => d
                .hidden_size
                .checked_div(d.num_attention_heads)
                .unwrap_or_default(),
        };
        let config = Self {
            hidden_size: d.hidden_size,
            intermediate_size: d.intermediate_size,
            num_hidden_layers: d.num_hidden_layers,
            num_attention_heads: d.num_attention_heads,
            num_key_value_heads: d.num_key_value_heads.unwrap_or(d.num_attention_heads),
            head_dim,
            vocab_size: d.vocab_size,
            max_position_embeddings: d.max_position_embeddings,
            rms_norm_eps: d.rms_norm_eps as f32,
            rope_theta: d.rope_theta()?,
            tie_word_embeddings: d.tie_word_embeddings,
            bos_token_id: d.bos_token_id.unwrap_or(0),
            eos_token_ids: match d.eos_token_id {
                Some(OneOrMany::One(id)) => vec![id],
                Some(OneOrMany::Many(ids)) => ids,
                None => Vec::new(),
            },
            pad_token_id: d.pad_token_id,
        };
        config.check()?;
        Ok(config)
    }

    /// Width of all query heads.
    #[must_use]
    pub fn query_width(&self) -> usize {
        self.num_attention_heads * self.head_dim
    }

    /// Width of all key heads, and of all value heads.
    #[must_use]
    pub fn key_value_width(&self) -> usize {
        self.num_key_value_heads * self.head_dim
    }

    fn check(&self) -> Result<(), String> {
        let dimensions = [
            ("hidden_size", self.hidden_size),
            ("intermediate_size", self.intermediate_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("num_key_value_heads", self.num_key_value_heads),
            ("head_dim", self.head_dim),
            ("vocab_size", self.vocab_size),
            ("max_position_embeddings", self.max_position_embeddings),
        ];
        for (field, value) in dimensions {
            if value == 0 || value > LARGEST_DIMENSION {
                return Err(format!(
                    "{field} is {value}, not in 1..={LARGEST_DIMENSION}"
                ));
            }
        }
        // Only now the product can't overflow.
        if self.query_width() > LARGEST_DIMENSION {
            return Err(format!(
                "num_attention_heads times head_dim is {}, above {LARGEST_DIMENSION}",
                self.query_width()
            ));
        }
        if !self.head_dim.is_multiple_of(2) {
            return Err(format!(
                "head_dim is {}, but rotary heads are even",
                self.head_dim
            ));
        }
        if !self
            .num_attention_heads
            .is_multiple_of(self.num_key_value_heads)
        {
            return Err(format!(
                "num_attention_heads {} is not a multiple of num_key_value_heads {}",
                self.num_attention_heads, self.num_key_value_heads
            ));
        }
        if !(self.rms_norm_eps >= 0.0 && self.rms_norm_eps.is_finite()) {
            return Err(format!("rms_norm_eps is {}", self.rms_norm_eps));
        }
        if !(self.rope_theta > 0.0 && self.rope_theta.is_finite()) {
            return Err(format!("rope_theta is {}, not positive", self.rope_theta));
        }
        let ids = self.eos_token_ids.iter().chain(&self.pad_token_id);
        for &id in ids.chain([&self.bos_token_id]) {
            if id as usize >= self.vocab_size {
                return Err(format!(
                    "a special token has id {id}, but vocab_size is {}",
                    self.vocab_size
                ));
            }
        }
        Ok(())
    }
}

impl Document {
    fn refuse_unsupported(&self) -> Result<(), String> {
        let llama = self.model_type.as_deref().is_none_or(|t| t == "llama")
            && self
                .architectures
                .as_ref()
                .is_none_or(|a| a.iter().any(|a| a == "LlamaForCausalLM"));
        let present =
            |value: &Option<serde_json::Value>| value.as_ref().is_some_and(|v| !v.is_null());
        let refusal = if !llama {
            "model_type or architectures name another model than LlamaForCausalLM"
        } else if self.hidden_act.as_deref().is_some_and(|act| act != "silu") {
            "hidden_act is not silu"
        } else if present(&self.rope_scaling) {
            "rope_scaling is set"
        } else if self.attention_bias || self.mlp_bias {
            "attention_bias or mlp_bias is set"
        } else if self.sliding_window.is_some() {
            "sliding_window is set"
        } else if present(&self.quantization_config) {
            "quantization_config is set"
        } else {
            return Ok(());
        };
        Err(format!("{refusal}: this decoder does not support it"))
    }

    /// `rope_theta`, or its newer place beside the type of scaling.
    fn rope_theta(&self) -> Result<f64, String> {
        let parameters = self.rope_parameters.as_ref();
        let kind = parameters.and_then(|p| p.get("rope_type")?.as_str());
        if kind.is_some_and(|kind| kind != "default") {
            return Err("rope_parameters ask for scaling: this decoder does not support it".into());
        }
        let nested = parameters.and_then(|p| p.get("rope_theta")?.as_f64());
        Ok(self.rope_theta.or(nested).unwrap_or(10_000.0))
    }
}
