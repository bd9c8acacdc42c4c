//! Servers as arms of an experiment.
//!
//! A worker of the harness is one restart of every server: each arm starts its
//! own as a child of the worker, all stay alive, and only one is asked at a
//! time. A slot is one request at concurrency 1, so that arms interleave
//! request by request; above that, and in open loop, a slot is a block of
//! requests that is drained before the next arm has its turn; in
//! [`Mode::Cold`] it is a fresh process with its first request. The arms are
//! servers under one load, or with [`RequestPath::cells`] settings of one server
//! under several numbers of users.
//!
//! ```no_run
//! use evenhand::prelude::*;
//! use evenhand::runtime::Options;
//! use evenhand::serving::arm::{Mode, RequestPaths};
//!
//! fn key_value_cache(suite: &mut Suite) {
//!     let mut off = Options::default();
//!     off.engine.kv_cache = false;
//!     suite
//!         .request_path("warm/tiny")
//!         .mode(Mode::Warm)
//!         .words(32, 64)
//!         .max_tokens(32)
//!         .control("kv_on", Options::default())
//!         .candidate("kv_off", off)
//!         .margin(percent(2.0));
//! }
//!
//! evenhand::main!(key_value_cache);
//! ```

mod block;
mod load;
mod metrics;
mod paths;
mod proved;
mod ramp;
mod rows;
mod server;
mod subject;
mod sweep;
mod throughput;
mod values;

pub use load::{Load, LoadError, Mode};
pub use metrics::{Values, cold_metrics, request_metrics, sweep_of};
pub use paths::{IntoTarget, RequestArms, RequestPath, RequestPaths};
pub use rows::{RequestRow, read_rows};
pub use sweep::Cell;
