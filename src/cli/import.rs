//! `cargo evenhand import`: sessions that were measured elsewhere.

use super::Failure;
use super::records::session_root;
use crate::protocol::exit;
use crate::report::{View, class_counts, style};
use evenhand_harness::observation::Status;
use evenhand_harness::run::{Adopted, adopt_session, find_sessions};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Every record is checked before it is copied: its digest must hold. Exit codes: 0 taken over, or here
already; 4 no session found; 6 another session of the same name is here.

Examples:
  cargo evenhand import gpu-bundle                    what a bundle measured
  cargo evenhand import results/20260101T120000Z-00c0ffee
  cargo evenhand show                                 the newest of them";

/// Arguments of `cargo evenhand import`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// A bundle, a folder of sessions, or one session's folder
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

/// Take over sessions that were measured on another machine.
pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let sessions = find_sessions(&arguments.dir)?;
    if sessions.is_empty() {
        return Err(Failure::new(
            exit::NOTHING_SELECTED,
            format!(
                "{} holds no session; a session's folder has a plan.json",
                arguments.dir.display()
            ),
        ));
    }
    let root = session_root(None);
    for session in sessions {
        match adopt_session(&root, &session)? {
            Adopted::Known { dir } => {
                anstream::println!("{}  {}", dir.display(), style::dim("was here already"));
            }
            Adopted::New { dir, record } => {
                let counts = class_counts(&View::default().experiments(&record));
                let incomplete = match record.measurements.status {
                    Status::Complete => "",
                    Status::Incomplete => "incomplete: stopped before its planned end  ",
                };
                anstream::println!("{}  {incomplete}{counts}", dir.display());
            }
        }
    }
    Ok(exit::OK)
}
