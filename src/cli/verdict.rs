//! The gate's verdict: a record turned into an exit code for CI.

use crate::protocol::exit;
use clap::ValueEnum;
use evenhand_harness::claim::{Claim, Class, ExperimentJudgement, Outcome};
use evenhand_harness::gate::{Code, Reason, Severity};
use evenhand_harness::observation::Status;
use evenhand_harness::plan::Direction;
use evenhand_harness::record::Record;
use schemars::JsonSchema;
use serde::Serialize;

/// Schema of [`GateVerdict`].
pub const VERDICT_SCHEMA: &str = "evenhand.verdict/1.0";

/// What makes the gate fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum FailOn {
    /// A benchmark failed or gave a wrong output (code 7)
    Failed,
    /// A strong regression, or a moderate one beyond the margin (code 3)
    Regression,
    /// A gate refused a comparison (code 6)
    NotComparable,
    /// A comparison has no claim, or a sweep no best cell (code 5)
    Inconclusive,
}

/// What a comparison, or a whole record, comes to. The first that applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// An arm failed or gave a wrong output.
    BenchmarkFailed,
    /// A strong regression, or a moderate one with the estimate beyond the margin.
    Regression,
    /// A gate refused: nothing may be said.
    NotComparable,
    /// No claim either way.
    Inconclusive,
    /// Nothing speaks against it.
    Pass,
}

impl Finding {
    /// The finding as it stands in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BenchmarkFailed => "benchmark_failed",
            Self::Regression => "regression",
            Self::NotComparable => "not_comparable",
            Self::Inconclusive => "inconclusive",
            Self::Pass => "pass",
        }
    }

    fn exit_code(self) -> u8 {
        match self {
            Self::BenchmarkFailed => exit::BENCHMARK_FAILED,
            Self::Regression => exit::REGRESSION,
            Self::NotComparable => exit::NOT_COMPARABLE,
            Self::Inconclusive => exit::INCONCLUSIVE,
            Self::Pass => exit::OK,
        }
    }

    /// What has to be asked for to make it fail.
    fn cause(self) -> Option<FailOn> {
        match self {
            Self::BenchmarkFailed => Some(FailOn::Failed),
            Self::Regression => Some(FailOn::Regression),
            Self::NotComparable => Some(FailOn::NotComparable),
            Self::Inconclusive => Some(FailOn::Inconclusive),
            Self::Pass => None,
        }
    }
}

/// One comparison, or an experiment without one that failed.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Examined {
    /// Bench target.
    pub target: String,
    /// Experiment id.
    pub experiment: String,
    /// The arm that is compared, when one is; of a sweep the best cell.
    pub candidate: Option<String>,
    /// Class of its claim.
    pub class: Option<Class>,
    /// What it comes to.
    pub finding: Finding,
    /// Whether it makes the gate fail.
    pub fails: bool,
    /// The claim, or what went wrong.
    pub sentence: String,
}

/// The verdict over a record.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct GateVerdict {
    /// `evenhand.verdict/1.0`.
    pub schema: String,
    /// The gravest finding that makes the gate fail, else `pass`.
    pub verdict: Finding,
    /// Exit code of the command.
    pub exit_code: u8,
    /// What makes the gate fail.
    pub fail_on: Vec<FailOn>,
    /// Session of the record.
    pub session: String,
    /// Whether the session was measured to its end.
    pub status: Status,
    /// Digest of the record.
    pub record_digest: String,
    /// Every comparison, in plan order.
    pub comparisons: Vec<Examined>,
}

