//! What a bench target understands: the protocol of `cargo bench`, `cargo
//! test`, cargo-nextest and criterion's command line, and our own options.

mod arguments;
mod describe;
mod help;
mod progress;
mod session_end;

pub use crate::report::style::Color;
#[cfg(feature = "cli")]
pub(crate) use arguments::duration as parse_duration;
pub use arguments::{Arguments, Format, Mode};
pub use describe::{
    DESCRIBE_ARGUMENT, Declared, ExperimentDescription, TARGET_SCHEMA, TargetDescription,
};
pub use progress::Progress;
pub use session_end::{Finish, finish};

use crate::{device, report};
use evenhand_harness::observation::{ArmFault, Status};
use evenhand_harness::plan::{Level, Plan};
use evenhand_harness::run::{
    Launch, Options, RunError, SMOKE_ARGUMENT, Session, WORKER_ARGUMENT, Wishes, default_root,
    measure, plan_target, read_plan, smoke, smoke_apart, smoke_main, worker_main,
};
use evenhand_harness::suite::Suite;
use std::path::PathBuf;
use std::process::ExitCode;

/// Exit codes by cause.
pub mod exit {
    /// Everything was done, whatever the verdicts.
    pub const OK: u8 = 0;
    /// A fault of the harness or the system.
    pub const INTERNAL: u8 = 1;
    /// The invocation is wrong.
    pub const USAGE: u8 = 2;
    /// The gate found a regression.
    pub const REGRESSION: u8 = 3;
    /// Nothing was selected.
    pub const NOTHING_SELECTED: u8 = 4;
    /// Inconclusive, and `--fail-on inconclusive` was asked for.
    pub const INCONCLUSIVE: u8 = 5;
    /// Things that do not belong together.
    pub const NOT_COMPARABLE: u8 = 6;
    /// A benchmark failed or gave a wrong output.
    pub const BENCHMARK_FAILED: u8 = 7;
    /// Stopped by a signal.
    pub const INTERRUPTED: u8 = 130;
}

/// The exit code for an error.
#[must_use]
pub fn exit_code(error: &RunError) -> u8 {
    match error {
        RunError::Usage(_) => exit::USAGE,
        RunError::NotComparable(_) => exit::NOT_COMPARABLE,
        RunError::Json { .. }
        | RunError::Observation { .. }
        | RunError::Plan(_)
        | RunError::Document { .. } => exit::USAGE,
        _ => exit::INTERNAL,
    }
}

/// The main function of a bench target; [`crate::main!`] calls it.
pub fn main(target: &str, experiments: &[fn(&mut Suite)]) -> ExitCode {
    // The embedded runtime is this executable, started again.
    #[cfg(feature = "runtime")]
    if let Some(code) = crate::runtime::child::serve_if_asked() {
        return code;
    }
    let declare = |mut suite: Suite| {
        for add in experiments {
            add(&mut suite);
        }
        suite
    };
    let mut given = std::env::args_os().skip(1).peekable();
    if given.peek().is_some_and(|first| first == WORKER_ARGUMENT) {
        return ExitCode::from(worker_main(declare) as u8);
    }
    if given.next_if(|first| first == SMOKE_ARGUMENT).is_some() {
        let asked: Vec<String> = given.map(|a| a.to_string_lossy().into_owned()).collect();
        return ExitCode::from(smoke_main(declare, &asked) as u8);
    }
    if given.peek().is_some_and(|first| first == DESCRIBE_ARGUMENT) {
        describe::print(target, &declare(Suite::default()));
        return ExitCode::from(exit::OK);
    }
    let parsed = Arguments::parse(given).and_then(|arguments| {
        arguments
            .device
            .as_deref()
            .map_or(Ok(()), device::ask_for)?;
        arguments
            .flush
            .as_deref()
            .map_or(Ok(()), device::ask_for_flush)?;
        Ok(arguments)
    });
    let arguments = match parsed {
        Ok(arguments) => arguments,
        Err(problem) => {
            anstream::eprintln!(
                "{}: {problem}\nFor the options of bench target `{target}` see `cargo bench \
                 --bench {target} -- --help`.",
                report::style::error("error")
            );
            return ExitCode::from(exit::USAGE);
        }
    };
    report::style::apply(arguments.color);
    // Declarations name the device and the state of its cache.
    let suite = declare(Suite::default());
    let result = match arguments.mode {
        Mode::Help => {
            help::print(target);
            Ok(exit::OK)
        }
        Mode::List => Ok(list(&suite, &arguments)),
        Mode::Smoke => smoke_run(target, &suite, &arguments),
        Mode::Bench | Mode::PlanOnly => bench(target, &suite, &arguments),
    };
    let code = result.unwrap_or_else(|error| {
        anstream::eprintln!("{}: {error}", report::style::error("error"));
        exit_code(&error)
    });
    ExitCode::from(code)
}

/// `--list`: one line per experiment, as libtest and nextest want it.
fn list(suite: &Suite, arguments: &Arguments) -> u8 {
    // nextest asks for ignored tests separately; there are none.
    if arguments.ignored {
        return exit::OK;
    }
    let selected = suite
        .experiments()
        .iter()
        .filter(|e| arguments.selects(e.id()));
    let mut count = 0;
    for experiment in selected {
        anstream::println!("{}: benchmark", experiment.id());
        count += 1;
    }
    if !arguments.terse {
        anstream::println!("\n0 tests, {count} benchmarks");
    }
    exit::OK
}

