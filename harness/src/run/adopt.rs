//! Taking over a session that was measured on another machine.

use super::error::RunError;
use super::session::point_latest_to;
use super::store::{PLAN_FILE, RECORD_FILE, read_record};
use crate::record::Record;
use std::fs;
use std::path::{Path, PathBuf};

/// What became of a session that was to be taken over.
#[derive(Clone, Debug, PartialEq)]
pub enum Adopted {
    /// It was copied.
    New {
        /// Its folder here.
        dir: PathBuf,
        /// Its record.
        record: Box<Record>,
    },
    /// The same session was here already.
    Known {
        /// Its folder here.
        dir: PathBuf,
    },
}

/// The session folders in `dir`: itself, its own, or those of its `sessions`
/// folder, in the order of their names (which begin with their time).
///
/// # Errors
/// If the folder can't be read.
pub fn find_sessions(dir: &Path) -> Result<Vec<PathBuf>, RunError> {
    let is_session = |path: &Path| path.join(PLAN_FILE).is_file();
    if is_session(dir) {
        return Ok(vec![dir.to_owned()]);
    }
    let inner = dir.join("sessions");
    let dir = if inner.is_dir() { &inner } else { dir };
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(|e| RunError::file(dir, e))? {
        let entry = entry.map_err(|e| RunError::file(dir, e))?;
        // `latest` is a link to one of the others.
        let linked = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        if !linked && is_session(&entry.path()) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// Copies the session in `from` into `root`, after its record was checked. The
/// folder appears whole or not at all.
///
/// # Errors
/// If the session can't be read, its record contradicts itself, or another
/// session of its name is here.
pub fn adopt_session(root: &Path, from: &Path) -> Result<Adopted, RunError> {
    let record = read_record(from)?;
    let name = &record.plan.session;
    if name.is_empty() || Path::new(name).file_name() != Some(name.as_ref()) {
        return Err(RunError::Document {
            path: from.join(PLAN_FILE),
            problem: format!("`{name}` can't be the name of a session"),
        });
    }
    let dir = root.join(name);
    if dir.exists() {
        return match read_record(&dir) {
            Ok(here) if here.digest == record.digest => Ok(Adopted::Known { dir }),
            _ => Err(RunError::NotComparable(format!(
                "{} holds another session of the name {name}; move it away first",
                dir.display()
            ))),
        };
    }
    fs::create_dir_all(root).map_err(|e| RunError::file(root, e))?;
    let beside = root.join(format!(".{name}.{}.tmp", std::process::id()));
    let copied = copy_folder(from, &beside).and_then(|()| {
        // A session that was interrupted has no record yet.
        if !beside.join(RECORD_FILE).exists() {
            super::store::write_record(&beside, &record)?;
        }
        fs::rename(&beside, &dir).map_err(|e| RunError::file(&dir, e))
    });
    if let Err(error) = copied {
        let _ = fs::remove_dir_all(&beside);
        return Err(error);
    }
    point_latest_to(root, name)?;
    Ok(Adopted::New {
        dir,
        record: Box::new(record),
    })
}

/// Regular files and folders only: links could point anywhere.
fn copy_folder(from: &Path, to: &Path) -> Result<(), RunError> {
    fs::create_dir(to).map_err(|e| RunError::file(to, e))?;
    for entry in fs::read_dir(from).map_err(|e| RunError::file(from, e))? {
        let entry = entry.map_err(|e| RunError::file(from, e))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(|e| RunError::file(&source, e))?;
        if kind.is_dir() {
            copy_folder(&source, &target)?;
        } else if kind.is_file() {
            fs::copy(&source, &target).map_err(|e| RunError::file(&source, e))?;
        }
    }
    Ok(())
}
