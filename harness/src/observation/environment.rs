//! What can change a number.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The machine, the build and the load while a session ran.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Environment {
    /// Facts by name (`host.cpu.model`, `host.cpu.count`, `os.kernel`, ...).
    /// A fact that could not be read is absent, never empty.
    pub facts: BTreeMap<String, String>,
    /// What the checks of the machine found.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// Smallest step of the monotonic clock that was seen, nanoseconds.
    pub timer_resolution_ns: f64,
    /// Cost of reading the clock once, nanoseconds.
    pub timer_cost_ns: f64,
}

/// Name of the fact that says with which profile a bench target was built.
#[must_use]
pub fn profile_fact(target: &str) -> String {
    format!("build.profile.{target}")
}

/// Name of the fact with the digest of a bench target's executable.
#[must_use]
pub fn executable_fact(target: &str) -> String {
    format!("build.executable.{target}")
}

/// Name of the fact with the times (RFC 3339 UTC, separated by spaces) at
/// which a session went on with another build of a bench target.
#[must_use]
pub fn rebuilt_fact(target: &str) -> String {
    format!("build.rebuilt.{target}")
}

/// Name of the fact, of an arm or of a session, that says whether the client of
/// a request path held the load in its proof: `true` or `false`.
pub const CLIENT_HELD_FACT: &str = "client_held";

/// Name of an arm's fact with the median error of the client that measures it,
/// nanoseconds.
pub const CLIENT_ERROR_FACT: &str = "client_error_p50_ns";

/// One finding about the machine, with what it does to a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Finding {
    /// Name of the check.
    pub check: String,
    /// True when there is nothing to do.
    pub good: bool,
    /// What was seen.
    pub seen: String,
    /// What it does to a claim and what to do about it; empty when good.
    pub effect: String,
}

/// Load around one worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Telemetry {
    /// Samples taken while the worker ran.
    pub samples: u32,
    /// Cores kept busy by other processes, mean over the worker's life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign_cores: Option<f64>,
    /// Mean frequency of the cores, MHz.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_mhz: Option<f64>,
    /// Times the scheduler quota of the control group stopped us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttled: Option<u64>,
    /// Free memory at the end, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_memory: Option<u64>,
}
