//! The subset of JSON Schema that arguments can be generated for.
//!
//! | type | keywords |
//! |---|---|
//! | `object` | `properties`, `required`, `additionalProperties` (nothing else is written) |
//! | `array` | `items`, `minItems`, `maxItems` |
//! | `string` | `minLength`, `maxLength` |
//! | `integer`, `number`, `boolean`, `null` | |
//! | any | `enum` of scalars, `const` of a scalar |
//!
//! `title`, `description`, `default`, `examples`, `format`, `$schema`, `$id`,
//! `$comment` and `deprecated` describe and do not bind. Every other keyword
//! is refused: arguments that ignore it would not be valid.

use serde_json::{Map, Value};
use std::fmt;

/// Deepest nesting of a schema.
pub const MAX_DEPTH: usize = 32;
/// Most properties, items and enumerated values of a schema together.
pub const MAX_NODES: usize = 2048;

/// What a JSON value must look like.
#[derive(Clone, Debug, PartialEq)]
pub enum Schema {
    /// An object with these properties, written in this order.
    Object(Vec<Property>),
    /// An array.
    Array {
        /// What every item must look like.
        items: Box<Schema>,
        /// Fewest items.
        min: usize,
        /// Most items.
        max: usize,
    },
    /// A string; bounds count characters.
    String {
        /// Fewest characters.
        min: usize,
        /// Most characters.
        max: usize,
    },
    /// A whole number of at most 15 digits.
    Integer,
    /// A decimal number of at most 15 digits before and after the point.
    Number,
    /// One of these texts, each a JSON value: `enum`, `const`, `boolean`, `null`.
    OneOf(Vec<String>),
}

/// A property of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    /// Its name.
    pub name: String,
    /// What its value must look like.
    pub schema: Schema,
    /// Whether it must be there.
    pub required: bool,
}

/// Why a schema is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaError {
    /// Where, as a JSON pointer into the schema.
    pub at: String,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = if self.at.is_empty() { "/" } else { &self.at };
        write!(f, "at `{at}`: {}", self.problem)
    }
}

impl std::error::Error for SchemaError {}

const DESCRIBING: &[&str] = &[
    "title",
    "description",
    "default",
    "examples",
    "format",
    "$schema",
    "$id",
    "$comment",
    "deprecated",
    "strict",
];

impl Schema {
    /// Reads a schema; it must be one for objects, as arguments are.
    ///
    /// # Errors
    /// Whatever is outside of the subset, with its place.
    pub fn of_arguments(schema: &Value) -> Result<Self, SchemaError> {
        let mut reader = Reader { nodes: 0 };
        match reader.read(schema, "", 0)? {
            object @ Self::Object(_) => Ok(object),
            _ => Err(error(
                "",
                "arguments are an object: `type` must be `object`",
            )),
        }
    }
}

fn error(at: &str, problem: impl Into<String>) -> SchemaError {
    SchemaError {
        at: at.to_owned(),
        problem: problem.into(),
    }
}

struct Reader {
    nodes: usize,
}

impl Reader {
    fn count(&mut self, at: &str, more: usize) -> Result<(), SchemaError> {
        self.nodes += more;
        if self.nodes > MAX_NODES {
            return Err(error(
                at,
                format!("the schema has more than {MAX_NODES} parts"),
            ));
        }
        Ok(())
    }

    fn read(&mut self, schema: &Value, at: &str, depth: usize) -> Result<Schema, SchemaError> {
        self.count(at, 1)?;
        if depth > MAX_DEPTH {
            return Err(error(at, format!("schemas nest at most {MAX_DEPTH} deep")));
        }
        let Value::Object(map) = schema else {
            return Err(error(at, "a schema is an object"));
        };
        let kind = match map.get("type") {
            None => None,
            Some(Value::String(kind)) => Some(kind.as_str()),
            Some(_) => return Err(error(&format!("{at}/type"), "one type, as a string")),
        };
        if let Some(fixed) = self.fixed(map, kind, at)? {
            return Ok(fixed);
        }
        let Some(kind) = kind else {
            return Err(error(at, "`type` is missing"));
        };
        match kind {
            "object" => {
                only(map, at, &["properties", "required", "additionalProperties"])?;
                self.object(map, at, depth)
            }
            "array" => {
                only(map, at, &["items", "minItems", "maxItems"])?;
                let (min, max) = bounds(map, at, "minItems", "maxItems")?;
                let items = map
                    .get("items")
                    .ok_or_else(|| error(at, "`items` is missing"))?;
                let items = self.read(items, &format!("{at}/items"), depth + 1)?;
                Ok(Schema::Array {
                    items: Box::new(items),
                    min,
                    max,
                })
            }
            "string" => {
                only(map, at, &["minLength", "maxLength"])?;
                let (min, max) = bounds(map, at, "minLength", "maxLength")?;
                Ok(Schema::String { min, max })
            }
            "integer" => only(map, at, &[]).map(|()| Schema::Integer),
            "number" => only(map, at, &[]).map(|()| Schema::Number),
            "boolean" => only(map, at, &[])
                .map(|()| Schema::OneOf(vec!["false".to_owned(), "true".to_owned()])),
            "null" => only(map, at, &[]).map(|()| Schema::OneOf(vec!["null".to_owned()])),
            other => Err(error(
                &format!("{at}/type"),
                format!(
                    "`{other}` is not one of object, array, string, integer, number, boolean, null"
                ),
            )),
        }
    }

