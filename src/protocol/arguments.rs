//! Arguments of a bench target.

use crate::report::style::Color;
use evenhand_harness::plan::{Seed, StopRule};
use lexopt::prelude::*;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// What a bench target is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Measure.
    Bench,
    /// Write the plan and stop.
    PlanOnly,
    /// Run everything once, as a test.
    Smoke,
    /// Print the experiments.
    List,
    /// Print the options.
    Help,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON document.
    Json,
    /// libtest's bench lines, for tools that read them.
    Bencher,
}

/// The parsed arguments.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// What to do.
    pub mode: Mode,
    /// Substrings that select experiments; none selects all.
    pub filters: Vec<String>,
    /// Filters are whole ids.
    pub exact: bool,
    /// Substrings that deselect.
    pub skip: Vec<String>,
    /// Only ignored tests were asked for; there are none.
    pub ignored: bool,
    /// Short listing.
    pub terse: bool,
    /// Output format.
    pub format: Format,
    /// Colours.
    pub color: Color,
    /// No progress.
    pub quiet: bool,
    /// More detail.
    pub verbose: bool,
    /// Fewer workers and blocks.
    pub quick: bool,
    /// Measure every arm against itself.
    pub calibrate: bool,
    /// Comparisons of the whole session, when other targets are planned later.
    pub family: usize,
    /// Seed of the session.
    pub seed: Option<Seed>,
    /// When to stop.
    pub stop: Option<StopRule>,
    /// Number of workers.
    pub workers: Option<u32>,
    /// Number of comparison blocks.
    pub blocks: Option<u32>,
    /// Time for the whole target.
    pub budget: Option<Duration>,
    /// Time for one experiment.
    pub measurement_time: Option<Duration>,
    /// A stored plan to run again.
    pub plan: Option<PathBuf>,
    /// The device to measure: `auto`, `cpu`, `cuda`, `cuda:INDEX`, `cuda:UUID`.
    pub device: Option<String>,
    /// How caches are made cold: `write`, `read`, `rotate` or `none`.
    pub flush: Option<String>,
    /// Name under which criterion's files are stored as well.
    pub save_baseline: Option<String>,
    /// A stored baseline to look at.
    pub baseline: Option<String>,
}

impl Arguments {
    /// Parses arguments without the program's name.
    ///
    /// # Errors
    /// Says which argument is wrong, and what would be right.
    pub fn parse(given: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut a = Self::default();
        let (mut bench, mut test, mut list, mut help, mut plan_only) =
            (false, false, false, false, false);
        let mut parser = lexopt::Parser::from_args(given);
        while let Some(argument) = parser.next().map_err(|e| e.to_string())? {
            match argument {
                Long("bench") => bench = true,
                Long("test") => test = true,
                Long("list") => list = true,
                Long("help") | Short('h') => help = true,
                Long("plan-only") => plan_only = true,
                Long("exact") => a.exact = true,
                Long("skip") => a.skip.push(text(value(&mut parser)?)?),
                Long("ignored") => a.ignored = true,
                Long("quiet") | Short('q') => a.quiet = true,
                Long("verbose") | Short('v') => a.verbose = true,
                Long("quick") => a.quick = true,
                Long("calibrate") => a.calibrate = true,
                Long("family") => {
                    a.family = count("--family", &text(value(&mut parser)?)?)? as usize
                }
                Long("seed") => a.seed = Some(text(value(&mut parser)?)?.parse()?),
                Long("stop") => a.stop = Some(text(value(&mut parser)?)?.parse()?),
                Long("workers") => {
                    a.workers = Some(count("--workers", &text(value(&mut parser)?)?)?)
                }
                Long("blocks") => a.blocks = Some(count("--blocks", &text(value(&mut parser)?)?)?),
                Long("budget") => {
                    a.budget = Some(duration("--budget", &text(value(&mut parser)?)?)?)
                }
                Long("measurement-time") => {
                    a.measurement_time =
                        Some(duration("--measurement-time", &text(value(&mut parser)?)?)?);
                }
                Long("device") => a.device = Some(text(value(&mut parser)?)?),
                Long("flush") => a.flush = Some(text(value(&mut parser)?)?),
                Long("plan") => a.plan = Some(PathBuf::from(value(&mut parser)?)),
                Long("save-baseline") | Short('s') => {
                    a.save_baseline = Some(text(value(&mut parser)?)?)
                }
                Long("baseline" | "baseline-lenient" | "load-baseline") | Short('b') => {
                    a.baseline = Some(text(value(&mut parser)?)?);
                }
                Long("format") => match text(value(&mut parser)?)?.as_str() {
                    "terse" => a.terse = true,
                    "pretty" | "human" => a.format = Format::Human,
                    "json" => a.format = Format::Json,
                    other => {
                        return Err(format!(
                            "--format {other}: give human, json, terse or pretty"
                        ));
                    }
                },
                Long("output-format") => match text(value(&mut parser)?)?.as_str() {
                    "bencher" => a.format = Format::Bencher,
                    "criterion" | "verbose" => a.format = Format::Human,
                    other => return Err(format!("--output-format {other}: give bencher")),
                },
                Long("color" | "colour") => a.color = color(&text(value(&mut parser)?)?)?,
                // libtest's and criterion's, without a meaning here.
                Long(
                    "nocapture" | "no-capture" | "show-output" | "include-ignored" | "noplot"
                    | "discard-baseline",
                ) => {}
                Value(filter) => a.filters.push(text(filter)?),
                other => return Err(other.unexpected().to_string()),
            }
        }
        if a.plan.is_some()
            && (a.seed.is_some() || a.stop.is_some() || a.workers.is_some() || a.blocks.is_some())
        {
            return Err(
                "--plan fixes seed, stop rule, workers and blocks; leave --seed, --stop, \
                 --workers and --blocks out"
                    .to_owned(),
            );
        }
        a.mode = match () {
            () if help => Mode::Help,
            () if list => Mode::List,
            () if test || !bench => Mode::Smoke,
            () if plan_only => Mode::PlanOnly,
            () => Mode::Bench,
        };
        Ok(a)
    }

