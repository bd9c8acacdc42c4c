//! The result as a document.

use crate::interop::pairs::{Declared, Document, ReadError, Summaries, describe, pair};
use evenhand_harness::claim::{
    ArmSummary, Claim, CountedDesign, FactorialVerdict, Link, OverallClaim, RunGroup,
    SessionControl, Summarised, SummaryVerdict, TailPair, TailVerdict, assess, judge_counts,
    judge_summary, judge_tails,
};
use evenhand_harness::plan::{Direction, Margin, Metric, ReplicationUnit, Seed, sha256_hex};
use schemars::JsonSchema;
use serde::Serialize;

/// Schema of the result.
pub const ANALYSIS_SCHEMA: &str = "evenhand.analysis/1.0";

/// Excluded units listed by name; all are counted.
const LISTED: usize = 1000;

/// Everything that was concluded.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Analysis {
    schema: &'static str,
    pub source: Source,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<Seed>,
    /// Number of primary comparisons that p was adjusted for.
    pub family_size: usize,
    /// The control against itself.
    pub control: Option<SessionControl>,
    pub comparisons: Vec<Compared>,
    /// Statements over profiles that are too small for their own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overall: Vec<OverallClaim>,
    /// 2x2 designs whose cells are counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub designs: Vec<Design>,
    /// Quantiles with one run per arm.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tails: Vec<Tail>,
    /// Descriptions of runs; nothing in them is a claim.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<RunGroup>,
    /// Metrics of the same runs, two by two.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Published summaries.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub published: Vec<Published>,
    /// Columns or keys that mean nothing here.
    pub ignored: Vec<String>,
}

/// What was analysed.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Source {
    pub name: String,
    pub sha256: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_in: Option<String>,
}

/// One comparison.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Compared {
    pub experiment: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub profile: String,
    pub metric: Metric,
    pub unit: ReplicationUnit,
    pub margin: Margin,
    /// Adjusted with the secondary metrics of its comparison only.
    pub secondary: bool,
    pub arms: [ArmSummary; 2],
    pub excluded_units: usize,
    pub excluded: Vec<Left>,
    pub claim: Claim,
}

/// One counted 2x2 design.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Design {
    pub experiment: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub arm: String,
    pub metric: Metric,
    pub factors: [String; 2],
    #[serde(flatten)]
    pub verdict: FactorialVerdict,
}

/// One quantile with one run per arm.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Tail {
    pub experiment: String,
    pub metric: Metric,
    pub quantile: f64,
    #[serde(flatten)]
    pub verdict: TailVerdict,
}

/// A unit that has no pair.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Left {
    pub unit: String,
    pub why: String,
}

/// One published summary.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Published {
    pub experiment: String,
    pub metric: Metric,
    pub control: String,
    pub candidate: String,
    pub n: Option<u64>,
    /// What the source called its result; not ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_label: Option<String>,
    #[serde(flatten)]
    pub verdict: SummaryVerdict,
}

impl Tail {
    fn of(own: &TailPair) -> Self {
        Self {
            experiment: own.experiment.clone(),
            metric: own.metric.clone(),
            quantile: own.quantile,
            verdict: judge_tails(own),
        }
    }
}

impl Design {
    fn of(own: CountedDesign) -> Self {
        Self {
            verdict: judge_counts(&own),
            experiment: own.experiment,
            arm: own.arm,
            metric: own.metric,
            factors: own.factors,
        }
    }
}

impl Analysis {
    pub fn of(
        document: Document,
        declared: &Declared,
        name: &str,
        bytes: &[u8],
    ) -> Result<Self, ReadError> {
        let source = Source {
            name: name.to_owned(),
            sha256: sha256_hex(bytes),
            published_in: None,
        };
        match document {
            Document::Summaries(summaries) => Ok(Self::of_summaries(*summaries, source)),
            Document::Pairs(table) => {
                let set = pair(&table, declared)?;
                drop(table);
                let (imported, kept): (Vec<_>, Vec<_>) = set
                    .comparisons
                    .into_iter()
                    .map(|c| (c.imported, c.excluded))
                    .unzip();
                let assessment = assess(&imported, &set.controls, set.seed);
                let comparisons = imported
                    .into_iter()
                    .zip(kept)
                    .zip(assessment.claims.into_iter().zip(assessment.arms));
                let compared = comparisons.map(|((own, excluded), (claim, arms))| Compared {
                    experiment: own.experiment,
                    profile: own.profile,
                    metric: own.metric,
                    unit: own.unit,
                    margin: own.margin,
                    secondary: own.family != evenhand_harness::claim::Family::Primary,
                    arms,
                    excluded_units: excluded.len(),
                    excluded: excluded
                        .into_iter()
                        .take(LISTED)
                        .map(|e| Left {
                            unit: e.unit,
                            why: e.why,
                        })
                        .collect(),
                    claim,
                });
                Ok(Self {
                    schema: ANALYSIS_SCHEMA,
                    source,
                    seed: Some(set.seed),
                    family_size: assessment.family_size,
                    control: assessment.control,
                    comparisons: compared.collect(),
                    overall: assessment.overall,
                    designs: set.designs.into_iter().map(Design::of).collect(),
                    tails: set.tails.iter().map(Tail::of).collect(),
                    groups: Vec::new(),
                    links: Vec::new(),
                    published: Vec::new(),
                    ignored: set.ignored,
                })
            }
        }
    }

    /// Runs described arm by arm, without any comparison.
    pub fn described(
        document: Document,
        declared: &Declared,
        name: &str,
        bytes: &[u8],
    ) -> Result<Self, ReadError> {
        let Document::Pairs(table) = document else {
            return Err(ReadError::new(
                "published summaries hold no runs to describe",
            ));
        };
        if table.rows.is_empty() {
            return Err(ReadError::new("counts of cells hold no runs to describe"));
        }
        let found = describe(&table, declared);
        let source = Source {
            name: name.to_owned(),
            sha256: sha256_hex(bytes),
            published_in: None,
        };
        let empty = Summaries {
            source: None,
            comparisons: Vec::new(),
        };
        Ok(Self {
            groups: found.groups,
            links: found.links,
            ignored: table.ignored,
            ..Self::of_summaries(empty, source)
        })
    }

    fn of_summaries(summaries: Summaries, mut source: Source) -> Self {
        source.published_in = summaries.source;
        let published = |own: Summarised| Published {
            verdict: judge_summary(&own),
            experiment: own.experiment,
            metric: own.metric,
            control: own.control,
            candidate: own.candidate,
            n: own.n,
            published_label: own.label,
        };
        Self {
            schema: ANALYSIS_SCHEMA,
            source,
            seed: None,
            family_size: 0,
            control: None,
            comparisons: Vec::new(),
            overall: Vec::new(),
            designs: Vec::new(),
            tails: Vec::new(),
            groups: Vec::new(),
            links: Vec::new(),
            published: summaries.comparisons.into_iter().map(published).collect(),
            ignored: Vec::new(),
        }
    }

    pub fn pretty(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data has a JSON form")
    }
}

/// "lower is better".
pub(super) fn direction_words(direction: Direction) -> &'static str {
    match direction {
        Direction::Lower => "lower is better",
        Direction::Higher => "higher is better",
        Direction::Context => "no direction declared",
    }
}
