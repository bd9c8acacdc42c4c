//! What one JSON object of an answer says, in any of the dialects.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Tokens as the server counted them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt_tokens: Option<u64>,
    /// Tokens of the answer, reasoning included.
    pub completion_tokens: Option<u64>,
    /// Tokens of the prompt that came from a cache.
    pub cached_tokens: Option<u64>,
    /// Tokens of the reasoning.
    pub reasoning_tokens: Option<u64>,
}

/// A part of a tool call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ToolPart {
    pub(super) index: u64,
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) arguments: String,
}

/// One object: a chunk of a stream or a whole answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) role: bool,
    pub(super) content: String,
    pub(super) reasoning: String,
    pub(super) tools: Vec<ToolPart>,
    pub(super) finish_reason: Option<String>,
    pub(super) usage: Option<Usage>,
    pub(super) error: Option<String>,
    /// Whether there was a choice at all.
    pub(super) choice: bool,
    pub(super) completion: bool,
}

impl Chunk {
    /// Whether the chunk holds text of the model a user sees.
    pub(super) fn has_output(&self) -> bool {
        let called = |t: &ToolPart| t.name.is_some() || !t.arguments.is_empty();
        !self.content.is_empty() || self.tools.iter().any(called)
    }

    /// Whether the chunk holds any text of the model.
    pub(super) fn has_content(&self) -> bool {
        self.has_output() || !self.reasoning.is_empty()
    }

    pub(super) fn read(value: &Value) -> Self {
        let mut chunk = Self {
            error: error(value),
            usage: value.get("usage").and_then(usage),
            ..Self::default()
        };
        for choice in list(value, "choices") {
            chunk.choice = true;
            chunk.take_choice(choice);
        }
        chunk
    }

    fn take_choice(&mut self, choice: &Value) {
        if let Some(reason) = text(choice, "finish_reason") {
            self.finish_reason = Some(reason.to_owned());
        }
        if let Some(text) = text(choice, "text") {
            self.completion = true;
            self.content.push_str(text);
        }
        let message = choice.get("delta").or_else(|| choice.get("message"));
        let Some(message) = message else { return };
        self.role |= text(message, "role").is_some();
        for key in ["content", "refusal"] {
            self.content.push_str(text(message, key).unwrap_or(""));
        }
        for part in list(message, "content") {
            self.content.push_str(text(part, "text").unwrap_or(""));
        }
        // Servers that know both names send the same text under both.
        let reasoning = text(message, "reasoning_content").or_else(|| text(message, "reasoning"));
        self.reasoning.push_str(reasoning.unwrap_or(""));
        for (place, call) in list(message, "tool_calls").enumerate() {
            let function = call.get("function").unwrap_or(&Value::Null);
            self.tools.push(ToolPart {
                index: call
                    .get("index")
                    .and_then(Value::as_u64)
                    .unwrap_or(place as u64),
                id: text(call, "id").map(str::to_owned),
                name: text(function, "name").map(str::to_owned),
                arguments: text(function, "arguments").unwrap_or("").to_owned(),
            });
        }
    }
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn usage(value: &Value) -> Option<Usage> {
    let number = |key: &str| value.get(key).and_then(Value::as_u64);
    let detail = |group: &str, key: &str| value.get(group)?.get(key)?.as_u64();
    value.as_object().map(|_| Usage {
        prompt_tokens: number("prompt_tokens"),
        completion_tokens: number("completion_tokens"),
        cached_tokens: detail("prompt_tokens_details", "cached_tokens"),
        reasoning_tokens: detail("completion_tokens_details", "reasoning_tokens"),
    })
}

/// The error an object reports: `error`, or `detail` and `message` where an
/// answer would have `choices`.
fn error(value: &Value) -> Option<String> {
    let message = |error: &Value| match error {
        Value::String(text) => text.clone(),
        other => text(other, "message").map_or_else(|| other.to_string(), str::to_owned),
    };
    match value.get("error") {
        Some(Value::Null) | None => {}
        Some(error) => return Some(message(error)),
    }
    if value.get("choices").is_some() || value.get("usage").is_some() {
        return None;
    }
    ["message", "detail"]
        .iter()
        .find_map(|key| value.get(*key))
        .map(message)
}
