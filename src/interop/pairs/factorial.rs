//! 2x2 designs: the cells of a unit become pairs for simple effects, main
//! effects and the interaction.

mod derived;

use self::derived::Derived;
use super::cell::short;
use super::collect::collect;
use super::pairing::{NAMELESS, Settings, metric_of};
use super::{Cell, CountRow, DataSet, Declared, ReadError, Row, Table};
use evenhand_harness::claim::{CellCount, CountedDesign, untouched_counts, untouched_units};
use evenhand_harness::gate::Reason;
use evenhand_harness::plan::{Estimand, Seed};
use std::collections::{BTreeMap, BTreeSet};

/// Names of the arms of an interaction.
const ALONE: &str = "expected from each alone";
const BOTH: &str = "both on";

/// An experiment, profile and metric.
type Group = (u32, u32, u32);

/// The cells 00, 01, 10, 11 of one unit of one arm.
#[derive(Default)]
struct Cells<'a>([Option<&'a Row>; 4]);

fn cell_of([first, second]: [bool; 2]) -> usize {
    2 * usize::from(first) + usize::from(second)
}

/// Which factors touch an arm.
struct Touched<'a> {
    table: &'a Table,
    declared: &'a Declared,
    factors: [String; 2],
}

impl Touched<'_> {
    fn by(&self, arm: u32, factor: usize) -> bool {
        let name = self.table.names.name(arm);
        let spared = |text: &String| match text.split_once('=') {
            Some((arm, factor_name)) => {
                arm.trim() == name && factor_name.trim() == self.factors[factor]
            }
            None => text.trim() == name,
        };
        !self.declared.untouched.iter().any(spared)
    }

    fn check(&self) -> Result<(), ReadError> {
        let arms: BTreeSet<&str> = self
            .table
            .rows
            .iter()
            .map(|r| r.arm)
            .chain(self.table.counts.iter().map(|r| r.arm))
            .map(|a| self.table.names.name(a))
            .collect();
        for text in &self.declared.untouched {
            let (arm, factor) = text.split_once('=').unwrap_or((text, ""));
            if !arms.contains(arm.trim()) {
                return Err(ReadError::new(format!(
                    "no row has the arm `{}`",
                    short(arm)
                )));
            }
            if !factor.is_empty() && !self.factors.iter().any(|f| f == factor.trim()) {
                return Err(ReadError::new(format!(
                    "there is no factor `{}`; there are `{}` and `{}`",
                    short(factor),
                    self.factors[0],
                    self.factors[1]
                )));
            }
        }
        Ok(())
    }
}

/// Puts the cells of a design together.
pub(super) fn pair(table: &Table, declared: &Declared) -> Result<DataSet, ReadError> {
    let factors: [String; 2] = match declared.factors.as_slice() {
        [] => ["factor1".to_owned(), "factor2".to_owned()],
        [first, second] => [first.clone(), second.clone()],
        _ => {
            return Err(ReadError::new(
                "a design has two factors, each `off` or `on`",
            ));
        }
    };
    let touched = Touched {
        table,
        declared,
        factors,
    };
    touched.check()?;
    let mut set = DataSet {
        comparisons: Vec::new(),
        controls: Vec::new(),
        tails: Vec::new(),
        designs: counted(&touched)?,
        seed: declared.seed.unwrap_or(super::DEFAULT_SEED),
        ignored: table.ignored.clone(),
    };
    if let Some(row) = table.rows.iter().find(|r| r.levels.is_none()) {
        return Err(ReadError::at(
            u64::from(row.line),
            "the row has no factors, but others have",
        ));
    }
    if !table.rows.is_empty() {
        units(&touched, &mut set)?;
    }
    Ok(set)
}

/// Name of an experiment, with its arm when there is one.
fn name_of(table: &Table, declared: &Declared, experiment: u32, arm: u32) -> String {
    let own = table.names.name(experiment);
    let stands_in = declared.experiment.as_deref().unwrap_or(NAMELESS);
    let experiment = if own.is_empty() { stands_in } else { own };
    match table.names.name(arm) {
        "" => experiment.to_owned(),
        arm => format!("{experiment}, {arm}"),
    }
}

/// The toggles of a factor: cells with it off and on, and their words.
fn toggles(factors: &[String; 2], factor: usize) -> [(usize, usize, String); 2] {
    let other = &factors[1 - factor];
    let own = &factors[factor];
    let words = |level: &str| format!("{own} ({other} {level})");
    match factor {
        0 => [(0, 2, words("off")), (1, 3, words("on"))],
        _ => [(0, 1, words("off")), (2, 3, words("on"))],
    }
}

