//! Evidence in outcomes of tasks: passed or not, by both arms.

use super::number::round12;
use super::pairs::Pairs;
use super::{Bounds, Evidence};
use crate::estimate::{PairedCounts, mcnemar, newcombe_paired, wilson};
use crate::plan::StopRule;

/// Evidence in paired outcomes: Newcombe's interval and McNemar's test.
///
/// Tasks on which both arms agree are no ties here: they are what a rate is
/// made of. A task whose repeats disagree counts by their majority.
pub(super) fn rate_evidence(
    pairs: &Pairs,
    margin: (f64, f64),
    rule: &StopRule,
    seed: u64,
) -> Evidence {
    let (control, candidate) = pairs.averaged();
    let d: Vec<f64> = control.iter().zip(&candidate).map(|(a, b)| b - a).collect();
    let mut evidence = Evidence::gather(&d, margin, rule, seed);
    // Tasks stand in no order of time.
    evidence.n_eff = evidence.n as f64;
    evidence.serially_correlated = false;
    evidence.lag1 = None;
    evidence.trend_p = None;
    let whole = |v: &[f64]| v.iter().all(|&x| x == 0.0 || x == 1.0);
    if !whole(&control) || !whole(&candidate) {
        // Averages over repeats are rates per task: units like any other.
        return evidence;
    }
    let passed = |v: &[f64]| v.iter().map(|&x| x == 1.0).collect::<Vec<bool>>();
    // First minus second: the candidate stands first.
    let Ok(counts) = PairedCounts::of(&passed(&candidate), &passed(&control)) else {
        return evidence;
    };
    evidence.outcomes = Some(counts);
    evidence.percentile95 = None;
    let informative = counts.first_only + counts.second_only > 0;
    if evidence.n < 6 || !informative {
        evidence.p = None;
        evidence.ci95 = None;
        evidence.ci99 = None;
        return evidence;
    }
    let bounds = |level| {
        let interval = newcombe_paired(&counts, level).ok()?;
        Some(Bounds {
            lo: Some(round12(interval.lo)),
            hi: Some(round12(interval.hi)),
        })
    };
    evidence.ci95 = bounds(0.95);
    evidence.ci99 = bounds(0.99);
    evidence.interval_method = "newcombe paired".to_owned();
    let test = mcnemar(&counts);
    // The mid-p is less conservative, but only the exact p may be small enough
    // for a strong claim; half of an exact p above .05 never is.
    let exact = test.exact <= 0.05;
    evidence.p = Some(if exact { test.exact } else { test.mid_p });
    evidence.p_method = if exact {
        "mcnemar exact"
    } else {
        "mcnemar mid-p"
    }
    .to_owned();
    evidence
}

/// "7 of 12 (58 %, CI95 32 % to 81 %)" for one arm's outcomes.
pub(super) fn rate_words(k: u64, n: u64) -> String {
    match wilson(k, n, 0.95) {
        Ok(rate) => format!(
            "{k} of {n} (CI95 {:.0} % to {:.0} %)",
            100.0 * rate.lo,
            100.0 * rate.hi
        ),
        Err(_) => format!("{k} of {n}"),
    }
}
