//! Claim classes from pairs and flags.

use crate::case::{Case, Outcome};

/// What a case declares about its pairs.
#[expect(dead_code, reason = "only printed until the claim module is connected")]
#[derive(Debug)]
struct Declared {
    control: Vec<f64>,
    candidate: Vec<f64>,
    order: String,
    /// Margin relative to the control's mean.
    margin: f64,
    family_size: u64,
    /// `None`: there was no A/A control.
    aa_passed: Option<bool>,
    same_environment: Option<bool>,
    restarts_are_units: Option<bool>,
    fixed_plan: Option<bool>,
}

impl Declared {
    fn of(case: &Case) -> Result<Self, String> {
        Ok(Self {
            control: case.numbers("a")?,
            candidate: case.numbers("b")?,
            order: case.text("order")?,
            margin: case.number("sesoi_rel")?,
            family_size: case.count("family_size")?,
            aa_passed: case.flag("flags", "aa_passed"),
            same_environment: case.flag("flags", "same_environment"),
            restarts_are_units: case.flag("flags", "restarts_are_units"),
            fixed_plan: case.flag("flags", "fixed_plan"),
        })
    }
}

/// DISPATCH POINT: to be filled with the claim module.
///
/// Until then every case fails: a class that nobody computed is not met.
pub fn claim_class(case: &Case) -> Outcome {
    let declared = Declared::of(case)?;
    Err(format!(
        "not connected to the claim module: expected {:?} for {:?}, {declared:?}",
        case.expected_text("class"),
        case.method
    ))
}
