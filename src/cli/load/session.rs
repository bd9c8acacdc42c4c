//! A session of `load` after it is planned: measured, finished later, repeated.

use super::inputs::Inputs;
use super::{Arguments, NAME, SESSION_VARIABLE, prove, suite};
use crate::cli::Failure;
use crate::cli::load_arguments;
use crate::cli::measure::{Presentation, conclude};
use crate::cli::records::session_root;
use crate::protocol::{Progress, exit};
use crate::serving::ClientError;
use evenhand_harness::observation::{CLIENT_HELD_FACT, Status};
use evenhand_harness::plan::Plan;
use evenhand_harness::run::{Launch, RunError, Session, digest_of_file, measure, write_atomically};
use evenhand_harness::suite::Suite;
use std::path::{Path, PathBuf};

/// Whether a session was begun by this command.
pub(in crate::cli) fn is_ours(session: &Session) -> bool {
    Inputs::are_in(&session.dir) || proof_file(&session.dir, 1).is_file()
}

/// The session folder that a stored plan lies in, if this command began it.
pub(in crate::cli) fn session_of(plan: Option<&Path>) -> Option<PathBuf> {
    let folder = plan?.parent()?;
    Inputs::are_in(folder).then(|| folder.to_owned())
}

/// The arguments of a command line that a session keeps.
pub(super) fn arguments(inputs: &Inputs) -> Result<Arguments, Failure> {
    load_arguments(inputs.command.clone()).ok_or_else(|| {
        Failure::new(
            exit::NOT_COMPARABLE,
            format!(
                "this version does not understand the command that the session was begun with: {}",
                inputs.command.join(" ")
            ),
        )
    })
}

/// How workers of a session are started: this executable, where the session
/// was begun.
pub(super) fn launch(session: &Session, inputs: &Inputs) -> Result<Launch, Failure> {
    let system = |e: std::io::Error| Failure::internal(e.to_string());
    let executable = std::env::current_exe().map_err(system)?;
    let dir = std::path::absolute(&session.dir).map_err(system)?;
    Ok(Launch {
        directory: Some(inputs.directory.clone()),
        environment: vec![(SESSION_VARIABLE.into(), dir.into())],
        ..Launch::here(&executable)
    })
}

/// Where the client's n-th proof stands.
fn proof_file(session: &Path, n: u32) -> PathBuf {
    session.join(match n {
        1 => "client_proof.json".to_owned(),
        n => format!("client_proof.{n}.json"),
    })
}

/// Keeps a proof of the client beside those of before. A session in which one
/// of them failed stays one.
pub(super) fn keep_proof(session: &Session, proof: &ClientError) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(proof).map_err(|e| Failure::internal(e.to_string()))?;
    let mut files = (1..).map(|n| (n, proof_file(&session.dir, n)));
    let (n, file) = files
        .find(|(_, file)| !file.exists())
        .expect("numbers are endless");
    write_atomically(&file, text.as_bytes())?;
    if n == 1 || !proof.held {
        session.note(CLIENT_HELD_FACT, &proof.held.to_string())?;
    }
    Ok(())
}

/// Finishes an interrupted session with what it kept.
pub(in crate::cli) fn resume(
    session: &Session,
    allow_rebuilt: bool,
    presentation: &Presentation,
) -> Result<u8, Failure> {
    let inputs = Inputs::of(&session.dir)?;
    let arguments = arguments(&inputs)?;
    check_plan(&session.plan, &suite(&arguments, &inputs)?)?;
    let launch = launch(session, &inputs)?;
    let digest = digest_of_file(&launch.executable)?;
    session
        .check_build(NAME, &digest, allow_rebuilt)
        .map_err(|error| match error {
            RunError::NotComparable(_) => Failure::new(
                exit::NOT_COMPARABLE,
                "`cargo evenhand` is another build than the one that began the session, so its \
                 workers would not be alike; use that one, or measure anew. `cargo evenhand \
                 resume --allow-rebuilt` goes on without claims for what both builds measured",
            ),
            other => other.into(),
        })?;
    keep_proof(session, &prove(&arguments, &inputs, presentation.quiet)?)?;
    finish(session, &launch, presentation)
}

/// Runs the plan of a session again, as a further attempt with the same inputs.
pub(in crate::cli) fn repeat(
    from: &Path,
    plan: &Plan,
    presentation: &Presentation,
) -> Result<u8, Failure> {
    let mut inputs = Inputs::of(from)?;
    let arguments = arguments(&inputs)?;
    check_plan(plan, &suite(&arguments, &inputs)?)?;
    let proof = prove(&arguments, &inputs, presentation.quiet)?;
    let session = Session::replay(&session_root(None), plan)?;
    inputs.keep(&session.dir)?;
    keep_proof(&session, &proof)?;
    let launch = launch(&session, &inputs)?;
    session.record_build(NAME, &launch.executable)?;
    finish(&session, &launch, presentation)
}

/// The inputs must still mean what was planned.
fn check_plan(plan: &Plan, suite: &Suite) -> Result<(), Failure> {
    for (target, planned) in plan.experiments() {
        let same = suite.experiments().iter().any(|declared| {
            let arms = declared.declare().is_ok_and(|d| d.arms == planned.arms);
            declared.id() == planned.declared_id() && arms
        });
        if target != NAME || !same {
            return Err(Failure::new(
                exit::NOT_COMPARABLE,
                format!(
                    "the plan's experiment `{}` with arms {} is not what the session's command \
                     declares",
                    planned.id,
                    planned.arms.join(", ")
                ),
            ));
        }
    }
    Ok(())
}

/// Measures what is still open and prints the whole session.
pub(super) fn finish(
    session: &Session,
    launch: &Launch,
    presentation: &Presentation,
) -> Result<u8, Failure> {
    let mut progress = Progress::new(presentation.quiet);
    let measured = match measure(session, NAME, launch, &mut progress) {
        Ok(status) => (status, Ok(())),
        // What was measured before an error is kept and shown.
        Err(error) => (Status::Complete, Err(error)),
    };
    progress.clear();
    let builds = [(NAME, launch.executable.as_path())];
    conclude(session, &builds, presentation, measured)
}
