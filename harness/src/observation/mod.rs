//! What was measured: pure data, append-only, kept as it came.

mod environment;
mod lines;
mod worker;

pub(crate) use lines::cause;

pub use environment::{
    CLIENT_ERROR_FACT, CLIENT_HELD_FACT, Environment, Finding, Telemetry, executable_fact,
    profile_fact, rebuilt_fact,
};
pub use lines::{
    ArmFault, Facts, Fault, Line, LineError, SlotLine, WorkerEnd, WorkerHeader, read_worker_lines,
};
pub use worker::{
    ExperimentData, Measurements, Quantity, Status, WorkerData, WorkerOutcome, block_means,
    pooled_samples,
};

/// Schema of the first line of an observation file.
pub const OBSERVATION_SCHEMA: &str = "evenhand.observation/1.0";
