//! The chat prompt of the built-in models.

use super::Tokenizer;
use std::fmt;

/// The template as Jinja, for engines that render it themselves.
pub const CHAT_TEMPLATE: &str = "{{ bos_token }}{% for m in messages %}<|{{ m['role'] }}|>\n\
{{ m['content'] }}<|end|>\n{% endfor %}{% if add_generation_prompt %}<|assistant|>\n{% endif %}";

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Instructions before the conversation.
    System,
    /// The user.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// The special token that opens a turn.
    fn token(self) -> &'static str {
        match self {
            Self::System => "<|system|>",
            Self::User => "<|user|>",
            Self::Assistant => "<|assistant|>",
        }
    }
}

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatMessage {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: String,
}

/// The vocabulary lacks a special token of the chat prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatError {
    /// The token.
    pub missing: &'static str,
}

impl fmt::Display for ChatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the vocabulary has no {}: this model completes text, but has no chat prompt",
            self.missing
        )
    }
}

impl std::error::Error for ChatError {}

impl Tokenizer {
    /// The prompt of a conversation, up to where the assistant speaks: what
    /// [`CHAT_TEMPLATE`] renders, except that special tokens inside a message are
    /// ordinary text.
    ///
    /// # Errors
    /// A special token that the vocabulary lacks.
    pub fn chat(&self, messages: &[ChatMessage]) -> Result<Vec<u32>, ChatError> {
        let special = |text: &'static str| self.special(text).ok_or(ChatError { missing: text });
        let mut tokens = vec![special("<|bos|>")?];
        for message in messages {
            tokens.push(special(message.role.token())?);
            self.encode_words(&format!("\n{}", message.content), &mut tokens);
            tokens.push(special("<|end|>")?);
            self.encode_words("\n", &mut tokens);
        }
        tokens.push(special(Role::Assistant.token())?);
        self.encode_words("\n", &mut tokens);
        Ok(tokens)
    }
}