    /// `enum` and `const`.
    fn fixed(
        &mut self,
        map: &Map<String, Value>,
        kind: Option<&str>,
        at: &str,
    ) -> Result<Option<Schema>, SchemaError> {
        let (word, values) = match (map.get("enum"), map.get("const")) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => return Err(error(at, "either `enum` or `const`, not both")),
            (Some(Value::Array(values)), None) if !values.is_empty() => ("enum", values.as_slice()),
            (Some(_), None) => {
                return Err(error(&format!("{at}/enum"), "a list of at least one value"));
            }
            (None, Some(value)) => ("const", std::slice::from_ref(value)),
        };
        only(map, at, &["enum", "const"])?;
        self.count(at, values.len())?;
        let mut texts = Vec::with_capacity(values.len());
        for (i, value) in values.iter().enumerate() {
            let at = format!("{at}/{word}/{i}");
            if value.is_array() || value.is_object() {
                return Err(error(&at, "only strings, numbers, booleans and null"));
            }
            if kind.is_some_and(|kind| !is_of(value, kind)) {
                return Err(error(&at, "the value is not of the schema's `type`"));
            }
            let text = value.to_string();
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        Ok(Some(Schema::OneOf(texts)))
    }

    fn object(
        &mut self,
        map: &Map<String, Value>,
        at: &str,
        depth: usize,
    ) -> Result<Schema, SchemaError> {
        match map.get("additionalProperties") {
            None | Some(Value::Bool(_) | Value::Object(_)) => {}
            Some(_) => {
                let at = format!("{at}/additionalProperties");
                return Err(error(&at, "a boolean or a schema"));
            }
        }
        let empty = Map::new();
        let declared = match map.get("properties") {
            None => &empty,
            Some(Value::Object(properties)) => properties,
            Some(_) => return Err(error(&format!("{at}/properties"), "an object")),
        };
        let required = required(map, declared, at)?;
        let mut properties = Vec::with_capacity(declared.len());
        for (name, schema) in declared {
            let at = format!("{at}/properties/{}", pointer(name));
            properties.push(Property {
                name: name.clone(),
                schema: self.read(schema, &at, depth + 1)?,
                required: required.contains(&name.as_str()),
            });
        }
        // The order must not depend on how the JSON was read.
        properties.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Schema::Object(properties))
    }
}

fn required<'a>(
    map: &'a Map<String, Value>,
    declared: &Map<String, Value>,
    at: &str,
) -> Result<Vec<&'a str>, SchemaError> {
    let at = format!("{at}/required");
    match map.get("required") {
        None => Ok(Vec::new()),
        Some(Value::Array(names)) => names
            .iter()
            .map(|name| match name.as_str() {
                Some(name) if declared.contains_key(name) => Ok(name),
                Some(name) => Err(error(&at, format!("`{name}` is not in `properties`"))),
                None => Err(error(&at, "a list of names")),
            })
            .collect(),
        Some(_) => Err(error(&at, "a list of names")),
    }
}

/// Refuses keywords that would be ignored.
fn only(map: &Map<String, Value>, at: &str, known: &[&str]) -> Result<(), SchemaError> {
    for key in map.keys() {
        let key = key.as_str();
        if key != "type" && !known.contains(&key) && !DESCRIBING.contains(&key) {
            return Err(error(
                &format!("{at}/{}", pointer(key)),
                "the keyword is outside of the supported subset; leave it out",
            ));
        }
    }
    Ok(())
}

fn bounds(
    map: &Map<String, Value>,
    at: &str,
    min: &str,
    max: &str,
) -> Result<(usize, usize), SchemaError> {
    let read = |key: &str, otherwise: usize| match map.get(key) {
        None => Ok(otherwise),
        Some(value) => value
            .as_u64()
            .and_then(|n| u32::try_from(n).ok())
            .map(|n| n as usize)
            .ok_or_else(|| error(&format!("{at}/{key}"), "a whole number below 2^32")),
    };
    let (low, high) = (read(min, 0)?, read(max, usize::MAX)?);
    if low > high {
        return Err(error(at, format!("`{min}` is above `{max}`")));
    }
    Ok((low, high))
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => false,
    }
}

/// A name as a step of a JSON pointer (RFC 6901).
fn pointer(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
