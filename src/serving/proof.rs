//! The client proves itself against the null server before it measures.

use super::attempt::Attempt;
use super::client::{Capture, Client, Options, Request, RequestError};
use super::load::open_loop;
use super::null_server::{NullServer, Script, event_times};
use super::{descriptors, null_server};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// What the client has to prove.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Proof {
    /// Requests per second of the run that follows; the proof runs at twice this.
    pub planned_rate: f64,
    /// Streams open at once, set by the length of the answers.
    pub streams: u32,
    /// Requests of the proof.
    pub requests: u32,
    /// Tokens of an answer, one to an event.
    pub tokens: u32,
    /// The load is held while the 99th percentile of the send lag stays below.
    pub lag_limit_ns: u64,
}

impl Default for Proof {
    fn default() -> Self {
        Self {
            planned_rate: 10.0,
            streams: 4,
            requests: 100,
            tokens: 32,
            lag_limit_ns: 2_000_000,
        }
    }
}

/// How often a load is tried before it counts as not held.
const TRIES: u32 = 3;

/// The client's own error under a load. Times are nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClientError {
    /// Requests per second asked of the client.
    pub rate: f64,
    /// Requests per second sent.
    pub achieved_rate: f64,
    /// Most streams open at once.
    pub streams: u32,
    /// Requests sent.
    pub requests: u32,
    /// Requests that failed: the null server never fails by itself.
    pub failed: u32,
    /// Events compared.
    pub events: u64,
    /// Mean of (client's read - server's write).
    pub mean_ns: f64,
    /// Median of the same.
    pub p50_ns: u64,
    /// 99th percentile of the same.
    pub p99_ns: u64,
    /// Largest of the same.
    pub max_ns: u64,
    /// 99th percentile of (sent - intended): the generator's own lag.
    pub send_lag_p99_ns: u64,
    /// Mean of (TTFT by the client's stamps - TTFT by the server's).
    pub ttft_error_mean_ns: f64,
    /// Whether the rate was reached without failures and within the lag limit.
    pub held: bool,
}

/// Why there is no proof.
#[derive(Debug)]
pub enum ProofError {
    /// Sockets, threads or the runtime.
    Io(io::Error),
    /// A number of the plan that means nothing.
    Plan(String),
    /// No event came back, so there is nothing to compare.
    NoEvents(String),
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the null server could not be driven: {error}"),
            Self::Plan(text) => f.write_str(text),
            Self::NoEvents(text) => write!(f, "no event came back from the null server: {text}"),
        }
    }
}

impl std::error::Error for ProofError {}

impl From<io::Error> for ProofError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<RequestError> for ProofError {
    fn from(error: RequestError) -> Self {
        Self::Plan(error.to_string())
    }
}

/// Drives the null server at twice the planned rate and compares every event.
///
/// # Errors
///
/// When the plan is empty, sockets fail or no event comes back.
pub fn self_proof(proof: &Proof) -> Result<ClientError, ProofError> {
    prove_at(proof, 2.0 * proof.planned_rate)
}

/// As [`self_proof`], up to three times until the load is held: a machine that
/// was busy for a moment is not one that is too slow.
///
/// # Errors
///
/// As [`self_proof`].
pub fn self_proof_repeated(proof: &Proof) -> Result<ClientError, ProofError> {
    let mut error = self_proof(proof)?;
    for _ in 1..TRIES {
        if error.held {
            break;
        }
        error = self_proof(proof)?;
    }
    Ok(error)
}

/// Doubles the rate, from twice the planned one, until it is not held any
/// more, `steps` times at most. The last held entry names the highest rate.
///
/// # Errors
///
/// As [`self_proof`].
pub fn highest_rate(proof: &Proof, steps: u32) -> Result<Vec<ClientError>, ProofError> {
    let mut rate = 2.0 * proof.planned_rate;
    let mut ladder = Vec::new();
    for _ in 0..steps {
        let error = prove_at(proof, rate)?;
        ladder.push(error);
        if !error.held {
            break;
        }
        rate *= 2.0;
    }
    Ok(ladder)
}

