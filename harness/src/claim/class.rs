//! The rules that turn evidence into a class.

use super::{Evidence, Levels};
use crate::gate::{Code, Reason, Severity};
use crate::plan::Direction;
use serde::{Deserialize, Serialize};

/// How strong a statement the evidence carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A gate refused: nothing may be said.
    Invalid,
    /// Too little to compute an interval.
    Insufficient,
    /// False in at most 1 % of comparisons without a difference.
    Strong,
    /// The difference is proved to be smaller than the margin.
    ParityEstablished,
    /// False in at most 5 % of comparisons without a difference.
    Moderate,
    /// A hint. Not a claim.
    Directional,
    /// Ignorance. Not parity.
    NoiseDominated,
}

impl Class {
    /// The class as it stands in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Insufficient => "insufficient",
            Self::Strong => "strong",
            Self::ParityEstablished => "parity_established",
            Self::Moderate => "moderate",
            Self::Directional => "directional",
            Self::NoiseDominated => "noise_dominated",
        }
    }

    /// Whether the class is a claim at all.
    #[must_use]
    pub fn is_claim(self) -> bool {
        matches!(
            self,
            Self::Strong | Self::ParityEstablished | Self::Moderate
        )
    }
}

/// Which way a claimed difference goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The candidate is better.
    Improvement,
    /// The candidate is worse.
    Regression,
}

/// A finer name inside a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Shade {
    /// Parity, although a difference is detectable: it does not matter.
    DetectableButImmaterial,
    /// Noise whose interval reaches beyond both margins.
    InconclusiveWide,
    /// Noise around a mean inside the margin. Not proved parity.
    NearParityNoiseDominated,
}

impl Shade {
    /// The shade as it stands in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DetectableButImmaterial => "detectable_but_immaterial",
            Self::InconclusiveWide => "inconclusive_wide",
            Self::NearParityNoiseDominated => "near_parity_noise_dominated",
        }
    }
}

/// What the rules decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The class.
    pub class: Class,
    /// The finer name, when the class has one.
    pub shade: Option<Shade>,
    /// The direction, for classes that have one.
    pub outcome: Option<Outcome>,
    /// Every reason: the gates' and the rules' own, the gravest first.
    pub reasons: Vec<Reason>,
}

/// Fewest units for an interval.
const FEWEST_UNITS: usize = 6;
/// Fewest units for p <= .01.
const FEWEST_FOR_STRONG: usize = 8;
/// Fewest units for parity by the CI99, and by the CI95.
const FEWEST_FOR_PARITY: (usize, usize) = (12, 24);

/// Applies the rules of the module's table. `p_adjusted` is p in its family.
///
/// Reasons only ever lower a class.
#[must_use]
pub fn classify(
    evidence: &Evidence,
    direction: Direction,
    p_adjusted: Option<f64>,
    gates: &[Reason],
) -> Verdict {
    let mut reasons = gates.to_vec();
    reasons.extend(shortages(evidence));
    let worst = reasons
        .iter()
        .map(|r| r.severity)
        .max()
        .unwrap_or(Severity::Note);

    let (class, shade) = match worst {
        Severity::Invalid => (Class::Invalid, None),
        Severity::Insufficient => (Class::Insufficient, None),
        cap => grade(evidence, p_adjusted, cap, &mut reasons),
    };
    if matches!(
        class,
        Class::NoiseDominated | Class::Directional | Class::Moderate
    ) {
        reasons.extend(explain(evidence, class, p_adjusted));
    }
    reasons.sort_by_key(|r| std::cmp::Reverse(r.severity));
    let directed = matches!(class, Class::Strong | Class::Moderate | Class::Directional);
    let outcome = directed.then(|| outcome(evidence.effect, direction));
    Verdict {
        class,
        shade,
        outcome,
        reasons,
    }
}

fn outcome(effect: f64, direction: Direction) -> Outcome {
    let better = match direction {
        Direction::Higher => effect > 0.0,
        Direction::Lower | Direction::Context => effect < 0.0,
    };
    if better {
        Outcome::Improvement
    } else {
        Outcome::Regression
    }
}

