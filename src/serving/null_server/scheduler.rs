//! One plain thread that writes every event at its time.

use super::answer::{Step, Then};
use crate::serving::clock;
use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::time::Duration;

/// How long before its time a write is waited for without sleeping.
const AWAKE_NS: u64 = 100_000;
/// When a client that does not read is tried again.
const RETRY_NS: u64 = 500_000;

/// An answer on its way.
pub(super) struct Job {
    pub(super) stream: Arc<TcpStream>,
    pub(super) steps: VecDeque<Step>,
    /// Told how it ended; dropped unheard when the client has gone.
    pub(super) finished: Sender<Then>,
    due_ns: u64,
    written: usize,
}

impl Job {
    pub(super) fn new(stream: Arc<TcpStream>, steps: Vec<Step>, finished: Sender<Then>) -> Self {
        let due_ns = steps.first().map_or(0, |step| step.due_ns);
        Self {
            stream,
            steps: steps.into(),
            finished,
            due_ns,
            written: 0,
        }
    }
}

impl PartialEq for Job {
    fn eq(&self, other: &Self) -> bool {
        self.due_ns == other.due_ns
    }
}

impl Eq for Job {}

impl PartialOrd for Job {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Job {
    fn cmp(&self, other: &Self) -> Ordering {
        self.due_ns.cmp(&other.due_ns)
    }
}

/// Writes until `stop` is set or every sender of jobs is gone.
pub(super) fn run(jobs: &Receiver<Job>, stop: &AtomicBool) {
    let mut waiting: BinaryHeap<Reverse<Job>> = BinaryHeap::new();
    while !stop.load(Relaxed) {
        let left = match waiting.peek() {
            None => u64::MAX,
            Some(Reverse(job)) => job.due_ns.saturating_sub(clock::now()),
        };
        let arrived = if left == 0 {
            jobs.try_recv().map_err(|e| e == TryRecvError::Disconnected)
        } else if left <= AWAKE_NS {
            std::thread::yield_now();
            jobs.try_recv().map_err(|e| e == TryRecvError::Disconnected)
        } else {
            let sleep = Duration::from_nanos((left - AWAKE_NS).min(100_000_000));
            jobs.recv_timeout(sleep)
                .map_err(|e| e == RecvTimeoutError::Disconnected)
        };
        match arrived {
            Ok(job) => waiting.push(Reverse(job)),
            Err(true) => return,
            Err(false) => {}
        }
        while let Some(Reverse(job)) = waiting.peek()
            && job.due_ns <= clock::now()
        {
            if let Some(Reverse(job)) = waiting.pop()
                && let Some(job) = advance(job)
            {
                waiting.push(Reverse(job));
            }
        }
    }
}

/// Writes the job's next step; gives the job back while steps are left.
fn advance(mut job: Job) -> Option<Job> {
    let step = job.steps.front_mut()?;
    if job.written == 0 {
        step.stamp(clock::now());
    }
    match send(&job.stream, &step.bytes[job.written..]) {
        Ok(sent) if job.written + sent < step.bytes.len() => job.written += sent,
        Ok(_) => {
            let then = step.then;
            job.steps.pop_front();
            job.written = 0;
            if then != Then::Continue {
                if then == Then::Close {
                    let _ = job.stream.shutdown(Shutdown::Both);
                }
                drop(job.stream);
                let _ = job.finished.send(then);
                return None;
            }
            job.due_ns = job.steps.front()?.due_ns;
            return Some(job);
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
        Err(_) => return None,
    }
    job.due_ns = clock::now() + RETRY_NS;
    Some(job)
}

#[cfg(unix)]
fn send(stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    use rustix::net::{SendFlags, send};
    if bytes.is_empty() {
        return Ok(0);
    }
    Ok(send(
        stream,
        bytes,
        SendFlags::DONTWAIT | SendFlags::NOSIGNAL,
    )?)
}

#[cfg(not(unix))]
fn send(mut stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    io::Write::write(&mut stream, bytes)
}
