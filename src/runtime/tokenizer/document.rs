//! `tokenizer.json` of Hugging Face, as far as it is byte-level BPE.

use super::merges::Merges;
use super::{Tokenizer, TokenizerCache, byte_level};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    added_tokens: Vec<Added>,
    normalizer: Option<Value>,
    pre_tokenizer: Option<Value>,
    model: Model,
}

#[derive(Deserialize)]
struct Added {
    id: u32,
    content: String,
    #[serde(default)]
    single_word: bool,
    #[serde(default)]
    lstrip: bool,
    #[serde(default)]
    rstrip: bool,
}

#[derive(Deserialize)]
struct Model {
    #[serde(rename = "type")]
    kind: Option<String>,
    vocab: HashMap<String, u32>,
    merges: Vec<Pair>,
    continuing_subword_prefix: Option<String>,
    end_of_word_suffix: Option<String>,
    #[serde(default)]
    byte_fallback: bool,
    #[serde(default)]
    ignore_merges: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Pair {
    Joined(String),
    Two(String, String),
}

/// No vocabulary comes near this; an id above is a mistake.
const LARGEST_ID: u32 = 1 << 24;

impl Tokenizer {
    /// Reads `tokenizer.json`.
    ///
    /// # Errors
    /// The field and why it cannot be: not JSON, inconsistent, or not byte-level
    /// BPE with GPT-2's words.
    pub(in crate::runtime) fn from_json(text: &str, cache: TokenizerCache) -> Result<Self, String> {
        let d: Document = serde_json::from_str(text).map_err(|e| e.to_string())?;
        d.refuse_unsupported()?;
        let ids = d.model.vocab.values();
        let largest = ids.chain(d.added_tokens.iter().map(|a| &a.id)).max();
        let largest = *largest.ok_or("model.vocab is empty")?;
        if largest > LARGEST_ID {
            return Err(format!("a token has the id {largest}, above {LARGEST_ID}"));
        }
        let mut bytes: Vec<Option<Box<[u8]>>> = vec![None; largest as usize + 1];
        for added in &d.added_tokens {
            if added.content.is_empty() {
                return Err(format!("added_tokens: token {} is empty", added.id));
            }
            bytes[added.id as usize] = Some(added.content.as_bytes().into());
        }
        for (token, &id) in &d.model.vocab {
            let slot = &mut bytes[id as usize];
            if let Some(added) = slot {
                if **added != *token.as_bytes() {
                    return Err(format!("model.vocab: two tokens have the id {id}"));
                }
                continue;
            }
            let decoded = byte_level::bytes(token)
                .ok_or_else(|| format!("model.vocab: {token:?} is not written in bytes"))?;
            *slot = Some(decoded.into());
        }
        let id = |token: &str| {
            let found = d.model.vocab.get(token).copied();
            found.ok_or_else(|| format!("model.vocab has no {token:?}"))
        };
        let mut byte_tokens = [0; 256];
        for (token, byte) in byte_tokens.iter_mut().zip(0..=u8::MAX) {
            *token = id(&byte_level::character(byte).to_string())?;
        }
        let mut merges = Merges::default();
        for pair in &d.model.merges {
            let (left, right) = match pair {
                Pair::Joined(both) => both
                    .split_once(' ')
                    .ok_or_else(|| format!("model.merges: {both:?} is not two tokens"))?,
                Pair::Two(left, right) => (&**left, &**right),
            };
            let in_merges = |e| format!("model.merges: {e}");
            let merged = id(&format!("{left}{right}")).map_err(in_merges)?;
            let pair = (id(left).map_err(in_merges)?, id(right).map_err(in_merges)?);
            merges.push(pair, merged);
        }
        let special = d.added_tokens.into_iter().map(|a| (a.content.into(), a.id));
        Ok(Self::new(
            bytes.into_iter().map(Option::unwrap_or_default).collect(),
            special.collect(),
            byte_tokens,
            merges,
            cache,
        ))
    }
}

impl Document {
    fn refuse_unsupported(&self) -> Result<(), String> {
        let set = |value: &Option<String>| value.as_ref().is_some_and(|s| !s.is_empty());
        let model = &self.model;
        let refusal = if model.kind.as_deref().is_some_and(|kind| kind != "BPE") {
            "model.type is not BPE"
        } else if self.normalizer.as_ref().is_some_and(|n| !n.is_null()) {
            "normalizer is set"
        } else if !self.pre_tokenizer.as_ref().is_some_and(is_plain_byte_level) {
            "pre_tokenizer is not ByteLevel with use_regex and without add_prefix_space"
        } else if set(&model.continuing_subword_prefix) || set(&model.end_of_word_suffix) {
            "model.continuing_subword_prefix or model.end_of_word_suffix is set"
        } else if model.byte_fallback || model.ignore_merges {
            "model.byte_fallback or model.ignore_merges is set"
        } else if self
            .added_tokens
            .iter()
            .any(|a| a.single_word || a.lstrip || a.rstrip)
        {
            "an added token has single_word, lstrip or rstrip"
        } else {
            return Ok(());
        };
        Err(format!("{refusal}: this tokenizer does not support it"))
    }
}

/// Both fields default to true.
fn is_plain_byte_level(pre_tokenizer: &Value) -> bool {
    let flag = |name: &str| {
        pre_tokenizer
            .get(name)
            .and_then(Value::as_bool)
            .unwrap_or(true)
    };
    pre_tokenizer["type"] == "ByteLevel" && flag("use_regex") && !flag("add_prefix_space")
}
