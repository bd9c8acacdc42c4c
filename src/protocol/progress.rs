//! Progress on standard error.

use crate::report;
use evenhand_harness::run::{Event, Observer, Reach};
use std::io::{IsTerminal, Write};
use std::time::Instant;

/// Draws a line on terminals, and writes milestones elsewhere.
pub struct Progress {
    quiet: bool,
    terminal: bool,
    started: Instant,
    /// Share at which measuring began: a resumed session has a head start.
    first_fraction: Option<f64>,
    last_decile: u32,
}

impl Progress {
    /// `quiet` shows faults only.
    #[must_use]
    pub fn new(quiet: bool) -> Self {
        Self {
            quiet,
            terminal: std::io::stderr().is_terminal(),
            started: Instant::now(),
            first_fraction: None,
            last_decile: 0,
        }
    }

    /// Removes the line.
    pub fn clear(&mut self) {
        if self.terminal && !self.quiet {
            eprint!("\r\x1b[2K");
            let _ = std::io::stderr().flush();
        }
    }

    fn draw(&mut self, line: &str) {
        eprint!("\r\x1b[2K{line}");
        let _ = std::io::stderr().flush();
    }

    fn say(&mut self, text: &str) {
        self.clear();
        anstream::eprintln!("{text}");
    }

    fn remaining(&mut self, fraction: f64) -> String {
        let first = *self.first_fraction.get_or_insert(fraction);
        let elapsed = self.started.elapsed().as_secs_f64();
        if fraction - first < 0.02 || fraction >= 1.0 {
            return String::new();
        }
        let left = elapsed * (1.0 - fraction) / (fraction - first);
        format!(", about {} left", report::seconds(left))
    }
}

impl Observer for Progress {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::ExperimentFailed { experiment, fault } => {
                let text = report::fault_sentence(experiment, fault);
                self.say(&format!("{}: {text}", report::style::error("failed")));
            }
            Event::WorkerLost {
                experiment,
                worker,
                message,
            } => {
                self.say(&format!(
                    "{}: experiment `{experiment}`: worker {worker} was lost and is replaced: \
                     {message}",
                    report::style::warning("warning")
                ));
            }
            _ if self.quiet => {}
            Event::Pilot {
                experiment,
                index,
                count,
            } if self.terminal => {
                self.draw(&format!("pilot {}/{count}  {experiment}", index + 1));
            }
            Event::Planned {
                session,
                seed,
                experiments,
                workers,
                seconds,
                budget,
                reach,
            } => {
                self.say(&format!(
                    "{} experiments x {workers} workers, about {} (seed {seed})",
                    experiments,
                    report::seconds(*seconds)
                ));
                if let Some(budget) = budget
                    && *seconds > budget.as_secs_f64()
                {
                    self.say(&format!(
                        "{}: the budget of {} is too small even for the fewest blocks and \
                         workers; select fewer experiments",
                        report::style::warning("warning"),
                        report::seconds(budget.as_secs_f64())
                    ));
                }
                self.say(match reach {
                    Reach::Everything => "all claim classes are reachable",
                    Reach::Strong => "reachable: up to `strong`; parity needs 12 workers",
                    Reach::Moderate => {
                        "reachable: `moderate` at best; `strong` needs 8 workers and A/A blocks, \
                         parity 12 workers"
                    }
                    Reach::Nothing => {
                        "no claim is reachable with so few workers for so many comparisons; use \
                         more workers, or select fewer experiments"
                    }
                });
                self.say(&format!("plan: {}", session.join("plan.json").display()));
                self.started = Instant::now();
            }
            Event::Progress {
                experiment,
                workers_done,
                workers,
                fraction,
            } => {
                let remaining = self.remaining(*fraction);
                let percent = (100.0 * fraction).floor() as u32;
                if self.terminal {
                    self.draw(&format!(
                        "{percent:3} %  worker {workers_done}/{workers}  {experiment}{remaining}"
                    ));
                } else if percent / 10 > self.last_decile {
                    self.last_decile = percent / 10;
                    self.say(&format!("{percent:3} % of {workers} workers{remaining}"));
                }
            }
            _ => {}
        }
    }
}
