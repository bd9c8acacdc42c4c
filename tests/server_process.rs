//! The server as a process: readiness, orphans, signals, killed clients, memory.
//! This executable starts itself again as server, as parent of a server and as
//! client, which libtest's main function does not allow.

use evenhand::runtime::{Options, child};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

const STREAM: &str =
    r#"{"model": "tiny", "prompt": "x", "max_tokens": 4000, "stream": true, "ignore_eos": true}"#;

fn main() -> ExitCode {
    if let Some(code) = child::serve_if_asked() {
        return code;
    }
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("__parent") => return parent(),
        Some("__client") => return client(arguments[2].parse().unwrap()),
        // nextest asks which tests there are.
        Some("--list") => return ExitCode::SUCCESS,
        _ => {}
    }
    let tests: [(&str, fn()); 7] = [
        ("a_child_serves_and_stops", a_child_serves_and_stops),
        (
            "a_child_that_is_asked_to_end_finishes_its_streams",
            a_child_that_is_asked_to_end_finishes_its_streams,
        ),
        (
            "a_child_that_cannot_serve_says_why",
            a_child_that_cannot_serve_says_why,
        ),
        (
            "a_killed_parent_leaves_no_server",
            a_killed_parent_leaves_no_server,
        ),
        (
            "a_killed_client_frees_its_slot",
            a_killed_client_frees_its_slot,
        ),
        (
            "memory_is_flat_over_many_requests",
            memory_is_flat_over_many_requests,
        ),
        (
            "signals_end_the_command_with_code_0",
            signals_end_the_command_with_code_0,
        ),
    ];
    for (name, test) in tests {
        test();
        println!("test {name} ... ok");
    }
    ExitCode::SUCCESS
}

fn this() -> std::path::PathBuf {
    std::env::current_exe().unwrap()
}

/// Starts a server, says its process id, and waits to be killed.
fn parent() -> ExitCode {
    let server = child::spawn(&this(), &Options::default()).unwrap();
    println!("{} {}", server.id(), server.address());
    std::thread::sleep(Duration::from_secs(600));
    drop(server);
    ExitCode::SUCCESS
}

/// Opens a stream, says so, and waits to be killed.
fn client(address: SocketAddr) -> ExitCode {
    let mut socket = post(address, STREAM);
    let mut byte = [0];
    socket.read_exact(&mut byte).unwrap();
    println!("streaming");
    std::thread::sleep(Duration::from_secs(600));
    ExitCode::SUCCESS
}

fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(address).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    socket
}

fn get(address: SocketAddr, path: &str) -> String {
    let mut socket = connect(address);
    write!(
        socket,
        "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

fn post(address: SocketAddr, body: &str) -> TcpStream {
    let mut socket = connect(address);
    write!(
        socket,
        "POST /v1/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    socket
}

fn eventually(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..1500 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("never: {what}");
}

fn first_line(child: &mut std::process::Child) -> String {
    let mut line = String::new();
    let out = child.stdout.take().unwrap();
    BufReader::new(out).read_line(&mut line).unwrap();
    line.trim().to_owned()
}

fn a_child_serves_and_stops() {
    let server = child::spawn(&this(), &Options::default()).unwrap();
    let address = server.address();
    assert!(get(address, "/health").starts_with("HTTP/1.1 200"));
    assert!(server.stop().unwrap().success());
    assert!(TcpStream::connect(address).is_err());
}

fn a_child_that_is_asked_to_end_finishes_its_streams() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut options = Options::default();
        options.limits.drain_ms = 60_000;
        let server = child::spawn(&this(), &options).unwrap();
        let body = STREAM.replace("4000", "300");
        let mut stream = post(server.address(), &body);
        stream.read_exact(&mut [0]).unwrap();
        let pid = Pid::from_raw(i32::try_from(server.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
        let mut rest = String::new();
        stream.read_to_string(&mut rest).unwrap();
        assert!(rest.contains("\"finish_reason\":\"length\""), "{signal:?}");
        // Before its input closes, which `stop` does.
        eventually("nothing listens", || {
            TcpStream::connect(server.address()).is_err()
        });
        assert_eq!(server.stop().unwrap().code(), Some(0), "{signal:?}");
    }
}

fn a_child_that_cannot_serve_says_why() {
    let options = Options {
        source: evenhand::runtime::Source::Folder("no/such/folder".into()),
        ..Options::default()
    };
    let problem = child::spawn(&this(), &options).unwrap_err().to_string();
    assert!(problem.contains("no/such/folder"), "{problem}");
}

fn a_killed_parent_leaves_no_server() {
    let mut parent = Command::new(this())
        .arg("__parent")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let line = first_line(&mut parent);
    let (pid, address) = line.split_once(' ').unwrap();
    let pid = Pid::from_raw(pid.parse().unwrap()).unwrap();
    let address: SocketAddr = address.parse().unwrap();
    assert!(get(address, "/health").starts_with("HTTP/1.1 200"));
    parent.kill().unwrap();
    parent.wait().unwrap();
    eventually("the server is gone", || {
        TcpStream::connect(address).is_err()
    });
    // Whoever inherits orphans may not collect them; a zombie is gone too.
    eventually("the process is gone", || {
        test_kill_process(pid).is_err() || {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
            stat.is_ok_and(|s| s.contains(") Z"))
        }
    });
}

fn a_killed_client_frees_its_slot() {
    let server = child::spawn(&this(), &Options::default()).unwrap();
    let address = server.address();
    let mut client = Command::new(this())
        .args(["__client", &address.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    assert_eq!(first_line(&mut client), "streaming");
    client.kill().unwrap();
    client.wait().unwrap();
    let metrics = || get(address, "/metrics");
    eventually("the request is cancelled", || {
        metrics().contains("outcome=\"cancelled\"} 1\n")
    });
    eventually("the slot is free", || {
        metrics().contains("evenhand_requests_running 0\n")
    });
    assert!(server.stop().unwrap().success());
}

fn signals_end_the_command_with_code_0() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-evenhand"))
            .args(["serve", "--preset", "tiny", "--port", "0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let line = first_line(&mut command);
        let address = line.strip_prefix("listening on http://").unwrap();
        assert!(get(address.parse().unwrap(), "/health").starts_with("HTTP/1.1 200"));
        kill_process(Pid::from_child(&command), signal).unwrap();
        assert_eq!(command.wait().unwrap().code(), Some(0), "{signal:?}");
    }
}

/// Resident memory of a process in KiB; `None` where there is no /proc.
fn resident(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

fn memory_is_flat_over_many_requests() {
    let server = child::spawn(&this(), &Options::default()).unwrap();
    let run = |n: usize| {
        for i in 0..n {
            let body = format!(r#"{{"model": "tiny", "prompt": "request {i}", "max_tokens": 2}}"#);
            let mut socket = post(server.address(), &body);
            let mut answer = String::new();
            socket.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
        resident(server.id())
    };
    let (Some(early), Some(late)) = (run(200), run(800)) else {
        println!("skipped: no /proc");
        return;
    };
    // 800 requests that each kept 5 KiB would be 4 MiB.
    assert!(
        late < early + 4096,
        "{early} KiB after 200 requests, {late} KiB after 1000"
    );
    assert!(server.stop().unwrap().success());
}
