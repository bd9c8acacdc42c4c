//! One request and its answer on one connection.

use super::capture::{Capture, ConnectionEnd, ConnectionUse, Stamps};
use super::options::Options;
use super::socket::{SharedLog, Socket, look};
use super::{ErrorClass, Failure, Request};
use crate::serving::clock;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{Connection, SendRequest};
use hyper::header::{CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use hyper::{Response, Version};
use hyper_util::rt::TokioIo;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

type Answering = Pin<Box<dyn Future<Output = hyper::Result<Response<Incoming>>> + Send>>;

/// A connection on which nothing has been sent yet.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) sender: SendRequest<Full<Bytes>>,
    pub(super) connection: Connection<TokioIo<Socket>, Full<Bytes>>,
    pub(super) log: SharedLog,
    pub(super) earlier_requests: u32,
}

impl Line {
    /// Speaks HTTP/1.1 over a socket; nothing is sent by this.
    pub(super) async fn new(
        stream: TcpStream,
        earlier_requests: u32,
        options: &Options,
    ) -> hyper::Result<Self> {
        let log = SharedLog::new(options.limits.reads);
        let socket = Socket {
            stream,
            log: log.clone(),
        };
        let (sender, connection) = hyper::client::conn::http1::Builder::new()
            .max_buf_size(options.limits.head.max(8192))
            .max_header_size(options.limits.head.max(8192))
            .handshake(TokioIo::new(socket))
            .await?;
        Ok(Self {
            sender,
            connection,
            log,
            earlier_requests,
        })
    }
}

enum Drained {
    Finished(Option<Failure>),
    Progress,
    Nothing,
}

struct Exchange<'a> {
    connection: Connection<TokioIo<Socket>, Full<Bytes>>,
    connection_result: Option<hyper::Result<()>>,
    answering: Option<Answering>,
    incoming: Option<Incoming>,
    log: SharedLog,
    options: &'a Options,
    start_ns: u64,
    hang_up_after: Option<Duration>,
    timer: Pin<Box<Sleep>>,
    armed_ns: u64,
    capture: Capture,
    until_close: bool,
    lives_on: bool,
}

/// Sends `request` and stores what comes back; gives the socket back when the
/// connection may serve another request.
pub(super) async fn exchange(
    line: Line,
    request: &Request,
    host: &str,
    stamps: Stamps,
    connection: ConnectionUse,
    options: &Options,
) -> (Capture, Option<TcpStream>) {
    let mut sender = line.sender;
    let start_ns = clock::now();
    let mut exchange = Exchange {
        connection: line.connection,
        connection_result: None,
        answering: Some(Box::pin(sender.send_request(head(request, host)))),
        incoming: None,
        log: line.log,
        options,
        start_ns,
        hang_up_after: request.hang_up_after,
        timer: Box::pin(tokio::time::sleep(options.timeouts.header)),
        armed_ns: u64::MAX,
        capture: Capture {
            stamps,
            connection,
            connection_end: ConnectionEnd::Abandoned,
            status: None,
            headers: Vec::new(),
            reads: Vec::new(),
            body: Vec::with_capacity(16 << 10),
            failure: None,
            requested_tokens: request.requested_tokens,
            line_limit: options.limits.line,
        },
        until_close: false,
        lives_on: false,
    };
    let failure = poll_fn(|cx| exchange.poll(cx)).await;
    exchange.finish(failure).await
}

fn head(request: &Request, host: &str) -> hyper::Request<Full<Bytes>> {
    let mut head = hyper::Request::new(Full::new(request.body.clone()));
    *head.method_mut() = request.method.clone();
    *head.uri_mut() = request.path.clone();
    let headers = head.headers_mut();
    if let Ok(host) = host.parse() {
        headers.insert(HOST, host);
    }
    for (name, value) in &request.headers {
        headers.append(name, value.clone());
    }
    head
}

