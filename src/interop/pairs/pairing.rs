//! From rows to pairs: who belongs together, and who has no partner.

use super::collect::{Collected, collect};
use super::order::Pattern;
use super::{Declared, DeclaredMetric, DeclaredRule, OrderText, ReadError, Row, Table};
use super::{factorial, tails};
use evenhand_harness::claim::{ControlPairs, CountedDesign, Family, Imported, TailPair};
use evenhand_harness::gate::{Code, Reason};
use evenhand_harness::plan::{
    Design, Estimand, Margin, MarginScale, ReplicationUnit, Seed, StopRule,
};

/// Seed of an analysis for which nobody gave one.
pub const DEFAULT_SEED: Seed = Seed(1);
/// Name of the experiment when neither rows nor declarations have one.
pub(super) const NAMELESS: &str = "pairs";

/// A unit that has no pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excluded {
    /// Name of the unit.
    pub unit: String,
    /// Why, with the line.
    pub why: String,
}

/// One comparison and what was left out of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What goes to judgement.
    pub imported: Imported,
    /// Units without a pair, in the order of their names.
    pub excluded: Vec<Excluded>,
}

/// A data set, ready for judgement.
#[derive(Clone, Debug, PartialEq)]
pub struct DataSet {
    /// The comparisons.
    pub comparisons: Vec<Comparison>,
    /// The control against itself, where it was measured.
    pub controls: Vec<ControlPairs>,
    /// Counted 2x2 designs.
    pub designs: Vec<CountedDesign>,
    /// Raw values of one run per arm.
    pub tails: Vec<TailPair>,
    /// Seed of the analysis.
    pub seed: Seed,
    /// Columns or keys that mean nothing here.
    pub ignored: Vec<String>,
}

/// The arms by their role.
pub(super) struct Roles {
    pub control: u32,
    pub again: Option<u32>,
    pub candidates: Vec<u32>,
}

/// Puts pairs together. `over` wins over what the document declares.
///
/// # Errors
/// If roles can't be told, or a value stands twice.
pub fn pair(table: &Table, over: &Declared) -> Result<DataSet, ReadError> {
    let declared = table.declared.clone().overlaid(over.clone());
    if !table.counts.is_empty() || table.rows.iter().any(|r| r.levels.is_some()) {
        return factorial::pair(table, &declared);
    }
    match declared.quantile {
        Some(quantile) => tails::pair(table, &declared, quantile),
        None => pair_arms(table, &declared),
    }
}

/// Puts the pairs of arms together.
pub(super) fn pair_arms(table: &Table, declared: &Declared) -> Result<DataSet, ReadError> {
    let ranks = table.names.ranks();
    let rank = |name: u32| ranks[name as usize];
    let roles = roles(table, declared, &ranks)?;

    let mut rows: Vec<&Row> = table.rows.iter().collect();
    rows.sort_unstable_by_key(|r| {
        let group = (rank(r.experiment), rank(r.profile), rank(r.metric));
        (group, rank(r.unit), rank(r.arm), rank(r.inner), r.line)
    });
    unique(table, &rows)?;

    let group = |r: &&Row| (r.experiment, r.profile, r.metric);
    let groups: Vec<&[&Row]> = rows.chunk_by(|a, b| group(a) == group(b)).collect();
    let mut metrics: Vec<u32> = groups.iter().map(|g| g[0].metric).collect();
    metrics.sort_unstable_by_key(|&m| rank(m));
    metrics.dedup();
    let primary = primary(table, declared, &metrics)?;

    let mut set = DataSet {
        comparisons: Vec::new(),
        controls: Vec::new(),
        designs: Vec::new(),
        tails: Vec::new(),
        seed: declared.seed.unwrap_or(DEFAULT_SEED),
        ignored: table.ignored.clone(),
    };
    let mut families: Vec<(u32, u32, u32)> = Vec::new();
    for group in groups {
        let metric = metric_of(table.names.name(group[0].metric), declared);
        let settings = Settings::of(declared, metric)?;
        let (experiment, profile) = names_of(table, declared, group[0]);
        for &candidate in &roles.candidates {
            let collected = collect(table, group, roles.control, candidate, &settings);
            let key = (group[0].experiment, group[0].profile, candidate);
            let family = if primary.is_none_or(|p| p == group[0].metric) {
                Family::Primary
            } else {
                let known = families.iter().position(|f| *f == key);
                Family::Secondary(known.unwrap_or_else(|| {
                    families.push(key);
                    families.len() - 1
                }))
            };
            let arms = (table.names.name(roles.control), table.names.name(candidate));
            let excluded = collected.excluded.clone();
            set.comparisons.push(Comparison {
                imported: Imported {
                    profile: profile.clone(),
                    ..settings.imported(declared, &experiment, arms, collected, family)
                },
                excluded,
            });
        }
        if let Some(again) = roles.again {
            let collected = collect(table, group, roles.control, again, &settings);
            if collected.is_sound() && collected.pairs.units() > 0 {
                set.controls.push(ControlPairs {
                    experiment,
                    metric: settings.metric.id.clone(),
                    estimand: settings.estimand,
                    pairs: collected.pairs,
                });
            }
        }
    }
    Ok(set)
}

