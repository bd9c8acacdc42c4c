//! Results as one JSON document.

use super::View;
use evenhand_harness::claim::{ExperimentJudgement, SessionControl};
use evenhand_harness::observation::Status;
use evenhand_harness::plan::Seed;
use evenhand_harness::record::Record;
use serde::Serialize;

/// Schema of the document.
pub const RESULT_SCHEMA: &str = "evenhand.result/1.0";

#[derive(Serialize)]
struct Results<'a> {
    schema: &'static str,
    session: &'a str,
    status: Status,
    seed: Seed,
    attempt: u32,
    record_digest: &'a str,
    family_size: usize,
    control: Option<SessionControl>,
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
