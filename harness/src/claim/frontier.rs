//! Which cells of a sweep are worth choosing: a pure function of what is
//! claimed of every pair.

use super::{Claim, Class, Outcome};
use serde::{Deserialize, Serialize};

/// What is claimed of one cell relative to another on one metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// It is better.
    Better,
    /// It is worse.
    Worse,
    /// The two differ by less than the margin.
    Equal,
    /// Nothing is claimed.
    Open,
}

impl Relation {
    /// Of the candidate relative to the control of a claim.
    #[must_use]
    pub fn of(claim: &Claim) -> Self {
        match (claim.class, claim.outcome) {
            (Class::Strong | Class::Moderate, Some(Outcome::Improvement)) => Self::Better,
            (Class::Strong | Class::Moderate, Some(Outcome::Regression)) => Self::Worse,
            (Class::ParityEstablished, _) => Self::Equal,
            _ => Self::Open,
        }
    }

    /// The same, seen from the other cell.
    #[must_use]
    pub fn turned(self) -> Self {
        match self {
            Self::Better => Self::Worse,
            Self::Worse => Self::Better,
            same => same,
        }
    }
}

/// What is claimed of every cell relative to every other, on two metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relations {
    cells: usize,
    /// Row by row; the diagonal is never read.
    table: Vec<[Relation; 2]>,
}

impl Relations {
    /// Nothing is claimed of `cells` cells yet.
    #[must_use]
    pub fn open(cells: usize) -> Self {
        Self {
            cells,
            table: vec![[Relation::Open; 2]; cells * cells],
        }
    }

    /// Says how `one` stands to `other`, and with it how `other` stands to `one`.
    ///
    /// # Panics
    /// If a cell does not exist.
    pub fn set(&mut self, one: usize, other: usize, relations: [Relation; 2]) {
        assert!(
            one < self.cells && other < self.cells,
            "there is no such cell"
        );
        self.table[one * self.cells + other] = relations;
        self.table[other * self.cells + one] = relations.map(Relation::turned);
    }

    /// How `one` stands to `other`, on both metrics.
    #[must_use]
    pub fn of(&self, one: usize, other: usize) -> [Relation; 2] {
        self.table[one * self.cells + other]
    }

    fn others(&self, cell: usize) -> impl Iterator<Item = usize> + use<> {
        (0..self.cells).filter(move |&other| other != cell)
    }

    /// Whether `one` is better on one metric, and better or equal on the other.
    #[must_use]
    pub fn dominates(&self, one: usize, other: usize) -> bool {
        use Relation::{Better, Equal};
        matches!(
            self.of(one, other),
            [Better, Better | Equal] | [Equal, Better]
        )
    }

    /// Whether `one` can't be dominated by `other`: it is better on a metric, or
    /// equal on both.
    fn withstands(&self, one: usize, other: usize) -> bool {
        let relations = self.of(one, other);
        relations.contains(&Relation::Better) || relations == [Relation::Equal; 2]
    }

    /// Where every cell stands, with the cells that decide it: those that
    /// dominate it, or those from which it is not told apart.
    #[must_use]
    pub fn frontier(&self) -> Vec<(Standing, Vec<usize>)> {
        let stand = |cell| {
            let others = self.others(cell);
            let by: Vec<usize> = others.filter(|&o| self.dominates(o, cell)).collect();
            if !by.is_empty() {
                return (Standing::Dominated, by);
            }
            let others = self.others(cell);
            let open: Vec<usize> = others.filter(|&o| !self.withstands(cell, o)).collect();
            if open.is_empty() {
                (Standing::Frontier, open)
            } else {
                (Standing::Open, open)
            }
        };
        (0..self.cells).map(stand).collect()
    }

    /// Whether `one` comes before `other` by the metric at `by`: it is better,
    /// or it is equal and better on the other metric.
    #[must_use]
    pub fn leads(&self, one: usize, other: usize, by: usize) -> bool {
        let relations = self.of(one, other);
        match relations[by] {
            Relation::Better => true,
            Relation::Equal => relations[1 - by] == Relation::Better,
            Relation::Worse | Relation::Open => false,
        }
    }

    /// The cell that comes before every other by the metric at `by`.
    #[must_use]
    pub fn best(&self, by: usize) -> Option<usize> {
        (0..self.cells).find(|&cell| self.others(cell).all(|o| self.leads(cell, o, by)))
    }

    /// The cells before which no other comes by the metric at `by`.
    #[must_use]
    pub fn unbeaten(&self, by: usize) -> Vec<usize> {
        let beaten = |cell: usize| self.others(cell).any(|o| self.leads(o, cell, by));
        (0..self.cells).filter(|&cell| !beaten(cell)).collect()
    }
}

/// Where a cell stands to the latency-throughput frontier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Claimed: no cell is as good on both metrics and better on one.
    Frontier,
    /// Claimed: another cell is better on one metric, and better or equal on
    /// the other.
    Dominated,
    /// Neither is claimed.
    Open,
}

#[cfg(test)]
mod tests;