pub(super) fn roles(table: &Table, declared: &Declared, ranks: &[u32]) -> Result<Roles, ReadError> {
    let mut arms: Vec<u32> = Vec::new();
    for row in &table.rows {
        if !arms.contains(&row.arm) {
            if arms.len() == 1000 {
                return Err(ReadError::at(
                    u64::from(row.line),
                    "there are more than 1,000 arms; is the `arm` column the right one?",
                ));
            }
            arms.push(row.arm);
        }
    }
    arms.sort_unstable_by_key(|&a| ranks[a as usize]);
    let list = || {
        let names: Vec<String> = arms
            .iter()
            .take(12)
            .map(|&a| format!("`{}`", super::cell::short(table.names.name(a))))
            .collect();
        names.join(", ")
    };
    let number = |name: &str| {
        let found = table.names.find(name.trim()).filter(|n| arms.contains(n));
        found.ok_or_else(|| {
            ReadError::new(format!(
                "no row has the arm `{}` (the arms are {})",
                super::cell::short(name),
                list()
            ))
        })
    };
    let Some(control) = &declared.control else {
        return Err(ReadError::new(format!(
            "nobody said which arm is the control: add `--control NAME` (the arms are {})",
            list()
        )));
    };
    let control_name = control.trim();
    let control = number(control)?;
    let again = match &declared.control_again {
        Some(name) => Some(number(name)?),
        None => number(&format!("{control_name}'")).ok(),
    };
    let candidates: Vec<u32> = if declared.candidates.is_empty() {
        let others = arms.iter().copied();
        others
            .filter(|&a| a != control && Some(a) != again)
            .collect()
    } else {
        let named = declared.candidates.iter().map(|name| number(name));
        named.collect::<Result<_, _>>()?
    };
    if candidates.is_empty() || candidates.contains(&control) {
        return Err(ReadError::new(format!(
            "there is nothing to compare with the control (the arms are {})",
            list()
        )));
    }
    Ok(Roles {
        control,
        again,
        candidates,
    })
}

/// Rows are sorted: a value that stands twice has itself as neighbour.
fn unique(table: &Table, rows: &[&Row]) -> Result<(), ReadError> {
    let key = |r: &Row| (r.experiment, r.profile, r.metric, r.unit, r.arm, r.inner);
    match rows.windows(2).find(|w| key(w[0]) == key(w[1])) {
        None => Ok(()),
        Some(twice) => Err(ReadError::at(
            u64::from(twice[1].line),
            format!(
                "unit `{}` has a second value of `{}`, the first one stands in line {}; if both \
                 are meant, tell them apart in a column `block` or `repeat`",
                super::cell::short(table.names.name(twice[0].unit)),
                super::cell::short(table.names.name(twice[0].arm)),
                twice[0].line
            ),
        )),
    }
}

/// The primary metric, when there are several and one is declared; else all
/// are primary, which costs the most.
fn primary(table: &Table, declared: &Declared, metrics: &[u32]) -> Result<Option<u32>, ReadError> {
    let named = declared.metrics.first().filter(|m| !m.id.is_empty());
    let Some(named) = named.filter(|_| metrics.len() > 1) else {
        return Ok(None);
    };
    let found = table.names.find(&named.id).filter(|n| metrics.contains(n));
    found.map(Some).ok_or_else(|| {
        ReadError::new(format!(
            "no row has the metric `{}`",
            super::cell::short(&named.id)
        ))
    })
}

/// The declaration that fits a metric's name.
pub(super) fn metric_of(name: &str, declared: &Declared) -> DeclaredMetric {
    let exact = declared.metrics.iter().find(|m| m.id == name);
    let general = declared.metrics.iter().find(|m| m.id.is_empty());
    let first = declared.metrics.first().filter(|_| name.is_empty());
    let mut metric = exact.or(first).or(general).cloned().unwrap_or_default();
    if let Some(general) = general {
        if metric.unit.is_empty() {
            metric.unit.clone_from(&general.unit);
        }
        metric.direction = metric.direction.or(general.direction);
        metric.resolution = metric.resolution.or(general.resolution);
    }
    if metric.id.is_empty() {
        metric.id = if name.is_empty() { "value" } else { name }.to_owned();
    }
    metric
}

/// Name of the experiment, with its profile, and the profile.
pub(super) fn names_of(table: &Table, declared: &Declared, row: &Row) -> (String, String) {
    let own = table.names.name(row.experiment);
    let declared = declared.experiment.as_deref().unwrap_or(NAMELESS);
    let experiment = if own.is_empty() { declared } else { own };
    let profile = table.names.name(row.profile);
    if profile.is_empty() {
        (experiment.to_owned(), String::new())
    } else {
        (format!("{experiment}/{profile}"), profile.to_owned())
    }
}

/// What holds for every unit of a comparison.
pub(super) struct Settings {
    pub metric: DeclaredMetric,
    pub estimand: Estimand,
    pub outcomes: bool,
    margin: Margin,
}

