//! What is measured: a command line that is started fresh, or an address.
//!
//! [`Target::read`] reads a target file, [`Target::command`] and
//! [`Target::at`] make one in code, [`Target::embedded`] is the runtime of this
//! crate. [`Target::start`] starts it in a process group of its own; whatever
//! ends the measuring process, nothing of that group survives it.

mod engine;
mod file;
mod group;
mod guard;
mod ready;
mod running;
mod section;
mod setting;

pub use engine::{CacheSwitch, Engine};
pub use running::{Running, StartError};
pub use section::TargetFileError;

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

/// Which OpenAI-compatible endpoint is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Api {
    /// `/v1/chat/completions`.
    #[default]
    Chat,
    /// `/v1/completions`.
    Completions,
}

impl Api {
    /// Path of the endpoint.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Chat => "/v1/chat/completions",
            Self::Completions => "/v1/completions",
        }
    }
}

/// How it is known that a started server serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It answers a `GET`. A refused connection and any status among `loading`
    /// mean that it loads; any other status is an error.
    Http {
        /// Path of the question.
        path: String,
        /// Statuses that mean ready.
        ready: Vec<u16>,
        /// Statuses that mean loading.
        loading: Vec<u16>,
        /// Time between two questions, 1 ms or less.
        poll: Duration,
    },
    /// It writes a line to standard output that begins so; an address in the
    /// rest of the line is where it listens.
    Pipe {
        /// Beginning of the line.
        prefix: String,
    },
    /// A line with this text appears on its standard output or error.
    Log {
        /// Text in the line.
        text: String,
    },
}

/// State of the page cache before a start, as declared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PageCache {
    /// Files of the server are in memory.
    Warm,
    /// They are not: whoever declares this has dropped them.
    Cold,
    /// Nobody said.
    #[default]
    Undeclared,
}

/// A server that is started for every worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    /// The program.
    pub program: OsString,
    /// Its arguments; `{port}` stands for the port.
    pub arguments: Vec<String>,
    /// Its environment, besides what is inherited.
    pub environment: BTreeMap<String, String>,
    /// Variables taken over from this process. Nothing else is.
    pub inherit: Vec<String>,
    /// Where it runs.
    pub directory: Option<PathBuf>,
    /// Its port; `None` lets the system choose a free one.
    pub port: Option<u16>,
    /// A line for its standard input, which stays open until it is stopped.
    pub input: Option<String>,
    /// How it is known to serve.
    pub readiness: Readiness,
    /// Longest wait until it serves.
    pub start_timeout: Duration,
    /// Longest wait between asking it to end and killing it.
    pub stop_timeout: Duration,
}

impl CommandLine {
    /// A program with arguments that answers `GET /health` with 200 when it
    /// serves and with 503 while it loads.
    #[must_use]
    pub fn new(program: impl Into<OsString>, arguments: Vec<String>) -> Self {
        Self {
            program: program.into(),
            arguments,
            environment: BTreeMap::new(),
            inherit: vec!["PATH".to_owned(), "HOME".to_owned()],
            directory: None,
            port: None,
            input: None,
            readiness: Readiness::Http {
                path: "/health".to_owned(),
                ready: vec![200],
                loading: vec![503],
                poll: Duration::from_micros(500),
            },
            start_timeout: Duration::from_secs(120),
            stop_timeout: Duration::from_secs(5),
        }
    }
}

/// How the server comes to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Server {
    /// A command line, started fresh for every worker.
    Command(Box<CommandLine>),
    /// An address where one runs already: it can't be restarted, so requests
    /// are the units and claims are at most `directional`.
    Address(SocketAddr),
}

/// A server to measure.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Name for people.
    pub name: String,
    /// How it comes to be.
    pub server: Server,
    /// Which endpoint is asked.
    pub api: Api,
    /// Model named in requests.
    pub model: String,
    /// Engine, by the name of its description.
    pub engine: Option<String>,
    /// Fields added to every request.
    pub request: Map<String, Value>,
    /// What is known about it and should be equal, or differ on purpose:
    /// weights, quantisation, template. Kept with every worker.
    pub facts: BTreeMap<String, String>,
    /// State of the page cache before a start.
    pub page_cache: PageCache,
}

