//! What a bench target says about itself to `cargo evenhand`.

use evenhand_harness::plan::{Estimand, Margin, Metric, Throughput};
use evenhand_harness::suite::Suite;
use serde::{Deserialize, Serialize};

/// Hidden argument that makes a bench target describe itself.
pub const DESCRIBE_ARGUMENT: &str = "__evenhand";

/// Schema of [`TargetDescription`]. The executable of every bench target of
/// ours contains this text, so that others need not be started to know them.
pub const TARGET_SCHEMA: &str = "evenhand.target/1.0";

/// A bench target and its experiments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct TargetDescription {
    /// `evenhand.target/1.0`.
    pub schema: String,
    /// Version of the library that it was built with.
    pub version: String,
    /// Name under which plans and records know it.
    pub target: String,
    /// In declaration order.
    pub experiments: Vec<ExperimentDescription>,
}

/// An experiment as it was declared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct ExperimentDescription {
    /// Unique in the target.
    pub id: String,
    /// What is wrong with the declaration, if it can't be measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The rest, if it can.
    #[serde(flatten)]
    pub declared: Option<Declared>,
}

/// What a sound declaration says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Declared {
    /// The arms, the control first.
    pub arms: Vec<String>,
    /// The control, when arms are compared.
    pub control: Option<String>,
    /// What a slot measures.
    pub metric: Metric,
    /// The smallest effect that matters.
    pub margin: Margin,
    /// Which effect is estimated.
    pub estimand: Estimand,
    /// What the arms run on, when that is not simply this host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Work of one iteration.
    pub throughput: Vec<Throughput>,
    /// Whether outputs are verified.
    pub verified: bool,
}

impl ExperimentDescription {
    /// Number of comparisons with the control.
    #[must_use]
    pub fn comparisons(&self) -> usize {
        self.arms().saturating_sub(1)
    }

    /// Number of arms.
    #[must_use]
    pub fn arms(&self) -> usize {
        self.declared.as_ref().map_or(0, |d| d.arms.len())
    }
}

impl TargetDescription {
    /// Describes a suite.
    #[must_use]
    pub fn of(target: &str, suite: &Suite) -> Self {
        let experiments = suite.experiments().iter().map(|experiment| {
            let (declared, problem) = match experiment.declare() {
                Err(problem) => (None, Some(problem)),
                Ok(plan) => (
                    Some(Declared {
                        control: plan.control().map(str::to_owned),
                        arms: plan.arms,
                        metric: plan.metric,
                        margin: plan.margin,
                        estimand: plan.estimand,
                        device: plan.device,
                        throughput: plan.throughput,
                        verified: plan.verified,
                    }),
                    None,
                ),
            };
            ExperimentDescription {
                id: experiment.id().to_owned(),
                problem,
                declared,
            }
        });
        Self {
            schema: TARGET_SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            target: target.to_owned(),
            experiments: experiments.collect(),
        }
    }

    /// Finds the description in what a bench target printed; the target's own
    /// declarations may have printed before it.
    #[must_use]
    pub fn find(printed: &str) -> Option<Self> {
        printed.lines().rev().find_map(|line| {
            let found: Self = serde_json::from_str(line).ok()?;
            (found.schema.starts_with("evenhand.target/1.")).then_some(found)
        })
    }
}

/// Prints the description as one line of JSON.
pub(super) fn print(target: &str, suite: &Suite) {
    let description = TargetDescription::of(target, suite);
    let json = serde_json::to_string(&description).expect("plain data has a JSON form");
    println!("\n{json}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_survives_other_output() {
        let mut suite = Suite::default();
        suite
            .experiment("e")
            .control("a", |_| {})
            .candidate("b", |_| {});
        suite.experiment("broken").candidate("b", |_| {});
        let described = TargetDescription::of("t", &suite);
        assert_eq!(described.experiments[0].comparisons(), 1);
        assert!(described.experiments[1].problem.is_some());
        let json = serde_json::to_string(&described).unwrap();
        let printed = format!("hello {{\n{json}\n");
        assert_eq!(TargetDescription::find(&printed), Some(described));
        assert_eq!(TargetDescription::find("{\"schema\":\"other/1\"}"), None);
    }
}