impl Exchange<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Failure>> {
        let mut idle = false;
        loop {
            match self.drain(cx) {
                Drained::Finished(failure) => return Poll::Ready(failure),
                Drained::Progress => idle = false,
                Drained::Nothing => {
                    if let Some(result) = &self.connection_result {
                        let failure = match result {
                            Err(error) => self.failed(error),
                            Ok(()) => Failure::new(
                                ErrorClass::ClosedEarly,
                                "the connection ended without an answer",
                            ),
                        };
                        return Poll::Ready(Some(failure));
                    }
                    if idle {
                        break;
                    }
                }
            }
            if self.connection_result.is_none() {
                self.log.lock().open = true;
                // Shutting down is ours to decide: an idle socket may be used again.
                if let Poll::Ready(result) = self.connection.poll_without_shutdown(cx) {
                    self.connection_result = Some(result);
                }
                idle = std::mem::take(&mut self.log.lock().open);
            }
        }
        self.poll_timer(cx).map(Some)
    }

    /// Takes what hyper holds; all of it came with the last read.
    fn drain(&mut self, cx: &mut Context<'_>) -> Drained {
        let mut drained = Drained::Nothing;
        if let Some(answering) = &mut self.answering {
            match answering.as_mut().poll(cx) {
                Poll::Pending => return Drained::Nothing,
                Poll::Ready(Err(error)) => return Drained::Finished(Some(self.failed(&error))),
                Poll::Ready(Ok(response)) => {
                    self.answering = None;
                    if let Some(failure) = self.take_head(response) {
                        return Drained::Finished(Some(failure));
                    }
                    drained = Drained::Progress;
                }
            }
        }
        let Some(incoming) = &mut self.incoming else {
            return drained;
        };
        loop {
            match Pin::new(&mut *incoming).poll_frame(cx) {
                Poll::Pending => return drained,
                Poll::Ready(None) => return Drained::Finished(None),
                Poll::Ready(Some(Err(error))) => {
                    return Drained::Finished(Some(self.failed(&error)));
                }
                Poll::Ready(Some(Ok(frame))) => {
                    drained = Drained::Progress;
                    let Some(data) = frame.data_ref().filter(|data| !data.is_empty()) else {
                        continue;
                    };
                    let room = self.options.limits.body - self.capture.body.len();
                    self.capture
                        .body
                        .extend_from_slice(&data[..data.len().min(room)]);
                    let mut log = self.log.lock();
                    if let Some(read) = log.reads.last_mut() {
                        read.body_end = self.capture.body.len() as u64;
                        let at = read.at_ns;
                        self.capture.stamps.first_body_ns.get_or_insert(at);
                    }
                    if data.len() > room {
                        let limit = self.options.limits.body;
                        return Drained::Finished(Some(Failure::new(
                            ErrorClass::TooLarge,
                            format!("the body exceeds {limit} bytes"),
                        )));
                    }
                }
            }
        }
    }

    fn take_head(&mut self, response: Response<Incoming>) -> Option<Failure> {
        self.capture.stamps.headers_ns = self.log.lock().reads.last().map(|read| read.at_ns);
        let (parts, incoming) = response.into_parts();
        self.capture.status = Some(parts.status.as_u16());
        self.capture.headers = parts
            .headers
            .iter()
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                (name.as_str().to_owned(), value)
            })
            .collect();
        self.until_close = !incoming.is_end_stream()
            && !parts.headers.contains_key(CONTENT_LENGTH)
            && !parts.headers.contains_key(TRANSFER_ENCODING);
        let says = |word: &str| {
            let values = parts.headers.get_all(CONNECTION).iter();
            let mut words = values
                .filter_map(|v| v.to_str().ok())
                .flat_map(|v| v.split(','));
            words.any(|w| w.trim().eq_ignore_ascii_case(word))
        };
        self.lives_on = !self.until_close
            && !says("close")
            && (parts.version == Version::HTTP_11 || says("keep-alive"));
        self.incoming = Some(incoming);
        let encoding = parts.headers.get(CONTENT_ENCODING)?;
        (encoding.as_bytes() != b"identity").then(|| {
            Failure::new(
                ErrorClass::Encoding,
                format!(
                    "content-encoding `{}` was not asked for",
                    String::from_utf8_lossy(encoding.as_bytes())
                ),
            )
        })
    }

    fn failed(&self, error: &hyper::Error) -> Failure {
        let log = self.log.lock();
        if log.overflow {
            let limit = self.options.limits.reads;
            return Failure::new(
                ErrorClass::TooLarge,
                format!("the answer took more than {limit} reads"),
            );
        }
        let failure = Failure::exchanging(error);
        let lost = matches!(failure.class, ErrorClass::ClosedEarly | ErrorClass::Reset);
        if lost && log.reads.is_empty() && self.capture.connection.earlier_requests > 0 {
            return Failure::new(ErrorClass::ClosedWhileIdle, failure.detail);
        }
        failure
    }

    /// The limit that is reached first, and what it means.
    fn deadline(&self) -> (u64, ErrorClass) {
        let timeouts = &self.options.timeouts;
        let log = self.log.lock();
        let stamps = &self.capture.stamps;
        let phase = match (stamps.headers_ns, stamps.first_body_ns) {
            (None, _) => (
                after(self.start_ns, timeouts.header),
                ErrorClass::HeaderTimeout,
            ),
            (Some(headers), None) => (
                after(headers, timeouts.first_byte),
                ErrorClass::FirstByteTimeout,
            ),
            (Some(_), Some(first)) => {
                let last = log.reads.last().map_or(first, |read| read.at_ns);
                (after(last, timeouts.idle), ErrorClass::IdleTimeout)
            }
        };
        let total = (
            after(self.start_ns, timeouts.total),
            ErrorClass::TotalTimeout,
        );
        let mut first = if total.0 <= phase.0 { total } else { phase };
        if let Some(time) = self.hang_up_after {
            let at = after(log.sent_ns.unwrap_or(self.start_ns), time);
            if at <= first.0 {
                first = (at, ErrorClass::Cancelled);
            }
        }
        first
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<Failure> {
        loop {
            let (at_ns, class) = self.deadline();
            let now = clock::now();
            if now >= at_ns {
                let waited = Duration::from_nanos(now - self.start_ns);
                return Poll::Ready(Failure::new(
                    class,
                    format!("given up {} ms after sending", waited.as_millis()),
                ));
            }
            // A later deadline leaves the timer alone: it looks again when it fires.
            if at_ns < self.armed_ns {
                self.armed_ns = at_ns;
                let at = Instant::now() + Duration::from_nanos(at_ns - now);
                self.timer.as_mut().reset(at);
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.armed_ns = u64::MAX;
        }
    }

    async fn finish(mut self, failure: Option<Failure>) -> (Capture, Option<TcpStream>) {
        let failed_ns = clock::now();
        let mut log = std::mem::take(&mut *self.log.lock());
        let capture = &mut self.capture;
        capture.reads = std::mem::take(&mut log.reads);
        let last_ns = capture.reads.last().map(|read| read.at_ns);
        capture.stamps.sent_ns = log.sent_ns;
        capture.stamps.first_byte_ns = capture.reads.first().map(|read| read.at_ns);
        capture.stamps.done_ns = match (&failure, self.until_close) {
            (Some(_), _) => failed_ns,
            (None, true) => log.end_ns.or(last_ns).unwrap_or(failed_ns),
            (None, false) => last_ns.unwrap_or(failed_ns),
        };
        capture.failure = failure;
        if capture.failure.is_some() {
            return (self.capture, None);
        }
        drop(self.incoming);
        let parts = self.connection.into_parts();
        let stream = parts.io.into_inner().stream;
        let mut end = look(&stream);
        if end == ConnectionEnd::Open && !self.options.watch_close.is_zero() {
            tokio::time::sleep(self.options.watch_close).await;
            end = look(&stream);
        }
        if log.end_ns.is_some() {
            end = ConnectionEnd::ClosedUnannounced;
        }
        if end == ConnectionEnd::ClosedUnannounced && !self.lives_on {
            end = ConnectionEnd::AnnouncedClose;
        }
        if !parts.read_buf.is_empty() {
            end = ConnectionEnd::StrayBytes;
        }
        self.capture.connection_end = end;
        let usable = self.lives_on && end == ConnectionEnd::Open;
        (self.capture, usable.then_some(stream))
    }
}

fn after(from_ns: u64, time: Duration) -> u64 {
    from_ns.saturating_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}
