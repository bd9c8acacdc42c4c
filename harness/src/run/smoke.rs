//! The smoke run under `cargo test`: every arm once, verified, in this process.

use super::arms::{build_fault, guard};
use crate::observation::{ArmFault, Fault};
use crate::suite::{Suite, build_arm};

/// An experiment that did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmokeFailure {
    /// Experiment id.
    pub experiment: String,
    /// The arm, and what is wrong.
    pub fault: ArmFault,
}

/// Runs one iteration of every arm of the selected experiments and verifies
/// the outputs; `report` hears of each result as it comes.
pub fn smoke(
    suite: &Suite,
    selected: &dyn Fn(&str) -> bool,
    seed: u64,
    mut report: impl FnMut(&str, Option<&ArmFault>),
) -> Vec<SmokeFailure> {
    let mut failures = Vec::new();
    for (index, experiment) in suite.experiments().iter().enumerate() {
        if !selected(experiment.id()) {
            continue;
        }
        let duplicate = suite.experiments()[..index]
            .iter()
            .any(|earlier| earlier.id() == experiment.id());
        let result = if duplicate {
            Err(wrong_use(
                "the id stands twice; ids are unique in a target".to_owned(),
            ))
        } else {
            run_once(experiment, seed)
        };
        report(experiment.id(), result.as_ref().err());
        if let Err(fault) = result {
            failures.push(SmokeFailure {
                experiment: experiment.id().to_owned(),
                fault,
            });
        }
    }
    failures
}

fn wrong_use(message: String) -> ArmFault {
    ArmFault {
        arm: None,
        fault: Fault::WrongUse,
        message,
    }
}

fn run_once(experiment: &crate::suite::Experiment, seed: u64) -> Result<(), ArmFault> {
    let plan = experiment.declare().map_err(wrong_use)?;
    let mut expected = experiment.verifier().and_then(|v| v.reference(seed));
    for (index, arm) in plan.arms.iter().enumerate() {
        let named = |fault, message: String| ArmFault {
            arm: Some(arm.clone()),
            fault,
            message,
        };
        let output = guard(arm, || {
            let mut subject = build_arm(seed, |bencher| experiment.build(index, bencher))?;
            subject.slot(1)?;
            Ok(subject.output()?)
        })?
        .map_err(|error| build_fault(arm, &error))?;
        let Some(verify) = experiment.verifier() else {
            continue;
        };
        let output = output.ok_or_else(|| {
            named(
                Fault::WrongUse,
                "the experiment has a `.verify(..)`, but this arm has no output".to_owned(),
            )
        })?;
        let expected = expected.get_or_insert_with(|| output.clone());
        verify
            .check(expected, &output)
            .map_err(|mismatch| named(Fault::WrongOutput, mismatch.to_string()))?;
    }
    Ok(())
}
