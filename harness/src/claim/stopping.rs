//! What a stop rule means: when an experiment has enough workers, and at which
//! levels its evidence may then be read.

use super::evidence::{SINGLE_UNITS_UP_TO, describe};
use super::units::{comparison_units, effects};
use crate::estimate::{SignFlip, e_process, obrien_fleming_looks, precision_stop, sign_flip};
use crate::observation::ExperimentData;
use crate::plan::{ExperimentPlan, StopRule};

/// Number of sums that stand for a large number of units.
const SUMS: usize = 4_096;

/// The e-process stops when it could claim at one percent.
const E_PROCESS_STOPS_AT: f64 = 100.0;

/// Error rates at which p is read for `moderate` and for `strong`; the
/// intervals have the complementary levels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Levels {
    /// For `moderate` (0.05 without looks).
    pub moderate: f64,
    /// For `strong` (0.01 without looks).
    pub strong: f64,
}

impl Levels {
    /// The levels of a plan without looks.
    pub const FIXED: Self = Self {
        moderate: 0.05,
        strong: 0.01,
    };

    /// The levels after `n` units under a stop rule. Between two looks only
    /// what the earlier one spent may be used.
    #[must_use]
    pub fn after(rule: &StopRule, n: usize) -> Self {
        let StopRule::Looks { at } = rule else {
            return Self::FIXED;
        };
        let looks: Vec<usize> = at.iter().map(|&k| k as usize).collect();
        let level = |alpha| {
            let spent = obrien_fleming_looks(&looks, alpha).ok()?;
            // Before the first look nothing may be spent.
            Some(
                spent
                    .iter()
                    .rev()
                    .find(|l| l.n <= n)
                    .map_or(f64::MIN_POSITIVE, |l| l.alpha),
            )
        };
        match (level(0.05), level(0.01)) {
            (Some(moderate), Some(strong)) => Self { moderate, strong },
            _ => Self::FIXED,
        }
    }
}

/// p of the effects under a stop rule: the exact sign-flip p, or for the
/// e-process the inverse of its maximum (Ville's inequality).
pub(super) fn p_value(rule: &StopRule, d: &[f64], seed: u64) -> Option<(f64, String)> {
    if *rule == StopRule::EProcess {
        let highest = e_process(d).ok()?.into_iter().fold(1.0, f64::max);
        return Some((1.0 / highest, "sign-flip e-process, 1 / max E".to_owned()));
    }
    let test = flip(d, seed)?;
    Some((test.p, describe(&test, d.len())))
}

/// The sign-flip test. A sum of units with coins of their own has a coin of its
/// own, so flipping sums of neighbours is as exact as flipping units, and the
/// work stays bounded.
fn flip(d: &[f64], seed: u64) -> Option<SignFlip> {
    if d.len() <= SINGLE_UNITS_UP_TO {
        return sign_flip(d, seed).ok();
    }
    let sums: Vec<f64> = d
        .chunks(d.len().div_ceil(SUMS))
        .map(|neighbours| neighbours.iter().sum())
        .collect();
    sign_flip(&sums, seed).ok()
}

/// Whether an experiment has all the workers its stop rule asks for. Pure: a
/// resumed session comes to the same answer from the same observations.
#[must_use]
pub fn has_enough_workers(rule: &StopRule, plan: &ExperimentPlan, data: &ExperimentData) -> bool {
    let complete = data.workers.iter().filter(|w| w.is_complete()).count();
    if complete >= plan.workers as usize {
        return true;
    }
    if !plan.has_control() || matches!(rule, StopRule::Fixed | StopRule::Undeclared) {
        return false;
    }
    // Looking may not depend on which candidate looks best: all must agree.
    (1..plan.arms.len()).all(|candidate| {
        let d = effects(&comparison_units(plan, data, candidate));
        match rule {
            StopRule::Precision { half_width } => {
                precision_stop(&d, *half_width, 0.95).is_ok_and(|state| state.stop)
            }
            StopRule::Looks { at } => {
                at.contains(&(d.len() as u32))
                    && sign_flip(&d, 0).is_ok_and(|t| t.p <= Levels::after(rule, d.len()).strong)
            }
            StopRule::EProcess => {
                e_process(&d).is_ok_and(|path| path.into_iter().any(|e| e >= E_PROCESS_STOPS_AT))
            }
            StopRule::Fixed | StopRule::Undeclared => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_spend_alpha_once() {
        let rule = StopRule::Looks {
            at: vec![12, 24, 36],
        };
        let spent: f64 = [12, 24, 36]
            .map(|n| Levels::after(&rule, n).moderate)
            .iter()
            .sum();
        assert!((spent - 0.05).abs() < 1e-12);
        assert!(
            Levels::after(&rule, 11).moderate < 1e-300,
            "nothing before the first look"
        );
        assert_eq!(
            Levels::after(&rule, 30),
            Levels::after(&rule, 24),
            "between two looks"
        );
        assert_eq!(Levels::after(&StopRule::Fixed, 30), Levels::FIXED);
    }

    #[test]
    fn rules_are_read_and_refused() {
        assert_eq!("fixed".parse(), Ok(StopRule::Fixed));
        assert_eq!(
            "looks:12, 24,36".parse(),
            Ok(StopRule::Looks {
                at: vec![12, 24, 36]
            })
        );
        assert_eq!(
            "precision:0.5%".parse(),
            Ok(StopRule::Precision { half_width: 0.005 })
        );
        for bad in [
            "",
            "significant",
            "looks:",
            "looks:12,12",
            "looks:3,6",
            "precision:1",
            "precision:-1%",
        ] {
            let error = bad.parse::<StopRule>().unwrap_err();
            assert!(error.contains("looks:12,24,36"), "{error}");
        }
    }
}
