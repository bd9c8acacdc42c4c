//! Target files.

use super::section::{Result, Section, TargetFileError};
use super::{Api, CommandLine, Engine, PageCache, Readiness, Server, Target, address_of};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::Table;

impl Target {
    /// Reads a target file. Relative paths in it count from its folder.
    /// `remote` allows addresses of other machines.
    ///
    /// # Errors
    /// Names the file and the key.
    pub fn read(path: &Path, remote: bool) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| TargetFileError {
            file: path.display().to_string(),
            place: String::new(),
            problem: e.to_string(),
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse(&path.display().to_string(), &text, folder, remote)
    }

    /// Reads the text of a target file.
    ///
    /// # Errors
    /// As [`Target::read`].
    pub fn parse(file: &str, text: &str, folder: &Path, remote: bool) -> Result<Self> {
        let table: Table = text.parse().map_err(|e: toml::de::Error| {
            let line = e.span().map(|s| text[..s.start].matches('\n').count() + 1);
            TargetFileError {
                file: file.to_owned(),
                place: line.map_or_else(String::new, |n| format!("line {n}: ")),
                problem: e.message().to_owned(),
            }
        })?;
        let mut document = Section {
            file,
            key: String::new(),
            table,
        };
        let target = document.section("target")?.ok_or_else(|| {
            document.wrong(
                "target",
                "the file needs a `[target]` table with `name` and `command` or `url`",
            )
        })?;
        document.end(&["target"])?;
        read_target(target, folder, remote)
    }
}

fn read_target(mut at: Section<'_>, folder: &Path, remote: bool) -> Result<Target> {
    let name = at.required("name", "a short name for reports")?;
    let engine = match at.string("engine")? {
        None => None,
        Some(name) => Some(Engine::find(&name).ok_or_else(|| {
            let known: Vec<String> = Engine::all().map(|e| e.name).collect();
            at.wrong(
                "engine",
                &format!(
                    "`{name}` is not described; give one of {} or leave it out",
                    known.join(", ")
                ),
            )
        })?),
    };
    let remote = at.boolean("allow_remote")?.unwrap_or(false) || remote;
    let url = at.string("url")?;
    let command = at.string("command")?;
    let server = match (url, command) {
        (Some(url), None) => {
            let only_commands = [
                "args",
                "env",
                "inherit_env",
                "cwd",
                "port",
                "start_timeout_s",
                "stop_timeout_s",
                "readiness",
            ];
            if let Some(key) = only_commands
                .iter()
                .find(|key| at.table.contains_key(**key))
            {
                return Err(at.wrong(
                    key,
                    "it belongs to a `command`; a server at a `url` is not started",
                ));
            }
            Server::Address(address_of(&url, remote).map_err(|e| at.wrong("url", &e))?)
        }
        (None, Some(command)) => Server::Command(Box::new(read_command(
            &mut at,
            &command,
            engine.as_ref(),
            folder,
        )?)),
        (Some(_), Some(_)) => return Err(at.wrong("url", "give `command` or `url`, not both")),
        (None, None) => {
            return Err(at.wrong(
                "command",
                "it is missing: give the program to start, or the `url` of a running server",
            ));
        }
    };
    let api = match at.string("api")?.as_deref() {
        None | Some("chat") => Api::Chat,
        Some("completions") => Api::Completions,
        Some(other) => {
            return Err(at.wrong(
                "api",
                &format!("`{other}` is not known; give chat or completions"),
            ));
        }
    };
    let page_cache = match at.string("page_cache")?.as_deref() {
        None | Some("undeclared") => PageCache::Undeclared,
        Some("warm") => PageCache::Warm,
        Some("cold") => PageCache::Cold,
        Some(other) => {
            return Err(at.wrong(
                "page_cache",
                &format!("`{other}` is not known; give warm, cold or undeclared"),
            ));
        }
    };
    let of_engine = || engine.as_ref().and_then(|e| e.model.clone());
    let model = at.string("model")?.or_else(of_engine);
    let model = model.unwrap_or_else(|| name.clone());
    let mut request = Map::new();
    let prefix_cache = at.boolean("prefix_cache")?;
    if let Some(fields) = at.section("request")? {
        for (key, value) in fields.table {
            let json = serde_json::to_value(value).unwrap_or(Value::Null);
            request.insert(key, json);
        }
    }
    if prefix_cache == Some(false) {
        let switch = engine
            .as_ref()
            .map(|e| e.cache_off.clone())
            .unwrap_or_default();
        if switch.is_empty() {
            return Err(at.wrong("prefix_cache", "no switch is known for this engine; set the engine's own field in `[target.request]` or flag in `args`"));
        }
        request.extend(switch);
    }
    let facts = match at.section("facts")? {
        Some(facts) => facts.strings()?,
        None => BTreeMap::new(),
    };
    at.end(&[
        "name",
        "engine",
        "command",
        "args",
        "env",
        "inherit_env",
        "cwd",
        "url",
        "port",
        "api",
        "model",
        "page_cache",
        "prefix_cache",
        "start_timeout_s",
        "stop_timeout_s",
        "readiness",
        "request",
        "facts",
        "allow_remote",
    ])?;
    Ok(Target {
        name,
        server,
        api,
        model,
        engine: engine.map(|e| e.name),
        request,
        facts,
        page_cache,
    })
}

