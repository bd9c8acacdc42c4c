//! The smoke run under `cargo test`: every arm once, verified.

use super::arms::{build_fault, fault, guard};
use super::launch::Launch;
use super::messages::{Message, parse, send};
use super::process::describe;
use super::worker::end_with_parent;
use crate::observation::{ArmFault, Fault};
use crate::suite::{Experiment, Suite, build_arm};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::Stdio;

/// First argument of a process that runs one experiment once.
pub const SMOKE_ARGUMENT: &str = "__smoke";

/// An experiment that did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmokeFailure {
    /// Experiment id.
    pub experiment: String,
    /// The arm, and what is wrong.
    pub fault: ArmFault,
}

/// Runs one iteration of every arm of the selected experiments in this process
/// and verifies the outputs; `report` hears of each result as it comes.
pub fn smoke(
    suite: &Suite,
    selected: &dyn Fn(&str) -> bool,
    seed: u64,
    report: impl FnMut(&str, Option<&ArmFault>),
) -> Vec<SmokeFailure> {
    each(suite, selected, report, |experiment| {
        run_once(experiment, seed)
    })
}

/// As [`smoke`], with a process for each experiment: one that ends its process,
/// or breaks its device, leaves the others alone.
pub fn smoke_apart(
    suite: &Suite,
    launch: &Launch,
    selected: &dyn Fn(&str) -> bool,
    seed: u64,
    report: impl FnMut(&str, Option<&ArmFault>),
) -> Vec<SmokeFailure> {
    each(suite, selected, report, |experiment| {
        run_apart(launch, experiment.id(), seed)
    })
}

/// What the process of one experiment does; its arguments are the experiment's
/// id and the seed. Returns the exit code.
pub fn smoke_main(declare: impl FnOnce(Suite) -> Suite, arguments: &[String]) -> i32 {
    let asked = match arguments {
        [id, seed] => seed.parse().ok().map(|seed| (id, seed)),
        _ => None,
    };
    let Some((id, seed)) = asked else {
        eprintln!("this process is started by the harness, not by hand: see `--test`");
        return 2;
    };
    let result = end_with_parent()
        .map_err(|e| fault(None, Fault::System, &e.to_string()))
        .and_then(|()| {
            let suite = declare(Suite::only(id.clone()));
            let found = suite.experiments().iter().find(|e| e.id() == id);
            let missing = || wrong_use("the executable has no such experiment".to_owned());
            run_once(found.ok_or_else(missing)?, seed)
        });
    let message = result.map_or_else(Message::Fault, |()| Message::Done);
    // Without a reader there is nobody to tell.
    let _ = send(&mut io::stdout(), &message);
    0
}

fn each(
    suite: &Suite,
    selected: &dyn Fn(&str) -> bool,
    mut report: impl FnMut(&str, Option<&ArmFault>),
    run: impl Fn(&Experiment) -> Result<(), ArmFault>,
) -> Vec<SmokeFailure> {
    let mut failures = Vec::new();
    for (index, experiment) in suite.experiments().iter().enumerate() {
        if !selected(experiment.id()) {
            continue;
        }
        let duplicate = suite.experiments()[..index]
            .iter()
            .any(|earlier| earlier.id() == experiment.id());
        let result = if duplicate {
            Err(wrong_use(
                "the id stands twice; ids are unique in a target".to_owned(),
            ))
        } else {
            run(experiment)
        };
        report(experiment.id(), result.as_ref().err());
        if let Err(fault) = result {
            failures.push(SmokeFailure {
                experiment: experiment.id().to_owned(),
                fault,
            });
        }
    }
    failures
}

fn run_apart(launch: &Launch, id: &str, seed: u64) -> Result<(), ArmFault> {
    let system = |e: io::Error| fault(None, Fault::System, &e.to_string());
    let mut child = launch
        .command()
        .args([SMOKE_ARGUMENT, id, &seed.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(system)?;
    let stdout = child.stdout.take().expect("stdout is piped");
    let message = forward(stdout, &mut io::stdout());
    let status = child.wait().map_err(system)?;
    match message.map_err(system)? {
        Some(Message::Fault(fault)) => Err(fault),
        Some(_) if status.success() => Ok(()),
        told => {
            let when = match told {
                Some(_) => "after it had passed",
                None => "before it could tell a result",
            };
            let words = format!("the process ended with {} {when}", describe(status));
            Err(fault(None, Fault::Killed, &words))
        }
    }
}

/// Passes on what the arms print; returns the last message among it.
fn forward(from: impl Read, to: &mut impl Write) -> io::Result<Option<Message>> {
    let mut message = None;
    // A message has a line end before it that is not the arms'.
    let mut empty = false;
    for line in BufReader::new(from).split(b'\n') {
        let line = line?;
        if let Some(found) = parse(&String::from_utf8_lossy(&line)) {
            message = Some(found);
            empty = false;
            continue;
        }
        if std::mem::replace(&mut empty, line.is_empty()) {
            writeln!(to)?;
        }
        if !line.is_empty() {
            to.write_all(&line)?;
            writeln!(to)?;
        }
    }
    Ok(message)
}

fn wrong_use(message: String) -> ArmFault {
    fault(None, Fault::WrongUse, &message)
}

fn run_once(experiment: &Experiment, seed: u64) -> Result<(), ArmFault> {
    let plan = experiment.declare().map_err(wrong_use)?;
    let mut expected = experiment.verifier().and_then(|v| v.reference(seed));
    for (index, arm) in plan.arms.iter().enumerate() {
        let named = |fault, message: String| ArmFault {
            arm: Some(arm.clone()),
            fault,
            message,
        };
        let output = guard(arm, || {
            let mut subject = build_arm(seed, |bencher| experiment.build(index, bencher))?;
            subject.slot(1)?;
            Ok(subject.output()?)
        })?
        .map_err(|error| build_fault(arm, &error))?;
        let Some(verify) = experiment.verifier() else {
            continue;
        };
        let output = output.ok_or_else(|| {
            named(
                Fault::WrongUse,
                "the experiment has a `.verify(..)`, but this arm has no output".to_owned(),
            )
        })?;
        let expected = expected.get_or_insert_with(|| output.clone());
        verify
            .check(expected, &output)
            .map_err(|mismatch| named(Fault::WrongOutput, mismatch.to_string()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_arms_print_is_passed_on_and_the_message_is_not() {
        for text in ["", "a line\n", "half a line", "two\n\nparts\n"] {
            let mut told = text.as_bytes().to_vec();
            send(&mut told, &Message::Done).unwrap();
            let mut passed = Vec::new();
            let message = forward(&told[..], &mut passed).unwrap();
            assert_eq!(message, Some(Message::Done));
            let passed = String::from_utf8(passed).unwrap();
            assert_eq!(passed.trim_end_matches('\n'), text.trim_end_matches('\n'));
        }
        assert_eq!(forward(&b"nothing\n"[..], &mut Vec::new()).unwrap(), None);
    }
}
