//! `cargo evenhand null-server`.

use super::Failure;
use super::measure::OutputFormat;
use crate::protocol::exit;
use crate::serving::null_server::{NullServer, Script};
use crate::serving::{ClientError, Proof, ProofError, highest_rate};
use std::net::SocketAddr;
use std::time::Duration;

const EXAMPLES: &str = "\
A server without a model, with answers and delays known exactly, speaking the streaming OpenAI
protocol: for the proof of a client. A request overrides the script with an object `script` in its
body. With --prove, this harness's own client is driven against it, the rate doubling until it
cannot be held.

Examples:
  cargo evenhand null-server --listen 127.0.0.1:8080 --first-ms 50 --gap-ms 10 --tokens 32
  curl -N 127.0.0.1:8080/v1/chat/completions -d '{\"stream\":true,\"script\":{\"first_us\":9000}}'
  cargo evenhand null-server --prove 50 --streams 100 --format json";

/// Arguments of `cargo evenhand null-server`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Address and port; port 0 chooses one and prints it
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Time to the first content event
    #[arg(long, value_name = "MS", default_value_t = 20.0)]
    first_ms: f64,
    /// Time from one content event to the next
    #[arg(long, value_name = "MS", default_value_t = 5.0)]
    gap_ms: f64,
    /// Time to an event that holds only the role
    #[arg(long, value_name = "MS")]
    role_ms: Option<f64>,
    /// Tokens of an answer, unless the request says `max_tokens`
    #[arg(long, value_name = "N", default_value_t = 16)]
    tokens: u32,
    /// Tokens in one event
    #[arg(long, value_name = "N", default_value_t = 1)]
    tokens_per_event: u32,
    /// Events in one write
    #[arg(long, value_name = "N", default_value_t = 1)]
    events_per_write: u32,
    /// Requests worked on at once; the others wait [default: no limit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    at_once: Option<u32>,
    /// Prove the client for this many requests per second, then exit
    #[arg(long, value_name = "RATE")]
    prove: Option<f64>,
    /// Streams open at once in the proof
    #[arg(long, value_name = "N", default_value_t = 4, requires = "prove")]
    streams: u32,
    /// Requests at each rate of the proof
    #[arg(long, value_name = "N", default_value_t = 200, requires = "prove")]
    requests: u32,
    /// Rates tried at most, each twice the one before
    #[arg(long, value_name = "N", default_value_t = 1, requires = "prove")]
    steps: u32,
    /// How the proof is printed
    #[arg(long, value_enum, default_value = "human")]
    format: OutputFormat,
}

/// Serve known answers, or prove the client against them.
pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let script = Script {
        first_us: micros("--first-ms", arguments.first_ms)?,
        gap_us: micros("--gap-ms", arguments.gap_ms)?,
        role_us: match arguments.role_ms {
            Some(ms) => Some(micros("--role-ms", ms)?),
            None => None,
        },
        tokens: arguments.tokens,
        tokens_per_event: arguments.tokens_per_event,
        events_per_write: arguments.events_per_write,
        at_once: arguments.at_once,
        ..Script::default()
    };
    if let Some(rate) = arguments.prove {
        return prove(arguments, rate);
    }
    let server = NullServer::start(arguments.listen, script)
        .map_err(|e| Failure::internal(format!("cannot listen on {}: {e}", arguments.listen)))?;
    anstream::println!("http://{}", server.address());
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}

fn micros(name: &str, ms: f64) -> Result<u64, Failure> {
    if (0.0..=3_600_000.0).contains(&ms) {
        return Ok((ms * 1000.0).round() as u64);
    }
    Err(Failure::usage(format!(
        "{name} {ms} must lie between 0 and 3600000 ms"
    )))
}

fn prove(arguments: &Arguments, planned_rate: f64) -> Result<u8, Failure> {
    let proof = Proof {
        planned_rate,
        streams: arguments.streams,
        requests: arguments.requests,
        tokens: arguments.tokens,
        ..Proof::default()
    };
    let ladder = highest_rate(&proof, arguments.steps).map_err(|error| match error {
        ProofError::Plan(_) => Failure::usage(error.to_string()),
        _ => Failure::internal(error.to_string()),
    })?;
    if arguments.format == OutputFormat::Json {
        let json = serde_json::to_string_pretty(&ladder).expect("plain data has a JSON form");
        anstream::println!("{json}");
        return Ok(exit::OK);
    }
    anstream::println!("{}", heading());
    for error in &ladder {
        anstream::println!("{}", line(error));
    }
    Ok(exit::OK)
}

fn heading() -> String {
    format!(
        "{:>9} {:>9} {:>7} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9}  held",
        "rate/s", "sent/s", "streams", "events", "mean us", "p50 us", "p99 us", "max us", "lag p99",
    )
}

fn line(error: &ClientError) -> String {
    let micros = |ns: u64| ns as f64 / 1e3;
    format!(
        "{:>9.0} {:>9.0} {:>7} {:>8} {:>9.1} {:>9.1} {:>9.1} {:>9.1} {:>9.1}  {}",
        error.rate,
        error.achieved_rate,
        error.streams,
        error.events,
        error.mean_ns / 1e3,
        micros(error.p50_ns),
        micros(error.p99_ns),
        micros(error.max_ns),
        micros(error.send_lag_p99_ns),
        match (error.held, error.failed) {
            (true, _) => "yes".to_owned(),
            (false, 0) => "no".to_owned(),
            (false, n) => format!("no, {n} failed"),
        },
    )
}
