//! What well-formed requests are answered with.

use crate::client::{get, ok, shared, stream, text_of};
use evenhand::runtime::engine::EngineOptions;
use evenhand::runtime::{
    ChatMessage, Conversion, Decoder, FfnProjection, KvCache, LoadOptions, Loading, Model, Options,
    Preset, Role, Runtime, Simd, Step, TokenizerCache, WeightType, greedy,
};
use serde_json::{Value, json};
use std::sync::Arc;

const CHAT: &str = "/v1/chat/completions";
const TEXT: &str = "/v1/completions";

fn chat(tokens: u32) -> Value {
    json!({
        "model": "tiny", "temperature": 0, "max_tokens": tokens, "return_token_ids": true,
        "messages": [{"role": "user", "content": "The order of the arms"}],
    })
}

/// The greedy continuation by the decoder alone.
fn reference(prompt: &[u32], tokens: usize) -> Vec<u32> {
    let model = Arc::new(Model::preset(Preset::Tiny, 1, &LoadOptions::default()).unwrap());
    let mut cache = KvCache::new(&model, prompt.len() + tokens);
    let mut decoder = Decoder::new(model);
    let mut next = prompt.to_vec();
    let mut logits = Vec::new();
    (0..tokens)
        .map(|_| {
            let step = Step {
                cache: &mut cache,
                tokens: &next,
            };
            decoder.forward(&mut [step], &mut logits).unwrap();
            next = vec![greedy(&logits)];
            next[0]
        })
        .collect()
}

#[test]
fn greedy_chat_is_what_the_decoder_computes_streamed_or_not() {
    let model = Model::preset(Preset::Tiny, 1, &LoadOptions::default()).unwrap();
    let message = ChatMessage {
        role: Role::User,
        content: "The order of the arms".into(),
    };
    let prompt = model.tokenizer().chat(&[message]).unwrap();
    let ids = reference(&prompt, 12);

    let whole = ok(shared(), CHAT, &chat(12));
    assert_eq!(whole["evenhand"]["token_ids"], json!(ids));
    assert_eq!(whole["object"], "chat.completion");
    assert_eq!(whole["choices"][0]["finish_reason"], "length");
    let text = model.tokenizer().decode(&ids);
    assert_eq!(
        whole["choices"][0]["message"],
        json!({"role": "assistant", "content": text})
    );
    let usage = json!({
        "prompt_tokens": prompt.len(), "completion_tokens": 12, "total_tokens": prompt.len() + 12
    });
    assert_eq!(whole["usage"], usage);

    let mut body = chat(12);
    body["stream_options"] = json!({"include_usage": true});
    let events = stream(shared(), CHAT, &body);
    assert_eq!(
        events[0]["choices"][0]["delta"],
        json!({"role": "assistant", "content": ""})
    );
    assert_eq!(text_of(&events), text);
    let [.., finish, last] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(finish["choices"][0]["finish_reason"], "length");
    assert_eq!(finish["choices"][0]["delta"], json!({}));
    assert_eq!(finish["evenhand"]["token_ids"], json!(ids));
    assert_eq!((&last["choices"], &last["usage"]), (&json!([]), &usage));
    for event in &events {
        assert_eq!(event["object"], "chat.completion.chunk");
        assert_eq!(event["id"], events[0]["id"]);
        assert_eq!(event["system_fingerprint"], whole["system_fingerprint"]);
    }
    // Role, at most one chunk a token, finish, usage.
    assert!(events.len() <= 15 && events.len() > 5, "{}", events.len());
}

#[test]
fn text_completions_take_text_and_token_ids() {
    let model = Model::preset(Preset::Tiny, 1, &LoadOptions::default()).unwrap();
    let prompt = model.tokenizer().encode("Fair pairs");
    let ids = reference(&prompt, 8);
    for given in [
        json!("Fair pairs"),
        json!(["Fair pairs"]),
        json!(prompt),
        json!([prompt]),
    ] {
        let body = json!({
            "model": "tiny", "prompt": given, "max_tokens": 8, "temperature": 0,
            "return_token_ids": true
        });
        let whole = ok(shared(), TEXT, &body);
        assert_eq!(whole["evenhand"]["token_ids"], json!(ids));
        assert_eq!(
            whole["choices"][0]["text"],
            model.tokenizer().decode(&ids).as_str()
        );
        assert_eq!(
            text_of(&stream(shared(), TEXT, &body)),
            model.tokenizer().decode(&ids)
        );
    }
}

#[test]
fn stages_add_up_and_entropy_is_told() {
    let whole = ok(shared(), CHAT, &chat(6));
    let timings = whole["evenhand"]["timings"].as_object().unwrap();
    let total = timings["total_ns"].as_u64().unwrap();
    let stages: u64 = timings
        .iter()
        .filter(|(name, _)| name.ends_with("_ns") && *name != "total_ns")
        .map(|(_, ns)| ns.as_u64().unwrap())
        .sum();
    assert_eq!(stages, total);
    assert_eq!(timings["decode_steps"], 5);
    for stage in [
        "tokenise_ns",
        "prefill_ns",
        "decode_ns",
        "sample_ns",
        "detokenise_ns",
    ] {
        assert!(timings[stage].as_u64().unwrap() > 0, "{stage}");
    }
    let entropy = &whole["evenhand"]["entropy_nats"];
    let (mean, max) = (
        entropy["mean"].as_f64().unwrap(),
        entropy["max"].as_f64().unwrap(),
    );
    assert!(0.0 < mean && mean <= max && max <= 4096.0_f64.ln());
}

