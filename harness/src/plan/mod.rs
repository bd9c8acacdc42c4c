//! The plan: everything that decides a measurement, written to disk before the
//! first sample.
//!
//! A plan is pure data. Together with the executable it determines which arm
//! runs in which slot of which worker, on which inputs, for how many
//! iterations, and which words may be said about the outcome.

mod design;
mod digest;
mod metric;
mod secondary;
mod seed;
mod sweep;
mod validate;

pub use design::{Design, Level, ReplicationUnit, StopRule, Throughput, ThroughputKind};
pub use digest::{digest_of, sha256_hex};
pub use metric::{Direction, Estimand, Margin, MarginScale, Metric};
pub use secondary::{SecondaryMetric, SecondaryRole, SlotFlags};
pub use seed::Seed;
pub use sweep::Sweep;
pub use validate::{PlanError, check_schema, is_measurable_id};

use serde::{Deserialize, Serialize};

/// Schema of [`Plan`] documents. A reader refuses another major version.
pub const PLAN_SCHEMA: &str = "evenhand.plan/1.0";

/// Default number of workers; serves families of up to 102 comparisons.
pub const DEFAULT_WORKERS: u32 = 12;
/// Default number of comparison blocks in a worker.
pub const DEFAULT_BLOCKS: u32 = 50;
/// Share of planned workers that may be replaced before the comparison is invalid.
pub const MAX_REPLACED_SHARE: f64 = 0.10;

/// What one session measures, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Plan {
    /// `evenhand.plan/1.0`.
    pub schema: String,
    /// Name of the session, also of its folder.
    pub session: String,
    /// When the plan was made, RFC 3339 UTC.
    pub created: String,
    /// Root of every random draw of the session.
    pub seed: Seed,
    /// Level of the tests (0.05).
    pub alpha: f64,
    /// When measuring ends.
    pub stop_rule: StopRule,
    /// 1 for the first run of this plan, 2 for its first repetition, ...
    pub attempt: u32,
    /// Digest of the plan this one repeats, when it is a repetition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<String>,
    /// One entry per bench target, in the order they were planned.
    pub targets: Vec<TargetPlan>,
}

/// The part of a plan that belongs to one bench target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TargetPlan {
    /// Name of the bench target.
    pub name: String,
    /// Its experiments, in declaration order.
    pub experiments: Vec<ExperimentPlan>,
}

/// One question: arms that do the same work, at most one of them the control.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExperimentPlan {
    /// Unique within the target.
    pub id: String,
    /// The arms; the control, when there is one, stands first.
    pub arms: Vec<String>,
    /// What a slot measures.
    pub metric: Metric,
    /// The smallest effect that matters.
    pub margin: Margin,
    /// Which effect is estimated.
    pub estimand: Estimand,
    /// Further metrics of the same slots.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secondary: Vec<SecondaryMetric>,
    /// What the arms run on, when that is not simply this host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// What the arms are compared on, when they are the cells of a sweep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Sweep>,
    /// Whether every slot begins from a cold state of its own: no warm-up and
    /// no primers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cold: bool,
    /// Whether every arm has a process of its own inside a worker.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub separate: bool,
    /// What n counts.
    pub unit: ReplicationUnit,
    /// How slots are ordered inside a worker.
    pub design: Design,
    /// Number of workers (fresh processes).
    pub workers: u32,
    /// Comparison blocks in a worker.
    pub blocks: u32,
    /// A/A blocks in a worker, between the comparison blocks.
    pub aa_blocks: u32,
    /// Iterations of every slot of every arm.
    pub iterations: u64,
    /// Work of one iteration, for throughput columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub throughput: Vec<Throughput>,
    /// Whether outputs are verified before and after timing.
    pub verified: bool,
    /// Calibration: every arm runs the same code, so that any difference that
    /// is found is false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_code: Option<SameCode>,
    /// Nanoseconds per iteration that the pilot saw, one per arm; empty when
    /// the pilot failed or the plan came from elsewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pilot_ns: Vec<f64>,
    /// Digest of the schedules of all planned workers, hex SHA-256.
    pub schedule_digest: String,
}

