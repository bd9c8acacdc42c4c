//! Runs a case through the command.

use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Output, Stdio};

/// Words that no text may hold, whatever the input.
const NEVER: [&str; 10] = [
    "NaN",
    "inf ",
    "+inf",
    "-inf",
    "-0.0",
    "\u{2212}0.0 %",
    "winner",
    "wins",
    "faster",
    "overall",
];
/// Words of a claim, which a refusal may not hold.
const CLAIMS: [&str; 4] = ["Improvement", "Regression", "Parity:", "than of"];

/// One statement that must not be printed.
pub struct Case {
    pub id: &'static str,
    arguments: Vec<&'static str>,
    input: Value,
    class: &'static str,
    code: &'static str,
    must: Vec<&'static str>,
    never: Vec<&'static str>,
}

impl Case {
    /// A document, the class of every comparison in it, and a code that each has.
    pub fn new(id: &'static str, input: Value, class: &'static str, code: &'static str) -> Self {
        Self {
            id,
            arguments: Vec::new(),
            input,
            class,
            code,
            must: Vec::new(),
            never: Vec::new(),
        }
    }

    /// Runs that are described, not compared; no class, no code.
    pub fn described(id: &'static str, input: Value) -> Self {
        Self {
            arguments: vec!["--describe"],
            ..Self::new(id, input, "described", "")
        }
    }

    /// Words that the text must hold.
    pub fn says(mut self, words: &[&'static str]) -> Self {
        self.must.extend(words);
        self
    }

    /// Words of the statement that the text may not hold.
    pub fn never_says(mut self, words: &[&'static str]) -> Self {
        self.never.extend(words);
        self
    }

    pub fn check(&self) -> Result<(), String> {
        self.run().map_err(|e| format!("{}: {e}", self.id))
    }

    fn run(&self) -> Result<(), String> {
        let text = self.call("human");
        if self.class == "refused" {
            let message = String::from_utf8_lossy(&text.stderr).into_owned();
            if text.status.code() != Some(2) || !text.stdout.is_empty() {
                return Err(format!("it was not refused: {message}"));
            }
            return holds(&message, &self.must, &self.never);
        }
        let printed = String::from_utf8_lossy(&text.stdout).into_owned();
        let result: Value = serde_json::from_slice(&self.call("json").stdout)
            .map_err(|e| format!("{e}: {}", String::from_utf8_lossy(&text.stderr)))?;
        let claims = result["comparisons"].as_array().into_iter().flatten();
        let others = ["published", "designs", "tails"];
        let others = others.iter().filter_map(|k| result[k].as_array()).flatten();
        let claims: Vec<&Value> = claims.map(|c| &c["claim"]).chain(others).collect();
        if self.class == "described" {
            if !claims.is_empty() || result["groups"].as_array().is_none() {
                return Err(format!("more than a description: {printed}"));
            }
            holds(&printed, &self.must, &self.never)?;
            holds(&printed, &[], &NEVER)?;
            return holds(&printed, &[], &CLAIMS);
        }
        if claims.is_empty() {
            return Err("nothing was judged".to_owned());
        }
        for claim in claims {
            if claim["class"] != self.class {
                return Err(format!(
                    "{} instead of {}: {printed}",
                    claim["class"], self.class
                ));
            }
            let reasons = claim["reasons"].as_array().into_iter().flatten();
            if !reasons.into_iter().any(|r| r["code"] == self.code) {
                return Err(format!("no {}: {}", self.code, claim["reasons"]));
            }
        }
        holds(&printed, &self.must, &self.never)?;
        holds(&printed, &[], &NEVER)?;
        if matches!(self.class, "invalid" | "insufficient" | "noise_dominated") {
            holds(&printed, &[], &CLAIMS)?;
        }
        if matches!(self.class, "invalid" | "insufficient") {
            holds(&printed, &[], &["CI95"])?;
        }
        Ok(())
    }

    fn call(&self, format: &str) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_cargo-evenhand"))
            .args([
                "--color",
                "never",
                "analyze",
                "--format",
                format,
                "--verbose",
                "-",
            ])
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin
            .write_all(self.input.to_string().as_bytes())
            .expect("the input is read");
        drop(stdin);
        child.wait_with_output().expect("the command ends")
    }
}

fn holds(text: &str, must: &[&str], never: &[&str]) -> Result<(), String> {
    if let Some(word) = must.iter().find(|w| !text.contains(**w)) {
        return Err(format!("{word:?} is not said: {text}"));
    }
    match never.iter().find(|w| text.contains(**w)) {
        Some(word) => Err(format!("{word:?} is said: {text}")),
        None => Ok(()),
    }
}

/// A document of pairs.
pub fn document(metric: (&str, &str, &str), control: &str, observations: Vec<Value>) -> Value {
    let mut metric_of = json!({"id": metric.0, "unit": metric.1});
    if !metric.2.is_empty() {
        metric_of["direction"] = json!(metric.2);
    }
    json!({
        "schema": "evenhand.pairs/1.0",
        "metric": metric_of,
        "control": control,
        "observations": observations
    })
}

/// The same document with more said.
pub fn and(mut document: Value, more: Value) -> Value {
    for (key, value) in more.as_object().expect("an object") {
        document[key] = value.clone();
    }
    document
}

/// One pair, with what else is known of each side.
pub fn pair(unit: usize, a: (&str, Value, Value), b: (&str, Value, Value)) -> Vec<Value> {
    let row = |(arm, value, more): (&str, Value, Value)| {
        let row = json!({"unit": unit, "arm": arm, "value": value});
        if more.is_null() { row } else { and(row, more) }
    };
    vec![row(a), row(b)]
}

/// Pairs of numbers.
pub fn pairs(a: (&str, &[f64]), b: (&str, &[f64])) -> Vec<Value> {
    let units = a.1.iter().zip(b.1).enumerate();
    units
        .flat_map(|(unit, (x, y))| {
            pair(
                unit,
                (a.0, json!(x), Value::Null),
                (b.0, json!(y), Value::Null),
            )
        })
        .collect()
}

/// Outcomes of tasks: passed by both, by `b` only, by `a` only, by neither.
pub fn outcomes(a: &str, b: &str, counts: [usize; 4]) -> Vec<Value> {
    let kinds = [(1.0, 1.0), (0.0, 1.0), (1.0, 0.0), (0.0, 0.0)];
    let all = kinds.into_iter().zip(counts);
    let (x, y): (Vec<f64>, Vec<f64>) = all
        .flat_map(|(kind, count)| std::iter::repeat_n(kind, count))
        .unzip();
    pairs((a, &x), (b, &y))
}

/// Twelve pairs in which `b` is well below `a`.
pub fn clear(a: &str, b: &str) -> Vec<Value> {
    let x = [
        101.2, 98.7, 100.4, 99.1, 102.0, 100.9, 98.2, 99.9, 101.7, 100.1, 99.4, 100.6,
    ];
    let y = [
        91.0, 90.2, 92.3, 89.9, 91.8, 92.6, 88.9, 91.1, 90.6, 91.9, 90.0, 92.1,
    ];
    pairs((a, &x), (b, &y))
}
