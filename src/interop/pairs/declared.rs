//! What somebody said about the data before, or beside, measuring.

use super::ReadError;
use super::cell::short;
use evenhand_harness::plan::{
    Direction, Estimand, Margin, MarginScale, Metric, ReplicationUnit, Seed, StopRule,
};
use std::str::FromStr;

/// Everything that can be declared; `None` is "nobody said".
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Declared {
    /// Name of the experiment, for rows that have none.
    pub experiment: Option<String>,
    /// The metrics; the first one is the primary one.
    pub metrics: Vec<DeclaredMetric>,
    /// Name of the control.
    pub control: Option<String>,
    /// Name of the arm that is the control again.
    pub control_again: Option<String>,
    /// The arms to compare with the control; empty for all.
    pub candidates: Vec<String>,
    /// Names of the two factors of a 2x2 design.
    pub factors: Vec<String>,
    /// Arms that a factor does not touch: `ARM`, or `ARM=FACTOR` for one factor.
    pub untouched: Vec<String>,
    /// The smallest difference that matters.
    pub margin: Option<MarginText>,
    /// What n counts.
    pub unit: Option<ReplicationUnit>,
    /// How the arms of a pair were ordered.
    pub order: Option<OrderText>,
    /// When measuring was to end.
    pub stop_rule: Option<DeclaredRule>,
    /// Which effect is estimated.
    pub estimand: Option<Estimand>,
    /// Whether values are outcomes of tasks, 0 or 1.
    pub outcomes: bool,
    /// Which quantile of a run's values is compared; the values themselves without.
    pub quantile: Option<f64>,
    /// Root of every random draw of the analysis.
    pub seed: Option<Seed>,
    /// 1 for the first run of a plan.
    pub attempt: Option<u32>,
    /// What is known of an A/A control whose values are not in the data.
    pub aa_passed: Option<bool>,
}

/// A metric as it was declared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeclaredMetric {
    /// Name.
    pub id: String,
    /// Unit of its values.
    pub unit: String,
    /// Which way is better.
    pub direction: Option<Direction>,
    /// Smallest step of the clock or counter, in the metric's unit.
    pub resolution: Option<f64>,
}

/// When measuring was to end, as declared before it began.
#[derive(Clone, Debug, PartialEq)]
pub enum DeclaredRule {
    /// After this many units.
    Units(u64),
    /// By a rule that looks at the data without harm.
    Sequential(StopRule),
}

impl DeclaredMetric {
    /// The metric; without a direction it only describes.
    #[must_use]
    pub fn metric(&self) -> Metric {
        let direction = self.direction.unwrap_or(Direction::Context);
        Metric::new(self.id.clone(), self.unit.clone(), direction)
    }
}

/// How the arms of a pair were ordered, as declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderText {
    /// A coin per pair.
    Randomised,
    /// A pattern: ABAB, ABBA, all of one arm first.
    Fixed,
}

impl FromStr for OrderText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "coin" | "random" | "randomised" | "randomized" => Ok(Self::Randomised),
            "fixed" | "alternating" | "alternate" | "abab" | "abba" | "blocked" => Ok(Self::Fixed),
            other => Err(format!(
                "`{}` is no order; say `coin` if a coin drew the order of every pair, else `fixed`",
                short(other)
            )),
        }
    }
}

impl Declared {
    /// Overlays what is declared elsewhere: `over` wins where it says something.
    #[must_use]
    pub fn overlaid(self, over: Self) -> Self {
        let vec = |under: Vec<_>, over: Vec<_>| if over.is_empty() { under } else { over };
        Self {
            experiment: over.experiment.or(self.experiment),
            metrics: metrics(self.metrics, over.metrics),
            control: over.control.or(self.control),
            control_again: over.control_again.or(self.control_again),
            candidates: vec(self.candidates, over.candidates),
            factors: vec(self.factors, over.factors),
            untouched: vec(self.untouched, over.untouched),
            margin: over.margin.or(self.margin),
            unit: over.unit.or(self.unit),
            order: over.order.or(self.order),
            stop_rule: over.stop_rule.or(self.stop_rule),
            estimand: over.estimand.or(self.estimand),
            outcomes: over.outcomes || self.outcomes,
            quantile: over.quantile.or(self.quantile),
            seed: over.seed.or(self.seed),
            attempt: over.attempt.or(self.attempt),
            aa_passed: over.aa_passed.or(self.aa_passed),
        }
    }
}

/// Metrics of both, those of `over` first; one without a name speaks of all.
fn metrics(under: Vec<DeclaredMetric>, over: Vec<DeclaredMetric>) -> Vec<DeclaredMetric> {
    let mut all = over;
    for metric in under {
        match all
            .iter_mut()
            .find(|m| m.id == metric.id || m.id.is_empty())
        {
            Some(known) => {
                if known.id.is_empty() {
                    known.id = metric.id;
                }
                if known.unit.is_empty() {
                    known.unit = metric.unit;
                }
                known.direction = known.direction.or(metric.direction);
                known.resolution = known.resolution.or(metric.resolution);
            }
            None => all.push(metric),
        }
    }
    all
}

/// A margin as people write it: `1%`, `0.5ms`, or a number in the metric's unit.
#[derive(Clone, Debug, PartialEq)]
pub struct MarginText {
    value: f64,
    unit: String,
}