/// What makes evidence insufficient.
fn shortages(e: &Evidence) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if e.n < FEWEST_UNITS {
        let detail = format!("{} of at least {FEWEST_UNITS}", e.n);
        reasons.push(Reason::new(Code::TooFewWorkers, detail));
    } else if e.n_eff < FEWEST_UNITS as f64 {
        let detail = format!("{} units count as {:.1}", e.n, e.n_eff);
        reasons.push(Reason::new(Code::TooFewEffective, detail));
    }
    if e.n >= FEWEST_UNITS && 2 * e.ties > e.n && e.outcomes.is_none() {
        reasons.push(Reason::new(
            Code::MostlyTies,
            format!("{} of {} units", e.ties, e.n),
        ));
    } else if e.n > 1 && e.sd == Some(0.0) {
        let detail = format!("all {} units are equal", e.n);
        reasons.push(Reason::new(Code::DegenerateInterval, detail));
    }
    reasons
}

/// The class of evidence that no gate refused.
fn grade(
    e: &Evidence,
    p_adjusted: Option<f64>,
    cap: Severity,
    reasons: &mut Vec<Reason>,
) -> (Class, Option<Shade>) {
    let (Some(p), Some(p_adjusted), Some(ci95), Some(ci99)) = (e.p, p_adjusted, e.ci95, e.ci99)
    else {
        reasons.push(Reason::new(
            Code::DegenerateInterval,
            "there is no interval",
        ));
        return (Class::Insufficient, None);
    };
    let zero = e.zero_tolerance;
    let Levels { moderate, strong } = e.levels;
    let significant = p <= moderate && ci95.excludes_zero(zero);
    if cap < Severity::CapModerate
        && e.n >= FEWEST_FOR_STRONG
        && p <= strong
        && p_adjusted <= moderate
        && ci99.excludes_zero(zero)
        && ci95.beyond(e.margin)
        && e.noise_floor
            .is_none_or(|floor| ci95.beyond((-floor, floor)))
    {
        return (Class::Strong, None);
    }
    let inside = ci95.inside(e.margin) && e.n >= FEWEST_FOR_PARITY.1
        || ci99.inside(e.margin) && e.n >= FEWEST_FOR_PARITY.0;
    // A cap speaks against every claim, parity included.
    if inside && !e.serially_correlated && cap < Severity::CapDirectional {
        let shade = (p <= moderate).then_some(Shade::DetectableButImmaterial);
        return (Class::ParityEstablished, shade);
    }
    if significant && p_adjusted <= moderate && cap < Severity::CapDirectional {
        return (Class::Moderate, None);
    }
    if significant {
        return (Class::Directional, None);
    }
    let shade = if ci95.reaches_beyond_both(e.margin) {
        Some(Shade::InconclusiveWide)
    } else if !ci95.excludes_zero(zero) && e.margin.0 < e.effect && e.effect < e.margin.1 {
        Some(Shade::NearParityNoiseDominated)
    } else {
        None
    };
    (Class::NoiseDominated, shade)
}

/// Why the class is not higher, where no cap already says so.
fn explain(e: &Evidence, class: Class, p_adjusted: Option<f64>) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut add = |code, detail: String| reasons.push(Reason::new(code, detail));
    let (Some(p), Some(ci95), Some(ci99)) = (e.p, e.ci95, e.ci99) else {
        return reasons;
    };
    if !ci95.is_bounded() {
        add(Code::UnboundedInterval, "an end of the CI95 is open".into());
    }
    if class == Class::NoiseDominated {
        add(Code::Noise, format!("p = {}", super::number::p_value(p)));
        return reasons;
    }
    if let Some(p_adjusted) = p_adjusted
        && p_adjusted > e.levels.moderate
    {
        add(
            Code::Multiplicity,
            format!("p = {p:.4} becomes {p_adjusted:.4} in its family"),
        );
    }
    if class == Class::Moderate {
        if e.n < FEWEST_FOR_STRONG {
            add(Code::TooFewForStrong, format!("{} units", e.n));
        } else if p > e.levels.strong {
            add(Code::PAboveOnePercent, format!("p = {p:.3}"));
        } else if !ci99.excludes_zero(e.zero_tolerance) {
            add(Code::Ci99IncludesZero, format!("p = {p:.4}"));
        }
        if !ci95.beyond(e.margin) {
            add(
                Code::WithinMargin,
                "the CI95 is not entirely beyond the margin".into(),
            );
        }
    }
    reasons
}
