//! `cargo evenhand load`.

mod cells;
mod inputs;
mod session;

pub(super) use session::{is_ours, repeat, resume, session_of};

use super::Failure;
use super::measure::Presentation;
use super::planning::Size;
use super::records::session_root;
use crate::protocol::{Progress, exit};
use crate::report::style;
use crate::serving::arm::{Load, Mode, RequestPaths};
use crate::serving::client::Connections;
use crate::serving::load::{Arrivals, PromptMix, TraceUnit, parse_trace};
use crate::serving::target::{Target, address_of};
use crate::serving::{ClientError, self_proof_repeated};
use cells::Setting;
use evenhand_harness::plan::{Level, Seed};
use evenhand_harness::run::{Options, Session, Wishes, plan_target, worker_main};
use evenhand_harness::suite::{Suite, percent};
use inputs::Inputs;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
A target is a file (see the page `request-path`) or the URL of a server that runs. A file with a
command is started fresh for every worker; a URL can't be restarted, so requests are the units and
nothing better than a hint comes out. One target alone is described and compared with itself.

Examples:
  cargo evenhand load --target a.toml                                one server, one user
  cargo evenhand load --target a.toml --against b.toml               two servers, interleaved
  cargo evenhand load --target a.toml --against b.toml --mode cold   fresh process, first request
  cargo evenhand load --target a.toml --concurrency 1,4,16           which number of users is best
  cargo evenhand load --target a.toml --concurrency 4,16 --batch 4,8 and with which batch
  cargo evenhand load --target a.toml --rate 20 --arrivals gamma:0.5 open loop, in bursts
  cargo evenhand load --target a.toml --against b.toml --no-aa       two servers at a time, not three
  cargo evenhand load --target http://127.0.0.1:8080 --model tiny --format json";

/// Variable that names the session to its workers.
const SESSION_VARIABLE: &str = "EVENHAND_LOAD";
/// Name of the part of a session that this command measures.
const NAME: &str = "load";

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum ModeChoice {
    /// A fresh process and its first request
    #[value(alias = "cold_first_hit")]
    Cold,
    /// A warm server
    #[value(alias = "warm_steady_state")]
    Warm,
    /// Several users with a mixture of prompts
    #[value(alias = "mixed_load")]
    Mixed,
}

/// Arguments of `cargo evenhand load`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The server: a target file or a URL
    #[arg(long, value_name = "FILE|URL")]
    target: String,
    /// A server to compare with it
    #[arg(long, value_name = "FILE|URL")]
    against: Option<String>,
    /// State of the servers
    #[arg(long, value_enum, default_value = "warm")]
    mode: ModeChoice,
    /// Users of a closed loop; several numbers are cells, compared with each other
    #[arg(
        long, value_name = "N", value_delimiter = ',', default_value = "1",
        value_parser = clap::value_parser!(u32).range(1..=10_000)
    )]
    concurrency: Vec<u32>,
    /// Sequences that the server works on together, for `{batch}` in the target
    /// file; with --concurrency every combination is a cell
    #[arg(
        long, value_name = "N", value_delimiter = ',',
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    batch: Vec<u32>,
    /// Open loop: requests per second
    #[arg(
        long,
        value_name = "RATE",
        allow_negative_numbers = true,
        conflicts_with = "concurrency"
    )]
    rate: Option<f64>,
    /// Law of the arrivals: constant, poisson or gamma:SHAPE
    #[arg(long, value_name = "LAW", default_value = "poisson", requires = "rate")]
    arrivals: Arrivals,
    /// Arrivals of a recorded trace (CSV or JSON lines), at the speed of the rate
    #[arg(
        long,
        value_name = "FILE",
        requires = "rate",
        conflicts_with = "arrivals"
    )]
    trace: Option<PathBuf>,
    /// The trace counts milliseconds, not seconds
    #[arg(long, requires = "trace")]
    trace_ms: bool,
    /// Requests of a block that count, above one user and in open loop
    #[arg(long, value_name = "N", default_value_t = 32)]
    requests: u32,
    /// Words of the prompts: 64, 32-256, or shares as 32-64*3,512*1
    #[arg(long, value_name = "WORDS", default_value = "32")]
    prompts: PromptMix,
    /// Most tokens of an answer
    #[arg(long, value_name = "N", default_value_t = 32)]
    max_tokens: u32,
    /// Sampling temperature; 0 is greedy
    #[arg(long, value_name = "T", default_value_t = 0.0)]
    temperature: f64,
    /// Primary metric, for example ttft.content@sent or full@sent
    #[arg(long, value_name = "ID")]
    metric: Option<String>,
    /// Percentiles of the primary metric to claim, too: 95 or 95,99
    #[arg(long, value_name = "P", value_delimiter = ',')]
    tail: Vec<f64>,
    /// Smallest effect that matters, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 5.0)]
    margin: f64,
    /// No second server of the control, where it does not fit; caps the claim
    #[arg(long)]
    no_aa: bool,
    /// Cells of one batch ask one server, where it keeps no prompts
    #[arg(long, conflicts_with = "against")]
    share_servers: bool,
    /// Model of servers given as URL
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Use idle connections again
    #[arg(long)]
    reuse_connections: bool,
    /// Allow servers on other machines
    #[arg(long)]
    allow_remote: bool,
    /// Seed of all random draws; drawn from the system when there is none
    #[arg(long, value_name = "SEED")]
    seed: Option<Seed>,
    #[command(flatten)]
    size: Size,
    #[command(flatten)]
    presentation: Presentation,
}

