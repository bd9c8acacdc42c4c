//! `model.gguf`, version 3, for llama.cpp: metadata, the table of tensors, and
//! the tensors, each at a multiple of 32 bytes.

use super::{GgufType, widened, write_file};
use crate::runtime::config::Config;
use crate::runtime::model::{Model, ModelError, Slice};
use crate::runtime::tokenizer::{CHAT_TEMPLATE, Tokenizer, written};
use half::{bf16, f16};
use std::io::{self, Write};
use std::path::Path;

const ALIGNMENT: usize = 32;

/// Values of the format's enumeration of metadata types.
mod kind {
    pub(super) const U32: u32 = 4;
    pub(super) const I32: u32 = 5;
    pub(super) const F32: u32 = 6;
    pub(super) const BOOL: u32 = 7;
    pub(super) const STRING: u32 = 8;
    pub(super) const ARRAY: u32 = 9;
}

/// Token types of the vocabulary.
const NORMAL: u32 = 1;
const CONTROL: u32 = 3;

impl GgufType {
    /// Of a tensor.
    fn tensor(self) -> u32 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Bf16 => 30,
        }
    }

    /// Of the file as a whole.
    fn file(self) -> u32 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Bf16 => 32,
        }
    }

    fn size(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }
}

/// A tensor under its name there.
struct Entry<'a> {
    name: String,
    shape: &'a [usize],
    values: Slice<'a>,
    kind: GgufType,
    /// Heads whose rows are in another order there.
    interleave: Option<usize>,
}

pub(super) fn write(path: &Path, model: &Model, weights: GgufType) -> Result<(), ModelError> {
    let mut entries = Vec::new();
    for tensor in model.tensors() {
        for part in tensor.parts()? {
            entries.push(Entry {
                name: name(part.name),
                shape: part.shape,
                values: part.values,
                // llama.cpp multiplies by vectors in f32 only.
                kind: match part.shape.len() {
                    1 => GgufType::F32,
                    _ => weights,
                },
                interleave: heads(part.name, model.config()),
            });
        }
    }
    let metadata = metadata(model.config(), model.tokenizer(), weights);
    write_file(path, |out| {
        let mut head = b"GGUF".to_vec();
        head.extend(3u32.to_le_bytes());
        head.extend((entries.len() as u64).to_le_bytes());
        head.extend(metadata.count.to_le_bytes());
        head.extend(metadata.bytes);
        let mut offset = 0;
        for entry in &entries {
            string(&mut head, &entry.name);
            head.extend((entry.shape.len() as u32).to_le_bytes());
            for &dimension in entry.shape.iter().rev() {
                head.extend((dimension as u64).to_le_bytes());
            }
            head.extend(entry.kind.tensor().to_le_bytes());
            head.extend((offset as u64).to_le_bytes());
            offset += entry.len().next_multiple_of(ALIGNMENT);
        }
        out.write_all(&head)?;
        pad(out, head.len())?;
        for entry in &entries {
            entry.write(out)?;
            pad(out, entry.len())?;
        }
        Ok(())
    })
}

fn pad(out: &mut impl Write, written: usize) -> io::Result<()> {
    out.write_all(&[0; ALIGNMENT][..written.next_multiple_of(ALIGNMENT) - written])
}

impl Entry<'_> {
    /// Bytes without padding.
    fn len(&self) -> usize {
        self.shape.iter().product::<usize>() * self.kind.size()
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut values = widened(self.values);
        if let Some(heads) = self.interleave {
            values = interleaved(&values, heads, self.shape);
        }
        for chunk in values.chunks(1 << 16) {
            let bytes: Vec<u8> = match self.kind {
                GgufType::F32 => chunk.iter().flat_map(|v| v.to_le_bytes()).collect(),
                GgufType::F16 => chunk
                    .iter()
                    .flat_map(|&v| f16::from_f32(v).to_le_bytes())
                    .collect(),
                GgufType::Bf16 => chunk
                    .iter()
                    .flat_map(|&v| bf16::from_f32(v).to_le_bytes())
                    .collect(),
            };
            out.write_all(&bytes)?;
        }
        Ok(())
    }
}

/// ggml's rotary embedding pairs neighbours: of every head, row `i` and row
/// `i + dim / 2` become rows `2 i` and `2 i + 1`.
fn interleaved(values: &[f32], heads: usize, shape: &[usize]) -> Vec<f32> {
    let (dim, cols) = (shape[0] / heads, shape[1]);
    let rows = (0..shape[0]).map(|to| {
        let (head, within) = (to / dim, to % dim);
        head * dim + within / 2 + within % 2 * (dim / 2)
    });
    rows.flat_map(|from| &values[from * cols..][..cols])
        .copied()
        .collect()
}

fn heads(name: &str, config: &Config) -> Option<usize> {
    if name.ends_with("q_proj.weight") {
        Some(config.num_attention_heads)
    } else if name.ends_with("k_proj.weight") {
        Some(config.num_key_value_heads)
    } else {
        None
    }
}

