//! Running a plan: processes, telemetry, files. The only room with I/O.
//!
//! A bench executable starts itself again as a worker for every (experiment,
//! worker) of the plan. [`measure`] is the coordinator in the first process;
//! [`worker_main`] is what the started process does.

mod adopt;
mod arms;
mod coordinator;
mod environment;
mod error;
mod launch;
mod messages;
mod observation_log;
mod planner;
mod process;
mod remote;
mod session;
mod sizing;
mod smoke;
mod store;
mod telemetry;
mod worker;

pub use adopt::{Adopted, adopt_session, find_sessions};
pub use coordinator::{Event, Observer, measure, stop_flag};
pub use environment::{Sources, capture_environment, digest_of_file, inspect_machine};
pub use error::RunError;
pub use launch::Launch;
pub use planner::{Options, plan_target};
pub use session::{
    SESSION_VARIABLE, Session, Wishes, default_root, fresh_name, latest_session, target_directory,
};
pub use sizing::Reach;
pub use smoke::{SMOKE_ARGUMENT, SmokeFailure, smoke, smoke_apart, smoke_main};
pub use store::{read_measurements, read_plan, read_record, write_atomically, write_record};
pub use worker::{WORKER_ARGUMENT, worker_main};
