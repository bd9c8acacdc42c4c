//! What `cargo evenhand calibrate` counts and writes.

use super::Failure;
use crate::report::style;
use evenhand_harness::claim::{Class, comparison_units, effects, signed_percent};
use evenhand_harness::estimate::{clopper_pearson, detectable_effect};
use evenhand_harness::observation::{Environment, Status};
use evenhand_harness::plan::{Estimand, ExperimentPlan, Plan, TargetPlan};
use evenhand_harness::record::Record;
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt::Write;

/// Schema of [`Calibration`].
pub(super) const CALIBRATION_SCHEMA: &str = "evenhand.calibration/1.0";
/// Level of the limits of every rate.
const LEVEL: f64 = 0.95;
/// The published bounds.
const STRONG_BOUND: f64 = 0.01;
const MODERATE_BOUND: f64 = 0.05;

/// How often something happened that a rule allows only so often.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub(super) struct FalseRate {
    /// How often it happened.
    count: u64,
    /// Share of the comparisons.
    rate: f64,
    /// Lower Clopper-Pearson limit (95 %, two-sided).
    lo: f64,
    /// Upper limit.
    hi: f64,
    /// What is allowed.
    bound: f64,
    /// Whether the lower limit is above the bound.
    exceeded: bool,
}

impl FalseRate {
    fn of(count: u64, comparisons: u64, bound: f64) -> Result<Self, Failure> {
        let rate = clopper_pearson(count, comparisons, LEVEL)
            .map_err(|e| Failure::internal(format!("no comparison was measured: {e}")))?;
        Ok(Self {
            count,
            rate: rate.p,
            lo: rate.lo,
            hi: rate.hi,
            bound,
            exceeded: rate.lo > bound,
        })
    }
}

/// One arm against itself.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(super) struct CalibratedArm {
    /// Bench target.
    target: String,
    /// Id of the A/A experiment, with the arm in it.
    experiment: String,
    /// Comparisons that were measured.
    comparisons: u64,
    /// Standard deviation of the workers' differences.
    sd: Option<f64>,
    /// Smallest effect that this many workers detect with 80 % power at 1 %,
    /// on the scale of the effect.
    detectable_effect: Option<f64>,
    /// Whether the scale is the log ratio.
    log_ratio: bool,
    #[serde(skip)]
    units: Vec<f64>,
}

/// The document that a calibration leaves behind.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(super) struct Calibration {
    /// `evenhand.calibration/1.0`.
    schema: &'static str,
    /// When the first session was planned, RFC 3339 UTC.
    begun: String,
    /// Whether the number of comparisons that was asked for was reached.
    status: Status,
    /// Whether no bound is shown to be exceeded.
    pub holds: bool,
    /// Workers of a comparison.
    workers: u32,
    /// Blocks of a worker.
    blocks: u32,
    /// Comparisons counted.
    comparisons: u64,
    /// Comparisons that a gate refused; they carry no claim and are counted.
    refused: u64,
    /// Arms that failed; they are not counted.
    failed: u64,
    /// False claims of class `strong`.
    strong: FalseRate,
    /// False claims of class `moderate` or `strong`.
    moderate_or_better: FalseRate,
    /// Sign-flip p at most .05: the test by itself.
    p_at_most_5_percent: FalseRate,
    /// Sign-flip p at most .01.
    p_at_most_1_percent: FalseRate,
    /// Per arm.
    arms: Vec<CalibratedArm>,
    /// The sessions, beside this file.
    sessions: Vec<String>,
    /// The machine, as the first session found it.
    environment: Environment,
}

/// Counts while sessions come in.
pub(super) struct Tally {
    workers: u32,
    blocks: u32,
    comparisons: u64,
    refused: u64,
    failed: u64,
    strong: u64,
    moderate: u64,
    p5: u64,
    p1: u64,
    arms: Vec<CalibratedArm>,
    sessions: Vec<String>,
    begun: String,
    environment: Option<Environment>,
}

impl Tally {
    pub(super) fn new(workers: u32, blocks: u32) -> Self {
        Self {
            workers,
            blocks,
            comparisons: 0,
            refused: 0,
            failed: 0,
            strong: 0,
            moderate: 0,
            p5: 0,
            p1: 0,
            arms: Vec::new(),
            sessions: Vec::new(),
            begun: String::new(),
            environment: None,
        }
    }

    pub(super) fn comparisons(&self) -> u64 {
        self.comparisons
    }

    /// False `strong`, and false `moderate` or better.
    pub(super) fn false_claims(&self) -> (u64, u64) {
        (self.strong, self.strong + self.moderate)
    }

    /// Counts a session; gives the number of comparisons in it.
    pub(super) fn add(&mut self, record: &Record) -> u64 {
        let before = self.comparisons;
        for target in &record.plan.targets {
            for experiment in &target.experiments {
                self.add_experiment(record, target, experiment);
            }
        }
        if self.sessions.is_empty() {
            self.begun.clone_from(&record.plan.created);
        }
        self.sessions.push(record.plan.session.clone());
        let environment = &record.measurements.environment;
        self.environment.get_or_insert_with(|| environment.clone());
        self.comparisons - before
    }

