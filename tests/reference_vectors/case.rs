//! One case: inputs, expectations and the tolerance between them.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::Path;

use serde_json::Value;

/// What became of a case; the error says which number was missed.
pub type Outcome = Result<(), String>;

/// A parsed case.
pub struct Case {
    pub id: String,
    pub kind: String,
    pub method: String,
    inputs: Value,
    expected: Value,
    rel: f64,
    abs: f64,
    looked_at: RefCell<BTreeSet<String>>,
}

/// Reads all cases of a file.
pub fn load(path: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let document: Value =
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let cases = document["cases"].as_array().expect("a list of cases");
    let text = |case: &Value, key: &str| case[key].as_str().unwrap_or_default().to_owned();
    let tolerance = |case: &Value, key: &str| case["tol"][key].as_f64().expect("a tolerance");
    cases
        .iter()
        .map(|case| Case {
            id: text(case, "id"),
            kind: text(case, "kind"),
            method: text(case, "method"),
            inputs: case["inputs"].clone(),
            expected: case["expected"].clone(),
            rel: tolerance(case, "rel"),
            abs: tolerance(case, "abs"),
            looked_at: RefCell::default(),
        })
        .collect()
}

/// A number, or an infinity spelled as a word.
fn number(value: &Value) -> Option<f64> {
    match value.as_str() {
        Some("inf") => Some(f64::INFINITY),
        Some("-inf") => Some(f64::NEG_INFINITY),
        Some(_) => None,
        None => value.as_f64(),
    }
}

fn list<T>(value: &Value, item: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    value.as_array()?.iter().map(item).collect()
}

impl Case {
    fn input<T>(&self, key: &str, read: impl Fn(&Value) -> Option<T>) -> Result<T, String> {
        read(&self.inputs[key]).ok_or_else(|| format!("input {key:?} is missing or not readable"))
    }

    pub fn has_input(&self, key: &str) -> bool {
        !self.inputs[key].is_null()
    }

    pub fn number(&self, key: &str) -> Result<f64, String> {
        self.input(key, number)
    }

    pub fn count(&self, key: &str) -> Result<u64, String> {
        self.input(key, Value::as_u64)
    }

    pub fn numbers(&self, key: &str) -> Result<Vec<f64>, String> {
        self.input(key, |v| list(v, number))
    }

    pub fn counts(&self, key: &str) -> Result<Vec<u64>, String> {
        self.input(key, |v| list(v, Value::as_u64))
    }

    pub fn rows(&self, key: &str) -> Result<Vec<Vec<f64>>, String> {
        self.input(key, |v| list(v, |row| list(row, number)))
    }

    pub fn index_rows(&self, key: &str) -> Result<Vec<Vec<usize>>, String> {
        let index = |v: &Value| v.as_u64().map(|i| i as usize);
        self.input(key, |v| list(v, |row| list(row, index)))
    }

    pub fn text(&self, key: &str) -> Result<String, String> {
        self.input(key, |v| v.as_str().map(str::to_owned))
    }

    /// A three-valued flag of the inputs: `None` for null.
    pub fn flag(&self, group: &str, key: &str) -> Option<bool> {
        self.inputs[group][key].as_bool()
    }

    /// An expectation; from now on it counts as looked at.
    fn wanted(&self, key: &str) -> &Value {
        self.looked_at.borrow_mut().insert(key.to_owned());
        &self.expected[key]
    }

    /// Every expectation was looked at: none may be met by being forgotten.
    pub fn is_complete(&self) -> Outcome {
        let looked_at = self.looked_at.borrow();
        let forgotten =
            |(key, want): &(&String, &Value)| !want.is_null() && !looked_at.contains(*key);
        match self
            .expected
            .as_object()
            .and_then(|all| all.iter().find(forgotten))
        {
            None => Ok(()),
            Some((key, _)) => Err(format!("expectation {key:?} was not checked")),
        }
    }

    /// Whether the case expects something under `key`.
    pub fn expects(&self, key: &str) -> bool {
        !self.wanted(key).is_null()
    }

    pub fn expected_text(&self, key: &str) -> Option<&str> {
        self.wanted(key).as_str()
    }

    /// `got` meets the expectation `key`; a key that is absent asks nothing.
    pub fn meets(&self, key: &str, got: f64) -> Outcome {
        if !self.expects(key) {
            return Ok(());
        }
        let want = number(self.wanted(key)).ok_or_else(|| format!("{key} is not a number"))?;
        self.compare(&key, got, want)
    }

    /// A list meets the expectation `key`.
    pub fn meets_all(&self, key: &str, got: &[f64]) -> Outcome {
        let want = list(self.wanted(key), number).ok_or_else(|| format!("{key} is no list"))?;
        if got.len() != want.len() {
            return Err(format!(
                "{key} has {} values, not {}",
                got.len(),
                want.len()
            ));
        }
        got.iter()
            .zip(want)
            .enumerate()
            .try_for_each(|(i, (g, w))| self.compare(&format_args!("{key}[{i}]"), *g, w))
    }

    /// A list of lists meets the expectation `key`.
    pub fn meets_rows(&self, key: &str, got: &[Vec<f64>]) -> Outcome {
        let want = list(self.wanted(key), |row| list(row, number))
            .ok_or_else(|| format!("{key} is no list of lists"))?;
        if got.len() != want.len() || got.iter().zip(&want).any(|(g, w)| g.len() != w.len()) {
            return Err(format!("{key} has another shape"));
        }
        got.concat()
            .iter()
            .zip(want.concat())
            .try_for_each(|(g, w)| self.compare(&key, *g, w))
    }

    /// A list of booleans is exactly the expectation `key`.
    pub fn meets_flags(&self, key: &str, got: &[bool]) -> Outcome {
        match list(self.wanted(key), Value::as_bool) {
            Some(want) if want == got => Ok(()),
            want => Err(format!("{key} is {got:?}, not {want:?}")),
        }
    }

    /// A boolean is exactly the expectation `key`.
    pub fn meets_flag(&self, key: &str, got: bool) -> Outcome {
        match self.wanted(key).as_bool() {
            Some(want) if want != got => Err(format!("{key} is {got}, not {want}")),
            _ => Ok(()),
        }
    }

    fn compare(&self, key: &dyn Display, got: f64, want: f64) -> Outcome {
        // Equality covers infinities, whose difference has no value.
        if got == want || (got - want).abs() <= self.abs + self.rel * want.abs() {
            Ok(())
        } else {
            Err(format!("{key} is {got}, not {want}"))
        }
    }
}

/// Errors of the library as text.
pub fn said<T, E: Display>(result: Result<T, E>) -> Result<T, String> {
    result.map_err(|e| e.to_string())
}
