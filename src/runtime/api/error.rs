//! Errors as the protocol words them.

use crate::runtime::engine::SubmitError;
use serde_json::{Value, json};

/// An error object with its HTTP status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// What is wrong and what to do.
    pub message: String,
    /// `invalid_request_error`, `rate_limit_error` or `server_error`.
    pub kind: &'static str,
    /// The field that is wrong.
    pub param: Option<String>,
    /// A word for programs.
    pub code: Option<&'static str>,
}

impl ApiError {
    /// A request that can't be answered.
    #[must_use]
    pub fn invalid(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            kind: "invalid_request_error",
            param: None,
            code: None,
        }
    }

    /// A field that is wrong.
    #[must_use]
    pub fn field(param: impl Into<String>, problem: impl AsRef<str>) -> Self {
        let param = param.into();
        let mut error = Self::invalid(400, format!("`{param}`: {}", problem.as_ref()));
        error.param = Some(param);
        error
    }

    /// The server can't answer now; the client may try again.
    #[must_use]
    pub fn unavailable(message: impl Into<String>, code: &'static str) -> Self {
        Self {
            status: 503,
            message: message.into(),
            kind: "server_error",
            param: None,
            code: Some(code),
        }
    }

    /// The model failed.
    #[must_use]
    pub fn failed(message: impl Into<String>) -> Self {
        Self {
            status: 500,
            message: message.into(),
            kind: "server_error",
            param: None,
            code: None,
        }
    }

    /// With a word for programs.
    #[must_use]
    pub fn coded(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// The engine's refusal; `prompt` names the prompt's field.
    #[must_use]
    pub fn refused(error: &SubmitError, prompt: &str) -> Self {
        match error {
            SubmitError::Empty | SubmitError::UnknownToken { .. } | SubmitError::NoChat(_) => {
                Self::field(prompt, error.to_string())
            }
            SubmitError::TooLong { .. } => {
                Self::field(prompt, error.to_string()).coded("context_length_exceeded")
            }
            SubmitError::NoRoomForForm { .. } => Self::field("max_tokens", error.to_string()),
            SubmitError::Full { .. } => Self {
                status: 429,
                message: error.to_string(),
                kind: "rate_limit_error",
                param: None,
                code: Some("queue_full"),
            },
            SubmitError::Stopping => Self::unavailable(error.to_string(), "stopping"),
        }
    }

    /// `{"error":{"message","type","param","code"}}`.
    #[must_use]
    pub fn body(&self) -> Value {
        json!({"error": {
            "message": self.message,
            "type": self.kind,
            "param": self.param,
            "code": self.code,
        }})
    }
}
