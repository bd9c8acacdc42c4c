//! From JSON to a request of the engine.

use super::error::ApiError;
use super::fields::Fields;
use super::tools;
use crate::runtime::engine::{Prompt, Request, Sampling};
use crate::runtime::tokenizer::{ChatMessage, Role};
use serde_json::{Value, json};

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `/v1/chat/completions`.
    Chat,
    /// `/v1/completions`.
    Text,
}

impl Endpoint {
    /// The field of the prompt.
    #[must_use]
    pub fn prompt(self) -> &'static str {
        match self {
            Self::Chat => "messages",
            Self::Text => "prompt",
        }
    }
}

/// A request as the client wants it answered.
#[derive(Clone, Debug)]
pub struct Asked {
    /// For the engine.
    pub request: Request,
    /// Server-sent events rather than one document.
    pub stream: bool,
    /// A usage event at the end of the stream.
    pub include_usage: bool,
    /// Token ids in the `evenhand` field.
    pub token_ids: bool,
    /// Names of the functions that may be called.
    pub tools: Vec<String>,
}

/// Most tokens of a text completion that does not say.
const DEFAULT_TEXT_TOKENS: usize = 16;
/// Most stop texts of a request, and their longest.
const STOPS: usize = 16;
const STOP_BYTES: usize = 1024;

/// Reads a body. `model` is the only name that is served.
///
/// # Errors
/// 400 with the field that is wrong, 404 for another model.
pub fn read(endpoint: Endpoint, body: &[u8], model: &str) -> Result<Asked, ApiError> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|e| ApiError::invalid(400, format!("the body is not JSON: {e}")))?;
    let Value::Object(map) = &value else {
        return Err(ApiError::invalid(400, "the body must be a JSON object"));
    };
    let fields = Fields::new(map, "");
    let asked = fields
        .string("model")?
        .ok_or_else(|| fields.wrong("model", "is missing"))?;
    if asked != model {
        let mut error = ApiError::invalid(
            404,
            format!("`model`: there is no model `{asked}`; this server has `{model}`"),
        )
        .coded("model_not_found");
        error.param = Some("model".to_owned());
        return Err(error);
    }
    refuse_unsupported(&fields)?;
    let tools = match endpoint {
        Endpoint::Chat => tools::read(&fields)?,
        Endpoint::Text => None,
    };
    let stream = fields.flag("stream")?;
    let request = Request {
        prompt: match endpoint {
            Endpoint::Chat => chat(&fields, tools.as_ref().map(|t| t.described.as_str()))?,
            Endpoint::Text => text(&fields)?,
        },
        max_tokens: max_tokens(&fields, endpoint)?,
        sampling: sampling(&fields)?,
        stop: stops(&fields)?,
        ignore_end: fields.flag("ignore_eos")?,
        logprobs: logprobs(&fields, endpoint)?,
        constraint: tools.as_ref().and_then(|t| t.constraint.clone()),
    };
    Ok(Asked {
        request,
        stream,
        include_usage: include_usage(&fields, stream)?,
        token_ids: fields.flag("return_token_ids")?,
        tools: tools.map(|t| t.names).unwrap_or_default(),
    })
}

/// Fields that would change the answer; those that are unknown are ignored, as
/// these servers do.
fn refuse_unsupported(fields: &Fields<'_>) -> Result<(), ApiError> {
    fields.only("n", &[json!(1)])?;
    fields.only("best_of", &[json!(1)])?;
    fields.only("echo", &[json!(false)])?;
    fields.only("suffix", &[json!("")])?;
    fields.only("logit_bias", &[json!({})])?;
    fields.only("response_format", &[json!({"type": "text"})])?;
    for penalty in ["frequency_penalty", "presence_penalty"] {
        fields.only(penalty, &[json!(0), json!(0.0)])?;
    }
    fields.only("repetition_penalty", &[json!(1), json!(1.0)])
}

fn chat(fields: &Fields<'_>, tools: Option<&str>) -> Result<Prompt, ApiError> {
    let listed = fields
        .list("messages")?
        .ok_or_else(|| fields.wrong("messages", "is missing"))?;
    if listed.is_empty() {
        return Err(fields.wrong("messages", "must have at least one message"));
    }
    let mut messages = Vec::with_capacity(listed.len() + 1);
    if let Some(tools) = tools {
        messages.push(ChatMessage {
            role: Role::System,
            content: format!("Functions: {tools}"),
        });
    }
    for (i, message) in listed.iter().enumerate() {
        let message = Fields::of(message, &format!("messages[{i}]"))?;
        let role = match message.string("role")? {
            Some("system" | "developer") => Role::System,
            // What a function answered is said to the model as by the user.
            Some("user" | "tool") => Role::User,
            Some("assistant") => Role::Assistant,
            _ => {
                let problem = "must be `system`, `user`, `assistant` or `tool`";
                return Err(message.wrong("role", problem));
            }
        };
        let mut content = content(&message)?;
        if let Some(calls) = message.list("tool_calls")? {
            content.push_str(&Value::from(calls).to_string());
        }
        messages.push(ChatMessage { role, content });
    }
    Ok(Prompt::Chat(messages))
}