impl Arguments {
    /// The most users of any cell, when the cells of one server are compared.
    fn sweep(&self) -> Option<u32> {
        let cells = self.concurrency.len() * self.batch.len().max(1);
        let several = self.against.is_none() && cells > 1;
        several.then(|| self.concurrency.iter().copied().max().unwrap_or(1))
    }
}

/// Runs as a worker of this command.
pub(super) fn worker() -> u8 {
    let Some(session) = std::env::var_os(SESSION_VARIABLE) else {
        eprintln!("a worker is started by `cargo evenhand load`, not by hand");
        return exit::USAGE;
    };
    let suite = Inputs::of(Path::new(&session))
        .and_then(|inputs| suite(&session::arguments(&inputs)?, &inputs));
    match suite {
        Ok(suite) => worker_main(|_| suite) as u8,
        Err(failure) => {
            eprintln!("{failure}");
            failure.code
        }
    }
}

/// Measure servers over the request path and print claims.
pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let mut inputs = Inputs::read(arguments, std::env::args().collect())?;
    let suite = suite(arguments, &inputs)?;
    let presentation = &arguments.presentation;
    let proof = prove(arguments, &inputs, presentation.quiet)?;
    let mut session = Session::create(
        &session_root(None),
        &Wishes {
            seed: arguments.seed,
            stop_rule: None,
        },
    )?;
    inputs.keep(&session.dir)?;
    session::keep_proof(&session, &proof)?;
    let launch = session::launch(&session, &inputs)?;
    let size = &arguments.size;
    let options = Options {
        target: NAME.to_owned(),
        launch: launch.clone(),
        level: if size.quick {
            Level::Quick
        } else {
            Level::Default
        },
        workers: size.workers,
        blocks: size.blocks,
        budget: size.budget,
        measurement_time: size.measurement_time,
        calibrate: false,
        family: 0,
    };
    let mut progress = Progress::new(presentation.quiet);
    plan_target(&mut session, &suite, &|_| true, &options, &mut progress)?;
    progress.clear();
    session::finish(&session, &launch, presentation)
}

/// The client against a server with known answers, before anything is
/// measured with it.
fn prove(arguments: &Arguments, inputs: &Inputs, quiet: bool) -> Result<ClientError, Failure> {
    let users = arguments.concurrency.iter().copied().max().unwrap_or(1);
    let proof = self_proof_repeated(&load(arguments, inputs, users)?.proof())
        .map_err(|e| Failure::internal(format!("the client could not be proved: {e}")))?;
    if !quiet {
        anstream::eprintln!(
            "{} at {:.0} requests/s: {} µs (p50), {} µs (p99) from a server's write to the \
             client's read; {}",
            style::strong("client error"),
            proof.achieved_rate,
            proof.p50_ns / 1000,
            proof.p99_ns / 1000,
            if proof.held {
                "twice the planned rate was held"
            } else {
                "twice the planned rate was NOT held, so nothing will be claimed: this machine is too \
                 slow or too busy; lower the rate or the users"
            }
        );
    }
    Ok(proof)
}