#[test]
fn a_seed_names_the_text() {
    let mut body = chat(10);
    body["temperature"] = json!(1.0);
    let text = |seed: u64| {
        body["seed"] = json!(seed);
        ok(shared(), CHAT, &body)["evenhand"]["token_ids"].clone()
    };
    let mut text = text;
    let first = text(7);
    assert_eq!(first, text(7));
    assert_ne!(first, text(8));
}

#[test]
fn stop_texts_end_the_answer_before_them() {
    let text = ok(shared(), CHAT, &chat(12))["choices"][0]["message"]["content"].clone();
    let text = text.as_str().unwrap();
    let at = text.char_indices().nth(6).unwrap().0;
    let stop: String = text[at..].chars().take(3).collect();
    let mut body = chat(12);
    body["stop"] = json!([stop]);
    let expected = text.split(&stop).next().unwrap();
    let whole = ok(shared(), CHAT, &body);
    assert_eq!(whole["choices"][0]["message"]["content"], expected);
    assert_eq!(whole["choices"][0]["finish_reason"], "stop");
    assert_eq!(text_of(&stream(shared(), CHAT, &body)), expected);
}

#[test]
fn log_probabilities_come_with_every_token() {
    let mut body = chat(4);
    body["logprobs"] = json!(true);
    body["top_logprobs"] = json!(3);
    let whole = ok(shared(), CHAT, &body);
    let listed = whole["choices"][0]["logprobs"]["content"]
        .as_array()
        .unwrap();
    assert_eq!(listed.len(), 4);
    for token in listed {
        let top = token["top_logprobs"].as_array().unwrap();
        assert_eq!(top.len(), 3);
        // Greedy: the picked token is the likeliest.
        assert_eq!(top[0]["logprob"], token["logprob"]);
        assert!(token["logprob"].as_f64().unwrap() < 0.0);
    }
    let streamed: Vec<Value> = stream(shared(), CHAT, &body)
        .iter()
        .filter_map(|e| Some(e["choices"][0]["logprobs"]["content"].as_array()?[0].clone()))
        .collect();
    assert_eq!(&streamed, listed);
    let body = json!({
        "model": "tiny", "prompt": "x", "max_tokens": 3, "temperature": 0, "logprobs": 2
    });
    let logprobs = &ok(shared(), TEXT, &body)["choices"][0]["logprobs"];
    for list in ["tokens", "token_logprobs", "top_logprobs", "text_offset"] {
        assert_eq!(logprobs[list].as_array().unwrap().len(), 3, "{list}");
    }
}

#[test]
fn health_models_and_metrics() {
    let health = get(shared(), "/health");
    assert_eq!(
        (health.status, health.json()),
        (200, json!({"status": "ok"}))
    );
    assert_eq!(get(shared(), "/v1/models").json()["data"][0]["id"], "tiny");
    let metrics = get(shared(), "/metrics");
    assert!(
        metrics
            .head
            .contains("content-type: text/plain; version=0.0.4")
    );
    let text = String::from_utf8(metrics.body).unwrap();
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("evenhand_"), "{line}");
        assert!(value.parse::<f64>().unwrap() >= 0.0, "{line}");
    }
}

/// Every switch is other work for the same greedy text, most of them to the
/// last bit.
#[test]
fn switches_keep_the_text() {
    let text = |load: LoadOptions, engine: EngineOptions| {
        let options = Options {
            load,
            engine,
            ..Options::default()
        };
        let runtime = Runtime::spawn(options).unwrap();
        let mut body = chat(8);
        body["logprobs"] = json!(true);
        let whole = ok(runtime.address(), CHAT, &body);
        (
            whole["evenhand"]["token_ids"].clone(),
            whole["system_fingerprint"].clone(),
            whole["choices"][0]["logprobs"].clone(),
        )
    };
    let usual = text(LoadOptions::default(), EngineOptions::default());
    let engines = [
        EngineOptions {
            kv_cache: false,
            ..EngineOptions::default()
        },
        EngineOptions {
            statistics: false,
            batch: 1,
            slots: 1,
            ..EngineOptions::default()
        },
        EngineOptions {
            prefill_chunk: 1,
            ..EngineOptions::default()
        },
    ];
    for engine in engines {
        let (ids, fingerprint, bits) = text(LoadOptions::default(), engine.clone());
        assert_eq!(
            (ids, bits),
            (usual.0.clone(), usual.2.clone()),
            "{engine:?}"
        );
        assert_ne!(fingerprint, usual.1, "{engine:?}");
    }
    let loads = [
        LoadOptions {
            loading: Loading::Lazy,
            ..LoadOptions::default()
        },
        LoadOptions {
            ffn: FfnProjection::Separate,
            ..LoadOptions::default()
        },
        LoadOptions {
            tokenizer_cache: TokenizerCache::Off,
            ..LoadOptions::default()
        },
    ];
    for load in loads {
        let (ids, _, bits) = text(load.clone(), EngineOptions::default());
        assert_eq!((ids, bits), (usual.0.clone(), usual.2.clone()), "{load:?}");
    }
    let scalar = LoadOptions {
        simd: Simd::Scalar,
        ..LoadOptions::default()
    };
    assert_eq!(text(scalar, EngineOptions::default()).0, usual.0);
    let bf16 = |conversion| {
        let load = LoadOptions {
            weights: WeightType::Bf16,
            conversion,
            ..LoadOptions::default()
        };
        text(load, EngineOptions::default()).0
    };
    assert_eq!(bf16(Conversion::AtLoad), bf16(Conversion::OnTheFly));
}
