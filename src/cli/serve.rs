//! `cargo evenhand serve`.

use super::Failure;
use crate::protocol::exit;
use crate::runtime::engine::EngineOptions;
use crate::runtime::server::Limits;
use crate::runtime::{
    Conversion, FfnProjection, LoadOptions, Loading, Options, Preset, Runtime, RuntimeError, Simd,
    Source, TokenizerCache, WeightType,
};
use evenhand_harness::run::stop_flag;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

const EXAMPLES: &str = "\
Prints `listening on http://ADDRESS` once requests are answered. SIGINT and SIGTERM refuse new
requests, let running ones finish, and end with exit code 0. Every switch is real work done or not;
`system_fingerprint` in answers names the whole setting.

Examples:
  cargo evenhand serve --preset tiny --port 0
  cargo evenhand serve --model path/to/folder --port 8080
  cargo evenhand serve --preset small --weights bf16 --conversion at-load
  cargo evenhand serve --kv-cache off --batch 1
  curl -s http://127.0.0.1:8080/v1/completions -H 'content-type: application/json' \\
    -d '{\"model\": \"tiny\", \"prompt\": \"The order\", \"max_tokens\": 8, \"temperature\": 0}'";

/// How often the stop flag is looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// Arguments of `cargo evenhand serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Model drawn from a seed: tiny (5.2 M parameters) or small (68 M)
    #[arg(
        long,
        value_name = "NAME",
        default_value = "tiny",
        conflicts_with = "model"
    )]
    preset: Preset,
    /// Names the weights of the preset
    #[arg(long, value_name = "N", default_value = "1")]
    weight_seed: u64,
    /// Folder with config.json, model.safetensors and tokenizer.json
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// The model's name in the protocol [default: the preset's or folder's]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    listening: Listening,
    #[command(flatten)]
    work: Work,
    #[command(flatten)]
    limits: LimitArguments,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Listening")]
struct Listening {
    /// Port; 0 takes a free one
    #[arg(long, value_name = "N", default_value = "8080")]
    port: u16,
    /// Address to listen on
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    host: std::net::IpAddr,
    /// Allow an address that other machines can reach (there is no authentication)
    #[arg(long)]
    allow_remote: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Switch {
    On,
    Off,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Work")]
struct Work {
    /// What weights are rounded to
    #[arg(long, value_enum, default_value_t)]
    weights: WeightType,
    /// When bf16 weights become f32
    #[arg(long, value_enum, default_value_t)]
    conversion: Conversion,
    /// When weights are read or drawn
    #[arg(long, value_enum, default_value_t)]
    loading: Loading,
    /// How the feed-forward layer projects
    #[arg(long, value_enum, default_value_t)]
    ffn: FfnProjection,
    /// Instructions of the linear layers
    #[arg(long, value_enum, default_value_t)]
    simd: Simd,
    /// Remember the tokens of words
    #[arg(long, value_enum, default_value = "on")]
    tokenizer_cache: Switch,
    /// Keep keys and values; off: every step computes the whole sequence
    #[arg(long, value_enum, default_value = "on")]
    kv_cache: Switch,
    /// Entropy of every token
    #[arg(long, value_enum, default_value = "on")]
    statistics: Switch,
    /// Most sequences of one step
    #[arg(long, value_name = "N", default_value_t = EngineOptions::default().batch)]
    batch: usize,
    /// Streams that run at the same time
    #[arg(long, value_name = "N", default_value_t = EngineOptions::default().slots)]
    slots: usize,
    /// Most prompt tokens of one step
    #[arg(long, value_name = "N", default_value_t = EngineOptions::default().prefill_chunk)]
    prefill_chunk: usize,
    /// Requests that may wait; further ones get 429
    #[arg(long, value_name = "N", default_value_t = EngineOptions::default().queue)]
    queue: usize,
    /// Seed of requests that name none
    #[arg(long, value_name = "N", default_value = "0")]
    seed: u64,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
struct LimitArguments {
    /// Open connections; further ones get 503
    #[arg(long, value_name = "N", default_value_t = Limits::default().connections)]
    connections: usize,
    /// Bytes of a body; more gets 413
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().body_bytes)]
    body_limit: usize,
    /// Bytes of a head; more gets 431
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().head_bytes)]
    head_limit: usize,
    /// Time for a head, also on an idle connection
    #[arg(long, value_name = "MS", default_value_t = Limits::default().head_ms)]
    head_timeout: u64,
    /// Time for a body
    #[arg(long, value_name = "MS", default_value_t = Limits::default().body_ms)]
    body_timeout: u64,
    /// Longest time that a client may take no byte
    #[arg(long, value_name = "MS", default_value_t = Limits::default().write_ms)]
    write_timeout: u64,
    /// Time for running requests to finish when the server stops
    #[arg(long, value_name = "MS", default_value_t = Limits::default().drain_ms)]
    drain_timeout: u64,
}

impl Arguments {
    fn options(&self) -> Options {
        let (work, limits) = (&self.work, &self.limits);
        Options {
            source: match &self.model {
                Some(folder) => Source::Folder(folder.clone()),
                None => Source::Preset {
                    preset: self.preset,
                    seed: self.weight_seed,
                },
            },
            name: self.name.clone(),
            address: SocketAddr::from((self.listening.host, self.listening.port)),
            allow_remote: self.listening.allow_remote,
            load: work.load(),
            engine: EngineOptions {
                slots: work.slots,
                batch: work.batch,
                prefill_chunk: work.prefill_chunk,
                queue: work.queue,
                kv_cache: work.kv_cache == Switch::On,
                statistics: work.statistics == Switch::On,
                seed: work.seed,
            },
            limits: Limits {
                connections: limits.connections,
                body_bytes: limits.body_limit,
                head_bytes: limits.head_limit,
                head_ms: limits.head_timeout,
                body_ms: limits.body_timeout,
                write_ms: limits.write_timeout,
                drain_ms: limits.drain_timeout,
            },
        }
    }
}

impl Work {
    fn load(&self) -> LoadOptions {
        LoadOptions {
            weights: self.weights,
            conversion: self.conversion,
            loading: self.loading,
            ffn: self.ffn,
            simd: self.simd,
            tokenizer_cache: match self.tokenizer_cache {
                Switch::On => TokenizerCache::On,
                Switch::Off => TokenizerCache::Off,
            },
        }
    }
}

/// Serve a small language model over an OpenAI-compatible API.
pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let stop = stop_flag()?;
    let runtime = Runtime::spawn(arguments.options()).map_err(|e| match e {
        RuntimeError::Options(_) | RuntimeError::Model(_) => Failure::usage(e.to_string()),
        _ => Failure::internal(e.to_string()),
    })?;
    // A reader that is gone does not end the server.
    let mut out = std::io::stdout();
    let _ = writeln!(out, "listening on http://{}", runtime.address());
    let _ = out.flush();
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(GLANCE);
    }
    runtime.stop();
    Ok(exit::OK)
}
