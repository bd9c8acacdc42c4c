//! One experiment in detail as a JSON document.

use super::detail::find;
use evenhand_harness::claim::{ExperimentJudgement, Unit, comparison_units, control_pair_units};
use evenhand_harness::observation::ExperimentData;
use evenhand_harness::plan::ExperimentPlan;
use evenhand_harness::record::Record;
use serde::Serialize;

/// Schema of [`Detail`].
pub const DETAIL_SCHEMA: &str = "evenhand.detail/1.0";

/// Experiments with plan, judgement, units and observations.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Detail<'r> {
    /// `evenhand.detail/1.0`.
    pub schema: &'static str,
    /// Session of the record.
    pub session: &'r str,
    /// Digest of the record.
    pub record_digest: &'r str,
    /// The experiments asked for.
    pub experiments: Vec<ExperimentDetail<'r>>,
}

/// One of them.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct ExperimentDetail<'r> {
    /// What was planned.
    pub plan: &'r ExperimentPlan,
    /// What may be said.
    pub judgement: &'r ExperimentJudgement,
    /// Per candidate, in the order of the claims: a unit per worker.
    pub units: Vec<Vec<UnitDetail>>,
    /// The control against itself: a unit per worker.
    pub control_units: Vec<UnitDetail>,
    /// What was measured.
    pub observations: &'r ExperimentData,
}

/// What one worker says about two arms.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct UnitDetail {
    /// Index of the worker.
    pub worker: u32,
    /// Median over blocks of the block's effect.
    pub effect: f64,
    /// Whether the control had the earlier letter.
    pub control_first: bool,
    /// Effects of the blocks: detail, never replicates.
    pub blocks: Vec<f64>,
}

impl UnitDetail {
    fn all(units: Vec<Unit>) -> Vec<Self> {
        let detail = |unit: Unit| Self {
            worker: unit.worker,
            effect: unit.effect,
            control_first: unit.control_first,
            blocks: unit.blocks,
        };
        units.into_iter().map(detail).collect()
    }
}

/// The document for some experiments of a record.
#[must_use]
pub fn render(record: &Record, judged: &[&ExperimentJudgement]) -> String {
    let experiments = judged.iter().filter_map(|judged| {
        let (plan, data) = find(record, judged)?;
        let judgement = record
            .judgement
            .experiments
            .iter()
            .find(|e| e.target == judged.target && e.id == judged.id)?;
        Some(ExperimentDetail {
            plan,
            judgement,
            units: (1..=plan.candidates().len())
                .map(|candidate| UnitDetail::all(comparison_units(plan, data, candidate)))
                .collect(),
            control_units: UnitDetail::all(control_pair_units(plan, data)),
            observations: data,
        })
    });
    let detail = Detail {
        schema: DETAIL_SCHEMA,
        session: &record.plan.session,
        record_digest: &record.digest,
        experiments: experiments.collect(),
    };
    serde_json::to_string_pretty(&detail).expect("plain data has a JSON form")
}
