//! What a session of `load` is made from, kept in its folder before the first
//! sample. Workers, `resume` and a repetition read the copies: a file that is
//! edited meanwhile changes nothing.

use super::Arguments;
use crate::cli::Failure;
use crate::protocol::exit;
use evenhand_harness::plan::{check_schema, sha256_hex};
use evenhand_harness::run::write_atomically;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Folder of the copies in a session.
const FOLDER: &str = "inputs";
/// Written last: where it stands, everything else does.
const INDEX: &str = "command.json";
const SCHEMA: &str = "evenhand.load/1.0";

/// A command line with the files that it names.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Inputs {
    schema: String,
    /// The command line, as the process got it.
    pub command: Vec<String>,
    /// Where it was given: what servers are told by relative paths counts from here.
    pub directory: PathBuf,
    target: Option<InputFile>,
    against: Option<InputFile>,
    trace: Option<InputFile>,
}

/// A file as it was when the session began.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct InputFile {
    /// Its name on the command line.
    pub given: String,
    /// Its folder: relative paths inside count from here.
    pub folder: PathBuf,
    /// Name of the copy.
    copy: String,
    sha256: String,
    /// What stands in it.
    #[serde(skip)]
    pub text: String,
}

impl Inputs {
    /// Reads the files that a command line names.
    pub fn read(arguments: &Arguments, command: Vec<String>) -> Result<Self, Failure> {
        let target = |given: &str, copy| {
            let is_url = given.contains("://");
            let read = (!is_url).then(|| InputFile::read(Path::new(given), copy));
            read.transpose()
        };
        let against = arguments.against.as_deref();
        let trace = arguments.trace.as_deref();
        Ok(Self {
            schema: SCHEMA.to_owned(),
            command,
            directory: std::env::current_dir().map_err(|e| Failure::internal(e.to_string()))?,
            target: target(&arguments.target, "target.toml")?,
            against: against
                .map(|given| target(given, "against.toml"))
                .transpose()?
                .flatten(),
            trace: trace
                .map(|path| InputFile::read(path, "trace"))
                .transpose()?,
        })
    }

    /// The file of a target; `None` when it is a URL.
    pub fn target(&self, given: &str) -> Option<&InputFile> {
        let files = [&self.target, &self.against];
        files.into_iter().flatten().find(|file| file.given == given)
    }

    /// The trace of the arrivals.
    pub fn trace(&self) -> Option<&InputFile> {
        self.trace.as_ref()
    }

    fn files(&mut self) -> impl Iterator<Item = &mut InputFile> {
        let files = [&mut self.target, &mut self.against, &mut self.trace];
        files.into_iter().flatten()
    }

    /// Keeps everything in a session's folder.
    pub fn keep(&mut self, session: &Path) -> Result<(), Failure> {
        let folder = session.join(FOLDER);
        std::fs::create_dir(&folder)
            .map_err(|e| Failure::internal(format!("{}: {e}", folder.display())))?;
        for file in self.files() {
            write_atomically(&folder.join(&file.copy), file.text.as_bytes())?;
        }
        let index =
            serde_json::to_vec_pretty(self).map_err(|e| Failure::internal(e.to_string()))?;
        Ok(write_atomically(&folder.join(INDEX), &index)?)
    }

    /// Whether a session's folder has copies.
    pub fn are_in(session: &Path) -> bool {
        session.join(FOLDER).is_dir()
    }

    /// What a session was made from, verified.
    pub fn of(session: &Path) -> Result<Self, Failure> {
        let folder = session.join(FOLDER);
        let index = folder.join(INDEX);
        let lost = |path: &Path, problem: &str| {
            Failure::new(
                exit::NOT_COMPARABLE,
                format!(
                    "{}: {problem}; a session of `load` goes on with the copies of its files \
                     alone, so measure anew with `cargo evenhand load`",
                    path.display()
                ),
            )
        };
        let read = |path: &Path| {
            std::fs::read_to_string(path).map_err(|e| lost(path, &format!("it can't be read: {e}")))
        };
        let mut inputs: Self =
            serde_json::from_str(&read(&index)?).map_err(|e| lost(&index, &e.to_string()))?;
        check_schema(&inputs.schema, SCHEMA).map_err(|e| lost(&index, &e.to_string()))?;
        for file in inputs.files() {
            let copy = folder.join(&file.copy);
            file.text = read(&copy)?;
            if sha256_hex(file.text.as_bytes()) != file.sha256 {
                return Err(lost(&copy, "it was changed since the session began"));
            }
        }
        if !inputs.directory.is_dir() {
            return Err(lost(
                &inputs.directory,
                "the session was begun in this folder and it is no longer there",
            ));
        }
        Ok(inputs)
    }
}

impl InputFile {
    fn read(path: &Path, copy: &str) -> Result<Self, Failure> {
        let wrong = |e: std::io::Error| Failure::usage(format!("{}: {e}", path.display()));
        let text = std::fs::read_to_string(path).map_err(wrong)?;
        let absolute = std::path::absolute(path).map_err(wrong)?;
        Ok(Self {
            given: path.display().to_string(),
            folder: absolute.parent().unwrap_or(Path::new("/")).to_owned(),
            copy: copy.to_owned(),
            sha256: sha256_hex(text.as_bytes()),
            text,
        })
    }
}
