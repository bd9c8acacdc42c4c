//! A plain HTTP/1.1 client on a socket, so that nothing is hidden.

use evenhand::runtime::{Options, Runtime};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::OnceLock;
use std::time::Duration;

/// Far beyond anything expected: a hang fails rather than hangs.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The server that most tests share.
pub fn shared() -> SocketAddr {
    static SHARED: OnceLock<Runtime> = OnceLock::new();
    let runtime = SHARED.get_or_init(|| Runtime::spawn(Options::default()).unwrap());
    runtime.address()
}

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.body)))
    }
}

pub fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_write_timeout(Some(PATIENCE)).unwrap();
    socket
}

pub fn head(method: &str, path: &str, length: usize) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n"
    )
}

pub fn send(address: SocketAddr, method: &str, path: &str, body: &[u8]) -> BufReader<TcpStream> {
    let mut socket = connect(address);
    // The server may answer, and close, before it has read everything.
    let _ = socket.write_all(head(method, path, body.len()).as_bytes());
    let _ = socket.write_all(body);
    BufReader::new(socket)
}

/// Status and head of an answer.
pub fn read_head(reader: &mut impl BufRead) -> (u16, String) {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        assert!(
            reader.read_line(&mut line).unwrap() > 0,
            "closed in the head: {head:?}"
        );
        if line == "\r\n" {
            break;
        }
        head.push_str(&line.to_ascii_lowercase());
    }
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head)
}

pub fn request(address: SocketAddr, method: &str, path: &str, body: &[u8]) -> Answer {
    let mut reader = send(address, method, path, body);
    let (status, head) = read_head(&mut reader);
    let mut body = Vec::new();
    reader.read_to_end(&mut body).unwrap();
    Answer { status, head, body }
}

pub fn get(address: SocketAddr, path: &str) -> Answer {
    request(address, "GET", path, b"")
}

pub fn post(address: SocketAddr, path: &str, body: &Value) -> Answer {
    request(address, "POST", path, body.to_string().as_bytes())
}

/// A document that must come with status 200.
pub fn ok(address: SocketAddr, path: &str, body: &Value) -> Value {
    let answer = post(address, path, body);
    assert_eq!(
        answer.status,
        200,
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
    answer.json()
}

/// An open stream of events.
pub struct Stream {
    reader: BufReader<TcpStream>,
    /// Whether `[DONE]` came.
    pub done: bool,
}

impl Stream {
    pub fn open(address: SocketAddr, path: &str, body: &Value) -> Self {
        let mut reader = send(address, "POST", path, body.to_string().as_bytes());
        let (status, head) = read_head(&mut reader);
        assert_eq!(status, 200, "{head}");
        assert!(head.contains("content-type: text/event-stream"), "{head}");
        assert!(head.contains("transfer-encoding: chunked"), "{head}");
        Self {
            reader,
            done: false,
        }
    }
}

impl Iterator for Stream {
    type Item = Value;

    /// One event per HTTP chunk, as the server frames them.
    fn next(&mut self) -> Option<Value> {
        let mut size = String::new();
        self.reader.read_line(&mut size).unwrap();
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        let mut chunk = vec![0; size + 2];
        self.reader.read_exact(&mut chunk).unwrap();
        if size == 0 {
            assert!(self.done, "the body ended without [DONE]");
            return None;
        }
        let text = std::str::from_utf8(&chunk[..size]).unwrap();
        let data = text
            .strip_prefix("data: ")
            .and_then(|t| t.strip_suffix("\n\n"));
        let data = data.unwrap_or_else(|| panic!("not one event: {text:?}"));
        if data == "[DONE]" {
            self.done = true;
            return self.next();
        }
        assert!(!self.done, "an event after [DONE]");
        Some(serde_json::from_str(data).unwrap())
    }
}

pub fn stream(address: SocketAddr, path: &str, body: &Value) -> Vec<Value> {
    let mut body = body.clone();
    body["stream"] = true.into();
    Stream::open(address, path, &body).collect()
}

/// The text that a stream's chunks add up to.
pub fn text_of(events: &[Value]) -> String {
    let pieces = events.iter().filter_map(|e| {
        let choice = &e["choices"][0];
        choice["delta"]["content"]
            .as_str()
            .or(choice["text"].as_str())
    });
    pieces.collect()
}

pub fn metric(address: SocketAddr, name: &str) -> f64 {
    let answer = get(address, "/metrics");
    let text = String::from_utf8(answer.body).unwrap();
    let line = text
        .lines()
        .find_map(|l| l.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in {text}"))
        .parse()
        .unwrap()
}

/// Waits for a metric to reach a value.
pub fn wait_for(address: SocketAddr, name: &str, reached: impl Fn(f64) -> bool) {
    for _ in 0..1500 {
        if reached(metric(address, name)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("{name} stays {}", metric(address, name));
}
