//! Speed of the embedded decoder on one thread: decode and prefill, as JSON.
//!
//! ```text
//! cargo run --release --example decode_speed -- MODEL_DIR|tiny|small [prompt] [decode] [bf16] [scalar]
//! ```
//!
//! `scripts/llama_cpp/speed.py` runs it beside llama.cpp on the same model.

use evenhand::runtime::{
    Decoder, KvCache, LoadOptions, Model, ModelError, Simd, Step, WeightType, greedy,
};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut options = LoadOptions::default();
    arguments.retain(|argument| match argument.as_str() {
        "bf16" => {
            options.weights = WeightType::Bf16;
            false
        }
        "scalar" => {
            options.simd = Simd::Scalar;
            false
        }
        _ => true,
    });
    let name = arguments.first().map_or("tiny", |name| name);
    let count = |at: usize, default| {
        arguments
            .get(at)
            .map_or(Ok(default), |text| text.parse::<usize>())
    };
    let (prompt, answer) = (count(1, 512)?, count(2, 128)?);
    let start = Instant::now();
    let model = match name.parse::<evenhand::runtime::Preset>() {
        Ok(preset) => Model::preset(preset, 1, &options)?,
        Err(_) => Model::load(Path::new(name), &options)?,
    };
    let load_s = start.elapsed().as_secs_f64();
    let model = Arc::new(model);
    let (prefill_s, decode_s) = measure(&model, prompt, answer)?;
    println!(
        "{}",
        serde_json::json!({
            "model": name,
            "simd": model.describe().simd,
            "weights": model.describe().weights,
            "load_s": load_s,
            "prompt_tokens": prompt,
            "prefill_tokens_per_s": prompt as f64 / prefill_s,
            "decode_tokens": answer,
            "decode_tokens_per_s": answer as f64 / decode_s,
        })
    );
    Ok(())
}

/// Seconds for a prompt of `prompt` tokens, and for `answer` greedy tokens
/// behind a short one.
fn measure(model: &Arc<Model>, prompt: usize, answer: usize) -> Result<(f64, f64), ModelError> {
    let vocabulary = model.config().vocab_size;
    let tokens: Vec<u32> = (0..prompt.max(1))
        .map(|i| (7 + i * 31 % (vocabulary - 7)) as u32)
        .collect();
    let mut cache = KvCache::new(model, prompt.max(16 + answer));
    let mut decoder = Decoder::new(Arc::clone(model));
    let mut logits = Vec::new();
    let mut forward = |cache: &mut KvCache, tokens: &[u32]| {
        decoder.forward(&mut [Step { cache, tokens }], &mut logits)?;
        Ok::<u32, ModelError>(greedy(&logits))
    };
    // Pages and caches are warm in both engines.
    forward(&mut cache, &tokens)?;
    cache.clear();
    let start = Instant::now();
    forward(&mut cache, &tokens)?;
    let prefill_s = start.elapsed().as_secs_f64();

    cache.clear();
    let mut token = forward(&mut cache, &tokens[..tokens.len().min(16)])?;
    let start = Instant::now();
    for _ in 0..answer {
        token = forward(&mut cache, &[token])?;
    }
    Ok((prefill_s, start.elapsed().as_secs_f64()))
}