/// Designs whose cells are counts.
fn counted(touched: &Touched<'_>) -> Result<Vec<CountedDesign>, ReadError> {
    let (table, declared) = (touched.table, touched.declared);
    let mut cells: BTreeMap<(u32, u32, u32), [Option<&CountRow>; 4]> = BTreeMap::new();
    for row in &table.counts {
        let key = (row.experiment, row.metric, row.arm);
        let slot = &mut cells.entry(key).or_default()[cell_of(row.levels)];
        if let Some(first) = slot {
            return Err(ReadError::at(
                u64::from(row.line),
                format!(
                    "the cell has a second count, the first one stands in line {}",
                    first.line
                ),
            ));
        }
        *slot = Some(row);
    }
    let mut designs = Vec::new();
    let mut moved: BTreeMap<u32, Vec<Reason>> = BTreeMap::new();
    for ((experiment, metric, arm), found) in cells {
        let [Some(a), Some(b), Some(c), Some(d)] = found else {
            return Err(ReadError::new(format!(
                "a cell of `{}` is missing: a design has four",
                name_of(table, declared, experiment, arm)
            )));
        };
        let cells = [a, b, c, d].map(|r| CellCount {
            k: r.passed,
            n: r.trials,
        });
        for factor in 0..2 {
            if touched.by(arm, factor) {
                continue;
            }
            for (off, on, words) in toggles(&touched.factors, factor) {
                let reason = untouched_counts(table.names.name(arm), &words, cells[off], cells[on]);
                moved.entry(experiment).or_default().extend(reason);
            }
        }
        if !touched.by(arm, 0) && !touched.by(arm, 1) {
            continue;
        }
        let metric = metric_of(table.names.name(metric), declared).metric();
        let design = CountedDesign {
            experiment: name_of(table, declared, experiment, arm),
            arm: table.names.name(arm).to_owned(),
            metric,
            factors: touched.factors.clone(),
            cells,
            gates: Vec::new(),
        };
        designs.push((experiment, design));
    }
    Ok(designs
        .into_iter()
        .map(|(experiment, mut design)| {
            design
                .gates
                .extend(moved.get(&experiment).into_iter().flatten().cloned());
            design
        })
        .collect())
}

/// Designs whose cells share their units.
fn units(touched: &Touched<'_>, set: &mut DataSet) -> Result<(), ReadError> {
    let (table, declared) = (touched.table, touched.declared);
    let mut cells: BTreeMap<(Group, u32, u32, u32), Cells<'_>> = BTreeMap::new();
    for row in &table.rows {
        let group = (row.experiment, row.profile, row.metric);
        let key = (group, row.arm, row.unit, row.inner);
        let slot = &mut cells.entry(key).or_default().0[cell_of(row.levels.unwrap_or_default())];
        if let Some(first) = slot {
            return Err(ReadError::at(
                u64::from(row.line),
                format!(
                    "unit `{}` has a second value in this cell, the first one stands in line {}",
                    short(table.names.name(row.unit)),
                    first.line
                ),
            ));
        }
        *slot = Some(row);
    }
    let estimand = Settings::of(declared, super::DeclaredMetric::default())
        .map_or(Estimand::PairedDifference, |s| s.estimand);
    let mut contaminated: BTreeMap<String, Vec<Reason>> = BTreeMap::new();
    for (factor, own) in touched.factors.iter().enumerate() {
        let arms = [format!("{own} off"), format!("{own} on")];
        let mut derived = Derived::new(table, arms);
        for (&(group, arm, ..), unit) in &cells {
            let name = name_of(table, declared, group.0, arm);
            for (off, on, words) in toggles(&touched.factors, factor) {
                derived.push(
                    unit,
                    format!("{name}: {words}"),
                    [unit.0[off], unit.0[on]],
                    None,
                );
            }
            let averaged = [cells_of(factor, false), cells_of(factor, true)]
                .map(|pair| combine(&pair.map(|i| unit.0[i]), |v| average(v, estimand)));
            let other = &touched.factors[1 - factor];
            let name = format!("{name}: {own} (averaged over {other})");
            derived.push(unit, name, [unit.0[0], unit.0[0]], Some(averaged));
        }
        for (base, reasons) in moved(touched, &derived, factor)? {
            contaminated.entry(base).or_default().extend(reasons);
        }
        derived.join(declared, touched, Some(factor), set)?;
    }
    let mut derived = Derived::new(table, [ALONE.to_owned(), BOTH.to_owned()]);
    for (&(group, arm, ..), unit) in &cells {
        let name = name_of(table, declared, group.0, arm);
        let alone = combine(&[unit.0[0], unit.0[1], unit.0[2]], |v| match estimand {
            Estimand::PairedLogRatio if v.iter().all(|x| *x > 0.0) => v[1] / v[0] * v[2],
            Estimand::PairedLogRatio => v[0].min(v[1]).min(v[2]),
            Estimand::PairedDifference => v[1] + v[2] - v[0],
        });
        let both = combine(&[unit.0[3]], |v| v[0]);
        let [first, second] = &touched.factors;
        let name = format!("{name}: interaction of {first} and {second}");
        derived.push(unit, name, [unit.0[0], unit.0[0]], Some([alone, both]));
    }
    // Sums of outcomes are no outcomes.
    let summed = Declared {
        outcomes: false,
        estimand: Some(estimand),
        ..declared.clone()
    };
    derived.join(&summed, touched, None, set)?;
    for comparison in &mut set.comparisons {
        let own = &comparison.imported.experiment;
        let base = |name: &&String| {
            own.strip_prefix(name.as_str())
                .is_some_and(|rest| rest.starts_with([':', ',']))
        };
        if let Some(name) = contaminated.keys().find(base) {
            comparison.imported.gates.extend(contaminated[name].clone());
        }
    }
    Ok(())
}