/// A string, or a list of text parts.
fn content(message: &Fields<'_>) -> Result<String, ApiError> {
    match message.get("content") {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Array(parts)) => {
            let mut text = String::new();
            for (i, part) in parts.iter().enumerate() {
                let at = format!("{}[{i}]", message.name("content"));
                let part = Fields::of(part, &at)?;
                if part.string("type")? != Some("text") {
                    return Err(part.wrong("type", "must be `text`"));
                }
                let piece = part.string("text")?;
                text.push_str(piece.ok_or_else(|| part.wrong("text", "is missing"))?);
            }
            Ok(text)
        }
        None if message.get("tool_calls").is_some() => Ok(String::new()),
        None => Err(message.wrong("content", "is missing")),
        Some(_) => Err(message.wrong("content", "must be a string or a list of text parts")),
    }
}

/// A string, token ids, or a list of one of them.
fn text(fields: &Fields<'_>) -> Result<Prompt, ApiError> {
    let wrong = || {
        let problem = "must be a string or a list of token ids; one prompt a request";
        fields.wrong("prompt", problem)
    };
    match fields.required("prompt")? {
        Value::String(text) => Ok(Prompt::Text(text.clone())),
        Value::Array(list) => match list.as_slice() {
            [Value::String(text)] => Ok(Prompt::Text(text.clone())),
            [Value::Array(ids)] => token_ids(ids).ok_or_else(wrong),
            ids => token_ids(ids).ok_or_else(wrong),
        },
        _ => Err(wrong()),
    }
}

fn token_ids(ids: &[Value]) -> Option<Prompt> {
    ids.iter()
        .map(|id| id.as_u64().and_then(|id| u32::try_from(id).ok()))
        .collect::<Option<Vec<u32>>>()
        .map(Prompt::Tokens)
}

fn max_tokens(fields: &Fields<'_>, endpoint: Endpoint) -> Result<Option<usize>, ApiError> {
    let any = 1..=u64::from(u32::MAX);
    let newer = fields.count("max_completion_tokens", any.clone())?;
    let asked = newer.or(fields.count("max_tokens", any)?);
    Ok(match (asked, endpoint) {
        (Some(n), _) => Some(n as usize),
        (None, Endpoint::Text) => Some(DEFAULT_TEXT_TOKENS),
        (None, Endpoint::Chat) => None,
    })
}

fn sampling(fields: &Fields<'_>) -> Result<Sampling, ApiError> {
    let usual = Sampling::default();
    // vLLM's -1 means the same as 0.
    let top_k = match fields.get("top_k") {
        Some(value) if value.as_i64() == Some(-1) => 0,
        _ => fields.count("top_k", 0..=u64::from(u32::MAX))?.unwrap_or(0),
    };
    Ok(Sampling {
        temperature: fields
            .number("temperature", 0.0..=2.0)?
            .unwrap_or(usual.temperature),
        top_p: fields.number("top_p", 0.0..=1.0)?.unwrap_or(usual.top_p),
        top_k: top_k as usize,
        seed: match fields.get("seed") {
            None => None,
            Some(seed) => Some(
                seed.as_u64()
                    .or_else(|| seed.as_i64().map(|s| s as u64))
                    .ok_or_else(|| fields.wrong("seed", "must be a whole number of 64 bits"))?,
            ),
        },
    })
}

fn stops(fields: &Fields<'_>) -> Result<Vec<String>, ApiError> {
    let listed = match fields.get("stop") {
        None => return Ok(Vec::new()),
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(list)) => list
            .iter()
            .map(|s| s.as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or_else(|| fields.wrong("stop", "must be a string or a list of strings"))?,
        Some(_) => return Err(fields.wrong("stop", "must be a string or a list of strings")),
    };
    if listed.len() > STOPS || listed.iter().any(|s| s.is_empty() || s.len() > STOP_BYTES) {
        let problem = format!("at most {STOPS} texts of 1 to {STOP_BYTES} bytes");
        return Err(fields.wrong("stop", &problem));
    }
    Ok(listed)
}

/// Chat has a flag and a number, completions a number.
fn logprobs(fields: &Fields<'_>, endpoint: Endpoint) -> Result<Option<usize>, ApiError> {
    if endpoint == Endpoint::Text {
        return Ok(fields.count("logprobs", 0..=20)?.map(|n| n as usize));
    }
    let wanted = fields.flag("logprobs")?;
    match fields.count("top_logprobs", 0..=20)? {
        Some(n) if n > 0 && !wanted => {
            Err(fields.wrong("top_logprobs", "needs `logprobs` to be true"))
        }
        n => Ok(wanted.then(|| n.unwrap_or(0) as usize)),
    }
}

fn include_usage(fields: &Fields<'_>, stream: bool) -> Result<bool, ApiError> {
    match fields.get("stream_options") {
        None => Ok(false),
        Some(_) if !stream => Err(fields.wrong("stream_options", "needs `stream` to be true")),
        Some(options) => Fields::of(options, "stream_options")?.flag("include_usage"),
    }
}
