//! `cargo evenhand doctor --runtime`: the embedded model on this machine.

use super::Failure;
use super::measure::OutputFormat;
use crate::protocol::exit;
use crate::runtime::{Decoder, KvCache, LoadOptions, Model, Preset, Step, greedy};
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;
use std::time::Instant;

/// Schema of [`RuntimeSpeed`].
pub(super) const RUNTIME_SCHEMA: &str = "evenhand.runtime/1.0";

const PROMPT_TOKENS: usize = 64;
const DECODE_STEPS: usize = 64;
/// Sequences of a batched step.
const BATCH: usize = 8;

/// Size and speed of an embedded model. The rates describe one run on this
/// machine as it is now; they are no claim.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct RuntimeSpeed {
    /// `evenhand.runtime/1.0`.
    schema: &'static str,
    /// The preset.
    model: String,
    /// Number of weights.
    parameters: u64,
    /// Bytes that they take.
    weight_bytes: u64,
    /// `f32` or `bf16`.
    weights: String,
    /// Instructions of the linear layers.
    simd: String,
    /// Threads that compute.
    threads: u32,
    /// Seconds to draw the weights.
    load_seconds: f64,
    /// Prompt tokens per second, one prompt of 64.
    prefill_tokens_per_second: f64,
    /// Tokens per second of one stream.
    decode_tokens_per_second: f64,
    /// Tokens per second of 8 streams together.
    batched_tokens_per_second: f64,
}

/// Loads a model, computes with it, prints what it is and does.
pub(super) fn run(preset: Preset, format: OutputFormat) -> Result<u8, Failure> {
    let speed = look(preset).map_err(|e| Failure::internal(e.to_string()))?;
    if format == OutputFormat::Json {
        let json = serde_json::to_string_pretty(&speed).expect("plain data has a JSON form");
        anstream::println!("{json}");
        return Ok(exit::OK);
    }
    let millions = speed.parameters as f64 / 1e6;
    let mebibytes = speed.weight_bytes as f64 / f64::from(1 << 20);
    anstream::println!(
        "model         {}, {millions:.1} M parameters, {mebibytes:.0} MiB of {}",
        speed.model,
        speed.weights
    );
    anstream::println!("instructions  {}", speed.simd);
    anstream::println!("threads       {}", speed.threads);
    anstream::println!("load          {:.0} ms", 1e3 * speed.load_seconds);
    for (name, rate, note) in [
        (
            "prefill",
            speed.prefill_tokens_per_second,
            "a prompt of 64 tokens",
        ),
        ("decode", speed.decode_tokens_per_second, "one stream"),
        (
            "decode",
            speed.batched_tokens_per_second,
            "8 streams together",
        ),
    ] {
        anstream::println!("{name:<13} {rate:.0} tokens/s, {note}");
    }
    Ok(exit::OK)
}

fn look(preset: Preset) -> Result<RuntimeSpeed, crate::runtime::ModelError> {
    let before = Instant::now();
    let model = Arc::new(Model::preset(preset, 1, &LoadOptions::default())?);
    let load_seconds = before.elapsed().as_secs_f64();
    let described = model.describe();
    let mut decoder = Decoder::new(Arc::clone(&model));
    let capacity = PROMPT_TOKENS + 2 * DECODE_STEPS;
    let mut caches: Vec<KvCache> = (0..BATCH).map(|_| KvCache::new(&model, capacity)).collect();
    let vocabulary = model.config().vocab_size as u32;
    let prompt: Vec<u32> = (0..PROMPT_TOKENS as u32)
        .map(|i| 300 + i * 31 % (vocabulary - 300))
        .collect();
    let mut logits = Vec::new();
    // Warm-up: pages, scratch memory, clock.
    let first = [prompt.clone()];
    advance(&mut decoder, &mut caches[..1], &first, &mut logits)?;
    caches[0].clear();
    let prefill = timed(|| advance(&mut decoder, &mut caches[..1], &first, &mut logits))?;
    let decode = timed(|| {
        (0..DECODE_STEPS).try_for_each(|_| {
            let next = [vec![greedy(&logits)]];
            advance(&mut decoder, &mut caches[..1], &next, &mut logits)
        })
    })?;
    for cache in &mut caches[1..] {
        let prompt = [prompt.clone()];
        advance(
            &mut decoder,
            std::slice::from_mut(cache),
            &prompt,
            &mut logits,
        )?;
    }
    let next: Vec<Vec<u32>> = (0..BATCH as u32).map(|i| vec![400 + i]).collect();
    let batched = timed(|| {
        (0..DECODE_STEPS).try_for_each(|_| advance(&mut decoder, &mut caches, &next, &mut logits))
    })?;
    Ok(RuntimeSpeed {
        schema: RUNTIME_SCHEMA,
        model: preset.name().to_owned(),
        parameters: described.parameters,
        weight_bytes: described.weight_bytes,
        weights: described.weights.to_owned(),
        simd: described.simd.to_owned(),
        threads: 1,
        load_seconds,
        prefill_tokens_per_second: PROMPT_TOKENS as f64 / prefill,
        decode_tokens_per_second: DECODE_STEPS as f64 / decode,
        batched_tokens_per_second: (BATCH * DECODE_STEPS) as f64 / batched,
    })
}

fn advance(
    decoder: &mut Decoder,
    caches: &mut [KvCache],
    tokens: &[Vec<u32>],
    logits: &mut Vec<f32>,
) -> Result<(), crate::runtime::ModelError> {
    let mut steps: Vec<Step<'_>> = caches
        .iter_mut()
        .zip(tokens)
        .map(|(cache, tokens)| Step { cache, tokens })
        .collect();
    decoder.forward(&mut steps, logits)
}

/// Seconds that some work takes.
fn timed<E>(work: impl FnOnce() -> Result<(), E>) -> Result<f64, E> {
    let before = Instant::now();
    work()?;
    // A clock that stood still must not make the rate infinite.
    Ok(before.elapsed().as_secs_f64().max(1e-9))
}
