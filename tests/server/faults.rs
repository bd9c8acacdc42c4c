//! Clients that misbehave.

use crate::client::{Stream, connect, get};
use evenhand::runtime::server::Limits;
use evenhand::runtime::{Options, Runtime};
use serde_json::json;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;

const TEXT: &str = "/v1/completions";

fn server(limits: Limits) -> Runtime {
    Runtime::spawn(Options {
        limits,
        ..Options::default()
    })
    .unwrap()
}

#[test]
fn half_open_connections_are_closed() {
    let runtime = server(Limits {
        head_ms: 200,
        body_ms: 200,
        ..Limits::default()
    });
    let body = "POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{";
    for begun in ["", "GET /health HT", body] {
        let mut socket = connect(runtime.address());
        socket.write_all(begun.as_bytes()).unwrap();
        let mut answer = Vec::new();
        // A timeout of the client would be an error here.
        match socket.read_to_end(&mut answer) {
            Ok(_) => {}
            Err(e) => assert_eq!(e.kind(), ErrorKind::ConnectionReset, "after {begun:?}"),
        }
    }
    assert_eq!(get(runtime.address(), "/health").status, 200);
}

#[test]
fn a_client_that_does_not_read_is_cut() {
    let runtime = server(Limits {
        write_ms: 300,
        ..Limits::default()
    });
    let mut socket = connect(runtime.address());
    let many = "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1000);
    // Answers are fifty times as long; without the limit this would hang.
    let error = (0..2000).find_map(|_| socket.write_all(many.as_bytes()).err());
    let kind = error.expect("the server took everything").kind();
    assert!(
        [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe].contains(&kind),
        "{kind:?}"
    );
    assert_eq!(get(runtime.address(), "/health").status, 200);
}

#[test]
fn connections_beyond_the_limit_are_told_so() {
    let runtime = server(Limits {
        connections: 3,
        ..Limits::default()
    });
    let held: Vec<_> = (0..3).map(|_| connect(runtime.address())).collect();
    let mut answer = String::new();
    let mut socket = connect(runtime.address());
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("HTTP/1.1 503 ") && head.contains("retry-after: "),
        "{head}"
    );
    let length = head
        .split("content-length: ")
        .nth(1)
        .unwrap()
        .split("\r\n")
        .next()
        .unwrap();
    assert_eq!(length.parse::<usize>().unwrap(), body.len());
    assert!(body.contains("too_many_connections"));
    drop(held);
    wait_for_health(runtime.address());
}

fn wait_for_health(address: SocketAddr) {
    for _ in 0..500 {
        let mut socket = connect(address);
        let _ = socket.write_all(crate::client::head("GET", "/health", 0).as_bytes());
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer);
        if answer.starts_with(b"HTTP/1.1 200") {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("the server does not recover");
}

fn connect_many(total: usize) {
    let runtime = server(Limits::default());
    let wave = 200;
    for _ in 0..total / wave {
        // Half of them say something, none waits for an answer.
        let mut sockets: Vec<_> = (0..wave).map(|_| connect(runtime.address())).collect();
        for socket in sockets.iter_mut().step_by(2) {
            let _ = socket.write_all(b"GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n");
        }
    }
    wait_for_health(runtime.address());
}

#[test]
fn two_thousand_connects() {
    connect_many(2_000);
}

#[test]
#[ignore = "takes long; `cargo test --test server -- --ignored`"]
fn ten_thousand_connects() {
    connect_many(10_000);
}

#[test]
fn a_stream_that_breaks_while_the_server_stops_is_told() {
    let runtime = server(Limits {
        drain_ms: 60_000,
        ..Limits::default()
    });
    let address = runtime.address();
    let body = json!({
        "model": "tiny", "prompt": "x", "max_tokens": 40, "ignore_eos": true, "stream": true
    });
    let mut stream = Stream::open(address, TEXT, &body);
    stream.next().unwrap();
    let stopping = std::thread::spawn(move || runtime.stop());
    // A running stream ends as it would have.
    let last = stream.by_ref().last().unwrap();
    assert_eq!(last["choices"][0]["finish_reason"], "length");
    stopping.join().unwrap();
    let refused = std::net::TcpStream::connect(address).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
}
