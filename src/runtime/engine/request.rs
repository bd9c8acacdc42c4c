//! What is asked of the engine and what it answers.

use super::sampling::Sampling;
use super::timings::Timings;
use crate::runtime::constrain::Automaton;
use crate::runtime::tokenizer::ChatMessage;
use std::fmt;
use tokio::sync::mpsc::UnboundedReceiver;

/// The text to continue.
#[derive(Clone, Debug)]
pub enum Prompt {
    /// Plain text.
    Text(String),
    /// Token ids.
    Tokens(Vec<u32>),
    /// A conversation, laid out by the model's template.
    Chat(Vec<ChatMessage>),
}

impl Prompt {
    /// Bytes of text in the prompt; 0 for token ids.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Tokens(_) => 0,
            Self::Chat(messages) => messages.iter().map(|m| m.content.len()).sum(),
        }
    }
}

/// One request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The text to continue.
    pub prompt: Prompt,
    /// Most tokens to generate; `None`: to the end of the context.
    pub max_tokens: Option<usize>,
    /// How tokens are picked.
    pub sampling: Sampling,
    /// Texts that end the answer; they are not part of it.
    pub stop: Vec<String>,
    /// Go on after a token that ends the text.
    pub ignore_end: bool,
    /// Log probabilities: `Some(n)` also gives the `n` likeliest tokens.
    pub logprobs: Option<usize>,
    /// The form that the answer must have.
    pub constraint: Option<Constraint>,
}

/// The form of an answer.
#[derive(Clone, Debug)]
pub struct Constraint {
    /// Accepts exactly the allowed answers.
    pub automaton: Automaton,
    /// Free text is allowed too: the form binds only when the first token
    /// begins it.
    pub optional: bool,
}

/// A request in the engine: what is known at once, and what follows.
#[derive(Debug)]
pub struct Answer {
    /// Length of the prompt in tokens.
    pub prompt_tokens: usize,
    /// Tokens, then one end. Dropping it cancels the request. It holds at most
    /// one event per token of the context, whether or not anyone reads.
    pub events: UnboundedReceiver<Event>,
}

/// What happens to a request.
#[derive(Clone, Debug)]
pub enum Event {
    /// A token was generated.
    Token(Token),
    /// The answer is complete.
    Done(Box<Completion>),
    /// The model failed.
    Failed(String),
}

/// A generated token.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// Its id.
    pub id: u32,
    /// The text that became complete with it: whole characters, possibly none
    /// and possibly begun by tokens before it.
    pub text: String,
    /// Whether it belongs to a tool call rather than free text.
    pub in_form: bool,
    /// Natural logarithm of its probability, when asked for.
    pub logprob: Option<Logprob>,
    /// Entropy of the model's distribution in nats, when statistics are on.
    pub entropy: Option<f64>,
}

/// Probability of a token under the model: softmax of the logits as they are,
/// before temperature, cut-offs and form.
#[derive(Clone, Debug, PartialEq)]
pub struct Logprob {
    /// Of the token that was picked.
    pub picked: f64,
    /// The likeliest tokens, likeliest first.
    pub top: Vec<(u32, f64)>,
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// A token or text that ends it, or its form is complete.
    Stop,
    /// `max_tokens` or the end of the context.
    Length,
    /// A call of a tool is complete.
    ToolCalls,
}

impl Finish {
    /// The protocol's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
        }
    }
}

/// The end of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// Text held back until it was clear that no stop text follows.
    pub rest: String,
    /// Why it ended.
    pub finish: Finish,
    /// Length of the prompt in tokens.
    pub prompt_tokens: usize,
    /// Tokens generated, an ending one included.
    pub completion_tokens: usize,
    /// Where the time went.
    pub timings: Timings,
    /// How sure the model was, when statistics are on and there is a token.
    pub uncertainty: Option<Uncertainty>,
}

/// Entropy of the model's next-token distributions over an answer, in nats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uncertainty {
    /// Mean over the tokens.
    pub mean_entropy: f64,
    /// Largest of the tokens.
    pub max_entropy: f64,
}

/// Why the engine does not take a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubmitError {
    /// The prompt has no tokens.
    Empty,
    /// The model has no chat prompt.
    NoChat(String),
    /// A token id is outside of the vocabulary.
    UnknownToken {
        /// The id.
        id: u32,
        /// Size of the vocabulary.
        vocabulary: usize,
    },
    /// Prompt and answer don't fit into the context.
    TooLong {
        /// Tokens of the prompt; `None` when it is too long to be worth counting.
        prompt: Option<usize>,
        /// `max_tokens`, when given.
        max_tokens: Option<usize>,
        /// Size of the context.
        context: usize,
    },
    /// The shortest answer of the wanted form is longer than allowed.
    NoRoomForForm {
        /// Tokens that are always enough.
        needed: usize,
        /// Tokens allowed.
        allowed: usize,
    },
    /// As many requests wait as may wait.
    Full {
        /// How many may wait.
        limit: usize,
    },
    /// The engine is stopping or has failed.
    Stopping,
}

impl fmt::Display for SubmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the prompt is empty; give at least one token"),
            Self::NoChat(problem) => f.write_str(problem),
            Self::UnknownToken { id, vocabulary } => write!(
                f,
                "token {id} is outside of the vocabulary; ids are below {vocabulary}"
            ),
            Self::TooLong {
                prompt,
                max_tokens,
                context,
            } => {
                write!(f, "the context holds {context} tokens, but the prompt has ")?;
                match prompt {
                    Some(n) => write!(f, "{n}")?,
                    None => f.write_str("more")?,
                }
                match (prompt, max_tokens) {
                    (Some(_), Some(n)) => write!(f, " and max_tokens is {n}; shorten one of them"),
                    _ => f.write_str("; shorten the prompt"),
                }
            }
            Self::NoRoomForForm { needed, allowed } => write!(
                f,
                "a tool call may need {needed} tokens, but only {allowed} are allowed; \
                 raise max_tokens"
            ),
            Self::Full { limit } => {
                write!(f, "{limit} requests are waiting already; try again later")
            }
            Self::Stopping => f.write_str("the server is stopping"),
        }
    }
}

impl std::error::Error for SubmitError {}