impl GateVerdict {
    /// Examines a record.
    #[must_use]
    pub fn of(record: &Record, fail_on: &[FailOn]) -> Self {
        let mut comparisons = Vec::new();
        for judged in &record.judgement.experiments {
            let direction = record
                .plan
                .target(&judged.target)
                .and_then(|t| t.experiments.iter().find(|e| e.id == judged.id))
                .map_or(Direction::Context, |e| e.metric.direction);
            for claim in &judged.claims {
                let finding = examine(claim, direction);
                comparisons.push(Examined {
                    target: judged.target.clone(),
                    experiment: judged.id.clone(),
                    candidate: Some(claim.candidate.clone()),
                    class: Some(claim.class),
                    finding,
                    fails: false,
                    sentence: claim.sentence.clone(),
                });
            }
            comparisons.extend(uncompared(judged).or_else(|| swept(judged)));
        }
        for examined in &mut comparisons {
            let cause = examined.finding.cause();
            examined.fails = cause.is_some_and(|c| fail_on.contains(&c));
        }
        let verdict = comparisons
            .iter()
            .filter(|e| e.fails)
            .map(|e| e.finding)
            .min_by_key(|&f| f as u8)
            .unwrap_or(Finding::Pass);
        Self {
            schema: VERDICT_SCHEMA.to_owned(),
            verdict,
            exit_code: verdict.exit_code(),
            fail_on: fail_on.to_vec(),
            session: record.plan.session.clone(),
            status: record.measurements.status,
            record_digest: record.digest.clone(),
            comparisons,
        }
    }

    /// How many comparisons came to a finding.
    #[must_use]
    pub fn count(&self, finding: Finding) -> usize {
        self.comparisons
            .iter()
            .filter(|e| e.finding == finding)
            .count()
    }
}

fn refused(reasons: &[Reason]) -> Option<Finding> {
    let mut gravest = None;
    for reason in reasons.iter().filter(|r| r.severity == Severity::Invalid) {
        match reason.code {
            Code::WrongOutput | Code::ArmFailed => return Some(Finding::BenchmarkFailed),
            _ => gravest = Some(Finding::NotComparable),
        }
    }
    gravest
}

fn examine(claim: &Claim, direction: Direction) -> Finding {
    let worse = claim.outcome == Some(Outcome::Regression);
    match claim.class {
        Class::Invalid => refused(&claim.reasons).unwrap_or(Finding::NotComparable),
        Class::Strong | Class::Moderate if worse => {
            if claim.class == Class::Strong || beyond_margin(claim, direction) {
                Finding::Regression
            } else {
                Finding::Pass
            }
        }
        Class::Strong | Class::Moderate | Class::ParityEstablished => Finding::Pass,
        Class::Directional | Class::NoiseDominated | Class::Insufficient => Finding::Inconclusive,
    }
}

fn beyond_margin(claim: &Claim, direction: Direction) -> bool {
    let (low, high) = claim.estimate.margin;
    match direction {
        Direction::Higher => claim.estimate.effect < low,
        Direction::Lower | Direction::Context => claim.estimate.effect > high,
    }
}

/// A sweep whose cells could be compared: its best cell, or that there is none.
fn swept(judged: &ExperimentJudgement) -> Option<Examined> {
    let sweep = judged.sweep.as_ref()?;
    let finding = match sweep.best {
        Some(_) => Finding::Pass,
        None => Finding::Inconclusive,
    };
    Some(Examined {
        target: judged.target.clone(),
        experiment: judged.id.clone(),
        candidate: sweep.best.clone(),
        class: None,
        finding,
        fails: false,
        sentence: sweep.sentence.clone(),
    })
}

/// An experiment that compares nothing can still fail.
fn uncompared(judged: &ExperimentJudgement) -> Option<Examined> {
    if !judged.claims.is_empty() {
        return None;
    }
    let finding = refused(&judged.reasons)?;
    let reason = judged
        .reasons
        .iter()
        .find(|r| r.severity == Severity::Invalid)?;
    Some(Examined {
        target: judged.target.clone(),
        experiment: judged.id.clone(),
        candidate: None,
        class: None,
        finding,
        fails: false,
        sentence: format!("{}: {}", reason.code.meaning(), reason.detail),
    })
}
