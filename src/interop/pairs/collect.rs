//! The pairs of one comparison, and everything that speaks against them.

use super::declared::nanoseconds;
use super::pairing::{Excluded, Settings};
use super::{Cell, DeclaredMetric, Fact, Row, Table};
use evenhand_harness::claim::{Inner, Missing, Pairs};
use evenhand_harness::gate::{Code, Reason};
use evenhand_harness::plan::Estimand;
use std::collections::{BTreeMap, HashMap};

/// Pairs and findings.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub pairs: Pairs,
    pub missing: Missing,
    pub failed: Missing,
    pub excluded: Vec<Excluded>,
    /// Units whose order is recorded.
    pub orders_known: usize,
    findings: BTreeMap<&'static str, Finding>,
    /// Whether every value of an arm is exactly zero.
    zeros: [bool; 2],
}

/// Something that speaks against the comparison: how often, and where first.
#[derive(Debug)]
struct Finding {
    code: Code,
    count: usize,
    first: String,
}

/// Which arms of a unit lack something.
#[derive(Clone, Copy, Default)]
struct Lack {
    control: bool,
    candidate: bool,
}

impl Lack {
    fn any(self) -> bool {
        self.control || self.candidate
    }

    fn count(self, into: &mut Missing) {
        match (self.control, self.candidate) {
            (true, true) => into.both += 1,
            (true, false) => into.control += 1,
            (false, true) => into.candidate += 1,
            (false, false) => {}
        }
    }
}

/// One unit while units are brought into run order.
struct Unit<'a> {
    time: f64,
    control_first: Option<bool>,
    rows: Vec<(&'a Row, &'a Row)>,
}

/// Collects the pairs of two arms from the sorted rows of one group.
pub(super) fn collect(
    table: &Table,
    group: &[&Row],
    control: u32,
    candidate: u32,
    settings: &Settings,
) -> Collected {
    let mut found = Collected {
        zeros: [true; 2],
        ..Collected::default()
    };
    let mut facts = Facts::new(table);
    let mut units: Vec<Unit<'_>> = Vec::new();
    for unit in group.chunk_by(|a, b| a.unit == b.unit) {
        let of =
            |arm: u32| -> Vec<&Row> { unit.iter().copied().filter(|r| r.arm == arm).collect() };
        let (a, b) = (of(control), of(candidate));
        if let Some(rows) = found.matched(table, unit[0].unit, &a, &b, (control, candidate)) {
            for (a, b) in &rows {
                facts.compare(a, b, &mut found);
                found.look_at(table, a, settings, true);
                found.look_at(table, b, settings, false);
            }
            units.push(Unit::of(rows));
        }
    }
    found.fill(units, table.blocks);
    found
}

impl<'a> Unit<'a> {
    fn of(rows: Vec<(&'a Row, &'a Row)>) -> Self {
        // NaN spreads through `min` of floats only if it stands alone.
        let earliest = |pick: fn(&(&'a Row, &'a Row)) -> f64| -> f64 {
            rows.iter().map(pick).fold(f64::NAN, f64::min)
        };
        let (a, b) = (earliest(|r| r.0.order), earliest(|r| r.1.order));
        Self {
            time: a.min(b),
            control_first: (a < b).then_some(true).or((b < a).then_some(false)),
            rows,
        }
    }
}