impl FromStr for MarginText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        // An `e` belongs to the number only before a digit or a sign.
        let number_ends = |(i, c): (usize, char)| {
            let exponent = matches!(c, 'e' | 'E')
                && text[i + 1..].starts_with(|n: char| n.is_ascii_digit() || n == '-' || n == '+');
            let sign = matches!(c, '-' | '+') && (i == 0 || text[..i].ends_with(['e', 'E']));
            let ends = !(c.is_ascii_digit() || c == '.' || exponent || sign);
            ends.then_some(i)
        };
        let end = text.char_indices().find_map(number_ends);
        let (number, unit) = text.split_at(end.unwrap_or(text.len()));
        let wrong = || {
            format!(
                "`{}` is no margin; write `1%`, `0.5ms`, or a number in the metric's unit",
                short(text)
            )
        };
        let value: f64 = number.parse().map_err(|_| wrong())?;
        if value > 0.0 && value.is_finite() {
            let unit = unit.trim().to_owned();
            Ok(Self { value, unit })
        } else {
            Err(format!("the margin `{}` is not above zero", short(text)))
        }
    }
}

impl MarginText {
    /// A margin in the metric's unit.
    #[must_use]
    pub fn absolute(value: f64) -> Self {
        Self {
            value,
            unit: String::new(),
        }
    }

    /// Whether it is a share of the control.
    #[must_use]
    pub fn is_relative(&self) -> bool {
        self.unit == "%"
    }

    /// The margin for a metric in `unit`.
    ///
    /// # Errors
    /// If the units do not fit.
    pub fn resolve(&self, unit: &str) -> Result<Margin, ReadError> {
        if self.is_relative() {
            return Ok(Margin::relative(self.value / 100.0));
        }
        let value = if self.unit.is_empty() || self.unit == unit {
            self.value
        } else {
            match (nanoseconds(&self.unit), nanoseconds(unit)) {
                (Some(from), Some(to)) => self.value * from / to,
                _ => {
                    return Err(ReadError::new(format!(
                        "the margin is in `{}`, the metric in `{}`: declare the metric's unit, or \
                         give the margin in it",
                        short(&self.unit),
                        short(unit)
                    )));
                }
            }
        };
        if value > 0.0 && value.is_finite() {
            Ok(Margin {
                scale: MarginScale::Absolute,
                value,
                declared: true,
            })
        } else {
            Err(ReadError::new("the margin is out of range"))
        }
    }
}

/// Nanoseconds in a unit of time.
pub(super) fn nanoseconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1.0,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "min" => 60e9,
        _ => return None,
    })
}

/// A direction by its word.
///
/// # Errors
/// If it is another word.
pub fn parse_direction(text: &str) -> Result<Direction, String> {
    match text.trim() {
        "lower" => Ok(Direction::Lower),
        "higher" => Ok(Direction::Higher),
        "context" => Ok(Direction::Context),
        other => Err(format!(
            "`{}` is no direction; say `lower` or `higher` is better, or `context` if neither",
            short(other)
        )),
    }
}

/// A quantile: `p99`, `0.99`.
///
/// # Errors
/// If it is neither.
pub fn parse_quantile(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let value = match text.strip_prefix('p') {
        Some(percent) => percent.parse::<f64>().map(|p| p / 100.0),
        None => text.parse(),
    };
    match value {
        Ok(q) if q > 0.0 && q < 1.0 => Ok(q),
        _ => Err(format!(
            "`{}` is no quantile; write p99 or 0.99",
            short(text)
        )),
    }
}

/// A level of a factor by its word.
///
/// # Errors
/// If it is another word.
pub(super) fn parse_level(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "on" | "1" | "true" | "yes" => Ok(true),
        "off" | "0" | "false" | "no" => Ok(false),
        other => Err(format!(
            "`{}` is no level; a factor is `off` or `on`",
            short(other)
        )),
    }
}

/// A unit of replication by its word.
///
/// # Errors
/// If it is another word.
pub fn parse_unit(text: &str) -> Result<ReplicationUnit, String> {
    match text.trim() {
        "worker" => Ok(ReplicationUnit::Worker),
        "pair_in_process" => Ok(ReplicationUnit::PairInProcess),
        "request" => Ok(ReplicationUnit::Request),
        "imported" => Ok(ReplicationUnit::Imported),
        other => Err(format!(
            "`{}` is no unit; there are worker (both arms restarted for every pair), \
             pair_in_process, request, imported",
            short(other)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_have_units() {
        let of = |text: &str, unit: &str| {
            let margin: MarginText = text.parse().unwrap();
            margin.resolve(unit).map(|m| (m.scale, m.value))
        };
        assert_eq!(of("1%", "ms"), Ok((MarginScale::Relative, 0.01)));
        assert_eq!(of("0.5ms", "ms"), Ok((MarginScale::Absolute, 0.5)));
        assert_eq!(of("0.5 ms", "s"), Ok((MarginScale::Absolute, 0.0005)));
        assert_eq!(of("2e-3", "s"), Ok((MarginScale::Absolute, 0.002)));
        assert_eq!(of("3elem", "elem"), Ok((MarginScale::Absolute, 3.0)));
        assert!(of("1ms", "tok/s").is_err());
        for bad in ["", "%", "0%", "-1%", "ms", "1e999", "nan"] {
            assert!(bad.parse::<MarginText>().is_err(), "{bad}");
        }
    }
}
