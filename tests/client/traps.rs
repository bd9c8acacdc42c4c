//! What servers do to clients: nothing hangs, nothing panics, memory is
//! bounded, each trap has its class, and stamps until then are kept.

use super::support::*;
use evenhand::serving::Attempt;
use evenhand::serving::client::ErrorClass::{self, *};
use evenhand::serving::client::{Client, ConnectionEnd, Dispatch, Options};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

fn met(
    behave: impl Fn(&mut TcpStream, usize) + Clone + Send + 'static,
    change: impl Fn(&mut Options),
) -> Attempt {
    let mut options = options();
    change(&mut options);
    attempt(server(behave), options)
}

fn class(attempt: &Attempt) -> Option<ErrorClass> {
    attempt.error_class()
}

fn says(bytes: &'static [u8]) -> Attempt {
    met(
        move |s, _| {
            put(s, bytes);
        },
        |_| {},
    )
}

fn streams(body: &str) -> Attempt {
    let answer = format!("{STREAM}{body}");
    met(
        move |s, _| {
            put(s, &answer);
        },
        |_| {},
    )
}

fn short(time: &mut Duration) {
    *time = Duration::from_millis(500);
}

#[test]
fn an_endless_header_is_too_large() {
    let seen = met(
        |s, _| {
            put(s, "HTTP/1.1 200 OK\r\nX: ");
            while put(s, [b'a'; 4096]) {}
        },
        |_| {},
    );
    assert_eq!(class(&seen), Some(TooLarge), "{:?}", seen.failure);
    assert!(seen.stamps.first_byte_ns.is_some() && seen.stamps.headers_ns.is_none());
}

#[test]
fn a_thousand_headers_are_too_large() {
    let seen = met(
        |s, _| {
            let headers: String = (0..1000).map(|i| format!("X-{i}: y\r\n")).collect();
            put(s, format!("HTTP/1.1 200 OK\r\n{headers}\r\n"));
        },
        |_| {},
    );
    assert_eq!(class(&seen), Some(TooLarge), "{:?}", seen.failure);
}

#[test]
fn an_endless_line_stops_at_the_body_limit() {
    let address = server(|s, _| {
        put(s, STREAM);
        while put(s, chunk(&"x".repeat(4096))) {}
    });
    let mut options = options();
    options.limits.body = 100_000;
    let capture = capture(address, options);
    assert_eq!(capture.body.len(), 100_000);
    assert_eq!(class(&Attempt::from_capture(&capture)), Some(TooLarge));
}

#[test]
fn a_long_line_stops_at_the_line_limit() {
    let seen = met(
        |s, _| {
            let long = format!("data: {}\n\n", "x".repeat(20_000));
            put(
                s,
                format!("{STREAM}{}{}0\r\n\r\n", token("a"), chunk(&long)),
            );
        },
        |o| o.limits.line = 10_000,
    );
    assert_eq!(class(&seen), Some(TooLarge));
    assert_eq!(seen.answer.text, "a");
}

#[test]
fn countless_reads_are_too_large() {
    let seen = met(
        |s, _| {
            put(s, STREAM);
            while put(s, ":") && put(s, "\n") {
                pause(1);
            }
        },
        |o| o.limits.reads = 2,
    );
    // Which one comes first depends on how the kernel joins the bytes.
    assert!(
        matches!(class(&seen), Some(TooLarge | MalformedChunking)),
        "{:?}",
        seen.failure
    );
    let seen = met(
        |s, _| {
            put(s, STREAM);
            while put(s, token("a")) {
                pause(2);
            }
        },
        |o| o.limits.reads = 20,
    );
    assert_eq!(class(&seen), Some(TooLarge), "{:?}", seen.failure);
    assert_eq!(seen.reads.len(), 20);
    assert!(seen.stamps.first_content_ns.is_some());
}

#[test]
fn a_head_byte_by_byte_meets_the_header_timeout() {
    let seen = met(
        |s, _| {
            while put(s, "H") && put(s, "") {
                pause(20)
            }
        },
        |o| short(&mut o.timeouts.header),
    );
    assert!(matches!(class(&seen), Some(HeaderTimeout | BadHead)));
    let seen = met(
        |s, _| {
            put(s, "HTTP/1.1 200 OK\r\nX: ");
            while put(s, "a") {
                pause(20);
            }
        },
        |o| short(&mut o.timeouts.header),
    );
    assert_eq!(class(&seen), Some(HeaderTimeout));
    assert!(seen.stamps.first_byte_ns.is_some() && seen.stamps.headers_ns.is_none());
}

