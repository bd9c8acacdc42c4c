//! Fields of a JSON object, each refused by its name.

use super::error::ApiError;
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// Reads fields; `null` and absent are the same.
pub(super) struct Fields<'a> {
    map: &'a Map<String, Value>,
    /// Where the object stands, such as `messages[0].`.
    at: String,
}

impl<'a> Fields<'a> {
    pub fn new(map: &'a Map<String, Value>, at: impl Into<String>) -> Self {
        Self { map, at: at.into() }
    }

    /// The fields of a value that must be an object.
    pub fn of(value: &'a Value, at: &str) -> Result<Self, ApiError> {
        match value {
            Value::Object(map) => Ok(Self::new(map, format!("{at}."))),
            _ => Err(ApiError::field(at, "must be an object")),
        }
    }

    pub fn name(&self, field: &str) -> String {
        format!("{}{field}", self.at)
    }

    pub fn wrong(&self, field: &str, problem: &str) -> ApiError {
        ApiError::field(self.name(field), problem)
    }

    pub fn get(&self, field: &str) -> Option<&'a Value> {
        self.map.get(field).filter(|v| !v.is_null())
    }

    pub fn required(&self, field: &str) -> Result<&'a Value, ApiError> {
        self.get(field)
            .ok_or_else(|| self.wrong(field, "is missing"))
    }

    pub fn string(&self, field: &str) -> Result<Option<&'a str>, ApiError> {
        self.get(field)
            .map(|v| {
                v.as_str()
                    .ok_or_else(|| self.wrong(field, "must be a string"))
            })
            .transpose()
    }

    pub fn flag(&self, field: &str) -> Result<bool, ApiError> {
        self.get(field).map_or(Ok(false), |v| {
            v.as_bool()
                .ok_or_else(|| self.wrong(field, "must be true or false"))
        })
    }

    pub fn count(&self, field: &str, range: RangeInclusive<u64>) -> Result<Option<u64>, ApiError> {
        self.get(field)
            .map(|v| {
                v.as_u64().filter(|n| range.contains(n)).ok_or_else(|| {
                    let problem = format!(
                        "must be a whole number from {} to {}",
                        range.start(),
                        range.end()
                    );
                    self.wrong(field, &problem)
                })
            })
            .transpose()
    }

    pub fn number(&self, field: &str, range: RangeInclusive<f64>) -> Result<Option<f64>, ApiError> {
        self.get(field)
            .map(|v| {
                v.as_f64().filter(|x| range.contains(x)).ok_or_else(|| {
                    let problem =
                        format!("must be a number from {} to {}", range.start(), range.end());
                    self.wrong(field, &problem)
                })
            })
            .transpose()
    }

    pub fn list(&self, field: &str) -> Result<Option<&'a [Value]>, ApiError> {
        self.get(field)
            .map(|v| {
                v.as_array()
                    .map(Vec::as_slice)
                    .ok_or_else(|| self.wrong(field, "must be a list"))
            })
            .transpose()
    }

    /// Refuses a field that would change the answer and is not supported,
    /// unless it says what is done anyway.
    pub fn only(&self, field: &str, neutral: &[Value]) -> Result<(), ApiError> {
        match self.get(field) {
            Some(value) if !neutral.contains(value) => {
                Err(self.wrong(field, "is not supported by this server; leave it out"))
            }
            _ => Ok(()),
        }
    }
}
