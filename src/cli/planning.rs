//! Planning every target of a session before the first sample.

use super::Failure;
use super::measure::stopping;
use super::targets::{BenchTarget, Selection};
use crate::protocol::{exit, parse_duration};
use crate::report::style;
use evenhand_harness::run::{SESSION_VARIABLE, Session};
use std::process::Stdio;
use std::time::Duration;

/// How much is measured.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Measuring")]
pub(super) struct Size {
    /// Fewer blocks, and the fewest workers that can claim anything
    #[arg(long)]
    pub quick: bool,
    /// Fresh processes per experiment [default: 12]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub workers: Option<u32>,
    /// Comparison blocks per worker [default: 50]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub blocks: Option<u32>,
    /// Time for everything (60s, 2m): gives up blocks, then workers
    #[arg(long, value_name = "TIME", value_parser = |text: &str| parse_duration("--budget", text))]
    pub budget: Option<Duration>,
    /// The same for each experiment
    #[arg(
        long,
        value_name = "TIME",
        value_parser = |text: &str| parse_duration("--measurement-time", text)
    )]
    pub measurement_time: Option<Duration>,
    /// Every arm against itself.
    #[arg(skip)]
    pub calibrate: bool,
}

impl Size {
    fn options(&self) -> Vec<String> {
        let mut options = Vec::new();
        let mut flag = |on: bool, name: &str| {
            if on {
                options.push(name.to_owned());
            }
        };
        flag(self.quick, "--quick");
        flag(self.calibrate, "--calibrate");
        let mut option = |name: &str, value: Option<String>| {
            options.extend(value.map(|v| format!("{name}={v}")));
        };
        let milliseconds = |time: Duration| format!("{}ms", time.as_millis().max(1));
        option("--workers", self.workers.map(|n| n.to_string()));
        option("--blocks", self.blocks.map(|n| n.to_string()));
        option(
            "--measurement-time",
            self.measurement_time.map(milliseconds),
        );
        options
    }
}

/// Lets every target add its part to the session's plan. Each gets a share of
/// the budget by its number of experiments, and all know the whole family.
pub(super) fn plan_targets(
    session: Session,
    targets: &[&BenchTarget],
    selection: &Selection,
    size: &Size,
    quiet: bool,
) -> Result<Session, Failure> {
    let chosen = |target: &BenchTarget| -> (usize, usize) {
        let experiments = target.description.experiments.iter();
        let chosen = experiments.filter(|e| selection.selects(&e.id));
        chosen.fold((0, 0), |(count, comparisons), e| {
            let new = if size.calibrate {
                e.arms()
            } else {
                e.comparisons()
            };
            (count + 1, comparisons + new)
        })
    };
    let parts: Vec<(usize, usize)> = targets.iter().map(|t| chosen(t)).collect();
    let experiments: usize = parts.iter().map(|p| p.0).sum();
    let family: usize = parts.iter().map(|p| p.1).sum();
    for (target, part) in targets.iter().zip(&parts) {
        if !quiet && targets.len() > 1 {
            anstream::eprintln!("{} {}", style::strong("planning"), target.name());
        }
        let mut command = target.launch.command();
        command
            .args(["--bench", "--plan-only"])
            .args(size.options())
            .env(SESSION_VARIABLE, &session.dir);
        if family > 0 {
            command.arg(format!("--family={}", family.min(100_000)));
        }
        if let Some(budget) = size.budget {
            let share = budget.mul_f64(part.0 as f64 / experiments as f64);
            command.arg(format!("--budget={}ms", share.as_millis().max(1)));
        }
        if quiet {
            command.arg("--quiet");
        }
        command.args(selection.options());
        let status = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .status()
            .map_err(|e| {
                Failure::internal(format!("{}: {e}", target.launch.executable.display()))
            })?;
        if stopping()? {
            return Err(Failure::new(
                exit::INTERRUPTED,
                "stopped while planning; nothing was measured",
            ));
        }
        if !status.success() {
            let code = status.code().and_then(|c| u8::try_from(c).ok());
            return Err(Failure::new(
                code.unwrap_or(exit::BENCHMARK_FAILED),
                format!(
                    "bench target `{}` could not be planned ({status}); its message stands above",
                    target.name()
                ),
            ));
        }
    }
    Ok(Session::load(&session.dir)?)
}