#[test]
fn a_body_byte_by_byte_meets_the_total_timeout() {
    let seen = met(
        |s, _| {
            put(s, format!("{STREAM}{}", token("a")));
            while put(s, "1\r\n:\r\n") {
                pause(20);
            }
        },
        |o| short(&mut o.timeouts.total),
    );
    assert_eq!(class(&seen), Some(TotalTimeout));
    assert!(seen.stamps.first_content_ns.is_some());
    assert_eq!(seen.answer.text, "a");
}

#[test]
fn a_stream_without_end_meets_the_total_timeout() {
    let seen = met(
        |s, _| {
            put(s, STREAM);
            while put(s, token("a")) {
                pause(5);
            }
        },
        |o| short(&mut o.timeouts.total),
    );
    assert_eq!(class(&seen), Some(TotalTimeout));
    assert!(seen.stamps.last_content_ns >= seen.stamps.first_content_ns);
    assert!(seen.stamps.done_ns >= seen.stamps.last_content_ns.unwrap());
}

#[test]
fn silence_has_a_class_for_each_phase() {
    let silent = |start: String| {
        move |s: &mut TcpStream, _: usize| {
            put(s, &start);
            pause(3000);
        }
    };
    let seen = met(silent(String::new()), |o| short(&mut o.timeouts.header));
    assert_eq!(class(&seen), Some(HeaderTimeout));
    assert!(seen.stamps.sent_ns.is_some() && seen.stamps.first_byte_ns.is_none());
    let seen = met(silent(STREAM.to_owned()), |o| {
        short(&mut o.timeouts.first_byte);
    });
    assert_eq!(class(&seen), Some(FirstByteTimeout));
    assert!(seen.stamps.headers_ns.is_some() && seen.stamps.first_body_ns.is_none());
    let seen = met(silent(format!("{STREAM}{}", token("a"))), |o| {
        short(&mut o.timeouts.idle);
    });
    assert_eq!(class(&seen), Some(IdleTimeout));
    assert!(seen.stamps.first_content_ns.is_some());
}

#[test]
fn hanging_up_on_purpose_is_a_class_of_its_own() {
    let address = server(|s, _| {
        put(s, format!("{STREAM}{}", token("a")));
        pause(3000);
    });
    let request = chat().hang_up_after(Duration::from_millis(500));
    let client = Client::new(address, options());
    let seen = runtime().block_on(client.send(&request, Dispatch::now()));
    let seen = Attempt::from_capture(&seen);
    assert_eq!(class(&seen), Some(Cancelled));
    assert_eq!(seen.answer.text, "a");
}

#[cfg(unix)]
#[test]
fn a_reset_in_the_stream_keeps_the_stamps() {
    let seen = met(
        |s, _| {
            put(s, format!("{STREAM}{}", token("a")));
            pause(100);
            rustix::net::sockopt::set_socket_linger(&*s, Some(Duration::ZERO)).unwrap();
        },
        |_| {},
    );
    assert_eq!(class(&seen), Some(Reset), "{:?}", seen.failure);
    assert!(seen.stamps.first_content_ns.is_some());
}

#[test]
fn ends_before_the_end_are_closed_early() {
    for body in [
        "ff\r\ndata: {\"choi".to_owned(),
        token("a"),
        "5".to_owned(),
        format!("{}0\r\n", token("a")),
        // Complete for HTTP, but the model never finished.
        format!("{}0\r\n\r\n", token("a")),
        "0\r\n\r\n".to_owned(),
        "ffffffffffffffff\r\ndata: x".to_owned(),
    ] {
        let seen = streams(&body);
        assert_eq!(
            class(&seen),
            Some(ClosedEarly),
            "{body:?} {:?}",
            seen.failure
        );
        assert!(seen.stamps.headers_ns.is_some());
    }
    let seen = says(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"choi",
    );
    assert_eq!(class(&seen), Some(ClosedEarly));
    assert_eq!(class(&says(b"")), Some(ClosedEarly));
    assert_eq!(class(&says(b"HTTP/1.1 200 OK\r\nConte")), Some(ClosedEarly));
}

