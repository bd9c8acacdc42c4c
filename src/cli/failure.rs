//! Why a command ends with an exit code other than 0.

use crate::protocol::{exit, exit_code};
use evenhand_harness::run::RunError;
use std::fmt;

/// A message for the user and the exit code by cause.
#[derive(Debug)]
pub struct Failure {
    /// See [`exit`].
    pub code: u8,
    message: String,
}

impl Failure {
    /// A failure with a code of [`exit`].
    pub fn new(code: u8, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// The invocation or its input is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(exit::USAGE, message)
    }

    /// The system or the harness failed.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(exit::INTERNAL, message)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        Self::new(exit_code(&error), error.to_string())
    }
}
