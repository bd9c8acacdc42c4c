//! Gates: checks that can refuse a claim or cap its class.
//!
//! A gate only ever lowers a class. It never chooses a test and never drops an
//! observation. What it found is a [`Reason`]: a code of the public format and
//! the numbers behind it.

mod checks;
mod client;
mod code;
mod flags;

pub use checks::{check_experiment, check_metric, check_units};
pub use client::check_client_error;
pub use code::{Code, Severity};

use serde::{Deserialize, Serialize};

/// Why a claim is what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reason {
    /// Code of the public format.
    pub code: Code,
    /// What it does to the claim.
    pub severity: Severity,
    /// What was seen, with numbers.
    pub detail: String,
}

impl Reason {
    /// A reason with the severity that the table gives its code.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            detail: detail.into(),
        }
    }
}
