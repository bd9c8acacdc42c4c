//! A worker process as the coordinator sees it.

use super::error::RunError;
use super::launch::Launch;
use super::messages::{Job, Message, Turn, parse};
use super::worker::WORKER_ARGUMENT;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Environment variable whose length shifts the worker's stack (Mytkowicz et
/// al., ASPLOS 2009).
const PAD_VARIABLE: &str = "EVENHAND_PAD";
/// How much of a worker's standard error is kept for its fault message.
const STDERR_TAIL: usize = 4096;

/// A running worker.
pub(super) struct WorkerProcess {
    child: Child,
    stdin: ChildStdin,
    messages: Receiver<Message>,
    stderr: JoinHandle<Vec<u8>>,
}

/// What arrived within a waiting time.
pub(super) enum Arrival {
    Message(Message),
    /// Nothing yet.
    Quiet,
    /// The worker closed its output.
    Closed,
}

/// How a worker process ended.
pub(super) struct Exit {
    /// Exit code or signal, in words.
    pub words: String,
    /// The end of what it wrote to standard error.
    pub stderr: String,
}

impl WorkerProcess {
    /// Starts the executable as a worker and hands it the job.
    pub(super) fn start(launch: &Launch, job: &Job, pad: usize) -> Result<Self, RunError> {
        let spawn = |source| RunError::Spawn {
            path: launch.executable.clone(),
            source,
        };
        let mut child = launch
            .command()
            .arg(WORKER_ARGUMENT)
            .env(PAD_VARIABLE, "x".repeat(pad))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(spawn)?;
        let stdout = child.stdout.take().expect("stdout is piped");
        let stderr = child.stderr.take().expect("stderr is piped");
        let mut stdin = child.stdin.take().expect("stdin is piped");

        let (sender, messages) = channel();
        std::thread::spawn(move || {
            let mut lines = BufReader::new(stdout);
            let mut line = Vec::new();
            while lines.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
                if let Some(message) = parse(&String::from_utf8_lossy(&line))
                    && sender.send(message).is_err()
                {
                    break;
                }
                line.clear();
            }
        });
        let stderr = std::thread::spawn(move || tail(stderr));

        let json = serde_json::to_string(job).map_err(|e| spawn(io::Error::other(e)))?;
        // A worker that died at once is noticed when its output closes.
        let _ = writeln!(stdin, "{json}");
        Ok(Self {
            child,
            stdin,
            messages,
            stderr,
        })
    }

    /// Waits for the next message.
    pub(super) fn next(&self, timeout: Duration) -> Arrival {
        match self.messages.recv_timeout(timeout) {
            Ok(message) => Arrival::Message(message),
            Err(RecvTimeoutError::Timeout) => Arrival::Quiet,
            Err(RecvTimeoutError::Disconnected) => Arrival::Closed,
        }
    }

    /// Passes the turn to an arm's process.
    pub(super) fn pass(&mut self, turn: &Turn) {
        let json = serde_json::to_string(turn).unwrap_or_default();
        // If it is gone, its closed output tells.
        let _ = writeln!(self.stdin, "{json}").and_then(|()| self.stdin.flush());
    }

    /// Lets a worker that reported progress go on.
    pub(super) fn acknowledge(&mut self) {
        // If it is gone, its closed output tells.
        let _ = self
            .stdin
            .write_all(b"\n")
            .and_then(|()| self.stdin.flush());
    }

    /// Kills the worker.
    pub(super) fn kill(&mut self) {
        let _ = self.child.kill();
    }

    /// Waits for the end.
    pub(super) fn wait(mut self) -> Exit {
        drop(self.stdin);
        let words = match self.child.wait() {
            Ok(status) => describe(status),
            Err(e) => format!("could not be waited for: {e}"),
        };
        let stderr = self.stderr.join().unwrap_or_default();
        Exit {
            words,
            stderr: String::from_utf8_lossy(&stderr).trim().to_owned(),
        }
    }
}

/// How a process ended, in words.
pub(super) fn describe(status: std::process::ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("signal {signal}");
    }
    match status.code() {
        Some(code) => format!("exit code {code}"),
        None => "no exit code".to_owned(),
    }
}

/// Reads to the end and keeps the last bytes.
fn tail(mut from: impl Read) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(n @ 1..) = from.read(&mut chunk) {
        kept.extend_from_slice(&chunk[..n]);
        if kept.len() > 2 * STDERR_TAIL {
            kept.drain(..kept.len() - STDERR_TAIL);
        }
    }
    kept.split_off(kept.len().saturating_sub(STDERR_TAIL))
}
