//! Results as one JSON document.

use super::View;
use evenhand_harness::claim::{ExperimentJudgement, SessionControl};
use evenhand_harness::observation::Status;
use evenhand_harness::plan::Seed;
use evenhand_harness::record::Record;
use serde::Serialize;

/// Schema of the document.
pub const RESULT_SCHEMA: &str = "evenhand.result/1.0";

/// What was concluded from a session.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Results<'a> {
    /// `evenhand.result/1.0`.
    schema: &'static str,
    /// Name of the session.
    session: &'a str,
    /// Whether it was measured to its end.
    status: Status,
    /// Its seed.
    seed: Seed,
    /// 1 for the first run of its plan.
    attempt: u32,
    /// Digest of the record.
    record_digest: &'a str,
    /// Number of comparisons that p was adjusted for.
    family_size: usize,
    /// The control against itself.
    control: Option<SessionControl>,
    /// In plan order.
    experiments: Vec<&'a ExperimentJudgement>,
}

/// Everything that was concluded, without the observations.
#[must_use]
pub fn render(record: &Record, view: View<'_>) -> String {
    let results = Results {
        schema: RESULT_SCHEMA,
        session: &record.plan.session,
        status: record.measurements.status,
        seed: record.plan.seed,
        attempt: record.plan.attempt,
        record_digest: &record.digest,
        family_size: record.judgement.family_size,
        control: record.judgement.control,
        experiments: view.experiments(record),
    };
    serde_json::to_string_pretty(&results).expect("plain data has a JSON form")
}
