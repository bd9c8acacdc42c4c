//! `cargo evenhand schema`.

use super::Failure;
use super::analyze;
use super::calibration::{CALIBRATION_SCHEMA, Calibration};
use super::doctor::{DOCTOR_SCHEMA, Diagnosis};
use super::list::{LIST_SCHEMA, Listing};
#[cfg(feature = "runtime")]
use super::runtime_speed::{RUNTIME_SCHEMA, RuntimeSpeed};
use super::verdict::{GateVerdict, VERDICT_SCHEMA};
use crate::protocol::{TARGET_SCHEMA, TargetDescription, exit};
use crate::report::detail_json::{DETAIL_SCHEMA, Detail};
use crate::report::json::{RESULT_SCHEMA, Results};
use evenhand_harness::observation::{Environment, Line, OBSERVATION_SCHEMA};
use evenhand_harness::plan::{PLAN_SCHEMA, Plan};
use evenhand_harness::record::{RECORD_SCHEMA, Record};
use schemars::{Schema, schema_for};

const EXAMPLES: &str = "\
Every document says which schema it follows: `\"schema\": \"evenhand.record/1.0\"`. A reader refuses
another major version and reads any minor version.

Examples:
  cargo evenhand schema record > record.schema.json
  cargo evenhand schema verdict";

/// A kind of document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Document {
    /// plan.json: what a session measures, and how
    Plan,
    /// environment.json: what can change a number
    Environment,
    /// A line of an observation file
    Observation,
    /// record.json: plan, observations and claims
    Record,
    /// `--format json` of run and show
    Result,
    /// `--format json` of show with an experiment
    Detail,
    /// `--format json` of gate
    Verdict,
    /// `--format json` of list
    List,
    /// What a bench target says about itself
    Target,
    /// `--format json` of doctor
    Doctor,
    /// `--format json` of doctor --runtime
    #[cfg(feature = "runtime")]
    Runtime,
    /// calibration.json
    Calibration,
    /// `--format json` of analyze
    Analysis,
}

/// Arguments of `cargo evenhand schema`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The document
    #[arg(value_enum)]
    document: Document,
}

impl Document {
    fn schema(self) -> (&'static str, Schema) {
        match self {
            Self::Plan => (PLAN_SCHEMA, schema_for!(Plan)),
            Self::Environment => ("evenhand.environment", schema_for!(Environment)),
            Self::Observation => (OBSERVATION_SCHEMA, schema_for!(Line)),
            Self::Record => (RECORD_SCHEMA, schema_for!(Record)),
            Self::Result => (RESULT_SCHEMA, schema_for!(Results<'static>)),
            Self::Detail => (DETAIL_SCHEMA, schema_for!(Detail<'static>)),
            Self::Verdict => (VERDICT_SCHEMA, schema_for!(GateVerdict)),
            Self::List => (LIST_SCHEMA, schema_for!(Listing)),
            Self::Target => (TARGET_SCHEMA, schema_for!(TargetDescription)),
            Self::Doctor => (DOCTOR_SCHEMA, schema_for!(Diagnosis)),
            #[cfg(feature = "runtime")]
            Self::Runtime => (RUNTIME_SCHEMA, schema_for!(RuntimeSpeed)),
            Self::Analysis => analyze::schema(),
            Self::Calibration => (CALIBRATION_SCHEMA, schema_for!(Calibration)),
        }
    }
}

/// Print the JSON Schema of a document.
pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let (title, mut schema) = arguments.document.schema();
    schema.insert("title".to_owned(), title.into());
    let json = serde_json::to_string_pretty(&schema).expect("a schema has a JSON form");
    anstream::println!("{json}");
    Ok(exit::OK)
}
