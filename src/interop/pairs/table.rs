//! Rows in memory, with names stored once.

use super::{Cell, Declared};
use evenhand_harness::gate::Code;
use std::collections::HashMap;

/// Names by number; number 0 is the empty name.
#[derive(Clone, Debug)]
pub struct Names {
    list: Vec<String>,
    index: HashMap<String, u32>,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            list: vec![String::new()],
            index: HashMap::from([(String::new(), 0)]),
        }
    }
}

impl Names {
    /// The number of a name, new or known.
    pub fn number(&mut self, name: &str) -> u32 {
        let name = name.trim();
        if let Some(&number) = self.index.get(name) {
            return number;
        }
        let number = self.list.len() as u32;
        self.list.push(name.to_owned());
        self.index.insert(name.to_owned(), number);
        number
    }

    /// The name of a number.
    #[must_use]
    pub fn name(&self, number: u32) -> &str {
        &self.list[number as usize]
    }

    /// The number of a known name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<u32> {
        self.index.get(name).copied()
    }

    /// Rank of every number when names are sorted as people count:
    /// `run 2` before `run 10`.
    pub(super) fn ranks(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.list.len() as u32).collect();
        let plain: Option<Vec<u64>> = self.list[1..].iter().map(|n| n.parse().ok()).collect();
        match plain {
            Some(numbers) => {
                order[1..].sort_by_key(|&i| {
                    let name = self.name(i);
                    (numbers[i as usize - 1], name.len(), name)
                });
            }
            None => order.sort_by_cached_key(|&i| (natural(self.name(i)), self.name(i).to_owned())),
        }
        let mut ranks = vec![0; order.len()];
        for (rank, &number) in order.iter().enumerate() {
            ranks[number as usize] = rank as u32;
        }
        ranks
    }
}

/// A name as text and numbers in turn.
pub(super) fn natural(name: &str) -> Vec<(String, u128, usize)> {
    let mut parts = Vec::new();
    let mut rest = name;
    loop {
        let text = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (before, after) = rest.split_at(text);
        let digits = after
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(after.len());
        let (number, after) = after.split_at(digits);
        parts.push((
            before.to_owned(),
            number.parse().unwrap_or(u128::MAX),
            digits,
        ));
        if after.is_empty() {
            return parts;
        }
        rest = after;
    }
}

/// One measurement of one arm in one unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// Line of the file, or number of the observation.
    pub line: u32,
    /// Experiment.
    pub experiment: u32,
    /// Profile inside the experiment.
    pub profile: u32,
    /// Metric.
    pub metric: u32,
    /// Unit.
    pub unit: u32,
    /// Arm.
    pub arm: u32,
    /// Block or repeat inside the unit.
    pub inner: u32,
    /// Levels of the two factors, when there are any.
    pub levels: Option<[bool; 2]>,
    /// The value.
    pub cell: Cell,
    /// Position or time of the measurement; NaN when not stated.
    pub order: f64,
    /// What is known about how it was measured: an index into [`Table::facts`].
    pub facts: u32,
}

/// Tasks of one cell of a design, counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CountRow {
    /// Line of the file, or number of the observation.
    pub line: u32,
    /// Experiment.
    pub experiment: u32,
    /// Metric.
    pub metric: u32,
    /// Arm.
    pub arm: u32,
    /// Levels of the two factors.
    pub levels: [bool; 2],
    /// Passed tasks.
    pub passed: u64,
    /// All tasks.
    pub trials: u64,
}

/// Something both arms of a pair must have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fact {
    /// Iterations behind a value.
    Iterations,
    /// Work behind a value: batch, items, steps.
    Work,
    /// How the value is defined.
    Definition,
    /// Where it was measured.
    Environment,
    /// Tokens behind a value.
    Tokens,
    /// State of the caches.
    Cache,
    /// Digest or text of the output.
    Output,
    /// Conditions that were to be equal.
    Contract,
    /// Whether another implementation stood in.
    Fallback,
    /// Whether inputs were held out: `train` or `test`.
    Split,
}

