//! From events of the engine to the protocol's documents: one chunk per event
//! for streams, one document for the rest, from the same parts.

use super::calls::{CallReader, Part};
use super::request::{Asked, Endpoint};
use crate::runtime::engine::{Completion, Finish, Logprob, Token};
use crate::runtime::tokenizer::Tokenizer;
use serde_json::{Value, json};

/// An answer while it is made.
#[derive(Debug)]
pub struct Reply {
    endpoint: Endpoint,
    id: String,
    created: u64,
    model: String,
    fingerprint: String,
    include_usage: bool,
    tools: Vec<String>,
    token_ids: Option<Vec<u32>>,
    calls: CallReader,
    in_call: bool,
    // What a single document is made of.
    text: String,
    name: Option<String>,
    arguments: String,
    logprobs: Vec<Value>,
}

impl Reply {
    /// An answer without any text. `number` makes its id, `created` is in Unix
    /// seconds, `fingerprint` names model and options.
    #[must_use]
    pub fn new(
        endpoint: Endpoint,
        asked: &Asked,
        number: u64,
        created: u64,
        model: &str,
        fingerprint: &str,
    ) -> Self {
        let kind = match endpoint {
            Endpoint::Chat => "chatcmpl",
            Endpoint::Text => "cmpl",
        };
        Self {
            endpoint,
            id: format!("{kind}-{number}"),
            created,
            model: model.to_owned(),
            fingerprint: fingerprint.to_owned(),
            include_usage: asked.include_usage,
            tools: asked.tools.clone(),
            token_ids: asked.token_ids.then(Vec::new),
            calls: CallReader::default(),
            in_call: false,
            text: String::new(),
            name: None,
            arguments: String::new(),
            logprobs: Vec::new(),
        }
    }

    /// What a stream begins with: the role.
    #[must_use]
    pub fn head(&self) -> Option<Value> {
        (self.endpoint == Endpoint::Chat)
            .then(|| self.chunk(json!({"role": "assistant", "content": ""}), None, None))
    }

    /// Takes in a token; the chunks of a stream that it makes, none while its
    /// text is incomplete.
    pub fn token(&mut self, token: &Token, tokenizer: &Tokenizer) -> Vec<Value> {
        if let Some(ids) = &mut self.token_ids {
            ids.push(token.id);
        }
        let logprobs = token
            .logprob
            .as_ref()
            .map(|l| self.logprob(token.id, l, tokenizer));
        if let Some(logprobs) = &logprobs {
            self.logprobs.push(logprobs.clone());
        }
        self.in_call = token.in_form;
        self.piece(&token.text, logprobs, false)
    }

    /// The last chunks of a stream: text that was held back, the reason of the
    /// end, usage.
    pub fn done(&mut self, completion: &Completion) -> Vec<Value> {
        let mut chunks = Vec::new();
        if self.in_call || !completion.rest.is_empty() {
            chunks = self.piece(&completion.rest, None, true);
        }
        let mut last = self.chunk(json!({}), None, Some(completion.finish));
        last["evenhand"] = self.extension(completion);
        chunks.push(last);
        if self.include_usage {
            let mut usage = self.document(self.chunk_object(), json!([]));
            usage["usage"] = usage_of(completion);
            chunks.push(usage);
        }
        chunks
    }

    /// The answer as one document, after [`Reply::done`].
    #[must_use]
    pub fn whole(&self, completion: &Completion) -> Value {
        let mut choice = json!({
            "index": 0,
            "finish_reason": completion.finish.word(),
            "logprobs": self.whole_logprobs(),
        });
        let object = match self.endpoint {
            Endpoint::Text => {
                choice["text"] = self.text.as_str().into();
                "text_completion"
            }
            Endpoint::Chat => {
                choice["message"] = match &self.name {
                    None => json!({"role": "assistant", "content": self.text}),
                    Some(name) => json!({
                        "role": "assistant",
                        "content": null,
                        "tool_calls": [{
                            "id": self.call_id(),
                            "type": "function",
                            "function": {"name": name, "arguments": self.arguments},
                        }],
                    }),
                };
                "chat.completion"
            }
        };
        let mut document = self.document(object, json!([choice]));
        document["usage"] = usage_of(completion);
        document["evenhand"] = self.extension(completion);
        document
    }