impl Target {
    /// A target that is started by a command line.
    #[must_use]
    pub fn command(name: impl Into<String>, command: CommandLine) -> Self {
        Self::new(name.into(), Server::Command(Box::new(command)))
    }

    /// A server that runs at an address such as `127.0.0.1:8080`.
    #[must_use]
    pub fn at(name: impl Into<String>, address: SocketAddr) -> Self {
        Self::new(name.into(), Server::Address(address))
    }

    fn new(name: String, server: Server) -> Self {
        Self {
            model: name.clone(),
            name,
            server,
            api: Api::Chat,
            engine: None,
            request: Map::new(),
            facts: BTreeMap::new(),
            page_cache: PageCache::Undeclared,
        }
    }

    /// The embedded runtime as a process of its own: this executable started
    /// again. Bench targets made by [`crate::main!`] and `cargo evenhand` can
    /// be; other executables call [`crate::runtime::child::serve_if_asked`] first.
    ///
    /// # Errors
    /// If options make no sense or the system does not know this executable.
    #[cfg(feature = "runtime")]
    pub fn embedded(
        name: impl Into<String>,
        options: &crate::runtime::Options,
    ) -> Result<Self, String> {
        use crate::runtime::child::{READY, SERVE_ARGUMENT};
        options.check().map_err(|e| e.to_string())?;
        let program = std::env::current_exe().map_err(|e| e.to_string())?;
        let input = serde_json::to_string(options).map_err(|e| e.to_string())?;
        let mut target = Self::command(
            name,
            CommandLine {
                input: Some(input.clone()),
                readiness: Readiness::Pipe {
                    prefix: READY.to_owned(),
                },
                ..CommandLine::new(program, vec![SERVE_ARGUMENT.to_owned()])
            },
        );
        target.model = options.model_name();
        target.engine = Some("evenhand".to_owned());
        target.facts.insert("options".to_owned(), input);
        Ok(target)
    }

    /// Whether every worker gets a fresh process of it.
    #[must_use]
    pub fn restarts(&self) -> bool {
        matches!(self.server, Server::Command(_))
    }

    /// Adds a field to every request.
    #[must_use]
    pub fn with(mut self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.request.insert(field.into(), value.into());
        self
    }
}

/// The address of a URL such as `http://127.0.0.1:8080`.
///
/// # Errors
/// Says what can't be used. Addresses that leave this machine need `remote`.
pub fn address_of(url: &str, remote: bool) -> Result<SocketAddr, String> {
    let rest = url.strip_prefix("http://").ok_or_else(|| {
        format!("`{url}` must begin with http:// (TLS would hide when bytes arrive)")
    })?;
    let host = rest.strip_suffix('/').unwrap_or(rest);
    if host.contains('/') {
        return Err(format!(
            "`{url}` has a path; give the server alone, as in http://127.0.0.1:8080"
        ));
    }
    let host = if host.contains(':') {
        host.to_owned()
    } else {
        format!("{host}:80")
    };
    let address = host
        .to_socket_addrs()
        .map_err(|e| format!("`{host}` in `{url}` is no address: {e}"))?
        .min_by_key(SocketAddr::is_ipv6)
        .ok_or_else(|| format!("`{host}` has no address"))?;
    if !address.ip().is_loopback() && !remote {
        return Err(format!(
            "{address} is another machine: a load test of it needs its owner's consent; allow it \
             with --allow-remote (`allow_remote = true`)"
        ));
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_stay_on_this_machine_unless_allowed() {
        let local = address_of("http://127.0.0.1:8080/", false).unwrap();
        assert_eq!(local, SocketAddr::from(([127, 0, 0, 1], 8080)));
        assert!(
            address_of("http://192.0.2.1:80", false)
                .unwrap_err()
                .contains("--allow-remote")
        );
        assert!(address_of("http://192.0.2.1:80", true).is_ok());
        for wrong in [
            "https://127.0.0.1",
            "127.0.0.1:80",
            "http://127.0.0.1/v1",
            "http://:x",
        ] {
            assert!(address_of(wrong, true).is_err(), "{wrong}");
        }
    }
}