impl Fact {
    /// All facts.
    pub const ALL: [Self; 10] = [
        Self::Iterations,
        Self::Work,
        Self::Definition,
        Self::Environment,
        Self::Tokens,
        Self::Cache,
        Self::Output,
        Self::Contract,
        Self::Fallback,
        Self::Split,
    ];

    /// Name of the column.
    #[must_use]
    pub fn column(self) -> &'static str {
        match self {
            Self::Iterations => "iterations",
            Self::Work => "work",
            Self::Definition => "definition",
            Self::Environment => "environment",
            Self::Tokens => "tokens",
            Self::Cache => "cache",
            Self::Output => "output",
            Self::Contract => "contract",
            Self::Fallback => "fallback",
            Self::Split => "split",
        }
    }

    /// The reason when it is violated.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::Iterations | Self::Work => Code::WorkUnitMismatch,
            Self::Definition => Code::DefinitionMismatch,
            Self::Environment => Code::EnvironmentDiffers,
            Self::Tokens => Code::TokenMismatch,
            Self::Cache => Code::CacheStateUnequal,
            Self::Output => Code::WrongOutput,
            Self::Contract => Code::ParityViolation,
            Self::Fallback => Code::FallbackUsed,
            Self::Split => Code::TrainOnTest,
        }
    }

    /// Whether this value by itself is a violation.
    #[must_use]
    pub fn refuses(self, value: &str) -> bool {
        match self {
            Self::Fallback => !matches!(value, "" | "0" | "false" | "no" | "none"),
            Self::Split => matches!(value, "train" | "tuned" | "seen"),
            _ => false,
        }
    }
}

/// Everything that was read.
#[derive(Clone, Debug)]
pub struct Table {
    /// What the document declares.
    pub declared: Declared,
    /// Names of experiments, metrics, arms, units and facts.
    pub names: Names,
    /// The measurements.
    pub rows: Vec<Row>,
    /// Counted cells of designs.
    pub counts: Vec<CountRow>,
    /// Distinct sets of facts; the first is empty.
    pub facts: Vec<Vec<(Fact, u32)>>,
    facts_index: HashMap<Vec<(Fact, u32)>, u32>,
    /// Whether several rows of a unit are blocks rather than repeats.
    pub blocks: bool,
    /// Columns or keys that mean nothing here.
    pub ignored: Vec<String>,
}

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new(declared: Declared) -> Self {
        Self {
            declared,
            names: Names::default(),
            rows: Vec::new(),
            counts: Vec::new(),
            facts: vec![Vec::new()],
            facts_index: HashMap::from([(Vec::new(), 0)]),
            blocks: false,
            ignored: Vec::new(),
        }
    }

    /// The number of a set of facts.
    pub(super) fn facts_number(&mut self, facts: Vec<(Fact, u32)>) -> u32 {
        if let Some(&number) = self.facts_index.get(&facts) {
            return number;
        }
        let number = self.facts.len() as u32;
        self.facts.push(facts.clone());
        self.facts_index.insert(facts, number);
        number
    }

    pub(super) fn ignore(&mut self, name: &str) {
        if !self.ignored.iter().any(|n| n == name) && self.ignored.len() < 100 {
            self.ignored.push(name.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_as_people_count() {
        let mut names = Names::default();
        let numbers: Vec<u32> = ["run 10", "run 2", "a", "run 2b"]
            .iter()
            .map(|n| names.number(n))
            .collect();
        let ranks = names.ranks();
        let mut sorted = numbers.clone();
        sorted.sort_by_key(|&n| ranks[n as usize]);
        let sorted: Vec<&str> = sorted.iter().map(|&n| names.name(n)).collect();
        assert_eq!(sorted, ["a", "run 2", "run 2b", "run 10"]);
    }
}
