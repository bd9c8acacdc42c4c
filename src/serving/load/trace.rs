//! Traces with time stamps, as CSV or JSON lines.

use std::path::Path;

/// What a number in a trace's time column counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceUnit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
}

/// One request of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceRequest {
    /// Nanoseconds after the trace's first request.
    pub at_ns: u64,
    /// Prompt tokens, when the trace tells.
    pub prompt_tokens: Option<u64>,
    /// Completion tokens, when the trace tells.
    pub completion_tokens: Option<u64>,
}

/// Why a trace can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct TraceError {
    /// File and line.
    pub place: String,
    /// What is wrong there.
    pub problem: String,
}

/// Names that traces use for a column.
const TIME: &[&str] = &["timestamp", "arrived_at", "time"];
const PROMPT: &[&str] = &[
    "contexttokens",
    "input_length",
    "num_prefill_tokens",
    "prompt_tokens",
];
const COMPLETION: &[&str] = &[
    "generatedtokens",
    "output_length",
    "num_decode_tokens",
    "completion_tokens",
];

/// Reads a trace. CSV has a header line; JSON lines have an object each. The
/// time stands in `timestamp`, `arrived_at` or `time`, as a number of `unit` or
/// as `YYYY-MM-DD hh:mm:ss[.fraction]` (UTC).
///
/// # Errors
/// Names the line and what is wrong in it.
pub fn read_trace(path: &Path, unit: TraceUnit) -> Result<Vec<TraceRequest>, TraceError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|e| TraceError {
        place: name.clone(),
        problem: e.to_string(),
    })?;
    parse_trace(&name, &text, unit)
}

/// Reads the text of a trace; `name` stands in errors.
///
/// # Errors
/// As [`read_trace`].
pub fn parse_trace(
    name: &str,
    text: &str,
    unit: TraceUnit,
) -> Result<Vec<TraceRequest>, TraceError> {
    let json = text.trim_start().starts_with('{');
    let rows = if json {
        json_rows(name, text)?
    } else {
        csv_rows(name, text)?
    };
    let mut requests: Vec<TraceRequest> = Vec::with_capacity(rows.len());
    let mut first = None;
    for row in rows {
        let problem = |problem: String| TraceError {
            place: format!("{name}: line {}", row.line),
            problem,
        };
        let at = row.time.ok_or_else(|| {
            problem(format!(
                "there is no time; name it one of {}",
                TIME.join(", ")
            ))
        })?;
        let at = nanoseconds(&at, unit).map_err(problem)?;
        let first = *first.get_or_insert(at);
        let before = requests.last().map_or(0, |r| r.at_ns);
        let since = u64::try_from(at - first)
            .ok()
            .filter(|&since| since >= before);
        let at_ns = since.ok_or_else(|| {
            problem("it lies before the line above; sort the trace by time".to_owned())
        })?;
        let count = |value: Option<String>| {
            value
                .filter(|v| !v.is_empty())
                .map(|v| {
                    v.parse()
                        .map_err(|_| problem(format!("`{v}` is no number of tokens")))
                })
                .transpose()
        };
        requests.push(TraceRequest {
            at_ns,
            prompt_tokens: count(row.prompt)?,
            completion_tokens: count(row.completion)?,
        });
    }
    if requests.is_empty() {
        return Err(TraceError {
            place: name.to_owned(),
            problem: "the trace has no request".to_owned(),
        });
    }
    Ok(requests)
}

/// The columns of a line that matter, as text.
struct Row {
    line: usize,
    time: Option<String>,
    prompt: Option<String>,
    completion: Option<String>,
}

fn json_rows(name: &str, text: &str) -> Result<Vec<Row>, TraceError> {
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, l)| !l.trim().is_empty());
    lines
        .map(|(index, line)| {
            let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line)
                .map_err(|e| TraceError {
                    place: format!("{name}: line {}", index + 1),
                    problem: e.to_string(),
                })?;
            let find = |names: &[&str]| {
                let value = object
                    .iter()
                    .find(|(key, _)| names.contains(&key.to_ascii_lowercase().as_str()))?
                    .1;
                Some(
                    value
                        .as_str()
                        .map_or_else(|| value.to_string(), str::to_owned),
                )
            };
            Ok(Row {
                line: index + 1,
                time: find(TIME),
                prompt: find(PROMPT),
                completion: find(COMPLETION),
            })
        })
        .collect()
}