/// The name of a checkpoint's tensor in GGUF.
fn name(name: &str) -> String {
    const WORDS: [(&str, &str); 14] = [
        ("model.embed_tokens", "token_embd"),
        ("model.layers", "blk"),
        ("input_layernorm", "attn_norm"),
        ("post_attention_layernorm", "ffn_norm"),
        ("self_attn.q_proj", "attn_q"),
        ("self_attn.k_proj", "attn_k"),
        ("self_attn.v_proj", "attn_v"),
        ("self_attn.o_proj", "attn_output"),
        ("mlp.gate_proj", "ffn_gate"),
        ("mlp.up_proj", "ffn_up"),
        ("mlp.down_proj", "ffn_down"),
        ("model.norm", "output_norm"),
        ("lm_head", "output"),
        ("model.", ""),
    ];
    WORDS
        .iter()
        .fold(name.to_owned(), |name, (from, to)| name.replace(from, to))
}

/// Metadata in the making.
#[derive(Default)]
struct Metadata {
    count: u64,
    bytes: Vec<u8>,
}

fn metadata(config: &Config, tokenizer: &Tokenizer, weights: GgufType) -> Metadata {
    let mut m = Metadata::default();
    m.string("general.architecture", "llama");
    m.string("general.name", "evenhand seeded llama");
    m.u32("general.file_type", weights.file());
    for (key, value) in [
        ("context_length", config.max_position_embeddings),
        ("embedding_length", config.hidden_size),
        ("block_count", config.num_hidden_layers),
        ("feed_forward_length", config.intermediate_size),
        ("attention.head_count", config.num_attention_heads),
        ("attention.head_count_kv", config.num_key_value_heads),
        ("attention.key_length", config.head_dim),
        ("attention.value_length", config.head_dim),
        ("rope.dimension_count", config.head_dim),
        ("vocab_size", config.vocab_size),
    ] {
        m.u32(&format!("llama.{key}"), value as u32);
    }
    let epsilon = config.rms_norm_eps;
    m.f32("llama.attention.layer_norm_rms_epsilon", epsilon);
    m.f32("llama.rope.freq_base", config.rope_theta as f32);
    m.string("tokenizer.ggml.model", "gpt2");
    m.string("tokenizer.ggml.pre", "gpt-2");
    let ids = 0..config.vocab_size as u32;
    let types = ids.clone().map(|id| {
        if tokenizer.is_special(id) {
            CONTROL
        } else {
            NORMAL
        }
    });
    m.strings(
        "tokenizer.ggml.tokens",
        ids.map(|id| written(tokenizer, id)),
    );
    m.i32s("tokenizer.ggml.token_type", types);
    let merges = tokenizer.merges().into_iter();
    m.strings(
        "tokenizer.ggml.merges",
        merges.map(|(a, b)| format!("{} {}", written(tokenizer, a), written(tokenizer, b))),
    );
    m.u32("tokenizer.ggml.bos_token_id", config.bos_token_id);
    // The format has room for one; there may be none.
    if let Some(&eos) = config.eos_token_ids.first() {
        m.u32("tokenizer.ggml.eos_token_id", eos);
    }
    if let Some(pad) = config.pad_token_id {
        m.u32("tokenizer.ggml.padding_token_id", pad);
    }
    m.key("tokenizer.ggml.add_bos_token", kind::BOOL);
    m.bytes.push(0);
    m.string("tokenizer.chat_template", CHAT_TEMPLATE);
    m
}

impl Metadata {
    fn key(&mut self, key: &str, kind: u32) {
        self.count += 1;
        string(&mut self.bytes, key);
        self.bytes.extend(kind.to_le_bytes());
    }

    fn u32(&mut self, key: &str, value: u32) {
        self.key(key, kind::U32);
        self.bytes.extend(value.to_le_bytes());
    }

    fn f32(&mut self, key: &str, value: f32) {
        self.key(key, kind::F32);
        self.bytes.extend(value.to_le_bytes());
    }

    fn string(&mut self, key: &str, value: &str) {
        self.key(key, kind::STRING);
        string(&mut self.bytes, value);
    }

    fn array(&mut self, key: &str, kind: u32, len: usize) {
        self.key(key, kind::ARRAY);
        self.bytes.extend(kind.to_le_bytes());
        self.bytes.extend((len as u64).to_le_bytes());
    }

    fn strings(&mut self, key: &str, values: impl ExactSizeIterator<Item = String>) {
        self.array(key, kind::STRING, values.len());
        for value in values {
            string(&mut self.bytes, &value);
        }
    }

    fn i32s(&mut self, key: &str, values: impl ExactSizeIterator<Item = u32>) {
        self.array(key, kind::I32, values.len());
        for value in values {
            self.bytes.extend(value.to_le_bytes());
        }
    }
}

fn string(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text.as_bytes());
}
