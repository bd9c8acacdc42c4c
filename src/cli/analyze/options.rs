//! What can be declared and told on the command line.

use crate::interop::pairs::{
    CsvOptions, Declared, DeclaredMetric, DeclaredRule, MarginText, OrderText, ReadError,
    parse_direction, parse_estimand, parse_quantile, parse_stop_rule, parse_unit,
};
use evenhand_harness::plan::{Direction, Estimand, ReplicationUnit, Seed};
use std::collections::HashMap;

/// Facts that the data do not hold.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Declarations")]
pub(super) struct Declarations {
    /// The arm that the others are compared with
    #[arg(long, value_name = "ARM")]
    control: Option<String>,
    /// An arm to compare with the control; all others unless told
    #[arg(long, value_name = "ARM")]
    candidate: Vec<String>,
    /// The arm that is the control measured again [default: the control's name with a prime]
    #[arg(long, value_name = "ARM")]
    control_again: Option<String>,
    /// Name of a factor of a 2x2 design: twice, in the order of `factor1` and `factor2`
    #[arg(long, value_name = "NAME")]
    factor: Vec<String>,
    /// An arm that no factor touches, or ARM=FACTOR for one factor: it must not move
    #[arg(long, value_name = "ARM")]
    untouched: Vec<String>,
    /// The primary metric, where there are several; the others are a family of their own
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
    /// Unit of the metric's values, for example ms
    #[arg(long, value_name = "UNIT")]
    metric_unit: Option<String>,
    /// Which way is better: lower or higher, for one metric of several NAME=lower
    #[arg(long, value_name = "WAY")]
    direction: Vec<String>,
    /// Smallest step of the clock or counter, in the metric's unit
    #[arg(long, value_name = "STEP")]
    resolution: Option<f64>,
    /// The smallest difference that matters: 1%, 0.5ms, or a number in the metric's unit
    #[arg(long)]
    margin: Option<MarginText>,
    /// What a pair is: worker (both arms restarted for it), pair_in_process, request, imported
    #[arg(long, value_parser = parse_unit)]
    unit: Option<ReplicationUnit>,
    /// A coin drew the order of the arms in every pair
    #[arg(long)]
    order_randomised: bool,
    /// When measuring was to end, as planned before: fixed:N, precision:0.5%, looks:12,24,36, e-process
    #[arg(long, value_name = "RULE", value_parser = parse_stop_rule)]
    stop_rule: Option<DeclaredRule>,
    /// Compare this quantile of each run's values: p99 or 0.99
    #[arg(long, value_parser = parse_quantile)]
    quantile: Option<f64>,
    /// ratio (of positive values) or difference [default: ratio, difference with an absolute margin]
    #[arg(long, value_parser = parse_estimand)]
    estimand: Option<Estimand>,
    /// Values are outcomes of tasks: 0 or 1
    #[arg(long)]
    outcomes: bool,
    /// Seed of resampling
    #[arg(long)]
    seed: Option<Seed>,
}

impl Declarations {
    pub fn declared(&self) -> Result<Declared, String> {
        let text = |t: &Option<String>| t.as_ref().map(|t| t.trim().to_owned());
        let mut first = DeclaredMetric {
            id: text(&self.metric).unwrap_or_default(),
            unit: text(&self.metric_unit).unwrap_or_default(),
            direction: None,
            resolution: self.resolution,
        };
        if self.resolution.is_some_and(|r| !r.is_finite() || r <= 0.0) {
            return Err("the resolution is not above zero".to_owned());
        }
        let mut others: Vec<DeclaredMetric> = Vec::new();
        for direction in &self.direction {
            match direction.rsplit_once('=') {
                Some((id, way)) if id.trim() != first.id => others.push(DeclaredMetric {
                    id: id.trim().to_owned(),
                    direction: Some(parse_direction(way)?),
                    ..DeclaredMetric::default()
                }),
                Some((_, way)) => first.direction = Some(parse_direction(way)?),
                None => {
                    let way: Direction = parse_direction(direction)?;
                    first.direction = Some(way);
                }
            }
        }
        let mut metrics = Vec::new();
        if first != DeclaredMetric::default() {
            metrics.push(first);
        }
        metrics.extend(others);
        Ok(Declared {
            metrics,
            control: text(&self.control),
            control_again: text(&self.control_again),
            candidates: self.candidate.iter().map(|c| c.trim().to_owned()).collect(),
            factors: self.factor.iter().map(|f| f.trim().to_owned()).collect(),
            untouched: self.untouched.clone(),
            margin: self.margin.clone(),
            unit: self.unit,
            order: self.order_randomised.then_some(OrderText::Randomised),
            stop_rule: self.stop_rule.clone(),
            quantile: self.quantile,
            estimand: self.estimand,
            outcomes: self.outcomes,
            seed: self.seed,
            ..Declared::default()
        })
    }
}

/// How to read the file.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Reading")]
pub(super) struct Reading {
    /// What the file is [default: by its name, then by its first character]
    #[arg(long, value_enum)]
    input: Option<Input>,
    /// Delimiter of a CSV file: a character, or tab [default: a comma; a tab for .tsv]
    #[arg(long, value_name = "SIGN")]
    delimiter: Option<String>,
    /// A column under another name: unit=run
    #[arg(long, value_name = "OURS=THEIRS", value_parser = column)]
    column: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Input {
    Csv,
    Json,
}

fn column(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((ours, theirs)) if !ours.is_empty() && !theirs.is_empty() => {
            Ok((ours.trim().to_owned(), theirs.trim().to_owned()))
        }
        _ => Err("write OURS=THEIRS, for example unit=run".to_owned()),
    }
}

impl Reading {
    pub fn kind(&self, name: &str, bytes: &[u8]) -> Input {
        if let Some(input) = self.input {
            return input;
        }
        match name.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase()) {
            Some(e) if e == "json" => return Input::Json,
            Some(e) if e == "csv" || e == "tsv" => return Input::Csv,
            _ => {}
        }
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        match text.iter().find(|b| !b.is_ascii_whitespace()) {
            Some(b'{' | b'[') => Input::Json,
            _ => Input::Csv,
        }
    }

    pub fn csv(&self, name: &str) -> Result<CsvOptions, ReadError> {
        let delimiter = match self.delimiter.as_deref() {
            None if name.to_ascii_lowercase().ends_with(".tsv") => Some(b'\t'),
            None => None,
            Some("tab" | "\\t") => Some(b'\t'),
            Some(sign) => match sign.as_bytes() {
                [one] => Some(*one),
                _ => {
                    return Err(ReadError::new(format!(
                        "`{sign}` is no delimiter; give one character, or tab"
                    )));
                }
            },
        };
        Ok(CsvOptions {
            delimiter,
            columns: self.column.iter().cloned().collect::<HashMap<_, _>>(),
        })
    }
}