fn read_command(
    at: &mut Section<'_>,
    program: &str,
    engine: Option<&Engine>,
    folder: &Path,
) -> Result<CommandLine> {
    // A path counts from the file's folder; a bare name is looked up in PATH.
    let program: PathBuf = if program.contains('/') {
        folder.join(program)
    } else {
        program.into()
    };
    let mut command = CommandLine::new(program, at.list("args")?.unwrap_or_default());
    if let Some(environment) = at.section("env")? {
        command.environment = environment.strings()?;
    }
    if let Some(inherit) = at.list("inherit_env")? {
        command.inherit = inherit;
    }
    command.directory = at.string("cwd")?.map(|cwd| folder.join(cwd));
    command.port = at
        .integer("port", 1..=65_535)?
        .map(|port| u16::try_from(port).expect("its range was checked"));
    if let Some(seconds) = at.integer("start_timeout_s", 1..=86_400)? {
        command.start_timeout = Duration::from_secs(seconds);
    }
    if let Some(seconds) = at.integer("stop_timeout_s", 0..=600)? {
        command.stop_timeout = Duration::from_secs(seconds);
    }
    let named = command
        .arguments
        .iter()
        .chain(command.environment.values())
        .any(|a| a.contains("{port}"));
    let section = at.section("readiness")?;
    let by_pipe = section
        .as_ref()
        .is_some_and(|s| s.table.get("pipe").is_some());
    if !named && command.port.is_none() && !by_pipe {
        return Err(at.wrong("args", "they do not tell the server its port: put `{port}` where it belongs, or give the `port` it uses"));
    }
    command.readiness = read_readiness(section, engine)?;
    Ok(command)
}

