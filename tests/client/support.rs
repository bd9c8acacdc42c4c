//! A server that does whatever a test tells it, and a client to meet it.

use evenhand::serving::Attempt;
use evenhand::serving::client::{Capture, Client, Dispatch, Options, Request, Timeouts};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// Head of an event stream with chunked transfer encoding.
pub const STREAM: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Answers every connection with `behave`, after it has read one request.
pub fn server(behave: impl Fn(&mut TcpStream, usize) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for (index, stream) in listener.incoming().take(64).enumerate() {
            let mut stream = stream.unwrap();
            let behave = behave.clone();
            std::thread::spawn(move || {
                stream.set_nodelay(true).unwrap();
                if request(&mut stream) {
                    behave(&mut stream, index);
                }
            });
        }
    });
    address
}

/// Reads one request; false when there is none.
pub fn request(stream: &mut TcpStream) -> bool {
    let mut got = Vec::new();
    let mut part = [0; 4096];
    loop {
        if let Some(at) = got.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&got[..at]).to_lowercase();
            let length = head.split("content-length: ").nth(1);
            let length = length.map_or(0, |rest| {
                rest.lines()
                    .next()
                    .unwrap()
                    .trim()
                    .parse::<usize>()
                    .unwrap()
            });
            if got.len() >= at + 4 + length {
                return true;
            }
        }
        match stream.read(&mut part) {
            Ok(n) if n > 0 => got.extend_from_slice(&part[..n]),
            _ => return false,
        }
    }
}

/// Writes, and says whether the client is still there.
pub fn put(stream: &mut TcpStream, bytes: impl AsRef<[u8]>) -> bool {
    stream.write_all(bytes.as_ref()).is_ok()
}

pub fn chunk(data: &str) -> String {
    format!("{:x}\r\n{data}\r\n", data.len())
}

/// A content event in a chunk of its own.
pub fn token(text: &str) -> String {
    chunk(&format!(
        "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n"
    ))
}

pub fn pause(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}

/// Generous limits that only a hang would reach; tests shorten the one they meet.
pub fn options() -> Options {
    let long = Duration::from_secs(20);
    Options {
        timeouts: Timeouts {
            connect: long,
            header: long,
            first_byte: long,
            idle: long,
            total: long,
        },
        ..Options::default()
    }
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

pub fn chat() -> Request {
    let body = serde_json::json!({"model": "m", "stream": true, "max_tokens": 4,
        "messages": [{"role": "user", "content": "hi"}]});
    Request::json("/v1/chat/completions", &body).unwrap()
}

pub fn capture(address: SocketAddr, options: Options) -> Capture {
    let client = Client::new(address, options);
    runtime().block_on(client.send(&chat(), Dispatch::now()))
}

pub fn attempt(address: SocketAddr, options: Options) -> Attempt {
    Attempt::from_capture(&capture(address, options))
}
