//! JSON: rows, or a document with rows and declarations.

use super::cell::short;
use super::declared::{parse_direction, parse_level, parse_quantile, parse_unit};
use super::order::position;
use super::published::{SUMMARY_SCHEMA, Summaries};
use super::{
    Cell, CountRow, Declared, DeclaredMetric, DeclaredRule, Fact, MarginText, PAIRS_SCHEMA,
    ReadError, Row, Table,
};
use evenhand_harness::plan::{Direction, Estimand, Seed, StopRule, check_schema};
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// What a JSON document holds.
#[derive(Clone, Debug)]
pub enum Document {
    /// Pairs.
    Pairs(Box<Table>),
    /// Published summaries.
    Summaries(Box<Summaries>),
}

/// Reads a JSON document.
///
/// # Errors
/// Names line and column.
pub fn read_json(bytes: &[u8]) -> Result<Document, ReadError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(ReadError::new("the file is empty"));
    }
    let is_object = bytes.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{');
    let mut table = Table::new(Declared::default());
    if !is_object {
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        Rows(&mut table)
            .deserialize(&mut reader)
            .and_then(|()| reader.end())
            .map_err(|e| syntax(&e))?;
        return filled(table);
    }
    let head: Head = serde_json::from_slice(bytes).map_err(|e| syntax(&e))?;
    let schema = head.schema.ok_or_else(|| {
        ReadError::at(
            1,
            format!("the document has no `schema`; write `{PAIRS_SCHEMA}` or `{SUMMARY_SCHEMA}`"),
        )
    })?;
    if schema.starts_with("evenhand.summary/") {
        check_schema(&schema, SUMMARY_SCHEMA).map_err(|e| ReadError::new(e.to_string()))?;
        let summaries = Summaries::read(bytes).map_err(|e| syntax(&e))?;
        return Ok(Document::Summaries(Box::new(summaries)));
    }
    check_schema(&schema, PAIRS_SCHEMA).map_err(|e| ReadError::new(e.to_string()))?;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    Root(&mut table)
        .deserialize(&mut reader)
        .and_then(|()| reader.end())
        .map_err(|e| syntax(&e))?;
    filled(table)
}

fn filled(table: Table) -> Result<Document, ReadError> {
    if table.rows.is_empty() && table.counts.is_empty() {
        return Err(ReadError::new(
            "there is no observation: nothing was measured",
        ));
    }
    Ok(Document::Pairs(Box::new(table)))
}

fn syntax(error: &serde_json::Error) -> ReadError {
    let text = error.to_string();
    // serde_json ends its messages with the place, which stands in front here.
    let message = match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    };
    let known = |n: usize| (n > 0).then_some(n as u64);
    let hint = if message.starts_with("trailing characters") {
        "; a file with one document per line needs `--batch`"
    } else {
        ""
    };
    ReadError {
        line: known(error.line()),
        column: known(error.column()),
        message: format!("{message}{hint}"),
    }
}

#[derive(Deserialize)]
struct Head {
    schema: Option<String>,
}

/// A name given as text, number or truth value.
#[derive(Debug, Default)]
pub(super) struct Label(pub String);

impl<'de> Deserialize<'de> for Label {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Label;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name or a number")
            }
            fn visit_str<E>(self, text: &str) -> Result<Label, E> {
                Ok(Label(text.to_owned()))
            }
            fn visit_u64<E>(self, n: u64) -> Result<Label, E> {
                Ok(Label(n.to_string()))
            }
            fn visit_i64<E>(self, n: i64) -> Result<Label, E> {
                Ok(Label(n.to_string()))
            }
            fn visit_f64<E>(self, n: f64) -> Result<Label, E> {
                Ok(Label(n.to_string()))
            }
            fn visit_bool<E>(self, b: bool) -> Result<Label, E> {
                Ok(Label(b.to_string()))
            }
            fn visit_unit<E>(self) -> Result<Label, E> {
                Ok(Label::default())
            }
        }
        from.deserialize_any(Read)
    }
}

/// A document's root object, read into a table.
struct Root<'t>(&'t mut Table);

