//! A folder of sessions and the command that works in it.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// What makes cargo build the subject, from what `cargo test` has built.
pub const CARGO: [&str; 5] = [
    "--profile",
    if cfg!(debug_assertions) {
        "dev"
    } else {
        "release"
    },
    "--",
    "--example",
    "cli_subject",
];

/// Fewest workers for `strong`, and few blocks: a fast session.
pub const SMALL: [&str; 4] = ["--workers", "8", "--blocks", "6"];

/// A place for sessions.
pub struct Lab {
    dir: TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Lab {
    pub fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    /// A path in the lab.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The newest session.
    pub fn latest(&self) -> PathBuf {
        std::fs::canonicalize(self.path("sessions/latest")).unwrap()
    }

    /// The command, not yet started. `subject` says what the bench target does.
    pub fn command(&self, subject: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-evenhand"));
        command
            .arg("evenhand")
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("SUBJECT", subject)
            .env("EVENHAND_DIR", self.path("sessions"))
            .env("CRITERION_HOME", self.path("criterion"))
            .stdin(Stdio::null());
        for name in [
            "EVENHAND_SESSION",
            "NO_COLOR",
            "CARGO_TERM_COLOR",
            "CLICOLOR_FORCE",
        ] {
            command.env_remove(name);
        }
        command
    }

    /// Runs the command to its end.
    pub fn evenhand(&self, subject: &str, arguments: &[&str]) -> Ended {
        Ended::of(self.command(subject, arguments).output().unwrap())
    }

    /// Runs a command that builds the subject.
    pub fn measure(&self, subject: &str, arguments: &[&str]) -> Ended {
        self.evenhand(subject, &[arguments, &CARGO].concat())
    }
}

impl Ended {
    pub fn of(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let ended = Self {
            code: output.status.code().unwrap_or(-1),
            out: text(&output.stdout),
            err: text(&output.stderr),
        };
        assert!(!ended.err.contains("panicked at"), "{}", ended.err);
        ended
    }

    /// Checks the exit code.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n{}\n{}", self.out, self.err);
        self
    }

    /// Standard output as a JSON document of a schema.
    #[track_caller]
    pub fn json(&self, schema: &str) -> Value {
        let value: Value = serde_json::from_str(&self.out).unwrap();
        assert_eq!(value["schema"], schema);
        value
    }

    /// Checks that standard error says something.
    #[track_caller]
    pub fn says(&self, words: &[&str]) {
        for word in words {
            assert!(self.err.contains(word), "no `{word}` in:\n{}", self.err);
        }
    }
}

/// Reads a JSON file.
#[track_caller]
pub fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Compares with a checked-in file; `EVENHAND_UPDATE=1` writes it instead.
#[track_caller]
pub fn golden(path: &Path, found: &str) {
    if std::env::var_os("EVENHAND_UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, found).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        expected == found,
        "{} is not up to date; if the change is meant, run the test with EVENHAND_UPDATE=1\n\
         --- expected\n{expected}\n--- found\n{found}",
        path.display()
    );
}
