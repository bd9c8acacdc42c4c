//! HTTP/1.1 on a socket: hyper on a single-threaded runtime in a thread of its
//! own, beside the decoder's.

mod accept;
mod body;
mod guard;
mod limits;
mod metrics;
mod service;

pub use limits::Limits;
pub use service::Service;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::net::TcpSocket;
use tokio::sync::watch;

/// Connections that the system may hold before they are accepted.
const BACKLOG: u32 = 4096;

/// How a server is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Not,
    /// Finish what is running.
    Drain,
    Now,
}

/// A listening server. Dropping it cuts its connections.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<Stop>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens and serves.
    ///
    /// # Errors
    /// If the address can't be listened on.
    pub fn start(address: SocketAddr, limits: Limits, service: Arc<Service>) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()?;
        let listener = {
            // Sockets belong to the runtime that is entered.
            let _entered = runtime.enter();
            let socket = match address {
                SocketAddr::V4(_) => TcpSocket::new_v4()?,
                SocketAddr::V6(_) => TcpSocket::new_v6()?,
            };
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            socket.listen(BACKLOG)?
        };
        let address = listener.local_addr()?;
        let (stop, stopping) = watch::channel(Stop::Not);
        let thread = std::thread::Builder::new()
            .name("http".to_owned())
            .spawn(move || runtime.block_on(accept::serve(listener, limits, service, stopping)))?;
        Ok(Self {
            address,
            stop,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts nothing more, lets requests finish within the stated time, and
    /// ends.
    pub fn stop(mut self) {
        self.end(Stop::Drain);
    }

    fn end(&mut self, how: Stop) {
        let _ = self.stop.send(how);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end(Stop::Now);
    }
}