impl Settings {
    pub fn of(declared: &Declared, metric: DeclaredMetric) -> Result<Self, ReadError> {
        let absolute = declared.margin.as_ref().is_some_and(|m| !m.is_relative());
        let estimand = match declared.estimand {
            Some(Estimand::PairedLogRatio) if declared.outcomes => {
                return Err(ReadError::new(
                    "outcomes of tasks are compared by the difference of their rates, not by a \
                     ratio",
                ));
            }
            Some(estimand) => estimand,
            None if absolute || declared.outcomes => Estimand::PairedDifference,
            None => Estimand::PairedLogRatio,
        };
        let margin = match &declared.margin {
            Some(text) => text.resolve(&metric.unit)?,
            None => Margin::DEFAULT,
        };
        Ok(Self {
            metric,
            estimand,
            outcomes: declared.outcomes,
            margin,
        })
    }

    fn imported(
        &self,
        declared: &Declared,
        experiment: &str,
        (control, candidate): (&str, &str),
        collected: Collected,
        family: Family,
    ) -> Imported {
        let mut gates = collected.reasons(&self.metric, (control, candidate));
        let design = design(declared.order, &collected, &mut gates);
        let stop_rule = stop_rule(declared.stop_rule.as_ref(), &collected, &mut gates);
        gates.extend(self.coarse(&collected.pairs.control));
        Imported {
            experiment: experiment.to_owned(),
            profile: String::new(),
            metric: self.metric.metric(),
            control: control.to_owned(),
            candidate: candidate.to_owned(),
            margin: self.margin,
            estimand: self.estimand,
            unit: declared.unit.unwrap_or(ReplicationUnit::Imported),
            design,
            stop_rule,
            aa_passed: declared.aa_passed,
            outcomes: self.outcomes,
            attempt: declared.attempt.unwrap_or(1),
            family,
            missing: collected.missing,
            failed: collected.failed,
            pairs: collected.pairs,
            gates,
        }
    }

    /// A clock whose step is larger than the margin can't resolve it.
    fn coarse(&self, control: &[f64]) -> Option<Reason> {
        let step = self.metric.resolution.filter(|s| *s > 0.0)?;
        let level = control.iter().sum::<f64>() / control.len().max(1) as f64;
        let margin = match self.margin.scale {
            MarginScale::Absolute => self.margin.value,
            MarginScale::Relative => self.margin.value * level.abs(),
        };
        (step > margin).then(|| {
            let unit = &self.metric.unit;
            Reason::new(
                Code::BelowResolution,
                format!("the step is {step} {unit}, the margin {margin:.3e} {unit}"),
            )
        })
    }
}

fn design(declared: Option<OrderText>, collected: &Collected, gates: &mut Vec<Reason>) -> Design {
    let units = collected.pairs.units();
    let known = collected.pairs.control_first.len() == units && units > 0;
    let pattern = known.then(|| Pattern::of(&collected.pairs.control_first));
    match (declared, pattern) {
        (Some(OrderText::Randomised), Some(p)) if p.contradicts_a_coin(units) => {
            let detail = format!("declared as drawn by a coin, but {}", p.words());
            gates.push(Reason::new(Code::OrderNotRandomised, detail));
            Design::ImportedFixed
        }
        (Some(OrderText::Randomised), _) => Design::ImportedRandomised,
        (Some(OrderText::Fixed), _) => {
            gates.push(Reason::new(
                Code::OrderNotRandomised,
                "the data say that the order was fixed",
            ));
            Design::ImportedFixed
        }
        (None, Some(p)) => {
            gates.push(Reason::new(Code::OrderNotRandomised, p.words()));
            Design::ImportedFixed
        }
        (None, None) => {
            let recorded = collected.orders_known;
            let detail = if recorded > 0 {
                format!("the data have the order of {recorded} of {units} pairs")
            } else {
                "the data have no order".to_owned()
            };
            gates.push(Reason::new(Code::OrderUnknown, detail));
            Design::ImportedUnknown
        }
    }
}

fn stop_rule(
    declared: Option<&DeclaredRule>,
    collected: &Collected,
    gates: &mut Vec<Reason>,
) -> StopRule {
    let found = (collected.pairs.units() + collected.excluded.len()) as u64;
    let (rule, planned) = match declared {
        None => return StopRule::Undeclared,
        Some(DeclaredRule::Units(n)) => (StopRule::Fixed, *n),
        Some(DeclaredRule::Sequential(rule)) => match rule {
            StopRule::Looks { at } if !at.iter().any(|&n| u64::from(n) == found) => {
                (rule.clone(), at.last().map_or(0, |&n| u64::from(n)))
            }
            _ => return rule.clone(),
        },
    };
    if planned == found {
        return rule;
    }
    let detail = format!("{planned} units were planned, {found} are in the data");
    if found < planned {
        gates.push(Reason::new(Code::Incomplete, detail));
        return rule;
    }
    gates.push(Reason::new(Code::StopRuleUndeclared, detail));
    StopRule::Undeclared
}
