//! Pairs of values, and units that have none.

use crate::plan::Estimand;

/// Values of both arms, unit by unit in run order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pairs {
    /// The control's values.
    pub control: Vec<f64>,
    /// The candidate's values.
    pub candidate: Vec<f64>,
    /// First row of every unit, when units have several rows; else empty.
    pub starts: Vec<usize>,
    /// What several rows of a unit are.
    pub inner: Inner,
    /// Whether the control ran first, per unit; empty when not known.
    pub control_first: Vec<bool>,
}

/// What several rows of one unit are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Inner {
    /// Blocks: the unit's effect is the median of its blocks' effects.
    Blocks,
    /// Repeats: each arm's values are averaged first.
    #[default]
    Repeats,
}

/// Units that were announced by a row but have no pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Only the control's value is missing.
    pub control: usize,
    /// Only the candidate's value is missing.
    pub candidate: usize,
    /// Both are missing.
    pub both: usize,
}

impl Missing {
    pub(super) fn total(self) -> usize {
        self.control + self.candidate + self.both
    }
}

impl Pairs {
    /// Number of units.
    #[must_use]
    pub fn units(&self) -> usize {
        if self.starts.is_empty() {
            self.control.len()
        } else {
            self.starts.len()
        }
    }

    /// The units' values: control and candidate, averaged inside a unit.
    #[must_use]
    pub fn averaged(&self) -> (Vec<f64>, Vec<f64>) {
        if self.starts.is_empty() {
            return (self.control.clone(), self.candidate.clone());
        }
        (0..self.starts.len())
            .map(|unit| {
                let rows = self.rows(unit);
                (
                    mean(&self.control[rows.clone()]),
                    mean(&self.candidate[rows]),
                )
            })
            .unzip()
    }

    /// The effects of the units.
    #[must_use]
    pub fn effects(&self, estimand: Estimand) -> Vec<f64> {
        // Logs are subtracted, not quotients logged: swapping arms flips the
        // sign exactly.
        let effect = |control: f64, candidate: f64| match estimand {
            Estimand::PairedLogRatio => libm::log(candidate) - libm::log(control),
            Estimand::PairedDifference => candidate - control,
        };
        if self.starts.is_empty() || self.inner == Inner::Repeats {
            let (control, candidate) = self.averaged();
            return control
                .iter()
                .zip(&candidate)
                .map(|(&a, &b)| effect(a, b))
                .collect();
        }
        let of_unit = |unit| {
            let blocks: Vec<f64> = self
                .rows(unit)
                .map(|row| effect(self.control[row], self.candidate[row]))
                .collect();
            bootstrap::moments::median(&blocks).unwrap_or(f64::NAN)
        };
        (0..self.starts.len()).map(of_unit).collect()
    }

    fn rows(&self, unit: usize) -> std::ops::Range<usize> {
        let end = self.starts.get(unit + 1).copied();
        self.starts[unit]..end.unwrap_or(self.control.len())
    }
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}