#[test]
fn a_content_length_too_short_leaves_stray_bytes() {
    let seen = says(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 6\r\n\r\n{\"choices\":[]}",
    );
    assert_eq!(class(&seen), Some(NonJson));
    assert_eq!(seen.connection_end, ConnectionEnd::StrayBytes);
}

#[test]
fn broken_chunks_are_malformed() {
    for body in [
        "zz\r\n",
        "\r\n",
        "fffffffffffffffff\r\n",
        "5\r\nhello!!\r\n",
        "-1\r\n",
    ] {
        let seen = streams(body);
        assert_eq!(
            class(&seen),
            Some(MalformedChunking),
            "{body:?} {:?}",
            seen.failure
        );
    }
}

#[test]
fn what_is_not_http_is_a_bad_head() {
    for head in [
        &b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n"[..],
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX\0Y: 1\r\n\r\n",
        b"\0\0\0\0\0\0\0\0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
    ] {
        let seen = says(head);
        assert_eq!(class(&seen), Some(BadHead), "{:?}", seen.failure);
    }
}

#[test]
fn a_compressed_answer_is_refused() {
    let seen = says(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00");
    assert_eq!(class(&seen), Some(Encoding));
    assert!(seen.stamps.headers_ns.is_some());
    assert!(chat().header("Accept-Encoding", "gzip").is_err());
}

#[test]
fn text_in_place_of_json_is_found() {
    for body in [
        "Internal Server Error",
        "data: prompt too long\n\ndata: [DONE]\n\n",
        "data: \0\0\n\n",
        "data: \u{fffd}\n\n",
        "data: 5\n\n",
    ] {
        let seen = streams(&format!("{}0\r\n\r\n", chunk(body)));
        assert_eq!(class(&seen), Some(NonJson), "{body:?}");
    }
    let after_tokens = format!("{}{}0\r\n\r\n", token("a"), chunk("Internal Server Error"));
    let seen = streams(&after_tokens);
    assert_eq!(class(&seen), Some(NonJson));
    assert_eq!(seen.answer.text, "a");
    let seen =
        says(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\noops");
    assert_eq!(class(&seen), Some(NonJson));
    let seen = says(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(class(&seen), Some(NonJson));
}

#[test]
fn bytes_outside_utf8_are_replaced_and_counted() {
    let mut answer = STREAM.as_bytes().to_vec();
    let mut event = b"data: {\"choices\":[{\"delta\":{\"content\":\"\xe2\x82\"},\"finish_reason\":\"stop\"}]}\n\n".to_vec();
    answer.extend(format!("{:x}\r\n", event.len()).as_bytes());
    answer.append(&mut event);
    answer.extend(b"\r\n0\r\n\r\n");
    let seen = met(
        move |s, _| {
            put(s, &answer);
        },
        |_| {},
    );
    assert_eq!(class(&seen), None);
    assert_eq!(seen.answer.text, "\u{fffd}");
    assert_eq!(seen.answer.dialect.invalid_utf8, 1);
    // Bytes that are no JSON even after that.
    let seen = says(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 11\r\n\r\ndata: \xff\xfe\xfd\n\n");
    assert_eq!(class(&seen), Some(NonJson));
}

#[test]
fn errors_inside_a_stream_are_failures() {
    for body in [
        "data: {\"error\":{\"message\":\"no memory\"}}\n\n",
        "data: {\"error\":\"no memory\"}\n\n",
        "event: error\ndata: {\"message\":\"no memory\"}\n\n",
        "data: {\"object\":\"error\",\"message\":\"no memory\"}\n\n",
        "{\"error\":{\"message\":\"no memory\"}}\n",
    ] {
        let seen = streams(&format!("{}{}0\r\n\r\n", token("a"), chunk(body)));
        assert_eq!(class(&seen), Some(ErrorObject), "{body:?}");
        assert!(seen.failure.unwrap().detail.contains("no memory"));
        // The error explains the close after it.
        let seen = streams(&format!("{}{}", token("a"), chunk(&format!("{body}\n"))));
        assert!(matches!(class(&seen), Some(ErrorObject | ClosedEarly)));
    }
}

#[test]
fn statuses_are_failures_with_the_servers_words() {
    let seen = says(b"HTTP/1.1 503 Busy\r\nContent-Length: 37\r\n\r\n{\"error\":{\"message\":\"Loading model\"}}");
    assert_eq!(class(&seen), Some(HttpStatus));
    assert_eq!(seen.status, Some(503));
    assert!(seen.failure.unwrap().detail.contains("Loading model"));
}

#[test]
fn nobody_listening_is_refused() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address: SocketAddr = free.local_addr().unwrap();
    drop(free);
    let seen = attempt(address, options());
    assert_eq!(class(&seen), Some(ConnectRefused));
    assert!(seen.stamps.connect_start_ns.is_some() && seen.stamps.connect_end_ns.is_none());
    assert!(seen.stamps.done_ns >= seen.stamps.connect_start_ns.unwrap());
}
