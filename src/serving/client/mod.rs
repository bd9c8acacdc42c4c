//! An HTTP/1.1 client that stamps first and parses later.
//!
//! Every request gets a socket that the client opened itself (`TCP_NODELAY`),
//! by default before the request's clock starts. While the clock runs, reads
//! are stamped and stored; [`Attempt::from_capture`](super::Attempt) parses
//! them afterwards. A request is never sent twice. Plain HTTP only: TLS would
//! put its own work between the socket and the stamp.

mod capture;
mod exchange;
mod failure;
mod options;
mod request;
mod socket;

pub use capture::{Capture, ConnectionEnd, ConnectionUse, Read, Stamps};
pub use failure::{ErrorClass, Failure};
pub use options::{Connections, Limits, Options, Timeouts};
pub use request::{Dispatch, Request, RequestError};

use crate::serving::clock;
use exchange::{Line, exchange};
use socket::look;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use tokio::net::TcpStream;

/// A client of one server. Works on a `current_thread` runtime with I/O and
/// time enabled; share it between the streams of that runtime by reference.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
    host: String,
    options: Options,
    idle: Mutex<Vec<Idle>>,
    opened: AtomicU64,
    reused: AtomicU64,
    closed_by_server: AtomicU64,
}

#[derive(Debug)]
struct Idle {
    stream: TcpStream,
    served: u32,
}

/// What a client did with connections so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionCounts {
    /// Connections opened.
    pub opened: u64,
    /// Requests sent on a connection that had served one before.
    pub reused: u64,
    /// Idle connections that the server had closed when they were looked at.
    pub closed_by_server: u64,
}

/// A connection on which nothing has been sent, or why there is none.
#[derive(Debug)]
pub struct Opened {
    line: Result<Line, Failure>,
    connect: Option<(u64, u64)>,
    found_closed: u32,
}

impl Opened {
    /// Why there is no connection.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.line.as_ref().err()
    }
}

impl Client {
    /// A client of the server at `address`.
    #[must_use]
    pub fn new(address: SocketAddr, options: Options) -> Self {
        Self {
            address,
            host: address.to_string(),
            options,
            idle: Mutex::default(),
            opened: AtomicU64::new(0),
            reused: AtomicU64::new(0),
            closed_by_server: AtomicU64::new(0),
        }
    }

    /// Sends `host` as the `Host` header instead of the address.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = host.into();
        self
    }

    /// The server's address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How the client behaves.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// What the client did with connections so far.
    #[must_use]
    pub fn connections(&self) -> ConnectionCounts {
        ConnectionCounts {
            opened: self.opened.load(Ordering::Relaxed),
            reused: self.reused.load(Ordering::Relaxed),
            closed_by_server: self.closed_by_server.load(Ordering::Relaxed),
        }
    }

    /// Gets a connection ready, ahead of the request's time.
    pub async fn open(&self) -> Opened {
        let mut found_closed = 0;
        if self.options.connections == Connections::Reuse {
            while let Some(idle) = self.pop() {
                if look(&idle.stream) == ConnectionEnd::Open {
                    self.reused.fetch_add(1, Ordering::Relaxed);
                    let line = Line::new(idle.stream, idle.served, &self.options).await;
                    return Opened {
                        line: line.map_err(|e| Failure::exchanging(&e)),
                        connect: None,
                        found_closed,
                    };
                }
                found_closed += 1;
                self.closed_by_server.fetch_add(1, Ordering::Relaxed);
            }
        }
        let start_ns = clock::now();
        let line = self.connect().await;
        Opened {
            line,
            connect: Some((start_ns, clock::now())),
            found_closed,
        }
    }

    async fn connect(&self) -> Result<Line, Failure> {
        let limit = self.options.timeouts.connect;
        let connecting = tokio::time::timeout(limit, TcpStream::connect(self.address));
        let stream = connecting
            .await
            .map_err(|_| {
                let waited = format!("no connection after {} ms", limit.as_millis());
                Failure::new(ErrorClass::ConnectTimeout, waited)
            })?
            .map_err(|error| Failure::connecting(&error))?;
        stream
            .set_nodelay(true)
            .map_err(|error| Failure::connecting(&error))?;
        self.opened.fetch_add(1, Ordering::Relaxed);
        Line::new(stream, 0, &self.options)
            .await
            .map_err(|error| Failure::exchanging(&error))
    }

    /// Opens a connection, then sends `request` on it.
    pub async fn send(&self, request: &Request, dispatch: Dispatch) -> Capture {
        self.send_on(self.open().await, request, dispatch).await
    }

    /// Sends `request` on a connection opened before. Failures are stored in
    /// the capture, with the stamps reached until then.
    pub async fn send_on(&self, opened: Opened, request: &Request, dispatch: Dispatch) -> Capture {
        let stamps = Stamps {
            intended_ns: dispatch.intended_ns,
            queued_ns: dispatch.queued_ns,
            connect_start_ns: opened.connect.map(|c| c.0),
            connect_end_ns: opened.connect.map(|c| c.1),
            ..Stamps::default()
        };
        let mut connection = ConnectionUse {
            earlier_requests: 0,
            found_closed: opened.found_closed,
        };
        let line = match opened.line {
            Ok(line) => line,
            Err(failure) => return unsent(stamps, connection, request, failure, &self.options),
        };
        connection.earlier_requests = line.earlier_requests;
        let (capture, stream) =
            exchange(line, request, &self.host, stamps, connection, &self.options).await;
        if let Some(stream) = stream
            && self.options.connections == Connections::Reuse
        {
            let served = connection.earlier_requests + 1;
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.push(Idle { stream, served });
        }
        capture
    }

    fn pop(&self) -> Option<Idle> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.pop()
    }
}

fn unsent(
    mut stamps: Stamps,
    connection: ConnectionUse,
    request: &Request,
    failure: Failure,
    options: &Options,
) -> Capture {
    let failed_ns = stamps.connect_end_ns.take();
    stamps.done_ns = failed_ns.unwrap_or_else(clock::now).max(stamps.queued_ns);
    Capture {
        stamps,
        connection,
        connection_end: ConnectionEnd::Abandoned,
        status: None,
        headers: Vec::new(),
        reads: Vec::new(),
        body: Vec::new(),
        failure: Some(failure),
        requested_tokens: request.requested_tokens,
        line_limit: options.limits.line,
    }
}
