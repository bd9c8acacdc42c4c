//! The socket under hyper: stamps every read and write, and lets one read
//! through per turn so that each body byte is known to come from one read.

use super::capture::{ConnectionEnd, Read};
use crate::serving::clock;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// What passed through the socket.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// Whether the next read may go through.
    pub(super) open: bool,
    pub(super) reads: Vec<Read>,
    pub(super) sent_ns: Option<u64>,
    pub(super) end_ns: Option<u64>,
    pub(super) read_limit: usize,
    /// The limit of reads was reached.
    pub(super) overflow: bool,
}

#[derive(Clone, Debug)]
pub(super) struct SharedLog(Arc<Mutex<Log>>);

impl SharedLog {
    pub(super) fn new(read_limit: usize) -> Self {
        Self(Arc::new(Mutex::new(Log {
            reads: Vec::with_capacity(256),
            read_limit,
            ..Log::default()
        })))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
pub(super) struct Socket {
    pub(super) stream: TcpStream,
    pub(super) log: SharedLog,
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let mut log = this.log.lock();
        if !log.open {
            return Poll::Pending; // the exchange polls again before it waits
        }
        let before = buf.filled().len();
        let result = Pin::new(&mut this.stream).poll_read(cx, buf);
        if let Poll::Ready(Ok(())) = result {
            let at_ns = clock::now();
            let bytes = buf.filled().len() - before;
            log.open = false;
            if bytes == 0 {
                log.end_ns.get_or_insert(at_ns);
            } else if log.reads.len() >= log.read_limit {
                log.overflow = true;
                return Poll::Ready(Err(io::Error::other("too many reads")));
            } else {
                let body_end = log.reads.last().map_or(0, |read| read.body_end);
                log.reads.push(Read {
                    at_ns,
                    bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
                    body_end,
                });
            }
        }
        result
    }
}

impl Socket {
    fn wrote(&self, at_ns: u64, result: &Poll<io::Result<usize>>) {
        if matches!(result, Poll::Ready(Ok(n)) if *n > 0) {
            self.log.lock().sent_ns = Some(at_ns);
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let at_ns = clock::now();
        let result = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote(at_ns, &result);
        result
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let at_ns = clock::now();
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.wrote(at_ns, &result);
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Looks at an idle connection without taking a byte from it.
#[cfg(unix)]
pub(super) fn look(stream: &TcpStream) -> ConnectionEnd {
    use rustix::net::{RecvFlags, recv};
    let mut byte = [0_u8; 1];
    match recv(stream, &mut byte, RecvFlags::PEEK | RecvFlags::DONTWAIT) {
        Ok((_, 0)) => ConnectionEnd::ClosedUnannounced,
        Ok(_) => ConnectionEnd::StrayBytes,
        Err(rustix::io::Errno::AGAIN) => ConnectionEnd::Open,
        Err(_) => ConnectionEnd::ClosedUnannounced,
    }
}

/// No look without taking a byte: the connection counts as open.
#[cfg(not(unix))]
pub(super) fn look(_: &TcpStream) -> ConnectionEnd {
    ConnectionEnd::Open
}
