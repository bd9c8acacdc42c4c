//! Everything that can be set about a runtime.

use super::config::Preset;
use super::engine::EngineOptions;
use super::model::LoadOptions;
use super::server::Limits;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// Where a model comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Drawn from a seed.
    Preset {
        /// Its shape.
        preset: Preset,
        /// Names the weights.
        seed: u64,
    },
    /// Read from a folder with `config.json`, `model.safetensors` and
    /// `tokenizer.json`.
    Folder(PathBuf),
}

/// What a runtime serves, how, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The model.
    pub source: Source,
    /// Its name in the protocol; `None`: the preset's or the folder's name.
    pub name: Option<String>,
    /// Where to listen; port 0 lets the system choose.
    pub address: SocketAddr,
    /// Allows an address that other machines can reach. There is no
    /// authentication.
    pub allow_remote: bool,
    /// How the model is loaded and computed.
    pub load: LoadOptions,
    /// How requests share the decoder.
    pub engine: EngineOptions,
    /// What the server puts up with.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            source: Source::Preset {
                preset: Preset::Tiny,
                seed: 1,
            },
            name: None,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            allow_remote: false,
            load: LoadOptions::default(),
            engine: EngineOptions::default(),
            limits: Limits::default(),
        }
    }
}

/// An option that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionsError(pub String);

impl fmt::Display for OptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OptionsError {}

impl Options {
    /// Looks for options that make no sense.
    ///
    /// # Errors
    /// The first such, and what to do.
    pub fn check(&self) -> Result<(), OptionsError> {
        if !self.address.ip().is_loopback() && !self.allow_remote {
            return Err(OptionsError(format!(
                "{} can be reached from other machines, and there is no authentication; \
                 allow that with --allow-remote (`allow_remote`) or listen on 127.0.0.1",
                self.address
            )));
        }
        self.engine.check().map_err(OptionsError)?;
        self.limits.check().map_err(OptionsError)
    }

    /// The model's name in the protocol.
    #[must_use]
    pub fn model_name(&self) -> String {
        if let Some(name) = &self.name {
            return name.clone();
        }
        match &self.source {
            Source::Preset { preset, .. } => preset.name().to_owned(),
            Source::Folder(dir) => dir
                .file_name()
                .map_or_else(|| "model".into(), |n| n.to_string_lossy().into_owned()),
        }
    }
}
