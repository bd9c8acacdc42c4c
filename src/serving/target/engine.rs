//! What is known about engines: how they start, load and write.

use serde::Deserialize;
use serde_json::{Map, Value};

/// How requests tell an engine not to answer from cached prefixes.
pub type CacheSwitch = Map<String, Value>;

/// The description of an engine; target files that name it need not repeat it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    /// Its name in target files.
    pub name: String,
    /// Its program.
    pub command: String,
    /// Arguments to begin with; `MODEL` stands for the model, `{port}` for the port.
    pub args: Vec<String>,
    /// What requests name as their model where a target file does not say it;
    /// `None` where no name is always right.
    pub model: Option<String>,
    /// Path of its health check.
    pub health: String,
    /// Statuses of the health check that mean ready.
    pub ready: Vec<u16>,
    /// Statuses that mean loading. A refused connection means it, too.
    pub loading: Vec<u16>,
    /// What becomes of a connection after an answer.
    pub keep_alive: String,
    /// Where the token counts stand.
    pub usage: String,
    /// Whether streams end with `[DONE]`.
    pub done: bool,
    /// Fields of a request that switch its prefix cache off.
    #[serde(default)]
    pub cache_off: CacheSwitch,
}

const DESCRIPTIONS: &[&str] = &[
    include_str!("../engines/evenhand.toml"),
    include_str!("../engines/llama.cpp.toml"),
    include_str!("../engines/mistral.rs.toml"),
    include_str!("../engines/transformers-serve.toml"),
    include_str!("../engines/vllm.toml"),
];

impl Engine {
    /// All described engines.
    pub fn all() -> impl Iterator<Item = Self> {
        DESCRIPTIONS
            .iter()
            .map(|text| toml::from_str(text).expect("descriptions are checked by a test"))
    }

    /// The engine of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::all().find(|engine| engine.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_description_is_readable() {
        let names: Vec<String> = Engine::all().map(|e| e.name).collect();
        assert_eq!(
            names,
            [
                "evenhand",
                "llama.cpp",
                "mistral.rs",
                "transformers-serve",
                "vllm"
            ]
        );
        for engine in Engine::all() {
            assert!(
                engine.args.iter().any(|a| a.contains("{port}")),
                "{}",
                engine.name
            );
            assert!(engine.health.starts_with('/') && !engine.ready.is_empty());
        }
        let switch = Engine::find("llama.cpp").unwrap().cache_off;
        assert_eq!(switch["cache_prompt"], false);
    }
}
