//! A server without a model: every answer and every delay is known.
//!
//! Requests are read by a thread for each connection; one plain thread writes
//! all events at their times on [`clock`], never early. Each
//! event carries when it was due and when it was written, so the client's own
//! error is measured event by event, whatever the machine does.

mod activity;
mod answer;
mod places;
mod request;
mod scheduler;
mod script;

pub use script::{Fault, Script, Wake};

use super::client::Capture;
use super::{clock, descriptors, stream};
use activity::Activity;
use answer::Then;
use places::Places;
use scheduler::Job;
use serde_json::Value;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Connections that are open without a hitch.
const ROOM: u64 = 4096;
/// How often an idle connection looks whether the server has stopped.
const LOOK: Duration = Duration::from_millis(200);

/// A running null server; stops when dropped.
#[derive(Debug)]
pub struct NullServer {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    requests: Arc<AtomicU64>,
    acceptor: Option<JoinHandle<()>>,
}

impl NullServer {
    /// Listens on `address` (port 0 chooses one) and answers by `script`.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on.
    pub fn start(address: SocketAddr, script: Script) -> io::Result<Self> {
        descriptors::make_room(ROOM);
        let listener = TcpListener::bind(address)?;
        deepen_backlog(&listener);
        let address = listener.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let requests = Arc::new(AtomicU64::new(0));
        let (jobs, received) = channel();
        let clock_stop = Arc::clone(&stop);
        std::thread::Builder::new()
            .name("null-server-clock".to_owned())
            .spawn(move || scheduler::run(&received, &clock_stop))?;
        let acceptor = {
            let (stop, requests) = (Arc::clone(&stop), Arc::clone(&requests));
            std::thread::Builder::new()
                .name("null-server-accept".to_owned())
                .spawn(move || accept(&listener, script, &jobs, &stop, &requests))?
        };
        Ok(Self {
            address,
            stop,
            requests,
            acceptor: Some(acceptor),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Requests received so far.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

impl Drop for NullServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1)); // wakes the acceptor
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

/// A thousand clients may connect at once.
fn deepen_backlog(listener: &TcpListener) {
    #[cfg(unix)]
    let _ = rustix::net::listen(listener, 4096);
    #[cfg(not(unix))]
    let _ = listener;
}

/// What requests leave behind for those after them.
struct State {
    activity: Mutex<Activity>,
    places: Places,
}

fn accept(
    listener: &TcpListener,
    script: Script,
    jobs: &Sender<Job>,
    stop: &Arc<AtomicBool>,
    requests: &Arc<AtomicU64>,
) {
    let state = Arc::new(State {
        activity: Mutex::default(),
        places: Places::new(script.at_once),
    });
    for stream in listener.incoming() {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let Ok(stream) = stream else {
            // Out of descriptors, most likely: some will come back.
            std::thread::sleep(Duration::from_millis(10));
            continue;
        };
        let (jobs, stop, requests) = (jobs.clone(), Arc::clone(stop), Arc::clone(requests));
        let state = Arc::clone(&state);
        // A connection that gets no thread is closed, which its client sees.
        let _ = std::thread::Builder::new()
            .stack_size(128 << 10)
            .spawn(move || serve(Arc::new(stream), script, &jobs, &stop, &requests, &state));
    }
}

fn serve(
    stream: Arc<TcpStream>,
    script: Script,
    jobs: &Sender<Job>,
    stop: &AtomicBool,
    requests: &AtomicU64,
    state: &State,
) {
    let activity = || {
        state
            .activity
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    };
    let _ = stream.set_nodelay(true);
    let _ = stream.set_read_timeout(Some(LOOK));
    let mut buffer = Vec::new();
    while let Ok(Some(incoming)) = request::next(&stream, &mut buffer, stop) {
        let received_ns = clock::now();
        requests.fetch_add(1, Ordering::Relaxed);
        let mut flying = false;
        let steps = if incoming.post {
            match script.overridden(&incoming.body) {
                Ok((mut script, stream)) => {
                    script.first_us += activity().arrive(received_ns, script.wake);
                    flying = true;
                    let begin_ns = state.places.begin(received_ns, script.end_ns());
                    answer::steps(&script, stream, begin_ns)
                }
                Err(message) => {
                    let error = serde_json::json!({"error": {"message": message}});
                    answer::plain(received_ns, 400, &error.to_string())
                }
            }
        } else {
            answer::plain(received_ns, 200, r#"{"status":"ok"}"#)
        };
        let (finished, ended) = channel();
        if jobs
            .send(Job::new(Arc::clone(&stream), steps, finished))
            .is_err()
        {
            return;
        }
        let then = ended.recv();
        if flying {
            activity().leave(clock::now());
        }
        match then {
            Ok(Then::Finish) => {}
            Ok(Then::Reset) => {
                // Closing with linger 0 sends RST instead of FIN.
                #[cfg(unix)]
                let _ = rustix::net::sockopt::set_socket_linger(&*stream, Some(Duration::ZERO));
                return;
            }
            _ => return,
        }
    }
}

/// An event of the null server as both sides saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventTimes {
    /// When the server had read the request, or began to work on it.
    pub received_ns: u64,
    /// When the script wanted the event written.
    pub due_ns: u64,
    /// Just before the server wrote it.
    pub written_ns: u64,
    /// When the client's read returned it.
    pub read_ns: u64,
    /// Whether it holds text.
    pub content: bool,
}

/// The events of an answer of the null server, with the times of both sides.
#[must_use]
pub fn event_times(capture: &Capture) -> Vec<EventTimes> {
    let events = stream::events(capture).unwrap_or_default();
    let times = events.into_iter().filter_map(|(read, event)| {
        let value: Value = serde_json::from_slice(&event.data).ok()?;
        let stamps = value.get("stamps")?;
        let content = value
            .pointer("/choices/0/delta/content")
            .and_then(Value::as_str);
        Some(EventTimes {
            received_ns: stamps.get("received_ns")?.as_u64()?,
            due_ns: stamps.get("due_ns")?.as_u64()?,
            written_ns: stamps.get("written_ns")?.as_str()?.parse().ok()?,
            read_ns: capture.reads.get(read)?.at_ns,
            content: content.is_some_and(|text| !text.is_empty()),
        })
    });
    times.collect()
}
