//! Reading a table of a target file, key by key: what is wrong names its place.

use std::collections::BTreeMap;
use toml::{Table, Value as Toml};

/// What is wrong with a target file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {place}{problem}")]
pub struct TargetFileError {
    /// The file.
    pub file: String,
    /// The key, with a colon and a space, or nothing.
    pub place: String,
    /// What is wrong, and what to do.
    pub problem: String,
}

pub(super) type Result<T> = std::result::Result<T, TargetFileError>;

/// A table of the file, with its place.
pub(super) struct Section<'f> {
    pub file: &'f str,
    pub key: String,
    pub table: Table,
}

impl<'f> Section<'f> {
    pub fn wrong(&self, key: &str, problem: &str) -> TargetFileError {
        TargetFileError {
            file: self.file.to_owned(),
            place: format!("`{}`: ", self.path(key)),
            problem: problem.to_owned(),
        }
    }

    pub fn path(&self, key: &str) -> String {
        if self.key.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.key)
        }
    }

    pub fn mismatch(&self, key: &str, wanted: &str, found: &Toml) -> TargetFileError {
        let value = serde_json::to_string(found).unwrap_or_default();
        self.wrong(
            key,
            &format!("it must be {wanted}, not {} {value}", found.type_str()),
        )
    }

    pub fn section(&mut self, key: &str) -> Result<Option<Self>> {
        match self.table.get(key).cloned() {
            None => Ok(None),
            Some(Toml::Table(table)) => Ok(Some(Self {
                file: self.file,
                key: self.path(key),
                table,
            })),
            Some(other) => Err(self.mismatch(key, "a table", &other)),
        }
    }

    pub fn string(&self, key: &str) -> Result<Option<String>> {
        match self.table.get(key) {
            None => Ok(None),
            Some(Toml::String(text)) if text.is_empty() => Err(self.wrong(key, "it is empty")),
            Some(Toml::String(text)) => Ok(Some(text.clone())),
            Some(other) => Err(self.mismatch(key, "text", other)),
        }
    }

    pub fn required(&self, key: &str, what: &str) -> Result<String> {
        self.string(key)?
            .ok_or_else(|| self.wrong(key, &format!("it is missing: give {what}")))
    }

    pub fn boolean(&self, key: &str) -> Result<Option<bool>> {
        match self.table.get(key) {
            None => Ok(None),
            Some(Toml::Boolean(value)) => Ok(Some(*value)),
            Some(other) => Err(self.mismatch(key, "true or false", other)),
        }
    }

    pub fn integer(&self, key: &str, range: std::ops::RangeInclusive<u64>) -> Result<Option<u64>> {
        let Some(found) = self.table.get(key) else {
            return Ok(None);
        };
        let value = found
            .as_integer()
            .and_then(|n| u64::try_from(n).ok())
            .filter(|n| range.contains(n));
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        value
            .map(Some)
            .ok_or_else(|| self.mismatch(key, &wanted, found))
    }

    pub fn list(&self, key: &str) -> Result<Option<Vec<String>>> {
        let Some(found) = self.table.get(key) else {
            return Ok(None);
        };
        let items = found.as_array().and_then(|items| {
            items
                .iter()
                .map(|i| i.as_str().map(str::to_owned))
                .collect::<Option<_>>()
        });
        items
            .map(Some)
            .ok_or_else(|| self.mismatch(key, "a list of texts", found))
    }

    pub fn statuses(&self, key: &str) -> Result<Option<Vec<u16>>> {
        let Some(found) = self.table.get(key) else {
            return Ok(None);
        };
        let items = found.as_array().and_then(|items| {
            let status = |i: &Toml| i.as_integer().and_then(|n| u16::try_from(n).ok());
            items
                .iter()
                .map(|i| status(i).filter(|s| (100..600).contains(s)))
                .collect::<Option<_>>()
        });
        items
            .map(Some)
            .ok_or_else(|| self.mismatch(key, "a list of HTTP statuses", found))
    }

    pub fn strings(self) -> Result<BTreeMap<String, String>> {
        let pairs = self.table.iter().map(|(key, value)| match value {
            Toml::String(text) => Ok((key.clone(), text.clone())),
            other => Err(self.mismatch(key, "text", other)),
        });
        pairs.collect()
    }

    /// Refuses keys that nobody reads.
    pub fn end(&self, known: &[&str]) -> Result<()> {
        let Some(key) = self.table.keys().find(|key| !known.contains(&key.as_str())) else {
            return Ok(());
        };
        let near = known
            .iter()
            .min_by_key(|k| distance(k, key))
            .filter(|k| distance(k, key) <= 3);
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known are {}", known.join(", ")),
        };
        Err(self.wrong(key, &format!("there is no such key; {hint}")))
    }
}

/// Edits from one word to another (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let kept = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = kept.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}
