//! The JSON files of a Hugging Face folder.

use super::write_file;
use crate::runtime::config::Config;
use crate::runtime::model::{Model, ModelError, WeightType};
use crate::runtime::tokenizer::{CHAT_TEMPLATE, Tokenizer, written};
use serde_json::{Map, Value, json};
use std::io::Write;
use std::path::Path;

pub(super) fn write(dir: &Path, model: &Model) -> Result<(), ModelError> {
    let (config, tokenizer) = (model.config(), model.tokenizer());
    let files = [
        ("config.json", shape(config, model.options().weights)),
        ("generation_config.json", special_ids(config)),
        ("tokenizer.json", vocabulary(tokenizer)),
        ("tokenizer_config.json", template(config, tokenizer)),
    ];
    for (name, content) in files {
        write_file(&dir.join(name), |out| {
            serde_json::to_writer_pretty(&mut *out, &content)?;
            out.write_all(b"\n")
        })?;
    }
    let jinja = |out: &mut std::io::BufWriter<_>| out.write_all(CHAT_TEMPLATE.as_bytes());
    write_file(&dir.join("chat_template.jinja"), jinja)
}

fn shape(config: &Config, weights: WeightType) -> Value {
    let dtype = match weights {
        WeightType::F32 => "float32",
        WeightType::Bf16 => "bfloat16",
    };
    // The shortest decimal of an f32: 1e-5 stays 1e-5.
    let epsilon: f64 = config.rms_norm_eps.to_string().parse().expect("a number");
    let mut shape = json!({
        "architectures": ["LlamaForCausalLM"],
        "attention_bias": false,
        "head_dim": config.head_dim,
        "hidden_act": "silu",
        "hidden_size": config.hidden_size,
        "initializer_range": 0.02,
        "intermediate_size": config.intermediate_size,
        "max_position_embeddings": config.max_position_embeddings,
        "mlp_bias": false,
        "model_type": "llama",
        "num_attention_heads": config.num_attention_heads,
        "num_hidden_layers": config.num_hidden_layers,
        "num_key_value_heads": config.num_key_value_heads,
        "rms_norm_eps": epsilon,
        "rope_theta": config.rope_theta,
        "tie_word_embeddings": config.tie_word_embeddings,
        "torch_dtype": dtype,
        "use_cache": true,
        "vocab_size": config.vocab_size,
    });
    if let (Value::Object(shape), Value::Object(ids)) = (&mut shape, special_ids(config)) {
        shape.extend(ids);
    }
    shape
}

fn special_ids(config: &Config) -> Value {
    let mut ids = json!({ "bos_token_id": config.bos_token_id });
    if let [eos] = config.eos_token_ids[..] {
        ids["eos_token_id"] = eos.into();
    } else if !config.eos_token_ids.is_empty() {
        ids["eos_token_id"] = config.eos_token_ids.clone().into();
    }
    if let Some(pad) = config.pad_token_id {
        ids["pad_token_id"] = pad.into();
    }
    ids
}

fn vocabulary(tokenizer: &Tokenizer) -> Value {
    let byte_level = |trim_offsets| {
        json!({
            "type": "ByteLevel",
            "add_prefix_space": false,
            "trim_offsets": trim_offsets,
            "use_regex": true,
        })
    };
    let added = tokenizer.specials().into_iter().map(|(id, content)| {
        json!({
            "id": id,
            "content": content,
            "single_word": false,
            "lstrip": false,
            "rstrip": false,
            "normalized": false,
            "special": true,
        })
    });
    let ids = 0..tokenizer.vocab_size() as u32;
    let vocab: Map<String, Value> = ids.map(|id| (written(tokenizer, id), id.into())).collect();
    let merges = tokenizer.merges().into_iter();
    let merges = merges.map(|(a, b)| [written(tokenizer, a), written(tokenizer, b)]);
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added.collect::<Vec<_>>(),
        "normalizer": null,
        "pre_tokenizer": byte_level(true),
        "post_processor": null,
        "decoder": byte_level(true),
        "model": {
            "type": "BPE",
            "dropout": null,
            "unk_token": null,
            "continuing_subword_prefix": null,
            "end_of_word_suffix": null,
            "fuse_unk": false,
            "byte_fallback": false,
            "ignore_merges": false,
            "vocab": vocab,
            "merges": merges.collect::<Vec<_>>(),
        },
    })
}

fn template(config: &Config, tokenizer: &Tokenizer) -> Value {
    let mut template = json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": config.max_position_embeddings,
        "clean_up_tokenization_spaces": false,
        "chat_template": CHAT_TEMPLATE,
        "bos_token": written(tokenizer, config.bos_token_id),
    });
    if let Some(&eos) = config.eos_token_ids.first() {
        template["eos_token"] = written(tokenizer, eos).into();
    }
    if let Some(pad) = config.pad_token_id {
        template["pad_token"] = written(tokenizer, pad).into();
    }
    template
}
