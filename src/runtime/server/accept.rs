//! From the listening socket to served connections, and the end of it all.

use super::guard::Guarded;
use super::limits::Limits;
use super::{Service, Stop};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Pause after an accept that failed for want of something, such as file
/// descriptors: trying at once again would spin.
const PAUSE: Duration = Duration::from_millis(20);
const TOO_MANY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n\
    content-type: application/json\r\ncontent-length: 109\r\nconnection: close\r\n\r\n\
    {\"error\":{\"message\":\"too many connections\",\"type\":\"server_error\",\"param\":null,\
    \"code\":\"too_many_connections\"}}";

/// Serves until it is to stop, then drains.
pub(super) async fn serve(
    listener: TcpListener,
    limits: Limits,
    service: Arc<Service>,
    mut stopping: watch::Receiver<Stop>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            _ = stopping.changed() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) if connections.len() >= limits.connections => refuse(&socket),
                Ok((socket, _)) => {
                    let connection = connection(
                        socket, limits.clone(), Arc::clone(&service), stopping.clone());
                    connections.spawn(connection);
                }
                Err(_) => sleep(PAUSE).await,
            }
        }
    }
    drop(listener);
    if *stopping.borrow() == Stop::Drain {
        let all = async { while connections.join_next().await.is_some() {} };
        // What is still running then is cut when the set is dropped.
        let _ = timeout(limits.drain(), all).await;
    }
}

/// Says why without waiting for anything: the socket's buffer is empty.
fn refuse(socket: &TcpStream) {
    let _ = socket.try_write(TOO_MANY);
}

async fn connection(
    socket: TcpStream,
    limits: Limits,
    service: Arc<Service>,
    mut stopping: watch::Receiver<Stop>,
) {
    // Without it a chunk waits for the acknowledgement of the one before.
    let _ = socket.set_nodelay(true);
    let answer = service_fn(move |request| Service::answer(Arc::clone(&service), request));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head())
        .max_header_size(limits.head_bytes)
        .serve_connection(Guarded::new(socket, limits.write()), answer);
    let mut served = pin!(served);
    tokio::select! {
        _ = served.as_mut() => return,
        _ = stopping.changed() => served.as_mut().graceful_shutdown(),
    }
    // A broken connection concerns its client only.
    let _ = served.await;
}