fn prove_at(proof: &Proof, rate: f64) -> Result<ClientError, ProofError> {
    if !(rate.is_finite() && rate > 0.0) {
        return Err(ProofError::Plan(format!(
            "planned rate {} must be above 0 requests per second",
            proof.planned_rate
        )));
    }
    if proof.requests == 0 || proof.tokens == 0 || proof.streams == 0 {
        return Err(ProofError::Plan(
            "requests, tokens and streams of a proof must be above 0".to_owned(),
        ));
    }
    // An answer lasts as long as it takes to have `streams` of them open.
    let length_us = f64::from(proof.streams) / rate * 1e6;
    let step_us = (length_us / f64::from(proof.tokens + 1)).max(1.0) as u64;
    let script = Script {
        first_us: step_us,
        gap_us: step_us,
        tokens: proof.tokens,
        ..Script::default()
    };
    // Both ends of a connection are open here.
    descriptors::make_room(2 * u64::from(proof.streams));
    let server = NullServer::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), script)?;
    let body = serde_json::json!({"model": "null", "stream": true, "max_tokens": proof.tokens,
        "messages": [{"role": "user", "content": "proof"}]});
    let request = Request::json("/v1/chat/completions", &body)?;
    let schedule_ns: Vec<u64> = (0..proof.requests)
        .map(|i| (f64::from(i) / rate * 1e9) as u64)
        .collect();
    let requests = Arc::new(vec![request; schedule_ns.len()]);
    let client = Arc::new(Client::new(server.address(), Options::default()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let captures = runtime.block_on(open_loop(&client, &requests, &schedule_ns))?;
    drop(server);
    compare(proof, rate, &captures)
}

fn compare(
    proof: &Proof,
    rate: f64,
    captures: &[(usize, Capture)],
) -> Result<ClientError, ProofError> {
    let (mut errors, mut lags, mut sent, mut ttft) = (vec![], vec![], vec![], vec![]);
    let mut spans = Vec::new();
    let mut failed = 0;
    let mut failure = String::new();
    for (_, capture) in captures {
        let attempt = Attempt::from_capture(capture);
        if let Some(why) = &attempt.failure {
            failed += 1;
            failure = why.to_string();
        }
        let times = event_times(capture);
        errors.extend(times.iter().map(|t| t.read_ns.saturating_sub(t.written_ns)));
        if let Some(at) = attempt.stamps.sent_ns {
            lags.push(at.saturating_sub(attempt.stamps.intended_ns));
            sent.push(at);
            spans.push((at, 1_i32));
            spans.push((attempt.stamps.done_ns, -1));
            let first: Option<&null_server::EventTimes> = times.iter().find(|t| t.content);
            if let (Some(first), Some(content)) = (first, attempt.stamps.first_content_ns) {
                let seen = content.saturating_sub(at) as f64;
                ttft.push(seen - first.written_ns.saturating_sub(first.received_ns) as f64);
            }
        }
    }
    if errors.is_empty() || ttft.is_empty() {
        return Err(ProofError::NoEvents(failure));
    }
    for values in [&mut errors, &mut lags, &mut sent] {
        values.sort_unstable();
    }
    let span_ns = sent[sent.len() - 1] - sent[0];
    let achieved_rate = match sent.len() {
        1 => rate,
        n => (n - 1) as f64 / (span_ns.max(1) as f64 / 1e9),
    };
    let send_lag_p99_ns = quantile(&lags, 0.99);
    Ok(ClientError {
        rate,
        achieved_rate,
        streams: most_open(spans),
        requests: proof.requests,
        failed,
        events: errors.len() as u64,
        mean_ns: errors.iter().map(|&e| e as f64).sum::<f64>() / errors.len() as f64,
        p50_ns: quantile(&errors, 0.5),
        p99_ns: quantile(&errors, 0.99),
        max_ns: errors[errors.len() - 1],
        send_lag_p99_ns,
        ttft_error_mean_ns: ttft.iter().sum::<f64>() / ttft.len() as f64,
        held: failed == 0 && achieved_rate >= 0.95 * rate && send_lag_p99_ns <= proof.lag_limit_ns,
    })
}

fn most_open(mut spans: Vec<(u64, i32)>) -> u32 {
    spans.sort_unstable();
    let (mut open, mut most) = (0_i32, 0_i32);
    for (_, step) in spans {
        open += step;
        most = most.max(open);
    }
    most.unsigned_abs()
}

/// Inverse of the empirical distribution of ascending, non-empty values.
fn quantile(values: &[u64], q: f64) -> u64 {
    let rank = (q * values.len() as f64).ceil().max(1.0) as usize;
    values[rank.min(values.len()) - 1]
}
