//! How a bench executable is started.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A bench executable with the surroundings that `cargo bench` gives it.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The executable.
    pub executable: PathBuf,
    /// Where it runs; `None` is where this process runs.
    pub directory: Option<PathBuf>,
    /// Variables added to this process's environment.
    pub environment: Vec<(OsString, OsString)>,
}

impl Launch {
    /// In this process's own surroundings.
    #[must_use]
    pub fn here(executable: &Path) -> Self {
        Self {
            executable: executable.to_owned(),
            directory: None,
            environment: Vec::new(),
        }
    }

    /// The command without arguments.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.executable);
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}