/// The code that all arms of a calibration run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SameCode {
    /// Experiment of the bench target.
    pub experiment: String,
    /// Its arm.
    pub arm: String,
}

impl Plan {
    /// Number of comparisons that carry claims: every candidate of every
    /// experiment that has a control, and in a sweep all pairs of cells on both
    /// metrics. It is the size of the family.
    #[must_use]
    pub fn family_size(&self) -> usize {
        self.experiments().map(|(_, e)| e.comparisons()).sum()
    }

    /// All experiments with the name of their target.
    pub fn experiments(&self) -> impl Iterator<Item = (&str, &ExperimentPlan)> {
        self.targets
            .iter()
            .flat_map(|t| t.experiments.iter().map(|e| (t.name.as_str(), e)))
    }

    /// The part that belongs to the bench target `name`.
    #[must_use]
    pub fn target(&self, name: &str) -> Option<&TargetPlan> {
        self.targets.iter().find(|t| t.name == name)
    }

    /// Digest of what decides one experiment: seed, alpha, stop rule and the
    /// experiment's own entry. It is part of every claim.
    #[must_use]
    pub fn experiment_digest(&self, target: &str, experiment: &ExperimentPlan) -> String {
        digest_of(&(self.seed, self.alpha, &self.stop_rule, target, experiment))
    }
}

impl ExperimentPlan {
    /// Why the plan must not be run by an executable that declares `device` for
    /// this experiment: the plan's label would stand beside what another
    /// device, or another state of it, measures.
    ///
    /// # Errors
    /// Names both, and what to do.
    pub fn check_device(&self, device: Option<&str>) -> Result<(), String> {
        if self.device.as_deref() == device {
            return Ok(());
        }
        Err(format!(
            "the plan measures `{}` on `{}`, and this run would measure on `{}`: choose as it did \
             (--device, --flush), or plan anew",
            self.id,
            self.device.as_deref().unwrap_or("this host"),
            device.unwrap_or("this host")
        ))
    }

    /// Whether arms are compared.
    #[must_use]
    pub fn has_control(&self) -> bool {
        self.arms.len() > 1
    }

    /// Name of the control arm, when arms are compared with one.
    #[must_use]
    pub fn control(&self) -> Option<&str> {
        let controlled = self.has_control() && self.sweep.is_none();
        controlled.then(|| self.arms[0].as_str())
    }

    /// The arms that are compared with the control.
    #[must_use]
    pub fn candidates(&self) -> &[String] {
        if self.control().is_some() {
            &self.arms[1..]
        } else {
            &[]
        }
    }

    /// Number of arm instances a worker builds: the arms and, when A/A blocks
    /// are planned, a second instance of the control (the *shadow*).
    #[must_use]
    pub fn instances(&self) -> usize {
        self.arms.len() + usize::from(self.aa_blocks > 0)
    }

    /// Which of the samples of a slot belong to a secondary metric: its place
    /// among those that are quantiles. `None` when it is none.
    #[must_use]
    pub fn sampled(&self, metric: usize) -> Option<usize> {
        self.secondary.get(metric)?.quantile?;
        let earlier = &self.secondary[..metric];
        Some(earlier.iter().filter(|s| s.quantile.is_some()).count())
    }

    /// Id of the experiment in the bench target whose arms are run.
    #[must_use]
    pub fn declared_id(&self) -> &str {
        self.same_code
            .as_ref()
            .map_or(&self.id, |code| &code.experiment)
    }

    /// Name of the arm in the bench target whose code an instance runs.
    #[must_use]
    pub fn code_of_instance(&self, instance: usize) -> &str {
        match &self.same_code {
            Some(code) => &code.arm,
            None => self.arms.get(instance).unwrap_or(&self.arms[0]),
        }
    }

    /// Name of an instance; the shadow of the control carries a prime.
    #[must_use]
    pub fn instance_name(&self, instance: usize) -> String {
        match self.arms.get(instance) {
            Some(name) => name.clone(),
            None => format!("{}'", self.arms[0]),
        }
    }
}
