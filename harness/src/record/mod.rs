//! The document that a session leaves behind: plan, environment, observations,
//! and the claims that follow from them.

use crate::claim::{Judgement, judge};
use crate::observation::Measurements;
use crate::plan::{Plan, check_schema, digest_of};
use serde::{Deserialize, Serialize};

/// Schema of [`Record`] documents.
pub const RECORD_SCHEMA: &str = "evenhand.record/1.0";

/// A self-contained record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Record {
    /// `evenhand.record/1.0`.
    pub schema: String,
    /// Hex SHA-256 over plan and measurements.
    pub digest: String,
    /// What was to be measured.
    pub plan: Plan,
    /// What was measured.
    pub measurements: Measurements,
    /// What may be said about it.
    pub judgement: Judgement,
}

impl Record {
    /// Judges measurements and makes the record.
    #[must_use]
    pub fn judge(plan: Plan, measurements: Measurements) -> Self {
        let judgement = judge(&plan, &measurements);
        let digest = digest_of(&(&plan, &measurements));
        Self {
            schema: RECORD_SCHEMA.to_owned(),
            digest,
            plan,
            measurements,
            judgement,
        }
    }

    /// Checks a record that came from a file: its columns fit together, its
    /// digest holds, and its claims follow from its observations.
    ///
    /// # Errors
    /// Says what does not fit.
    pub fn check(&self) -> Result<(), String> {
        check_schema(&self.schema, RECORD_SCHEMA).map_err(|e| e.to_string())?;
        self.plan.validate().map_err(|e| e.to_string())?;
        for data in &self.measurements.experiments {
            for worker in &data.workers {
                let n = worker.value.len();
                let columns = [
                    worker.block.len(),
                    worker.control_pair.len(),
                    worker.instance.len(),
                    worker.start_ns.len(),
                    worker.host_ns.len(),
                ];
                let optional = worker
                    .secondary
                    .iter()
                    .map(Vec::len)
                    .chain(worker.samples.iter().map(Vec::len))
                    .chain((!worker.flags.is_empty()).then_some(worker.flags.len()));
                if columns.into_iter().chain(optional).any(|len| len != n) {
                    return Err(format!(
                        "experiment `{}`, worker {}: the columns differ in length",
                        data.id, worker.worker
                    ));
                }
            }
        }
        if digest_of(&(&self.plan, &self.measurements)) != self.digest {
            return Err(
                "its digest does not fit its contents: the file was changed after it was \
                        written; use the original, or rebuild it from the session folder"
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// Whether the stored claims are what this version concludes from the
    /// stored observations.
    #[must_use]
    pub fn claims_hold(&self) -> bool {
        judge(&self.plan, &self.measurements) == self.judgement
    }
}
