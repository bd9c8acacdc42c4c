//! Claim classes from pairs and flags.

use crate::case::{Case, Outcome, said};
use evenhand_harness::claim::{Family, Imported, Inner, Missing, Pairs, assess};
use evenhand_harness::estimate::{paired_differences, sign_flip};
use evenhand_harness::gate::{Code, Reason};
use evenhand_harness::plan::{
    Design, Direction, Estimand, Margin, Metric, ReplicationUnit, Seed, StopRule,
};

/// What an order's name says about its design.
fn design(order: &str) -> Design {
    let name = order.to_lowercase();
    if ["coin", "random", "shuffle"]
        .iter()
        .any(|w| name.contains(w))
    {
        Design::ImportedRandomised
    } else if ["", "unknown", "none", "null"].contains(&name.as_str()) {
        Design::ImportedUnknown
    } else {
        // ABAB, ABBA, blocked, alternating, A-then-B.
        Design::ImportedFixed
    }
}

/// Estimand: the paired difference, lower is better, margin relative to the
/// control's mean.
fn imported(case: &Case) -> Result<Imported, String> {
    let mut gates = Vec::new();
    if case.flag("flags", "same_environment") == Some(false) {
        gates.push(Reason::new(Code::EnvironmentDiffers, "declared"));
    }
    let unit = match case.flag("flags", "restarts_are_units") {
        Some(true) => ReplicationUnit::Worker,
        Some(false) => ReplicationUnit::PairInProcess,
        None => ReplicationUnit::Imported,
    };
    let margin = if case.has_input("sesoi_rel") {
        Margin::relative(case.number("sesoi_rel")?)
    } else {
        Margin::DEFAULT
    };
    Ok(Imported {
        experiment: case.id.clone(),
        profile: String::new(),
        metric: Metric::new("value", "", Direction::Lower),
        control: "a".to_owned(),
        candidate: "b".to_owned(),
        margin,
        estimand: Estimand::PairedDifference,
        unit,
        design: design(&case.text("order").unwrap_or_default()),
        stop_rule: match case.flag("flags", "fixed_plan") {
            Some(true) => StopRule::Fixed,
            _ => StopRule::Undeclared,
        },
        aa_passed: case.flag("flags", "aa_passed"),
        outcomes: false,
        attempt: 1,
        family: Family::Primary,
        pairs: Pairs {
            control: case.numbers("a")?,
            candidate: case.numbers("b")?,
            inner: Inner::Repeats,
            ..Pairs::default()
        },
        missing: Missing::default(),
        failed: Missing::default(),
        gates,
    })
}

pub fn claim_class(case: &Case) -> Outcome {
    let own = imported(case)?;
    let d = said(paired_differences(&own.pairs.control, &own.pairs.candidate))?;
    case.meets("p_flip", said(sign_flip(&d, 0))?.p)?;

    // The rest of the family: comparisons in which nothing can be found.
    let size = case.count("family_size")?.max(1) as usize;
    let others = (1..size).map(|i| Imported {
        experiment: format!("other {i}"),
        pairs: Pairs {
            control: vec![1.0; 6],
            candidate: vec![1.0; 6],
            ..Pairs::default()
        },
        ..own.clone()
    });
    let family: Vec<Imported> = std::iter::once(own.clone()).chain(others).collect();
    let assessment = assess(&family, &[], Seed(1));
    let claim = &assessment.claims[0];
    let wanted = case.expected_text("class").unwrap_or_default();
    let shade = claim.shade.map(|s| s.name());
    if claim.class.name() == wanted || shade == Some(wanted) {
        Ok(())
    } else {
        Err(format!(
            "class is {} ({shade:?}), not {wanted}: {:?}",
            claim.class.name(),
            claim.reasons
        ))
    }
}
