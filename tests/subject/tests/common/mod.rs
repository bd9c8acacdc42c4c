//! Running the subject.

#![allow(dead_code, reason = "each test file uses a part")]

use evenhand_harness::record::Record;
use evenhand_harness::run::read_record;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder for sessions and the command to fill it.
pub struct Subject {
    pub dir: tempfile::TempDir,
    subject: String,
}

impl Subject {
    pub fn new(subject: &str) -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            subject: subject.to_owned(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The executable with the environment of a session of its own.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_subject"));
        command
            .args(arguments)
            .env("SUBJECT", &self.subject)
            .env("SUBJECT_LOG", self.path("log"))
            .env("SUBJECT_MARK", self.path("mark"))
            .env("EVENHAND_DIR", self.path("sessions"))
            .env("CRITERION_HOME", self.path("criterion"))
            .env("NO_COLOR", "1")
            .env_remove("EVENHAND_SESSION");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// `cargo bench` with a small sample; must exit with 0.
    pub fn bench(&self, arguments: &[&str]) -> Finished {
        let mut all = vec!["--bench", "--blocks", "4"];
        if !arguments.contains(&"--workers") {
            all.extend(["--workers", "6"]);
        }
        all.extend(arguments);
        let output = self.run(&all);
        let finished = Finished::new(output);
        assert_eq!(finished.code, 0, "{finished:#?}");
        finished
    }

    pub fn latest(&self) -> PathBuf {
        std::fs::canonicalize(self.path("sessions/latest")).unwrap()
    }

    pub fn record(&self) -> Record {
        read_record(&self.latest()).unwrap()
    }
}

#[derive(Debug)]
pub struct Finished {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Finished {
    pub fn new(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// All files under a folder whose name contains a text.
pub fn files(dir: &Path, text: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_string_lossy().contains(text))
        .collect();
    found.sort();
    found
}