    fn piece(&mut self, text: &str, logprobs: Option<Value>, last: bool) -> Vec<Value> {
        if !self.in_call {
            self.text.push_str(text);
            if text.is_empty() && logprobs.is_none() {
                return Vec::new();
            }
            return vec![self.chunk(json!({"content": text}), logprobs, None)];
        }
        let mut logprobs = logprobs;
        let mut chunks = Vec::new();
        for part in self.calls.push(text, &self.tools, last) {
            let call = match part {
                Part::Name(name) => {
                    let call = json!({
                        "index": 0, "id": self.call_id(), "type": "function",
                        "function": {"name": name, "arguments": ""},
                    });
                    self.name = Some(name);
                    call
                }
                Part::Arguments(more) => {
                    self.arguments.push_str(&more);
                    json!({"index": 0, "function": {"arguments": more}})
                }
            };
            chunks.push(self.chunk(json!({"tool_calls": [call]}), logprobs.take(), None));
        }
        if let Some(logprobs) = logprobs {
            chunks.push(self.chunk(json!({}), Some(logprobs), None));
        }
        chunks
    }

    fn call_id(&self) -> String {
        format!("call-{}", self.id)
    }

    fn chunk_object(&self) -> &'static str {
        match self.endpoint {
            Endpoint::Chat => "chat.completion.chunk",
            Endpoint::Text => "text_completion",
        }
    }

    fn chunk(&self, delta: Value, logprobs: Option<Value>, finish: Option<Finish>) -> Value {
        let mut choice = json!({
            "index": 0,
            "finish_reason": finish.map(Finish::word),
            "logprobs": logprobs,
        });
        match self.endpoint {
            Endpoint::Chat => choice["delta"] = delta,
            Endpoint::Text => {
                choice["text"] = delta.get("content").cloned().unwrap_or_else(|| "".into());
            }
        }
        self.document(self.chunk_object(), json!([choice]))
    }

    fn document(&self, object: &str, choices: Value) -> Value {
        json!({
            "id": self.id,
            "object": object,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": self.fingerprint,
            "choices": choices,
        })
    }

    fn extension(&self, completion: &Completion) -> Value {
        let mut field = json!({"timings": completion.timings});
        if let Some(u) = completion.uncertainty {
            field["entropy_nats"] = json!({"mean": u.mean_entropy, "max": u.max_entropy});
        }
        if let Some(ids) = &self.token_ids {
            field["token_ids"] = json!(ids);
        }
        field
    }

    /// The log probabilities of one token, as a chunk has them.
    fn logprob(&self, id: u32, found: &Logprob, tokenizer: &Tokenizer) -> Value {
        let text = |id| String::from_utf8_lossy(tokenizer.bytes(id)).into_owned();
        match self.endpoint {
            Endpoint::Chat => {
                let entry = |id, logprob: f64| json!({"token": text(id), "logprob": logprob, "bytes": tokenizer.bytes(id)});
                let mut of_token = entry(id, found.picked);
                let top = found.top.iter().map(|&(id, l)| entry(id, l)).collect();
                of_token["top_logprobs"] = Value::Array(top);
                json!({"content": [of_token]})
            }
            Endpoint::Text => {
                let top = found.top.iter().map(|&(id, l)| (text(id), l.into()));
                json!({
                    "tokens": [text(id)],
                    "token_logprobs": [found.picked],
                    "top_logprobs": [Value::Object(top.collect())],
                    "text_offset": [self.text.chars().count()],
                })
            }
        }
    }

    /// The lists of all tokens, joined.
    fn whole_logprobs(&self) -> Value {
        let mut tokens = self.logprobs.iter();
        let Some(mut all) = tokens.next().cloned() else {
            return Value::Null;
        };
        for of_token in tokens {
            for (key, list) in all.as_object_mut().into_iter().flatten() {
                if let (Some(all), Some(more)) = (list.as_array_mut(), of_token[key].as_array()) {
                    all.extend(more.iter().cloned());
                }
            }
        }
        all
    }
}

fn usage_of(completion: &Completion) -> Value {
    json!({
        "prompt_tokens": completion.prompt_tokens,
        "completion_tokens": completion.completion_tokens,
        "total_tokens": completion.prompt_tokens + completion.completion_tokens,
    })
}