/// The two cells of one level of a factor.
fn cells_of(factor: usize, on: bool) -> [usize; 2] {
    match (factor, on) {
        (0, false) => [0, 1],
        (0, true) => [2, 3],
        (_, false) => [0, 2],
        (_, true) => [1, 3],
    }
}

/// Geometric mean where ratios are estimated, arithmetic where differences are.
fn average(values: &[f64], estimand: Estimand) -> f64 {
    match estimand {
        Estimand::PairedLogRatio if values.iter().all(|x| *x > 0.0) => {
            values[0].sqrt() * values[1].sqrt()
        }
        // A value without a ratio is found and named later.
        Estimand::PairedLogRatio => values[0].min(values[1]),
        Estimand::PairedDifference => 0.5 * (values[0] + values[1]),
    }
}

/// One value of several cells; what one of them lacks, all lack.
fn combine(cells: &[Option<&Row>], of: impl Fn(&[f64]) -> f64) -> Cell {
    let mut values = Vec::with_capacity(cells.len());
    for row in cells {
        match row.map(|r| r.cell) {
            Some(Cell::Measured(value)) => values.push(value),
            Some(other) => return other,
            None => return Cell::Missing,
        }
    }
    Cell::of(of(&values))
}

/// Reasons from arms that moved although the factor does not touch them, by
/// the name of their experiment.
fn moved(
    touched: &Touched<'_>,
    derived: &Derived,
    factor: usize,
) -> Result<BTreeMap<String, Vec<Reason>>, ReadError> {
    let (source, declared) = (touched.table, touched.declared);
    let mut reasons: BTreeMap<String, Vec<Reason>> = BTreeMap::new();
    let mut arms: Vec<(u32, u32)> = source.rows.iter().map(|r| (r.experiment, r.arm)).collect();
    arms.sort_unstable();
    arms.dedup();
    for (experiment, arm) in arms
        .into_iter()
        .filter(|&(_, arm)| !touched.by(arm, factor))
    {
        for (.., words) in toggles(&touched.factors, factor) {
            let name = format!("{}: {words}", name_of(source, declared, experiment, arm));
            let Some(number) = derived.table.names.find(&name) else {
                continue;
            };
            let mut rows: Vec<&Row> = derived
                .table
                .rows
                .iter()
                .filter(|r| r.experiment == number)
                .collect();
            rows.sort_unstable_by_key(|r| (r.profile, r.metric, r.unit, r.arm, r.inner));
            for group in rows.chunk_by(|a, b| (a.profile, a.metric) == (b.profile, b.metric)) {
                let metric = metric_of(source.names.name(group[0].metric), declared);
                let settings = Settings::of(declared, metric)?;
                let [off, on] = derived.arms;
                let pairs = collect(&derived.table, group, off, on, &settings).pairs;
                let seed: Seed = declared.seed.unwrap_or(super::DEFAULT_SEED);
                let arm = source.names.name(arm);
                let reason = untouched_units(arm, &words, &pairs, settings.estimand, seed.0);
                let base = name_of(source, declared, experiment, 0);
                reasons.entry(base).or_default().extend(reason);
            }
        }
    }
    Ok(reasons)
}
