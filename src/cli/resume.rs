//! `cargo evenhand resume`.

use super::Failure;
use super::measure::{Presentation, conclude, measure_targets};
use super::records::locate;
use super::run::planned_targets;
use super::targets::CargoArguments;
use crate::protocol::exit;
use crate::report::style;
use evenhand_harness::observation::Status;
use evenhand_harness::run::{Session, digest_of_file, read_measurements};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Workers that were complete stay; an interrupted one is measured again and its part is kept aside.
A session of `load` goes on with the copies of its target files and its trace. Exit codes are those
of `cargo evenhand run`, and 6 when a bench target (or `cargo evenhand` for `load`) was built again
since the session began.

Examples:
  cargo evenhand resume                              the latest session
  cargo evenhand resume target/evenhand/20260101T120000Z-00c0ffee
  cargo evenhand resume --bench kernels              only this target is built (it must be enough)
  cargo evenhand resume --allow-rebuilt              go on with another build; what both builds
                                                     measured gets no claim";

/// Arguments of `cargo evenhand resume`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The session's folder, or `latest`
    #[arg(value_name = "DIR", default_value = "latest")]
    session: PathBuf,
    /// Go on although a bench target was built again since the session began
    #[arg(long)]
    allow_rebuilt: bool,
    #[command(flatten)]
    presentation: Presentation,
    #[command(flatten)]
    cargo: CargoArguments,
}

/// Finish an interrupted session under its plan.
pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let dir = locate(&arguments.session)?;
    let dir = std::fs::canonicalize(&dir)
        .map_err(|e| Failure::usage(format!("{}: {e}", dir.display())))?;
    if !dir.is_dir() {
        return Err(Failure::usage(format!(
            "{} is a file; a session is finished in its folder",
            dir.display()
        )));
    }
    let session = Session::load(&dir)?;
    if session.plan.targets.is_empty() {
        return Err(Failure::new(
            exit::NOTHING_SELECTED,
            format!(
                "session {} was stopped before it had a plan, so there is nothing to finish; \
                 measure anew",
                session.plan.session
            ),
        ));
    }
    let quiet = arguments.presentation.quiet;
    let status = read_measurements(&dir, &session.plan)?.status;
    if status == Status::Complete {
        if !quiet {
            anstream::eprintln!(
                "{}: session {} is already finished",
                style::dim("nothing to do"),
                session.plan.session
            );
        }
        return conclude(
            &session,
            &[],
            &arguments.presentation,
            (Status::Complete, Ok(())),
        );
    }
    #[cfg(feature = "serving")]
    if super::load::is_ours(&session) {
        return super::load::resume(&session, arguments.allow_rebuilt, &arguments.presentation);
    }
    let found = arguments.cargo.find_some()?;
    let targets = planned_targets(&session.plan, &found)?;
    for target in &targets {
        let digest = digest_of_file(&target.launch.executable)?;
        session.check_build(target.name(), &digest, arguments.allow_rebuilt)?;
    }
    let measured = measure_targets(&session, &targets, quiet);
    let builds: Vec<_> = targets.iter().map(|t| t.build()).collect();
    conclude(&session, &builds, &arguments.presentation, measured)
}
