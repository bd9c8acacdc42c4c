//! One statement over several profiles, each too small for its own.

use super::imported::{Family, Imported};
use super::number::{p_value, round12, signed_percent};
use super::{Claim, Class, Outcome};
use crate::estimate::{OverallRefusal, Profile, holm, overall};
use crate::gate::{Code, Reason, Severity};
use crate::plan::{Direction, Estimand, Seed};
use bootstrap::Stream;
use serde::{Deserialize, Serialize};

/// Fewest units over all profiles.
const FEWEST_UNITS: usize = 6;

/// What may be said over all profiles of an experiment together.
///
/// Never more than `moderate`: the test is exact, but the size of an effect
/// over unlike profiles has no interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OverallClaim {
    /// Experiment id, without the profile.
    pub experiment: String,
    /// Name of the metric.
    pub metric: String,
    /// What it is compared with.
    pub control: String,
    /// The arm that is compared.
    pub candidate: String,
    /// Number of profiles.
    pub profiles: usize,
    /// Number of units over all profiles.
    pub units: usize,
    /// How strong the statement is.
    pub class: Class,
    /// Which way it goes.
    pub outcome: Option<Outcome>,
    /// The statement.
    pub sentence: String,
    /// Why, the gravest first.
    pub reasons: Vec<Reason>,
    /// Mean over profiles of the mean log ratio.
    pub effect: Option<f64>,
    /// Stratified sign-flip p.
    pub p: Option<f64>,
    /// p adjusted for the other statements of the data set.
    pub p_adjusted: Option<f64>,
}

/// Statements over the profiles of every experiment whose profiles are all too
/// small for a claim of their own.
pub(super) fn overall_claims(
    comparisons: &[Imported],
    claims: &[Claim],
    seed: Seed,
) -> Vec<OverallClaim> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (i, own) in comparisons.iter().enumerate() {
        if own.profile.is_empty() || own.family != Family::Primary {
            continue;
        }
        let alike = |other: &Imported| {
            base(own) == base(other)
                && own.metric == other.metric
                && own.candidate == other.candidate
        };
        match groups.iter_mut().find(|g| alike(&comparisons[g[0]])) {
            Some(group) => group.push(i),
            None => groups.push(vec![i]),
        }
    }
    groups.retain(|group| {
        let small =
            |&i: &usize| comparisons[i].pairs.units() < FEWEST_UNITS && !comparisons[i].outcomes;
        let ratio = |&i: &usize| comparisons[i].estimand == Estimand::PairedLogRatio;
        group.len() > 1 && group.iter().all(small) && group.iter().all(ratio)
    });
    let mut drafts: Vec<OverallClaim> = groups
        .iter()
        .map(|group| draft(group, comparisons, claims, seed))
        .collect();
    // The other questions asked of the same data stand in the same family; the
    // profiles themselves can't make a claim and cost nothing.
    let others = comparisons.iter().zip(claims).enumerate();
    let others = others
        .filter(|(i, (c, _))| c.family == Family::Primary && !groups.iter().any(|g| g.contains(i)))
        .map(|(_, (_, claim))| claim.estimate.p.unwrap_or(1.0));
    let ps: Vec<f64> = drafts
        .iter()
        .map(|d| d.p.unwrap_or(1.0))
        .chain(others)
        .collect();
    let adjusted = holm(&ps).unwrap_or_else(|_| vec![1.0; ps.len()]);
    for (draft, p) in drafts.iter_mut().zip(adjusted) {
        draft.p_adjusted = draft.p.map(|_| round12(p));
        let direction = comparisons
            .iter()
            .find(|c| c.metric.id == draft.metric)
            .map_or(Direction::Context, |c| c.metric.direction);
        decide(draft, direction);
    }
    drafts
}

/// The experiment's name without its profile.
fn base(imported: &Imported) -> &str {
    imported
        .experiment
        .strip_suffix(imported.profile.as_str())
        .map_or(imported.experiment.as_str(), |base| {
            base.trim_end_matches('/')
        })
}

