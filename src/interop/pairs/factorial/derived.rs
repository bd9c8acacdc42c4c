//! The pairs that the cells of a design turn into.

use super::super::pairing::pair_arms;
use super::super::{Cell, DataSet, Declared, ReadError, Row, Table};
use super::{Cells, Touched, name_of};
use evenhand_harness::claim::Family;
use std::collections::BTreeSet;

/// A table of pairs made from the cells.
pub(super) struct Derived {
    pub table: Table,
    /// Numbers of the two arms of a pair.
    pub arms: [u32; 2],
    names: [String; 2],
}

impl Derived {
    pub fn new(table: &Table, names: [String; 2]) -> Self {
        let mut table = table.clone();
        table.rows.clear();
        table.counts.clear();
        let arms = [0, 1].map(|i: usize| table.names.number(&names[i]));
        Self { table, arms, names }
    }

    /// Adds a pair: two rows, or two values in place of theirs.
    pub fn push(
        &mut self,
        unit: &Cells<'_>,
        experiment: String,
        rows: [Option<&Row>; 2],
        values: Option<[Cell; 2]>,
    ) {
        let Some(any) = unit.0.iter().flatten().next() else {
            return;
        };
        let experiment = self.table.names.number(&experiment);
        // Facts that differ anywhere in the unit speak against what is made of it.
        let other = unit.0.iter().flatten().find(|r| r.facts != any.facts);
        for side in 0..2 {
            let mut row = *rows[side].unwrap_or(any);
            if rows[side].is_none() {
                row.cell = Cell::Missing;
            }
            if let Some(values) = values {
                row = **any;
                row.cell = values[side];
                row.order = f64::NAN;
                if let (1, Some(other)) = (side, other) {
                    row.facts = other.facts;
                }
            }
            row.experiment = experiment;
            row.arm = self.arms[side];
            row.levels = None;
            self.table.rows.push(row);
        }
    }

    /// Judges the pairs of arms that the factor touches with the others.
    pub fn join(
        mut self,
        declared: &Declared,
        touched: &Touched<'_>,
        factor: Option<usize>,
        set: &mut DataSet,
    ) -> Result<(), ReadError> {
        let factors = factor.map_or(vec![0, 1], |f| vec![f]);
        let source = touched.table;
        let mut spared: BTreeSet<String> = BTreeSet::new();
        for row in &source.rows {
            if factors.iter().any(|&f| !touched.by(row.arm, f)) {
                spared.insert(name_of(source, touched.declared, row.experiment, row.arm));
            }
        }
        let names = &self.table.names;
        let keeps = |row: &Row| {
            let name = names.name(row.experiment);
            !spared.iter().any(|s| {
                name.strip_prefix(s.as_str())
                    .is_some_and(|rest| rest.starts_with(": "))
            })
        };
        self.table.rows = self.table.rows.iter().copied().filter(keeps).collect();
        if self.table.rows.is_empty() {
            return Ok(());
        }
        let declared = Declared {
            control: Some(self.names[0].clone()),
            candidates: vec![self.names[1].clone()],
            control_again: None,
            ..declared.clone()
        };
        let families = set
            .comparisons
            .iter()
            .filter_map(|c| match c.imported.family {
                Family::Secondary(i) => Some(i + 1),
                Family::Primary => None,
            });
        let offset = families.max().unwrap_or(0);
        let found = pair_arms(&self.table, &declared)?;
        set.comparisons
            .extend(found.comparisons.into_iter().map(|mut c| {
                if let Family::Secondary(i) = &mut c.imported.family {
                    *i += offset;
                }
                c
            }));
        Ok(())
    }
}