fn read_readiness(section: Option<Section<'_>>, engine: Option<&Engine>) -> Result<Readiness> {
    let (path, ready, loading) = match engine {
        Some(engine) => (
            engine.health.clone(),
            engine.ready.clone(),
            engine.loading.clone(),
        ),
        None => ("/health".to_owned(), vec![200], vec![503]),
    };
    let mut poll = Duration::from_micros(500);
    let Some(at) = section else {
        return Ok(Readiness::Http {
            path,
            ready,
            loading,
            poll,
        });
    };
    let pipe = at.string("pipe")?;
    let log = at.string("log")?;
    let path = at.string("path")?.map_or(Ok(path), |p| {
        if p.starts_with('/') {
            Ok(p)
        } else {
            Err(at.wrong("path", "it must begin with `/`"))
        }
    })?;
    let ready = at.statuses("ready")?.unwrap_or(ready);
    let loading = at.statuses("loading")?.unwrap_or(loading);
    if let Some(us) = at.integer("poll_us", 50..=1000)? {
        poll = Duration::from_micros(us);
    }
    at.end(&["pipe", "log", "path", "ready", "loading", "poll_us"])?;
    match (pipe, log) {
        (Some(_), Some(_)) => Err(at.wrong("log", "give `pipe` or `log`, not both")),
        (Some(prefix), None) => Ok(Readiness::Pipe { prefix }),
        (None, Some(text)) => Ok(Readiness::Log { text }),
        (None, None) => Ok(Readiness::Http {
            path,
            ready,
            loading,
            poll,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> std::result::Result<Target, String> {
        Target::parse("t.toml", text, Path::new("/base"), false).map_err(|e| e.to_string())
    }

    #[test]
    fn a_whole_file_is_read() {
        let target = parse(
            r#"
            [target]
            name = "llama"
            engine = "llama.cpp"
            command = "./llama-server"
            args = ["-m", "tiny.gguf", "--port", "{port}"]
            env = { OMP_NUM_THREADS = "1" }
            cwd = "models"
            model = "tiny"
            prefix_cache = false
            page_cache = "warm"
            start_timeout_s = 30
            readiness = { poll_us = 200 }
            request = { seed = 7 }
            facts = { weights = "f16" }
            "#,
        )
        .unwrap();
        let Server::Command(command) = &target.server else {
            panic!("it is a command")
        };
        assert_eq!(command.program, "/base/./llama-server");
        assert_eq!(
            command.directory.as_deref(),
            Some(Path::new("/base/models"))
        );
        assert_eq!(target.request["cache_prompt"], false);
        assert_eq!(target.request["seed"], 7);
        let Readiness::Http { loading, poll, .. } = &command.readiness else {
            panic!("it is asked")
        };
        assert_eq!((loading.as_slice(), poll.as_micros()), (&[503][..], 200));
    }

    #[test]
    fn the_model_is_named_by_the_file_the_engine_or_the_target() {
        let model = |more: &str| {
            let text = format!("[target]\nname = \"a\"\nurl = \"http://127.0.0.1:1\"\n{more}");
            parse(&text).unwrap().model
        };
        assert_eq!(model("engine = \"evenhand\"\nmodel = \"small\""), "small");
        assert_eq!(model("engine = \"evenhand\""), "tiny");
        assert_eq!(model("engine = \"vllm\""), "a");
        assert_eq!(model(""), "a");
    }

    #[test]
    fn errors_name_file_and_key() {
        let cases = [
            (
                "",
                "t.toml: `target`: the file needs a `[target]` table with `name` and `command` or `url`",
            ),
            ("[target\n", "t.toml: line 1: "),
            (
                "[target]\nurl = \"http://127.0.0.1:1\"",
                "t.toml: `target.name`: it is missing: give a short name for reports",
            ),
            (
                "[target]\nname = 3",
                "t.toml: `target.name`: it must be text, not integer 3",
            ),
            (
                "[target]\nname = \"a\"",
                "t.toml: `target.command`: it is missing: give the program to start, or the `url` of a running server",
            ),
            (
                "[target]\nname = \"a\"\ncommand = \"x\"\nurl = \"http://127.0.0.1:1\"",
                "t.toml: `target.url`: give `command` or `url`, not both",
            ),
            (
                "[target]\nname = \"a\"\ncommand = \"x\"",
                "t.toml: `target.args`: they do not tell the server its port",
            ),
            (
                "[target]\nname = \"a\"\ncommand = \"x\"\nport = 0",
                "t.toml: `target.port`: it must be a whole number from 1 to 65535, not integer 0",
            ),
            (
                "[target]\nname = \"a\"\nurl = \"http://127.0.0.1:1\"\nmodell = \"m\"",
                "t.toml: `target.modell`: there is no such key; did you mean `model`?",
            ),
            (
                "[target]\nname = \"a\"\nurl = \"http://127.0.0.1:1\"\nport = 1",
                "t.toml: `target.port`: it belongs to a `command`",
            ),
            (
                "[target]\nname = \"a\"\nurl = \"http://192.0.2.7:1\"",
                "t.toml: `target.url`: 192.0.2.7:1 is another machine",
            ),
            (
                "[target]\nname = \"a\"\nengine = \"vlm\"\nurl = \"http://127.0.0.1:1\"",
                "t.toml: `target.engine`: `vlm` is not described",
            ),
            (
                "[target]\nname = \"a\"\ncommand = \"x\"\nport = 9\n[target.readiness]\npoll_us = 5000",
                "t.toml: `target.readiness.poll_us`: it must be a whole number from 50 to 1000",
            ),
            (
                "[target]\nname = \"a\"\ncommand = \"x\"\nport = 9\n[target.readiness]\nready = [\"ok\"]",
                "t.toml: `target.readiness.ready`: it must be a list of HTTP statuses",
            ),
            (
                "[target]\nname = \"a\"\ncommand = \"x\"\nport = 9\nprefix_cache = false",
                "t.toml: `target.prefix_cache`: no switch is known",
            ),
            (
                "[target]\nname = \"a\"\nurl = \"http://127.0.0.1:1\"\n[other]",
                "t.toml: `other`: there is no such key",
            ),
        ];
        for (text, expected) in cases {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with(expected), "{text}\n{error}");
        }
    }
}
