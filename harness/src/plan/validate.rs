//! Checks of a plan that came from a file or from a bench target.

use super::{
    ExperimentPlan, Margin, MarginScale, PLAN_SCHEMA, Plan, SecondaryMetric, SecondaryRole,
};
use std::collections::HashSet;

/// Why a plan can't be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The document is of another kind or of an unknown major version.
    #[error(
        "schema `{found}` is not readable here; this version reads {expected} (any minor). Use the evenhand version that wrote the file, or write it again"
    )]
    Schema {
        /// What the document says.
        found: String,
        /// What this version reads.
        expected: String,
    },
    /// An experiment is declared in a way that can't be measured.
    #[error("experiment `{experiment}`: {problem}")]
    Experiment {
        /// The experiment's id.
        experiment: String,
        /// What is wrong and what to do.
        problem: String,
    },
}

/// Accepts `kind/MAJOR.x` when `expected` is `kind/MAJOR.y`.
///
/// # Errors
/// If the kind or the major version differs.
pub fn check_schema(found: &str, expected: &str) -> Result<(), PlanError> {
    let major = |s: &str| s.rsplit_once('.').map(|(major, _)| major.to_owned());
    if found.contains('/') && major(found) == major(expected) {
        Ok(())
    } else {
        Err(PlanError::Schema {
            found: found.to_owned(),
            expected: expected.to_owned(),
        })
    }
}

/// Whether a name can be an experiment id or an arm name: not empty, no
/// control characters, at most 200 bytes.
#[must_use]
pub fn is_measurable_id(id: &str) -> bool {
    !id.trim().is_empty() && id.len() <= 200 && !id.chars().any(char::is_control)
}

impl Plan {
    /// Checks that the plan can be run.
    ///
    /// # Errors
    /// Names the first experiment that can't, and why.
    pub fn validate(&self) -> Result<(), PlanError> {
        check_schema(&self.schema, PLAN_SCHEMA)?;
        let mut seen = HashSet::new();
        for (target, experiment) in self.experiments() {
            experiment.validate()?;
            if !seen.insert((target, experiment.id.as_str())) {
                return Err(experiment.error("the id stands twice; ids are unique in a target"));
            }
        }
        Ok(())
    }
}

impl ExperimentPlan {
    fn error(&self, problem: impl Into<String>) -> PlanError {
        PlanError::Experiment {
            experiment: self.id.clone(),
            problem: problem.into(),
        }
    }

    fn check_quantile(&self, secondary: &SecondaryMetric) -> Result<(), PlanError> {
        use SecondaryRole::{Claim, ClaimPerUnit, Describe};
        let Some(quantile) = secondary.quantile else {
            return Ok(());
        };
        let id = &secondary.metric.id;
        if !(quantile > 0.0 && quantile < 1.0) {
            return Err(self.error(format!(
                "metric `{id}`: a quantile lies between 0 and 1, not at {quantile}"
            )));
        }
        if !matches!(secondary.role, Claim | ClaimPerUnit | Describe) {
            return Err(self.error(format!(
                "metric `{id}` is a quantile, so it is claimed or described"
            )));
        }
        Ok(())
    }

    fn check_margin(&self, margin: Margin) -> Result<(), PlanError> {
        if !(margin.value.is_finite() && margin.value > 0.0) {
            return Err(self.error(format!(
                "the margin is {}; it must be above zero: the smallest effect that matters",
                margin.value
            )));
        }
        if margin.scale == MarginScale::Relative && margin.value >= 1.0 {
            return Err(
                self.error("a relative margin is a fraction below 1 (`percent(1.0)` is 0.01)")
            );
        }
        Ok(())
    }

    /// Checks one experiment.
    ///
    /// # Errors
    /// Says what is wrong and what to do.
    pub fn validate(&self) -> Result<(), PlanError> {
        if !is_measurable_id(&self.id) {
            return Err(self.error("the id is empty, too long, or has control characters"));
        }
        if self.arms.is_empty() {
            return Err(self.error(
                "it has no arm; add `.control(..)` and `.candidate(..)`, or one `.arm(..)`",
            ));
        }
        let mut names = HashSet::new();
        for arm in &self.arms {
            if !is_measurable_id(arm) {
                return Err(
                    self.error("an arm's name is empty, too long, or has control characters")
                );
            }
            if !names.insert(arm) {
                return Err(self.error(format!(
                    "arm `{arm}` is declared twice; give each arm its own name"
                )));
            }
        }
        self.check_margin(self.margin)?;
        let mut metrics = HashSet::from([self.metric.id.as_str()]);
        for secondary in &self.secondary {
            self.check_margin(secondary.margin)?;
            if !metrics.insert(&secondary.metric.id) {
                return Err(self.error(format!(
                    "metric `{}` is declared twice; give each metric its own id",
                    secondary.metric.id
                )));
            }
            self.check_quantile(secondary)?;
        }
        if let Some(problem) = self.sweep.as_ref().and_then(|s| s.problem(self)) {
            return Err(self.error(problem));
        }
        for t in &self.throughput {
            if !(t.per_iteration.is_finite() && t.per_iteration > 0.0) {
                return Err(
                    self.error("bytes, elements and flops per iteration must be above zero")
                );
            }
        }
        if self.workers == 0 || self.iterations == 0 {
            return Err(self.error("workers and iterations must be at least 1"));
        }
        if self.blocks == 0 && self.aa_blocks == 0 {
            return Err(self.error("there are no blocks to run"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schema_accepts_minor_refuses_major_and_kind() {
        assert!(check_schema("evenhand.plan/1.0", PLAN_SCHEMA).is_ok());
        assert!(check_schema("evenhand.plan/1.7", PLAN_SCHEMA).is_ok());
        for bad in [
            "evenhand.plan/2.0",
            "evenhand.record/1.0",
            "",
            "1.0",
            "evenhand.plan",
        ] {
            assert!(check_schema(bad, PLAN_SCHEMA).is_err(), "{bad}");
        }
    }
}
