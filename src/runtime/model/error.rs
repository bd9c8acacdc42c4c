//! Why a model cannot be loaded or run.

use std::fmt;
use std::path::{Path, PathBuf};

/// Why a model cannot be loaded or run.
#[derive(Debug)]
#[non_exhaustive]
pub enum ModelError {
    /// A file cannot be read or written.
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file's content is wrong.
    Invalid {
        /// The file.
        path: PathBuf,
        /// The field or tensor, and what is wrong with it.
        message: String,
    },
    /// A step without tokens.
    EmptyStep,
    /// A token outside the vocabulary.
    UnknownToken {
        /// The token.
        token: u32,
        /// Size of the vocabulary.
        vocab_size: usize,
    },
    /// More tokens than a cache, or the model's context, has room for.
    ContextFull {
        /// Tokens in the cache before the step.
        cached: usize,
        /// Tokens of the step.
        added: usize,
        /// Room in total.
        capacity: usize,
    },
    /// A cache that was made for a model of another shape.
    CacheMismatch,
}

impl ModelError {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn invalid(path: &Path, message: impl Into<String>) -> Self {
        Self::Invalid {
            path: path.to_owned(),
            message: message.into(),
        }
    }
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, source } => write!(f, "{}: {source}", path.display()),
            Self::Invalid { path, message } => write!(f, "{}: {message}", path.display()),
            Self::EmptyStep => f.write_str("a step needs at least one token"),
            Self::UnknownToken { token, vocab_size } => {
                write!(f, "token {token} is not in a vocabulary of {vocab_size}")
            }
            Self::ContextFull {
                cached,
                added,
                capacity,
            } => write!(
                f,
                "no room for {added} more tokens: {cached} of {capacity} positions are taken"
            ),
            Self::CacheMismatch => f.write_str("the cache belongs to a model of another shape"),
        }
    }
}

impl std::error::Error for ModelError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