impl<'de> DeserializeSeed<'de> for Root<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Root<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document with `schema` and `observations`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let table = self.0;
        let mut declared = Declared::default();
        let text = |t: Option<String>| t.filter(|t| !t.is_empty());
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "schema" => {
                    map.next_value::<IgnoredAny>()?;
                }
                "observations" => map.next_value_seed(Rows(table))?,
                "experiment" => declared.experiment = text(map.next_value()?),
                "metric" => declared.metrics = vec![map.next_value::<MetricText>()?.0],
                "metrics" => {
                    let list: Vec<MetricText> = map.next_value()?;
                    declared.metrics = list.into_iter().map(|m| m.0).collect();
                }
                "control" => declared.control = text(map.next_value()?),
                "control_again" => declared.control_again = text(map.next_value()?),
                "candidates" => declared.candidates = map.next_value()?,
                "factors" => declared.factors = map.next_value()?,
                "untouched" => declared.untouched = map.next_value()?,
                "margin" => declared.margin = map.next_value::<Option<MarginValue>>()?.map(|m| m.0),
                "unit" => declared.unit = parsed(map.next_value()?, parse_unit)?,
                "order" => declared.order = parsed(map.next_value()?, str::parse)?,
                "stop_rule" => declared.stop_rule = parsed(map.next_value()?, parse_stop_rule)?,
                "estimand" => declared.estimand = parsed(map.next_value()?, parse_estimand)?,
                "quantile" => {
                    let text = map.next_value::<Label>()?.0;
                    declared.quantile = Some(parse_quantile(&text).map_err(A::Error::custom)?);
                }
                "outcomes" => declared.outcomes = map.next_value()?,
                "seed" => {
                    let label = map.next_value::<Label>()?.0;
                    declared.seed = Some(label.parse::<Seed>().map_err(A::Error::custom)?);
                }
                "attempt" => declared.attempt = map.next_value()?,
                "aa_passed" => declared.aa_passed = map.next_value()?,
                other => {
                    map.next_value::<IgnoredAny>()?;
                    table.ignore(&short(other));
                }
            }
        }
        table.declared = declared;
        Ok(())
    }
}

fn level<E: Error>(label: &Label) -> Result<Option<bool>, E> {
    if label.0.is_empty() {
        return Ok(None);
    }
    parse_level(&label.0).map(Some).map_err(E::custom)
}

fn parsed<T, E: Error>(
    text: Option<String>,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, E> {
    text.map(|t| parse(&t).map_err(E::custom)).transpose()
}

/// `fixed:12`, or a sequential rule: `precision:0.5%`, `looks:12,24,36`,
/// `e-process`.
///
/// # Errors
/// If it is another rule, or a fixed number that is not told.
pub fn parse_stop_rule(text: &str) -> Result<DeclaredRule, String> {
    let text = text.trim();
    let wrong = || {
        format!(
            "`{}` is no stop rule; write `fixed:N` if N units were planned before measuring, or \
             precision:0.5%, looks:12,24,36, e-process, else nothing",
            short(text)
        )
    };
    if let Some(n) = text.strip_prefix("fixed:") {
        let n = n.parse().ok().filter(|&n| n > 0);
        return n.map(DeclaredRule::Units).ok_or_else(wrong);
    }
    match text.parse::<StopRule>() {
        Ok(StopRule::Fixed) | Err(_) => Err(wrong()),
        Ok(rule) => Ok(DeclaredRule::Sequential(rule)),
    }
}

/// `ratio` or `difference`.
///
/// # Errors
/// If it is another word.
pub fn parse_estimand(text: &str) -> Result<Estimand, String> {
    match text {
        "ratio" | "paired_log_ratio" => Ok(Estimand::PairedLogRatio),
        "difference" | "paired_difference" => Ok(Estimand::PairedDifference),
        other => Err(format!(
            "`{}` is no estimand; there are ratio and difference",
            short(other)
        )),
    }
}

/// A metric in a document.
pub(super) struct MetricText(pub DeclaredMetric);

impl<'de> Deserialize<'de> for MetricText {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Fields {
            id: String,
            #[serde(default)]
            unit: String,
            direction: Option<String>,
            resolution: Option<f64>,
        }
        let fields = Fields::deserialize(from)?;
        let direction: Option<Direction> = parsed(fields.direction, parse_direction)?;
        Ok(Self(DeclaredMetric {
            id: fields.id.trim().to_owned(),
            unit: fields.unit,
            direction,
            resolution: fields.resolution,
        }))
    }
}

