//! 2x2 ablations: two features, each off or on, and a rate in every cell.

use super::error::{Result, Warning};
use super::rates::{Rate, RateDifference, newcombe_independent, wilson};

/// Successes and trials of one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Successes.
    pub k: u64,
    /// Trials.
    pub n: u64,
}

/// What two features do, apart and together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ablation {
    /// First feature, with the second off.
    pub first_with_second_off: RateDifference,
    /// First feature, with the second on.
    pub first_with_second_on: RateDifference,
    /// Second feature, with the first off.
    pub second_with_first_off: RateDifference,
    /// Second feature, with the first on.
    pub second_with_first_on: RateDifference,
    /// First feature, averaged over the second.
    pub first: RateDifference,
    /// Second feature, averaged over the first.
    pub second: RateDifference,
    /// How much the second feature changes the effect of the first.
    pub interaction: RateDifference,
}

/// Simple effects, main effects and interaction of independent cells, each by
/// MOVER (Zou and Donner, Statist. Med. 27, 2008) on Wilson limits.
///
/// Cells in the order 00, 01, 10, 11: first digit first feature. If the four
/// cells share their tasks, form the contrast per task and treat it as a unit
/// instead: it keeps the pairing.
///
/// # Errors
/// As [`wilson`], for any cell.
pub fn ablation_2x2(cells: &[Cell; 4], level: f64) -> Result<Ablation> {
    let mut rates = [Rate {
        k: 0,
        n: 0,
        p: 0.0,
        lo: 0.0,
        hi: 0.0,
    }; 4];
    for (rate, cell) in rates.iter_mut().zip(cells) {
        *rate = wilson(cell.k, cell.n, level)?;
    }
    let effect = |weights: [f64; 4]| contrast(&rates, weights);
    Ok(Ablation {
        first_with_second_off: effect([-1.0, 0.0, 1.0, 0.0]),
        first_with_second_on: effect([0.0, -1.0, 0.0, 1.0]),
        second_with_first_off: effect([-1.0, 1.0, 0.0, 0.0]),
        second_with_first_on: effect([0.0, 0.0, -1.0, 1.0]),
        first: effect([-0.5, -0.5, 0.5, 0.5]),
        second: effect([-0.5, 0.5, -0.5, 0.5]),
        interaction: effect([1.0, -1.0, -1.0, 1.0]),
    })
}

fn contrast(rates: &[Rate; 4], weights: [f64; 4]) -> RateDifference {
    let (mut difference, mut below, mut above) = (0.0, 0.0, 0.0);
    for (rate, w) in rates.iter().zip(weights) {
        difference += w * rate.p;
        let (toward, away) = if w >= 0.0 {
            (rate.lo, rate.hi)
        } else {
            (rate.hi, rate.lo)
        };
        below += w * w * (rate.p - toward) * (rate.p - toward);
        above += w * w * (away - rate.p) * (away - rate.p);
    }
    RateDifference {
        difference,
        lo: difference - below.sqrt(),
        hi: difference + above.sqrt(),
    }
}

/// Whether an arm moved although the toggled feature does not touch it.
#[derive(Clone, Debug, PartialEq)]
pub struct UntouchedArm {
    /// Rate with the feature on minus rate with it off.
    pub change: RateDifference,
    /// `UntouchedArmMoved` if the interval excludes zero: the cells differ in
    /// more than the feature, and no effect of it may be claimed.
    pub warnings: Vec<Warning>,
}

/// Compares an arm with itself across a toggle that does not concern it.
///
/// # Errors
/// As [`wilson`], for either cell.
pub fn untouched_arm(off: Cell, on: Cell, level: f64) -> Result<UntouchedArm> {
    let change = newcombe_independent((on.k, on.n), (off.k, off.n), level)?;
    let RateDifference { difference, lo, hi } = change;
    // Rates are multiples of 1/n: a limit this near to zero touches it.
    let moved = lo > 1e-9 || hi < -1e-9;
    let warnings = if moved {
        vec![Warning::UntouchedArmMoved { difference, lo, hi }]
    } else {
        Vec::new()
    };
    Ok(UntouchedArm { change, warnings })
}
