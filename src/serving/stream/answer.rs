//! What an answer said, and in which dialect.

use super::chunk::{Chunk, ToolPart, Usage};
use serde::{Deserialize, Serialize};

/// A tool call, put together from its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The call's place in the answer.
    pub index: u64,
    /// The call's id.
    pub id: Option<String>,
    /// The function's name.
    pub name: String,
    /// The arguments as the model wrote them.
    pub arguments: String,
}

/// Where a stream puts a thing that servers put in different places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Nowhere.
    #[default]
    Nowhere,
    /// In an event of its own.
    OwnEvent,
    /// In one event together with text or, for usage, with the finish reason.
    Shared,
    /// In every event, or in several.
    Repeated,
}

/// How a stream was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialect {
    /// An event stream, not one JSON object.
    pub stream: bool,
    /// The shape of completions (`text`), not of chats.
    pub completion: bool,
    /// `[DONE]` came.
    pub done_marker: bool,
    /// Where the role stood.
    pub role: Place,
    /// Where the finish reason stood.
    pub finish_reason: Place,
    /// Where the usage stood.
    pub usage: Place,
    /// Every chunk repeated the whole text so far.
    pub cumulative: bool,
    /// Comment lines.
    pub comments: u64,
    /// Chunks with a choice, but no text, role, finish reason or usage.
    pub empty_chunks: u64,
    /// Events with bytes outside UTF-8; they were replaced.
    pub invalid_utf8: u64,
}

/// The answer of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The text.
    pub text: String,
    /// The reasoning before the text.
    pub reasoning: String,
    /// Tool calls, by index.
    pub tool_calls: Vec<ToolCall>,
    /// Why the model stopped.
    pub finish_reason: Option<String>,
    /// Tokens as the server counted them.
    pub usage: Option<Usage>,
    /// Events with text of the model.
    pub content_chunks: u64,
    /// How the answer was written.
    pub dialect: Dialect,
}

/// Folds chunks into an answer.
#[derive(Debug, Default)]
pub(super) struct Folding {
    pub(super) answer: Answer,
    contents: Vec<usize>, // where each non-empty content begins in the text
}

impl Folding {
    pub(super) fn take(&mut self, chunk: Chunk) {
        let with_text = chunk.has_content();
        let answer = &mut self.answer;
        let dialect = &mut answer.dialect;
        dialect.completion |= chunk.completion;
        answer.content_chunks += u64::from(with_text);
        let finished = chunk.finish_reason.is_some();
        note(&mut dialect.role, chunk.role, with_text);
        note(&mut dialect.finish_reason, finished, with_text);
        note(
            &mut dialect.usage,
            chunk.usage.is_some(),
            with_text || finished,
        );
        let bare = !chunk.role && !finished && chunk.usage.is_none();
        dialect.empty_chunks += u64::from(chunk.choice && bare && !with_text);
        if !chunk.content.is_empty() {
            self.contents.push(answer.text.len());
            answer.text.push_str(&chunk.content);
        }
        answer.reasoning.push_str(&chunk.reasoning);
        for part in chunk.tools {
            answer.take_part(part);
        }
        answer.finish_reason = chunk.finish_reason.or(answer.finish_reason.take());
        answer.usage = chunk.usage.or(answer.usage);
    }

    /// The answer. When every content began with the one before and grew at
    /// least twice, the server sent the whole text each time.
    pub(super) fn finish(mut self) -> Answer {
        let text = &self.answer.text;
        let ends = self.contents.iter().skip(1).copied().chain([text.len()]);
        let parts: Vec<&str> = self
            .contents
            .iter()
            .zip(ends)
            .map(|(&start, end)| &text[start..end])
            .collect();
        let repeated = parts.windows(2).all(|w| w[1].starts_with(w[0]));
        let growths = parts.windows(2).filter(|w| w[1].len() > w[0].len()).count();
        if repeated && growths >= 2 {
            self.answer.dialect.cumulative = true;
            self.answer.text = parts.last().copied().unwrap_or_default().to_owned();
        }
        self.answer
    }
}

fn note(place: &mut Place, here: bool, shared: bool) {
    if here {
        *place = match place {
            Place::Nowhere if shared => Place::Shared,
            Place::Nowhere => Place::OwnEvent,
            _ => Place::Repeated,
        };
    }
}

impl Answer {
    fn take_part(&mut self, part: ToolPart) {
        let at = self
            .tool_calls
            .binary_search_by_key(&part.index, |call| call.index)
            .unwrap_or_else(|at| {
                let call = ToolCall {
                    index: part.index,
                    ..ToolCall::default()
                };
                self.tool_calls.insert(at, call);
                at
            });
        let call = &mut self.tool_calls[at];
        call.id = part.id.or(call.id.take());
        call.name.push_str(part.name.as_deref().unwrap_or(""));
        call.arguments.push_str(&part.arguments);
    }
}
