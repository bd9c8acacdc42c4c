//! Reads one request, within bounds.

use std::io::{self, Read};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};

const HEAD_LIMIT: usize = 64 << 10;
const BODY_LIMIT: usize = 64 << 20;

/// A request as far as the null server cares.
pub(super) struct Incoming {
    pub(super) post: bool,
    pub(super) body: Vec<u8>,
}

/// Reads the next request; `None` when the client has gone or `stop` is set.
/// `buffer` keeps what came beyond it.
///
/// # Errors
///
/// When it is not HTTP/1.1 with a length, or too large.
pub(super) fn next(
    mut stream: &TcpStream,
    buffer: &mut Vec<u8>,
    stop: &AtomicBool,
) -> io::Result<Option<Incoming>> {
    let bad = |text: &str| io::Error::new(io::ErrorKind::InvalidData, text.to_owned());
    let mut need = None; // end of head, end of body
    let mut part = [0_u8; 16 << 10];
    loop {
        if need.is_none()
            && let Some(at) = buffer.windows(4).position(|w| w == b"\r\n\r\n")
        {
            let head = String::from_utf8_lossy(&buffer[..at]);
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                let found = name.eq_ignore_ascii_case("content-length");
                found.then(|| value.trim().parse::<usize>())
            });
            let length = length.transpose().map_err(|_| bad("content-length"))?;
            let length = length.unwrap_or(0);
            if length > BODY_LIMIT {
                return Err(bad("body too large"));
            }
            need = Some((at + 4, at + 4 + length));
        }
        match need {
            Some((head, end)) if buffer.len() >= end => {
                let incoming = Incoming {
                    post: buffer.starts_with(b"POST "),
                    body: buffer[head..end].to_vec(),
                };
                buffer.drain(..end);
                return Ok(Some(incoming));
            }
            None if buffer.len() > HEAD_LIMIT => return Err(bad("head too large")),
            _ => {}
        }
        match stream.read(&mut part) {
            Ok(0) => return Ok(None),
            Ok(n) => buffer.extend_from_slice(&part[..n]),
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                ) =>
            {
                if stop.load(Ordering::Relaxed) {
                    return Ok(None);
                }
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}