impl Collected {
    /// Whether nothing speaks against the values.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    /// The rows of a unit, matched by block; `None` when one has no partner.
    fn matched<'a>(
        &mut self,
        table: &Table,
        unit: u32,
        a: &[&'a Row],
        b: &[&'a Row],
        arms: (u32, u32),
    ) -> Option<Vec<(&'a Row, &'a Row)>> {
        let mut missing = Lack {
            control: a.is_empty(),
            candidate: b.is_empty(),
        };
        let mut failed = Lack::default();
        let mut why: Vec<String> = Vec::new();
        for (rows, arm, is_control) in [(a, arms.0, true), (b, arms.1, false)] {
            let name = table.names.name(arm);
            if rows.is_empty() {
                why.push(format!("no row for `{name}`"));
            }
            for row in rows {
                let (lack, what) = match row.cell {
                    Cell::Missing => (&mut missing, "not measured"),
                    Cell::NotApplicable => (&mut missing, "not applicable"),
                    Cell::Failed => (&mut failed, "failed"),
                    _ => continue,
                };
                if is_control {
                    lack.control = true;
                } else {
                    lack.candidate = true;
                }
                why.push(format!("`{name}` {what} (line {})", row.line));
            }
        }
        let inner = |rows: &[&Row]| rows.iter().map(|r| r.inner).collect::<Vec<_>>();
        if !missing.any() && !failed.any() && inner(a) != inner(b) {
            let lacks = |own: &[&Row], other: &[&Row]| {
                let inner = inner(own);
                other.iter().any(|r| !inner.contains(&r.inner))
            };
            missing.control = lacks(a, b);
            missing.candidate = lacks(b, a);
            why.push("the arms have different blocks or repeats".to_owned());
        }
        if why.is_empty() {
            return Some(a.iter().copied().zip(b.iter().copied()).collect());
        }
        // Failed work explains a missing value, not the other way round.
        if failed.any() {
            failed.count(&mut self.failed);
        } else {
            missing.count(&mut self.missing);
        }
        self.excluded.push(Excluded {
            unit: table.names.name(unit).to_owned(),
            why: why.join(", "),
        });
        None
    }

    /// What speaks against a single value.
    fn look_at(&mut self, table: &Table, row: &Row, settings: &Settings, is_control: bool) {
        let place = || {
            format!(
                "unit `{}` of `{}`, line {}",
                table.names.name(row.unit),
                table.names.name(row.arm),
                row.line
            )
        };
        let value = match row.cell {
            Cell::Measured(value) => value,
            Cell::Simulated => {
                return self.add("simulated", Code::SimulatedSource, place);
            }
            _ => {
                let first = || format!("not a finite number: {}", place());
                return self.add("not finite", Code::NonFinite, first);
            }
        };
        self.zeros[usize::from(!is_control)] &= value == 0.0;
        if settings.outcomes {
            if !(0.0..=1.0).contains(&value) {
                let first = || format!("{value} is no outcome, which is 0 or 1: {}", place());
                self.add("no outcome", Code::NonFinite, first);
            }
        } else if settings.estimand == Estimand::PairedLogRatio {
            if value == 0.0 && is_control {
                self.add("zero control", Code::ZeroBaseline, place);
            } else if value <= 0.0 {
                let first = || format!("{value} has no ratio: {}", place());
                self.add("not positive", Code::NonFinite, first);
            }
        }
    }

    fn add(&mut self, kind: &'static str, code: Code, first: impl Fn() -> String) {
        let finding = self.findings.entry(kind).or_insert_with(|| Finding {
            code,
            count: 0,
            first: first(),
        });
        finding.count += 1;
    }

    /// Brings units into run order, when the data tell one.
    fn fill(&mut self, mut units: Vec<Unit<'_>>, blocks: bool) {
        let mut times: Vec<f64> = units.iter().map(|u| u.time).collect();
        times.sort_unstable_by(f64::total_cmp);
        let in_time = times.windows(2).all(|w| w[0] < w[1]) && !times.is_empty();
        if in_time {
            units.sort_unstable_by(|a, b| a.time.total_cmp(&b.time));
        }
        let several = units.iter().any(|u| u.rows.len() > 1);
        self.pairs.inner = if blocks {
            Inner::Blocks
        } else {
            Inner::Repeats
        };
        for unit in &units {
            if several {
                self.pairs.starts.push(self.pairs.control.len());
            }
            for (a, b) in &unit.rows {
                if let (Cell::Measured(a), Cell::Measured(b)) = (a.cell, b.cell) {
                    self.pairs.control.push(a);
                    self.pairs.candidate.push(b);
                } else {
                    // Refused anyway; the unit still counts.
                    self.pairs.control.push(f64::NAN);
                    self.pairs.candidate.push(f64::NAN);
                }
            }
        }
        let orders: Vec<bool> = units.iter().filter_map(|u| u.control_first).collect();
        self.orders_known = orders.len();
        if orders.len() == units.len() {
            self.pairs.control_first = orders;
        }
    }

    /// The findings as reasons.
    pub fn reasons(&self, metric: &DeclaredMetric, arms: (&str, &str)) -> Vec<Reason> {
        let units = self.pairs.units();
        let mut reasons: Vec<Reason> = self
            .findings
            .values()
            .map(|f| {
                let more = match f.count {
                    1 => String::new(),
                    n => format!("; {n} values in all"),
                };
                Reason::new(f.code, format!("{}{more}", f.first))
            })
            .collect();
        let own_zeros = self.zeros.map(|z| z && units > 0);
        let is_time = nanoseconds(&metric.unit).is_some();
        for (zeros, arm) in own_zeros.into_iter().zip([arms.0, arms.1]) {
            // No work takes exactly no time.
            if zeros && is_time {
                reasons.push(Reason::new(
                    Code::NotMeasured,
                    format!(
                        "every value of `{arm}` is exactly 0 {}: a placeholder, not a measurement",
                        metric.unit
                    ),
                ));
            }
        }
        reasons
    }
}

/// Compares what is known about two rows; every distinct pair of fact sets once.
struct Facts<'a> {
    table: &'a Table,
    known: HashMap<(u32, u32), Vec<(Fact, String)>>,
    environment: Option<u32>,
}