fn draft(group: &[usize], comparisons: &[Imported], claims: &[Claim], seed: Seed) -> OverallClaim {
    let first = &comparisons[group[0]];
    let mut reasons: Vec<Reason> = Vec::new();
    for &i in group {
        for reason in &claims[i].reasons {
            let own = matches!(
                reason.code,
                Code::TooFewWorkers | Code::DegenerateInterval | Code::MostlyTies
            );
            if !own && reasons.iter().all(|r| r.code != reason.code) {
                reasons.push(reason.clone());
            }
        }
    }
    let profiles: Vec<Profile> = group
        .iter()
        .map(|&i| {
            let (control, candidate) = comparisons[i].pairs.averaged();
            Profile { control, candidate }
        })
        .collect();
    let units = profiles.iter().map(|p| p.control.len()).sum();
    let refused = reasons.iter().any(|r| r.severity == Severity::Invalid);
    let label = format!("overall/{}/{}", base(first), first.metric.id);
    let seed = Stream::new(seed.0, &label).next_u64();
    let result = (!refused && units >= FEWEST_UNITS)
        .then(|| overall(&profiles, 0.0, seed).ok())
        .flatten();
    if units < FEWEST_UNITS {
        let detail = format!("{units} of at least {FEWEST_UNITS} over all profiles");
        reasons.push(Reason::new(Code::TooFewWorkers, detail));
    }
    for refusal in result.iter().flat_map(|r| &r.refusals) {
        let detail = match refusal {
            OverallRefusal::OneProfileDecides { profile } => format!(
                "without profile `{}` the sign is another one",
                comparisons[group[*profile]].profile
            ),
            _ => "the arithmetic and the geometric mean differ in sign".to_owned(),
        };
        reasons.push(Reason::new(Code::SignDisagrees, detail));
    }
    reasons.sort_by_key(|r| std::cmp::Reverse(r.severity));
    OverallClaim {
        experiment: base(first).to_owned(),
        metric: first.metric.id.clone(),
        control: first.control.clone(),
        candidate: first.candidate.clone(),
        profiles: group.len(),
        units,
        class: Class::Insufficient,
        outcome: None,
        sentence: String::new(),
        reasons,
        effect: result.as_ref().map(|r| round12(r.geometric)),
        p: result.as_ref().map(|r| round12(r.test.p)),
        p_adjusted: None,
    }
}

fn decide(claim: &mut OverallClaim, direction: Direction) {
    let worst = claim.reasons.first().map_or(Severity::Note, |r| r.severity);
    let disagrees = claim.reasons.iter().any(|r| r.code == Code::SignDisagrees);
    let small = claim.p.is_some_and(|p| p <= 0.05);
    claim.class = match (worst, claim.p) {
        (Severity::Invalid, _) => Class::Invalid,
        (Severity::Insufficient, _) | (_, None) => Class::Insufficient,
        _ if !small || disagrees => Class::NoiseDominated,
        (Severity::CapDirectional, _) => Class::Directional,
        _ if claim.p_adjusted.is_some_and(|p| p <= 0.05) => Class::Moderate,
        _ => Class::Directional,
    };
    let effect = claim.effect.unwrap_or(0.0);
    let over = format!(
        "over {} profiles with {} units{}",
        claim.profiles,
        claim.units,
        claim
            .p
            .map_or(String::new(), |p| format!(", p = {}", p_value(p)))
    );
    let difference = format!(
        "{} of `{}` relative to `{}` is {} on the geometric mean of the profiles",
        claim.metric,
        claim.candidate,
        claim.control,
        signed_percent(libm::expm1(effect), None)
    );
    let because: Vec<String> = claim
        .reasons
        .iter()
        .filter(|r| r.severity > Severity::Explains)
        .map(|r| format!("{} ({})", r.code.meaning(), r.detail))
        .collect();
    let because = because.join(", and ");
    let better = (effect < 0.0) == (direction != Direction::Higher);
    let outcome = if better {
        Outcome::Improvement
    } else {
        Outcome::Regression
    };
    let word = if better { "improvement" } else { "regression" };
    claim.sentence = match claim.class {
        Class::Moderate => {
            claim.outcome = Some(outcome);
            format!(
                "Some {word} (moderate): {difference} ({over}). Not every profile need share it."
            )
        }
        Class::Directional => {
            claim.outcome = Some(outcome);
            let why = if because.is_empty() {
                "the evidence does not survive the number of comparisons".to_owned()
            } else {
                because
            };
            format!(
                "Not a claim, only a hint of some {word}: {difference} ({over}). No claim, because {why}."
            )
        }
        Class::NoiseDominated if disagrees => {
            format!("No claim over the profiles, because they do not agree: {because} ({over}).")
        }
        Class::NoiseDominated => {
            format!(
                "No claim over the profiles, because the noise hides whether there is a difference ({over})."
            )
        }
        _ => format!("No claim over the profiles, because {because}."),
    };
}