    /// Whether an experiment is selected.
    #[must_use]
    pub fn selects(&self, id: &str) -> bool {
        let matches = |pattern: &String| {
            if self.exact {
                id == pattern
            } else {
                id.contains(pattern.as_str())
            }
        };
        (self.filters.is_empty() || self.filters.iter().any(matches))
            && !self.skip.iter().any(matches)
    }
}

impl Default for Arguments {
    fn default() -> Self {
        Self {
            mode: Mode::Smoke,
            filters: Vec::new(),
            exact: false,
            skip: Vec::new(),
            ignored: false,
            terse: false,
            format: Format::Human,
            color: Color::Auto,
            quiet: false,
            verbose: false,
            quick: false,
            calibrate: false,
            family: 0,
            seed: None,
            stop: None,
            workers: None,
            blocks: None,
            budget: None,
            measurement_time: None,
            plan: None,
            device: None,
            flush: None,
            save_baseline: None,
            baseline: None,
        }
    }
}

fn value(parser: &mut lexopt::Parser) -> Result<OsString, String> {
    parser.value().map_err(|e| e.to_string())
}

fn text(value: OsString) -> Result<String, String> {
    value
        .into_string()
        .map_err(|raw| format!("{} is not UTF-8", raw.display()))
}

fn count(option: &str, value: &str) -> Result<u32, String> {
    match value.parse() {
        Ok(n @ 1..=100_000) => Ok(n),
        _ => Err(format!("{option} {value}: give a number from 1 to 100000")),
    }
}

/// `90`, `90s`, `1.5m`, `2h`, `500ms`; a plain number is in seconds.
pub(crate) fn duration(option: &str, value: &str) -> Result<Duration, String> {
    let digits = value.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let scale = match &value[digits.len()..] {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => f64::NAN,
    };
    match digits.parse::<f64>().map(|number| number * scale) {
        Ok(seconds) if seconds > 0.0 && seconds < 1e7 => Ok(Duration::from_secs_f64(seconds)),
        _ => Err(format!(
            "{option} {value}: give a time such as 90s, 2m or 500ms"
        )),
    }
}

fn color(value: &str) -> Result<Color, String> {
    match value {
        "auto" => Ok(Color::Auto),
        "always" => Ok(Color::Always),
        "never" => Ok(Color::Never),
        other => Err(format!("--color {other}: give auto, always or never")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn modes_follow_cargo_and_nextest() {
        assert_eq!(parse("").unwrap().mode, Mode::Smoke, "cargo test");
        assert_eq!(parse("--bench").unwrap().mode, Mode::Bench, "cargo bench");
        assert_eq!(parse("soft --bench").unwrap().filters, ["soft"]);
        assert_eq!(parse("--list --format terse").unwrap().mode, Mode::List);
        assert_eq!(
            parse("a/b --exact --nocapture").unwrap().mode,
            Mode::Smoke,
            "nextest"
        );
        assert_eq!(parse("--test --bench").unwrap().mode, Mode::Smoke);
        assert_eq!(parse("--help --bench").unwrap().mode, Mode::Help);
    }

    #[test]
    fn filters_select() {
        let a = parse("soft --skip 64x --bench").unwrap();
        assert!(a.selects("softmax/1x4") && !a.selects("softmax/64x4") && !a.selects("rms"));
        let a = parse("soft --exact --bench").unwrap();
        assert!(a.selects("soft") && !a.selects("softmax"));
    }

    #[test]
    fn durations_have_units() {
        let of = |text| duration("--budget", text).map(|d| d.as_secs_f64());
        assert_eq!(of("90"), Ok(90.0));
        assert_eq!(of("1.5m"), Ok(90.0));
        assert_eq!(of("500ms"), Ok(0.5));
        for bad in ["", "s", "-1s", "1d", "nan", "inf", "0", "1e30"] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn device_and_cache_are_handed_on_as_given() {
        let a = parse("--device cuda:1 --flush read --bench").unwrap();
        assert_eq!(a.device.as_deref(), Some("cuda:1"));
        assert_eq!(a.flush.as_deref(), Some("read"));
        assert_eq!(parse("--bench").unwrap().flush, None);
    }

    #[test]
    fn wrong_arguments_say_what_would_be_right() {
        assert!(parse("--workers 0").unwrap_err().contains("1 to 100000"));
        assert!(parse("--frobnicate").unwrap_err().contains("--frobnicate"));
        assert!(
            parse("--plan x --seed 1")
                .unwrap_err()
                .contains("leave --seed")
        );
        assert!(parse("--seed -1").is_err());
    }
}
