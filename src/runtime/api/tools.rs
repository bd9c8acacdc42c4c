//! `tools` and `tool_choice`.

use super::error::ApiError;
use super::fields::Fields;
use crate::runtime::constrain::{Automaton, Schema, Tool};
use crate::runtime::engine::Constraint;
use serde_json::{Value, json};

/// Most functions of a request.
const MAX_TOOLS: usize = 64;

/// Functions that the model may call.
pub(super) struct Tools {
    /// As the client wrote them: for the prompt.
    pub described: String,
    /// Names, for reading calls back.
    pub names: Vec<String>,
    /// `None`: no call is allowed.
    pub constraint: Option<Constraint>,
}

/// Reads both fields; `None` without tools.
pub(super) fn read(fields: &Fields<'_>) -> Result<Option<Tools>, ApiError> {
    let choice = fields.get("tool_choice");
    let listed = fields.list("tools")?.unwrap_or_default();
    if listed.is_empty() {
        return match choice.and_then(Value::as_str) {
            Some("none" | "auto") => Ok(None),
            _ if choice.is_none() => Ok(None),
            _ => Err(fields.wrong("tool_choice", "there are no `tools` to choose from")),
        };
    }
    if listed.len() > MAX_TOOLS {
        let problem = format!("has more than {MAX_TOOLS} functions");
        return Err(fields.wrong("tools", &problem));
    }
    let mut tools: Vec<Tool> = Vec::with_capacity(listed.len());
    for (i, tool) in listed.iter().enumerate() {
        let tool = read_tool(tool, &format!("tools[{i}]"))?;
        if tools.iter().any(|t| t.name == tool.name) {
            let param = format!("tools[{i}].function.name");
            return Err(ApiError::field(param, "another function has this name"));
        }
        tools.push(tool);
    }
    let names = tools.iter().map(|t| t.name.clone()).collect();
    Ok(Some(Tools {
        described: Value::from(listed).to_string(),
        names,
        constraint: choose(fields, choice, tools)?,
    }))
}

fn read_tool(tool: &Value, at: &str) -> Result<Tool, ApiError> {
    let fields = Fields::of(tool, at)?;
    if fields.string("type")? != Some("function") {
        return Err(fields.wrong("type", "must be `function`"));
    }
    let at = fields.name("function");
    let function = Fields::of(fields.required("function")?, &at)?;
    let name = function
        .string("name")?
        .ok_or_else(|| function.wrong("name", "is missing"))?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || name.len() > 64 || !name.chars().all(allowed) {
        let problem = "must be 1 to 64 letters, digits, `_` or `-`";
        return Err(function.wrong("name", problem));
    }
    let nothing = json!({"type": "object"});
    let parameters = function.get("parameters").unwrap_or(&nothing);
    let arguments = Schema::of_arguments(parameters)
        .map_err(|e| function.wrong("parameters", &e.to_string()))?;
    Ok(Tool {
        name: name.to_owned(),
        arguments,
    })
}

fn choose(
    fields: &Fields<'_>,
    choice: Option<&Value>,
    mut tools: Vec<Tool>,
) -> Result<Option<Constraint>, ApiError> {
    let optional = match choice {
        None => true,
        Some(Value::String(word)) => match word.as_str() {
            "none" => return Ok(None),
            "auto" => true,
            "required" => false,
            _ => {
                let problem = "must be `none`, `auto`, `required` or a function";
                return Err(fields.wrong("tool_choice", problem));
            }
        },
        Some(named) => {
            let outer = Fields::of(named, "tool_choice")?;
            let function = Fields::of(outer.required("function")?, "tool_choice.function")?;
            let name = function.string("name")?.unwrap_or_default();
            tools.retain(|t| t.name == name);
            if tools.is_empty() {
                return Err(function.wrong("name", "is not the name of one of the `tools`"));
            }
            false
        }
    };
    Ok(Some(Constraint {
        automaton: Automaton::calls(&tools),
        optional,
    }))
}