/// Every experiment once, as a test: in this process when there is only one,
/// for a debugger, else each in its own.
fn smoke_run(target: &str, suite: &Suite, arguments: &Arguments) -> Result<u8, RunError> {
    if arguments.ignored {
        return Ok(exit::OK);
    }
    let total = suite.experiments().len();
    let selected = suite
        .experiments()
        .iter()
        .filter(|e| arguments.selects(e.id()))
        .count();
    anstream::println!("\nrunning {selected} tests");
    let report = |id: &str, fault: Option<&ArmFault>| match fault {
        None => anstream::println!("test {id} ... {}", report::style::good("ok")),
        Some(fault) => {
            anstream::println!("test {id} ... {}", report::style::error("FAILED"));
            anstream::println!("    {}", report::fault_sentence(id, fault));
        }
    };
    let seed = arguments.seed.map_or(0, |s| s.0);
    let chosen = |id: &str| arguments.selects(id);
    let failures = if selected > 1 {
        let launch = launch(target, arguments)?;
        smoke_apart(suite, &launch, &chosen, seed, report)
    } else {
        smoke(suite, &chosen, seed, report)
    };
    anstream::println!(
        "\ntest result: {}. {} passed; {} failed; 0 ignored; 0 measured; {} filtered out\n",
        if failures.is_empty() { "ok" } else { "FAILED" },
        selected - failures.len(),
        failures.len(),
        total - selected
    );
    Ok(if failures.is_empty() {
        exit::OK
    } else {
        exit::BENCHMARK_FAILED
    })
}

/// This executable, with the device and the state of its cache that were asked for.
fn launch(target: &str, arguments: &Arguments) -> Result<Launch, RunError> {
    let executable = std::env::current_exe().map_err(|source| RunError::Spawn {
        path: PathBuf::from(target),
        source,
    })?;
    let mut launch = Launch::here(&executable);
    for (variable, chosen) in [
        (device::VARIABLE, &arguments.device),
        (device::FLUSH_VARIABLE, &arguments.flush),
    ] {
        let chosen = chosen.as_ref().map(|c| (variable.into(), c.into()));
        launch.environment.extend(chosen);
    }
    Ok(launch)
}

/// Plans (unless the session's plan already has this target), measures, and
/// prints what may be said.
fn bench(target: &str, suite: &Suite, arguments: &Arguments) -> Result<u8, RunError> {
    if !suite
        .experiments()
        .iter()
        .any(|e| arguments.selects(e.id()))
    {
        if !arguments.quiet {
            anstream::eprintln!("{target}: no experiment matches the filter");
        }
        return Ok(exit::OK);
    }
    let launch = launch(target, arguments)?;
    let root = default_root(&launch.executable);
    let mut progress = Progress::new(arguments.quiet);
    let mut session = match &arguments.plan {
        Some(file) => replay(target, suite, &root, &read_plan(file)?)?,
        None => Session::open(
            &root,
            &Wishes {
                seed: arguments.seed,
                stop_rule: arguments.stop.clone(),
            },
        )?,
    };
    if session.plan.target(target).is_none() {
        let options = Options {
            target: target.to_owned(),
            launch: launch.clone(),
            level: if arguments.quick {
                Level::Quick
            } else {
                Level::Default
            },
            workers: arguments.workers,
            blocks: arguments.blocks,
            budget: arguments.budget,
            measurement_time: arguments.measurement_time,
            calibrate: arguments.calibrate,
            family: arguments.family,
        };
        plan_target(
            &mut session,
            suite,
            &|id| arguments.selects(id),
            &options,
            &mut progress,
        )?;
    }
    session.record_build(target, &launch.executable)?;
    if arguments.mode == Mode::PlanOnly {
        progress.clear();
        return Ok(exit::OK);
    }
    let status = measure(&session, target, &launch, &mut progress)?;
    progress.clear();
    let end = Finish {
        targets: &[(target, &launch.executable)],
        save_baseline: arguments.save_baseline.as_deref(),
        format: arguments.format,
        quiet: arguments.quiet,
        status,
        view: report::View {
            target: Some(target),
            verbose: arguments.verbose,
        },
    };
    finish(&session, &end)?;
    if let Some(name) = &arguments.baseline {
        anstream::eprintln!(
            "--baseline {name}: a stored baseline was measured at another time, so no claim is \
             made against it; `critcmp {name} new` prints the numbers side by side"
        );
    }
    Ok(match status {
        Status::Complete => exit::OK,
        Status::Incomplete => exit::INTERRUPTED,
    })
}

/// A new session that runs a stored plan again with this target's experiments.
fn replay(
    target: &str,
    suite: &Suite,
    root: &std::path::Path,
    stored: &Plan,
) -> Result<Session, RunError> {
    let planned = stored.target(target).ok_or_else(|| {
        let names: Vec<&str> = stored.targets.iter().map(|t| t.name.as_str()).collect();
        RunError::NotComparable(format!(
            "the plan is for {}, not for bench target `{target}`; pick that one with `--bench`",
            names.join(", ")
        ))
    })?;
    for experiment in &planned.experiments {
        let mut all = suite.experiments().iter();
        let declared = all
            .find(|e| e.id() == experiment.declared_id())
            .and_then(|e| e.declare().ok());
        if let Some(declared) = &declared {
            let device = declared.device.as_deref();
            experiment
                .check_device(device)
                .map_err(RunError::NotComparable)?;
        }
        let arms = declared.map(|plan| plan.arms);
        if experiment.same_code.is_none() && arms.as_ref() != Some(&experiment.arms) {
            return Err(RunError::NotComparable(format!(
                "the plan's experiment `{}` with arms {} is not what bench target `{target}` \
                 declares now",
                experiment.id,
                experiment.arms.join(", ")
            )));
        }
    }
    let only = Plan {
        targets: vec![planned.clone()],
        ..stored.clone()
    };
    Session::replay(root, &only)
}
