//! Folders that are not what they should be: an error that names the place,
//! never a panic.

use evenhand::runtime::{LoadOptions, Loading, Model, Preset, export};
use proptest::prelude::*;
use std::path::Path;
use std::sync::LazyLock;
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let model = Model::preset(Preset::Tiny, 1, &LoadOptions::default()).unwrap();
    export::write(dir.path(), &model).unwrap();
    dir
});

/// A copy of the good folder with one file changed. Weights are linked.
fn changed(file: &str, change: impl FnOnce(&mut Vec<u8>)) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        let (from, to) = (FOLDER.path().join(name), dir.path().join(name));
        if name != file && std::fs::hard_link(&from, &to).is_ok() {
            continue;
        }
        std::fs::copy(from, to).unwrap();
    }
    let path = dir.path().join(file);
    let mut content = std::fs::read(&path).unwrap();
    change(&mut content);
    std::fs::write(&path, content).unwrap();
    dir
}

fn load(dir: &Path) -> Result<Model, String> {
    let options = LoadOptions {
        loading: Loading::Lazy,
        ..LoadOptions::default()
    };
    Model::load(dir, &options).map_err(|e| e.to_string())
}

fn with_text(file: &str, from: &str, to: &str) -> String {
    let dir = changed(file, |content| {
        let text = String::from_utf8(std::mem::take(content)).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        *content = text.replace(from, to).into_bytes();
    });
    load(dir.path())
        .err()
        .unwrap_or_else(|| panic!("{to} is accepted"))
}

#[test]
fn a_wrong_config_is_refused_by_field() {
    for (from, to, says) in [
        (
            "\"hidden_size\": 256",
            "\"hidden_size\": 0",
            "hidden_size is 0",
        ),
        (
            "\"hidden_size\": 256",
            "\"hidden_size\": 128",
            "model.layers.0.input_layernorm.weight",
        ),
        ("\"hidden_size\": 256,", "", "missing field `hidden_size`"),
        ("\"hidden_size\": 256", "\"hidden_size\": -1", "line"),
        (
            "\"num_hidden_layers\": 4",
            "\"num_hidden_layers\": 5",
            "no tensor model.layers.4.",
        ),
        (
            "\"num_key_value_heads\": 4",
            "\"num_key_value_heads\": 3",
            "not a multiple",
        ),
        ("\"head_dim\": 32", "\"head_dim\": 31", "even"),
        (
            "\"num_attention_heads\": 8",
            "\"num_attention_heads\": 18446744073709551615",
            "num_attention_heads is 18446744073709551615",
        ),
        (
            "\"head_dim\": 32",
            "\"head_dim\": 16777216",
            "num_attention_heads times head_dim is 134217728",
        ),
        ("\"silu\"", "\"gelu\"", "hidden_act is not silu"),
        ("\"llama\"", "\"qwen3\"", "model_type"),
        (
            "\"attention_bias\": false",
            "\"attention_bias\": true",
            "attention_bias",
        ),
        (
            "\"use_cache\"",
            "\"rope_scaling\": {\"rope_type\": \"llama3\"}, \"use_cache\"",
            "rope_scaling",
        ),
        ("\"eos_token_id\": 1", "\"eos_token_id\": 4096", "id 4096"),
        (
            "\"vocab_size\": 4096",
            "\"vocab_size\": 4095",
            "tokenizer.json: 4096 tokens",
        ),
        (
            "\"vocab_size\": 4096",
            "\"vocab_size\": 5000",
            "asks for [5000, 256]",
        ),
        ("\"rms_norm_eps\"", "\"rms_norm_epsilon\"", "rms_norm_eps"),
    ] {
        let message = with_text("config.json", from, to);
        assert!(message.contains(says), "{to}: {message}");
    }
}

#[test]
fn a_wrong_tokenizer_is_refused_by_field() {
    for (from, to, says) in [
        ("\"BPE\"", "\"Unigram\"", "model.type"),
        (
            "\"use_regex\": true",
            "\"use_regex\": false",
            "pre_tokenizer",
        ),
        (
            "\"normalizer\": null",
            "\"normalizer\": {\"type\": \"NFC\"}",
            "normalizer",
        ),
        ("\"lstrip\": false", "\"lstrip\": true", "lstrip"),
        (
            "\"byte_fallback\": false",
            "\"byte_fallback\": true",
            "byte_fallback",
        ),
        ("\"Ġthe\": ", "\"Ġthé\": ", "no \"Ġthe\""),
        ("\"Ġthe\": ", "\"Ġthe\": 99999", "id 99999"),
        (
            "\"content\": \"<|bos|>\"",
            "\"content\": \"\"",
            "token 0 is empty",
        ),
    ] {
        let message = with_text("tokenizer.json", from, to);
        assert!(
            message.contains("tokenizer.json") && message.contains(says),
            "{to}: {message}"
        );
    }
}

#[test]
fn missing_and_truncated_files_are_named() {
    let empty = tempfile::tempdir().unwrap();
    assert!(load(empty.path()).unwrap_err().contains("config.json"));
    for (len, says) in [
        (0, "truncated"),
        (7, "truncated"),
        (100, "truncated"),
        (1_000_000, "truncated"),
    ] {
        let dir = changed("model.safetensors", |content| content.truncate(len));
        let message = load(dir.path()).unwrap_err();
        assert!(
            message.contains("model.safetensors") && message.contains(says),
            "{message}"
        );
    }
    let dir = changed("model.safetensors", |_| ());
    std::fs::remove_file(dir.path().join("model.safetensors")).unwrap();
    std::fs::write(dir.path().join("model.safetensors.index.json"), "{}").unwrap();
    assert!(load(dir.path()).unwrap_err().contains("several files"));
}

/// llama.cpp would end answers at a token that it is told of by mistake.
#[test]
fn a_model_without_an_ending_token_is_exported_without_one() {
    const KEY: &[u8] = b"tokenizer.ggml.eos_token_id";
    let names_one = |dir: &Path| {
        let gguf = std::fs::read(dir.join("model.gguf")).unwrap();
        gguf.windows(KEY.len()).any(|bytes| bytes == KEY)
    };
    assert!(names_one(FOLDER.path()));
    let dir = changed("config.json", |content| {
        let text = String::from_utf8(std::mem::take(content)).unwrap();
        *content = text.replace("\"eos_token_id\": 1,", "").into_bytes();
    });
    let model = load(dir.path()).unwrap();
    assert!(model.config().eos_token_ids.is_empty());
    let exported = tempfile::tempdir().unwrap();
    export::write(exported.path(), &model).unwrap();
    assert!(!names_one(exported.path()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn damaged_headers_never_panic(at in 0usize..6000, byte: u8) {
        let dir = changed("model.safetensors", |content| content[at] = byte);
        let _ = load(dir.path());
    }

    #[test]
    fn damaged_json_never_panics(file in 0usize..2, at in 0usize..900, byte: u8) {
        let file = ["config.json", "tokenizer.json"][file];
        let dir = changed(file, |content| {
            let at = at % content.len();
            content[at] = byte;
        });
        let _ = load(dir.path());
    }
}
