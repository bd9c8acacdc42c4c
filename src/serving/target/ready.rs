//! Waiting until a server serves.

use super::Readiness;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

/// Longest wait for the answer to one question.
const ANSWER: Duration = Duration::from_secs(2);

/// What one look saw.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// It serves.
    Ready,
    /// Not yet.
    Loading,
    /// It answers, but not as the target says.
    Wrong(String),
}

/// Looks once. Pipes are not looked at; they report by themselves.
pub(super) fn look(readiness: &Readiness, address: SocketAddr, logs: [&Path; 2]) -> Look {
    match readiness {
        Readiness::Http {
            path,
            ready,
            loading,
            ..
        } => match status(address, path) {
            None => Look::Loading,
            Some(status) if ready.contains(&status) => Look::Ready,
            Some(status) if loading.contains(&status) => Look::Loading,
            Some(status) => Look::Wrong(format!(
                "GET {path} answered {status}, which is neither among `ready` nor among `loading`"
            )),
        },
        Readiness::Log { text } => {
            let found = logs.iter().any(|log| {
                std::fs::read(log).is_ok_and(|b| String::from_utf8_lossy(&b).contains(text))
            });
            if found { Look::Ready } else { Look::Loading }
        }
        Readiness::Pipe { .. } => Look::Loading,
    }
}

/// The status of a `GET`; `None` when there is no answer.
fn status(address: SocketAddr, path: &str) -> Option<u16> {
    let mut socket = TcpStream::connect_timeout(&address, ANSWER).ok()?;
    socket.set_nodelay(true).ok()?;
    socket.set_read_timeout(Some(ANSWER)).ok()?;
    let question = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    socket.write_all(question.as_bytes()).ok()?;
    let mut head = Vec::new();
    let mut buffer = [0; 64];
    while head.len() < 12 {
        match socket.read(&mut buffer).ok()? {
            0 => return None,
            n => head.extend_from_slice(&buffer[..n]),
        }
    }
    // `HTTP/1.1 200 ...`
    std::str::from_utf8(&head)
        .ok()?
        .split(' ')
        .nth(1)?
        .get(..3)?
        .parse()
        .ok()
}
