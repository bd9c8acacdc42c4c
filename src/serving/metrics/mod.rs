//! Metrics as pure functions of attempts. Missing is not zero: a metric whose
//! stamps or counts are absent has no value.

mod definitions;
mod diagnostics;
mod failures;

pub use definitions::{DEFINITION_VERSION, DEFINITIONS, Definition, definition};
pub use diagnostics::{Diagnostics, Gaps, gaps};
pub use failures::{FailedAs, Sample, time_to_final_outcome};