/// A margin in a document: text or a number in the metric's unit.
struct MarginValue(MarginText);

impl<'de> Deserialize<'de> for MarginValue {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Label::deserialize(from)?.0;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

/// A list of rows, read into a table.
struct Rows<'t>(&'t mut Table);

impl<'de> DeserializeSeed<'de> for Rows<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of observations")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(OneRow(self.0))?.is_some() {}
        Ok(())
    }
}

/// One observation.
struct OneRow<'t>(&'t mut Table);

impl<'de> DeserializeSeed<'de> for OneRow<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OneRow<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an observation like {\"unit\": 1, \"arm\": \"base\", \"value\": 12.5}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let table = self.0;
        let number = u32::try_from(table.rows.len() + 1).unwrap_or(u32::MAX);
        let mut row = Row {
            line: number,
            experiment: 0,
            profile: 0,
            metric: 0,
            unit: 0,
            arm: 0,
            inner: 0,
            levels: None,
            cell: Cell::Missing,
            order: f64::NAN,
            facts: 0,
        };
        let (mut state, mut block, mut repeat) = (String::new(), String::new(), String::new());
        let mut facts = Vec::new();
        let mut levels = [None; 2];
        let (mut passed, mut trials) = (None, None);
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            let names = &mut table.names;
            match key.as_ref() {
                "unit" => row.unit = names.number(&map.next_value::<Label>()?.0),
                "arm" => row.arm = names.number(&map.next_value::<Label>()?.0),
                "experiment" => row.experiment = names.number(&map.next_value::<Label>()?.0),
                "profile" => row.profile = names.number(&map.next_value::<Label>()?.0),
                "metric" => row.metric = names.number(&map.next_value::<Label>()?.0),
                "value" => {
                    row.cell = map
                        .next_value::<Option<f64>>()?
                        .map_or(Cell::Missing, Cell::of)
                }
                "state" => state = map.next_value::<Option<String>>()?.unwrap_or_default(),
                "block" => {
                    block = map.next_value::<Label>()?.0;
                    table.blocks = true;
                }
                "repeat" => repeat = map.next_value::<Label>()?.0,
                "factor1" => levels[0] = level(&map.next_value::<Label>()?)?,
                "factor2" => levels[1] = level(&map.next_value::<Label>()?)?,
                "passed" => passed = map.next_value::<Option<u64>>()?,
                "trials" => trials = map.next_value::<Option<u64>>()?,
                "order" => {
                    row.order =
                        position(&map.next_value::<Label>()?.0).map_err(A::Error::custom)?;
                }
                other => match Fact::ALL.iter().find(|f| f.column() == other) {
                    Some(&fact) => {
                        let value = map.next_value::<Label>()?.0;
                        if !value.is_empty() {
                            facts.push((fact, names.number(&value)));
                        }
                    }
                    None => {
                        map.next_value::<IgnoredAny>()?;
                        table.ignore(&short(other));
                    }
                },
            }
        }
        row.levels = match levels {
            [Some(first), Some(second)] => Some([first, second]),
            [None, None] => None,
            _ => {
                return Err(A::Error::custom(format!(
                    "observation {number} has one factor only; a design has `factor1` and `factor2`"
                )));
            }
        };
        if let (Some(passed), Some(trials), Some(levels)) = (passed, trials, row.levels) {
            table.counts.push(CountRow {
                line: number,
                experiment: row.experiment,
                metric: row.metric,
                arm: row.arm,
                levels,
                passed,
                trials,
            });
            return Ok(());
        }
        if row.unit == 0 || row.arm == 0 && row.levels.is_none() {
            let what = if row.unit == 0 { "unit" } else { "arm" };
            return Err(A::Error::custom(format!(
                "observation {number} has no `{what}`"
            )));
        }
        row.cell = row.cell.with_state(&state).map_err(A::Error::custom)?;
        let inner = match (block.is_empty(), repeat.is_empty()) {
            (_, true) => block,
            (true, false) => repeat,
            (false, false) => format!("{block}/{repeat}"),
        };
        row.inner = table.names.number(&inner);
        facts.sort_unstable_by_key(|(fact, _)| *fact);
        row.facts = table.facts_number(facts);
        table.rows.push(row);
        Ok(())
    }
}
