//! Finding and reading sessions and records.

use super::Failure;
use super::targets::cargo;
use crate::report::style;
use evenhand_harness::record::Record;
use evenhand_harness::run::{latest_session, read_record};
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// Which record.
#[derive(Debug, clap::Args)]
pub(super) struct RecordArgument {
    /// A record.json, a session folder, or `latest`
    #[arg(value_name = "RECORD", default_value = "latest")]
    record: PathBuf,
}

/// The folder of all sessions: `EVENHAND_DIR`, else `evenhand` in cargo's
/// target directory.
pub(super) fn session_root(manifest: Option<&Path>) -> PathBuf {
    if let Some(dir) = std::env::var_os("EVENHAND_DIR") {
        return std::path::absolute(&dir).unwrap_or_else(|_| dir.into());
    }
    target_directory(manifest)
        .unwrap_or_else(|| PathBuf::from("target"))
        .join("evenhand")
}

/// Cargo's target directory; `None` outside of cargo's projects.
fn target_directory(manifest: Option<&Path>) -> Option<PathBuf> {
    #[derive(serde::Deserialize)]
    struct Metadata {
        target_directory: PathBuf,
    }
    let mut command = cargo();
    command.args(["metadata", "--no-deps", "--format-version", "1"]);
    if let Some(manifest) = manifest {
        command.arg("--manifest-path").arg(manifest);
    }
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let metadata: Metadata = serde_json::from_slice(&output.stdout).ok()?;
    Some(metadata.target_directory)
}

/// The path that an argument means.
pub(super) fn locate(argument: &Path) -> Result<PathBuf, Failure> {
    if argument.exists() {
        return Ok(argument.to_owned());
    }
    let root = session_root(None);
    if argument == Path::new("latest") {
        return latest_session(&root).ok_or_else(|| {
            Failure::usage(format!(
                "there is no session in {}; `cargo bench` or `cargo evenhand run` makes one. \
                 Sessions elsewhere are found by EVENHAND_DIR, or named by their path",
                root.display()
            ))
        });
    }
    let named = root.join(argument);
    if named.is_dir() {
        return Ok(named);
    }
    Err(Failure::usage(format!(
        "{}: no such record, session folder, or session in {}. To look at an experiment of the \
         latest record, write `latest` before it",
        argument.display(),
        root.display()
    )))
}

impl RecordArgument {
    /// Reads the record, and judges it anew: what is printed always follows
    /// from the observations.
    pub(super) fn load(&self) -> Result<Record, Failure> {
        let path = locate(&self.record)?;
        let stored = read_record(&path)?;
        if stored.claims_hold() {
            return Ok(stored);
        }
        anstream::eprintln!(
            "{}: {}: the stored claims are not what this version ({}) concludes from the \
             observations; shown is what this version concludes",
            style::warning("warning"),
            path.display(),
            env!("CARGO_PKG_VERSION")
        );
        Ok(Record::judge(stored.plan, stored.measurements))
    }
}