fn csv_rows(name: &str, text: &str) -> Result<Vec<Row>, TraceError> {
    let wrong = |e: csv::Error| TraceError {
        place: match e.position() {
            Some(at) => format!("{name}: line {}", at.line()),
            None => name.to_owned(),
        },
        problem: e.to_string(),
    };
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let headers = reader.headers().map_err(wrong)?.clone();
    let column = |names: &[&str]| {
        headers
            .iter()
            .position(|h| names.contains(&h.to_ascii_lowercase().as_str()))
    };
    let (time, prompt, completion) = (column(TIME), column(PROMPT), column(COMPLETION));
    if time.is_none() {
        return Err(TraceError {
            place: format!("{name}: line 1"),
            problem: format!(
                "no column is called {}; the columns are {}",
                TIME.join(" or "),
                headers.iter().collect::<Vec<_>>().join(", ")
            ),
        });
    }
    reader
        .records()
        .map(|record| {
            let record = record.map_err(wrong)?;
            let cell = |at: Option<usize>| at.and_then(|at| record.get(at)).map(str::to_owned);
            Ok(Row {
                line: record.position().map_or(0, |p| p.line() as usize),
                time: cell(time),
                prompt: cell(prompt),
                completion: cell(completion),
            })
        })
        .collect()
}

/// A time as nanoseconds since some origin.
fn nanoseconds(text: &str, unit: TraceUnit) -> Result<i128, String> {
    if let Ok(number) = text.parse::<f64>() {
        let scale = match unit {
            TraceUnit::Seconds => 1e9,
            TraceUnit::Milliseconds => 1e6,
        };
        return if number.is_finite() && (number * scale).abs() < 9.2e18 {
            Ok((number * scale).round() as i128)
        } else {
            Err(format!("the time {text} is out of range"))
        };
    }
    let stamp: jiff::civil::DateTime = text
        .trim_end_matches('Z')
        .parse()
        .map_err(|_| format!("`{text}` is no time: give a number or YYYY-MM-DD hh:mm:ss"))?;
    let zoned = stamp
        .to_zoned(jiff::tz::TimeZone::UTC)
        .map_err(|e| e.to_string())?;
    Ok(zoned.timestamp().as_nanosecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, unit: TraceUnit) -> Result<Vec<TraceRequest>, String> {
        parse_trace("t", text, unit).map_err(|e| e.to_string())
    }

    #[test]
    fn published_forms_are_read() {
        let csv = "TIMESTAMP,ContextTokens,GeneratedTokens\n\
                   2023-11-16 18:17:03.9799600,4808,10\n2023-11-16 18:17:04.0319600,3180,8\n";
        let rows = read(csv, TraceUnit::Seconds).unwrap();
        assert_eq!(rows[1].at_ns, 52_000_000);
        assert_eq!(rows[1].prompt_tokens, Some(3180));
        assert_eq!(rows[0].completion_tokens, Some(10));

        let json = "{\"timestamp\": 3000, \"input_length\": 5, \"output_length\": 1, \"hash_ids\": []}\n\
                    {\"timestamp\": 6500.5, \"input_length\": 7}\n";
        let rows = read(json, TraceUnit::Milliseconds).unwrap();
        assert_eq!(rows[1].at_ns, 3_500_500_000);
        assert_eq!(rows[1].completion_tokens, None);
    }

    #[test]
    fn errors_name_the_line() {
        let says = |text: &str, words: &[&str]| {
            let error = read(text, TraceUnit::Seconds).unwrap_err();
            for word in words {
                assert!(error.contains(word), "{error}");
            }
        };
        says("a,b\n1,2\n", &["line 1", "timestamp", "a, b"]);
        says("time\n1\n0.5\n", &["line 3", "sort"]);
        says("time\n1\nsoon\n", &["line 3", "`soon`"]);
        says("time,prompt_tokens\n1,-4\n", &["line 2", "`-4`"]);
        says("{\"time\": 1}\n{\"tim\": 2}\n", &["line 2", "no time"]);
        says("{\"time\": 1}\n{oops\n", &["line 2"]);
        says("time\n", &["no request"]);
        says("time\n1e300\n", &["line 2", "out of range"]);
        says("time,b\n1\n", &["line 2"]);
        says("", &["line 1"]);
    }
}