    fn add_experiment(&mut self, record: &Record, target: &TargetPlan, plan: &ExperimentPlan) {
        let mut data = record.measurements.experiments.iter();
        let data = data.find(|d| d.target == target.name && d.id == plan.id);
        let Some(data) = data.filter(|d| d.fault.is_none()) else {
            self.failed += 1;
            return;
        };
        let alone = Record::judge(
            Plan {
                targets: vec![TargetPlan {
                    name: target.name.clone(),
                    experiments: vec![plan.clone()],
                }],
                ..record.plan.clone()
            },
            record.measurements.clone(),
        );
        for claim in alone.judgement.experiments.iter().flat_map(|e| &e.claims) {
            self.comparisons += 1;
            match claim.class {
                Class::Strong => self.strong += 1,
                Class::Moderate => self.moderate += 1,
                Class::Invalid => self.refused += 1,
                _ => {}
            }
            let p = claim.estimate.p.unwrap_or(1.0);
            self.p5 += u64::from(p <= 0.05);
            self.p1 += u64::from(p <= 0.01);
        }
        let units = effects(&comparison_units(plan, data, 1));
        let known = self
            .arms
            .iter()
            .position(|a| a.target == target.name && a.experiment == plan.id);
        let at = known.unwrap_or_else(|| {
            self.arms.push(CalibratedArm {
                target: target.name.clone(),
                experiment: plan.id.clone(),
                comparisons: 0,
                sd: None,
                detectable_effect: None,
                log_ratio: plan.estimand == Estimand::PairedLogRatio,
                units: Vec::new(),
            });
            self.arms.len() - 1
        });
        self.arms[at].comparisons += 1;
        self.arms[at].units.extend(units);
    }

    /// The document.
    pub(super) fn finish(mut self, status: Status) -> Result<Calibration, Failure> {
        for arm in &mut self.arms {
            arm.sd = (arm.units.len() > 1)
                .then(|| bootstrap::moments::sd(&arm.units).ok())
                .flatten();
            arm.detectable_effect = arm
                .sd
                .and_then(|sd| detectable_effect(u64::from(self.workers), sd));
        }
        let n = self.comparisons;
        if n == 0 {
            return Err(Failure::new(
                crate::protocol::exit::INTERRUPTED,
                "stopped before the first repetition was complete; nothing was counted",
            ));
        }
        let strong = FalseRate::of(self.strong, n, STRONG_BOUND)?;
        let moderate_or_better = FalseRate::of(self.strong + self.moderate, n, MODERATE_BOUND)?;
        Ok(Calibration {
            schema: CALIBRATION_SCHEMA,
            begun: self.begun,
            status,
            holds: !strong.exceeded && !moderate_or_better.exceeded,
            workers: self.workers,
            blocks: self.blocks,
            comparisons: n,
            refused: self.refused,
            failed: self.failed,
            strong,
            moderate_or_better,
            p_at_most_5_percent: FalseRate::of(self.p5, n, 0.05)?,
            p_at_most_1_percent: FalseRate::of(self.p1, n, 0.01)?,
            arms: self.arms,
            sessions: self.sessions,
            environment: self.environment.unwrap_or_default(),
        })
    }
}

impl Calibration {
    /// As one JSON document.
    pub(super) fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data has a JSON form")
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        let width = |name: usize| name.max(20);
        let longest = self.arms.iter().map(|a| a.experiment.chars().count());
        let column = width(longest.max().unwrap_or(0));
        let _ = writeln!(
            out,
            "{:<column$}  comparisons  smallest detectable effect ({} workers x {} blocks)",
            "arm against itself", self.workers, self.blocks
        );
        for arm in &self.arms {
            let effect = arm.detectable_effect.map_or("none".to_owned(), |e| {
                if arm.log_ratio {
                    signed_percent(e.exp_m1(), Some(e)).replace('+', "")
                } else {
                    format!("{e:.3e}")
                }
            });
            let _ = writeln!(
                out,
                "{:<column$}  {:>11}  {effect}",
                arm.experiment, arm.comparisons
            );
        }
        let _ = writeln!(
            out,
            "\n{} comparisons without a difference ({} refused by a gate, {} arms failed)",
            self.comparisons, self.refused, self.failed
        );
        for (name, rate) in [
            ("false strong", self.strong),
            ("false moderate or better", self.moderate_or_better),
            ("p <= .01", self.p_at_most_1_percent),
            ("p <= .05", self.p_at_most_5_percent),
        ] {
            let verdict = if rate.exceeded {
                style::error("exceeds")
            } else {
                style::good("holds")
            };
            let _ = writeln!(
                out,
                "  {name:<25} {:>4}  {:>5.2} % ({:.2} % to {:.2} %)  bound {} %  {verdict}",
                rate.count,
                100.0 * rate.rate,
                100.0 * rate.lo,
                100.0 * rate.hi,
                100.0 * rate.bound
            );
        }
        if self.status == Status::Incomplete {
            let _ = writeln!(
                out,
                "{}: stopped before the number of comparisons that was asked for",
                style::warning("incomplete")
            );
        }
        let _ = writeln!(
            out,
            "{}",
            if self.holds {
                "No bound is shown to be exceeded."
            } else {
                "A bound is exceeded: harness or bench targets are broken on this machine, and \
                 nothing measured here may be claimed."
            }
        );
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_exceeded_only_when_the_lower_limit_says_so() {
        let rate = |count| FalseRate::of(count, 400, STRONG_BOUND).unwrap();
        assert!(!rate(4).exceeded && !rate(8).exceeded);
        assert!(rate(14).exceeded);
        assert!(FalseRate::of(0, 0, STRONG_BOUND).is_err());
    }
}