impl<'a> Facts<'a> {
    fn new(table: &'a Table) -> Self {
        Self {
            table,
            known: HashMap::new(),
            environment: None,
        }
    }

    fn compare(&mut self, a: &Row, b: &Row, found: &mut Collected) {
        if (a.facts, b.facts) == (0, 0) {
            return;
        }
        let table = self.table;
        let violations = self
            .known
            .entry((a.facts, b.facts))
            .or_insert_with(|| violations(table, a, b));
        for (fact, what) in violations.iter() {
            let place = || format!("{what} (unit `{}`)", table.names.name(a.unit));
            found.add(fact.column(), fact.code(), place);
        }
        if let Some(here) = value(table, a.facts, Fact::Environment) {
            let first = *self.environment.get_or_insert(here);
            if first != here {
                let what = || {
                    format!(
                        "`{}` and `{}`, both in one comparison",
                        table.names.name(first),
                        table.names.name(here)
                    )
                };
                found.add("environments", Code::EnvironmentDiffers, what);
            }
        }
    }
}

fn value(table: &Table, facts: u32, fact: Fact) -> Option<u32> {
    let set = &table.facts[facts as usize];
    set.iter().find(|(f, _)| *f == fact).map(|(_, v)| *v)
}

fn violations(table: &Table, a: &Row, b: &Row) -> Vec<(Fact, String)> {
    let mut all = Vec::new();
    for fact in Fact::ALL {
        let name = |v: Option<u32>| v.map(|v| table.names.name(v));
        let (own, other) = (
            name(value(table, a.facts, fact)),
            name(value(table, b.facts, fact)),
        );
        let refused = [own, other].into_iter().flatten().find(|v| fact.refuses(v));
        let said = |v: Option<&str>| v.map_or("nothing".to_owned(), |v| format!("`{v}`"));
        if let Some(value) = refused {
            all.push((fact, format!("{} is `{value}`", fact.column())));
        } else if own != other {
            let what = format!(
                "{} of `{}` is {}, of `{}` {}",
                fact.column(),
                table.names.name(a.arm),
                said(own),
                table.names.name(b.arm),
                said(other)
            );
            all.push((fact, what));
        }
    }
    all
}