/// One experiment for every cell.
fn suite(arguments: &Arguments, inputs: &Inputs) -> Result<Suite, Failure> {
    let target = target(&arguments.target, arguments, inputs)?;
    let against = arguments.against.as_deref();
    let against = against
        .map(|given| self::target(given, arguments, inputs))
        .transpose()?;
    if !(arguments.margin.is_finite() && arguments.margin > 0.0) {
        return Err(Failure::usage("--margin must be a percentage above zero"));
    }
    cells::check_batch(&arguments.target, &target, arguments)?;
    if let (Some(given), Some(against)) = (&arguments.against, &against) {
        cells::check_batch(given, against, arguments)?;
    }
    let (control, candidate) = names(&target, against.as_ref());
    let settings = Setting::all(arguments)?;
    let mut suite = Suite::default();
    if against.is_none() && settings.len() > 1 {
        let most = settings.iter().map(|s| s.users).max().unwrap_or(1);
        let load = load(arguments, inputs, most)?;
        cells::sweep(&mut suite, &target, &settings, load, arguments);
        return Ok(suite);
    }
    if arguments.share_servers {
        return Err(Failure::usage(
            "--share-servers belongs to cells: give several numbers to --concurrency",
        ));
    }
    if arguments.no_aa && against.is_none() {
        return Err(Failure::usage(
            "--no-aa belongs to a comparison: give --against, or several cells",
        ));
    }
    for setting in settings {
        let load = load(arguments, inputs, setting.users)?;
        let id = cell(arguments, setting.users) + &setting.suffix();
        let path = suite.request_path(id).load(load);
        let arms = match &against {
            None => path.arm(&control, setting.fill(&target)),
            Some(other) => path
                .control(&control, setting.fill(&target))
                .candidate(&candidate, setting.fill(other)),
        };
        let arms = arms.margin(percent(arguments.margin));
        if arguments.no_aa {
            arms.no_aa();
        }
    }
    Ok(suite)
}

/// Arm names; equal target names are told apart.
fn names(target: &Target, against: Option<&Target>) -> (String, String) {
    let other = against.map_or_else(String::new, |t| t.name.clone());
    if other == target.name {
        (target.name.clone(), format!("{other} (against)"))
    } else {
        (target.name.clone(), other)
    }
}

fn mode(arguments: &Arguments) -> &'static str {
    match arguments.mode {
        ModeChoice::Cold => "cold",
        ModeChoice::Warm => "warm",
        ModeChoice::Mixed => "mixed",
    }
}

fn cell(arguments: &Arguments, users: u32) -> String {
    let mode = mode(arguments);
    match arguments.rate {
        Some(rate) => format!("{mode}/{rate}_per_s"),
        None if users == 1 => mode.to_owned(),
        None => format!("{mode}/{users}_users"),
    }
}

fn load(arguments: &Arguments, inputs: &Inputs, users: u32) -> Result<Load, Failure> {
    let arrivals = match inputs.trace() {
        None => arguments.arrivals.clone(),
        Some(file) => {
            let unit = if arguments.trace_ms {
                TraceUnit::Milliseconds
            } else {
                TraceUnit::Seconds
            };
            let trace = parse_trace(&file.given, &file.text, unit);
            let trace = trace.map_err(|e| Failure::usage(e.to_string()))?;
            Arrivals::Trace {
                times_ns: trace.iter().map(|r| r.at_ns).collect(),
            }
        }
    };
    let load = Load {
        mode: match arguments.mode {
            ModeChoice::Cold => Mode::Cold,
            ModeChoice::Warm => Mode::Warm,
            ModeChoice::Mixed => Mode::Mixed,
        },
        prompts: arguments.prompts.clone(),
        max_tokens: arguments.max_tokens,
        temperature: arguments.temperature,
        concurrency: users,
        requests: arguments.requests,
        open: arguments.rate.map(|rate| (rate, arrivals)),
        connections: if arguments.reuse_connections {
            Connections::Reuse
        } else {
            Connections::Fresh
        },
        metric: arguments.metric.clone(),
        tails: arguments
            .tail
            .iter()
            .map(|percent| percent / 100.0)
            .collect(),
        sweep: arguments.sweep(),
        ..Load::default()
    };
    load.check().map_err(|e| Failure::usage(e.to_string()))?;
    let metrics = match load.mode {
        Mode::Cold => crate::serving::arm::cold_metrics(&load),
        _ => crate::serving::arm::request_metrics(&load),
    };
    metrics.map_err(|e| Failure::usage(format!("--metric: {e}")))?;
    Ok(load)
}

fn target(given: &str, arguments: &Arguments, inputs: &Inputs) -> Result<Target, Failure> {
    let Some(file) = inputs.target(given) else {
        let address = address_of(given, arguments.allow_remote).map_err(Failure::usage)?;
        if arguments.mode == ModeChoice::Cold {
            return Err(Failure::usage(format!(
                "{given} can't be restarted, so it has no cold start; give a target file with a \
                 `command`"
            )));
        }
        let mut target = Target::at(address.to_string(), address);
        if let Some(model) = &arguments.model {
            target.model.clone_from(model);
        }
        return Ok(target);
    };
    let target = Target::parse(given, &file.text, &file.folder, arguments.allow_remote)
        .map_err(|e| Failure::usage(e.to_string()))?;
    if arguments.mode == ModeChoice::Cold && !target.restarts() {
        return Err(Failure::usage(format!(
            "{given}: a server at a `url` can't be restarted, so it has no cold start"
        )));
    }
    Ok(target)
}
