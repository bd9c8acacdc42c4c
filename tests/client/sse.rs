//! The event decoder: every line end, split anywhere, any bytes.

use evenhand::serving::client::{Capture, ConnectionEnd, ConnectionUse, Read, Stamps};
use evenhand::serving::stream::sse::{Decoder, Event, Remains};
use evenhand::serving::{Attempt, stream};
use proptest::prelude::*;

fn decode(parts: &[&[u8]]) -> (Vec<Event>, Remains) {
    let mut decoder = Decoder::new(1 << 20);
    let mut events = Vec::new();
    for part in parts {
        decoder.push(part, &mut events).unwrap();
    }
    (events, decoder.finish())
}

fn texts(bytes: &[u8]) -> Vec<String> {
    let (events, _) = decode(&[bytes]);
    let text = |e: &Event| String::from_utf8_lossy(&e.data).into_owned();
    events.iter().map(text).collect()
}

#[test]
fn lines_end_in_three_ways() {
    for end in ["\n", "\r\n", "\r"] {
        let stream = format!("data: a{end}data:b{end}{end}:x{end}data:  c{end}{end}data{end}{end}");
        assert_eq!(texts(stream.as_bytes()), ["a\nb", " c", ""], "{end:?}");
        let (_, remains) = decode(&[stream.as_bytes()]);
        assert_eq!(remains.comments, 1);
        assert_eq!(remains.unterminated, None);
    }
}

#[test]
fn marks_names_and_remains() {
    assert_eq!(texts(b"\xef\xbb\xbfdata: a\n\n"), ["a"]);
    assert_eq!(
        texts(b"\n\n\nevent: x\n\nid: 1\nretry: 2\ndata: a\n\n"),
        ["a"]
    );
    let (events, _) = decode(&[b"event: error\ndata: {}\n\n"]);
    assert_eq!(events[0].name.as_deref(), Some("error"));
    let (events, remains) = decode(&[b"data: a\n\ndata: b"]);
    assert_eq!(events.len(), 1);
    assert_eq!(remains.unterminated.unwrap().data, b"b");
    let (_, remains) = decode(&[b"Internal Server Error"]);
    assert_eq!(remains.foreign.unwrap(), b"Internal Server Error");
}

#[test]
fn limits_hold_for_lines_and_for_events_of_many_lines() {
    let mut events = Vec::new();
    assert!(Decoder::new(100).push(&[b'x'; 101], &mut events).is_err());
    let mut decoder = Decoder::new(100);
    let lines = "data: 0123456789\n".repeat(20);
    assert!(decoder.push(lines.as_bytes(), &mut events).is_err());
    // Empty data lines grow an event as well.
    let mut decoder = Decoder::new(100);
    let lines = "data\n".repeat(1000);
    assert!(decoder.push(lines.as_bytes(), &mut events).is_err());
    assert!(events.is_empty());
}

fn capture(body: Vec<u8>, ends: &[usize], kind: &str) -> Capture {
    let read = |&end: &usize| Read {
        at_ns: end as u64 + 1,
        bytes: 1,
        body_end: end as u64,
    };
    Capture {
        stamps: Stamps::default(),
        connection: ConnectionUse::default(),
        connection_end: ConnectionEnd::Open,
        status: Some(200),
        headers: vec![("content-type".to_owned(), kind.to_owned())],
        reads: ends.iter().map(read).collect(),
        body,
        failure: None,
        requested_tokens: None,
        line_limit: 1 << 20,
    }
}

/// Streams that are likely to mean something.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&'static [u8]> = vec![
        &b"data: "[..],
        b"data:",
        b"\n",
        b"\r\n",
        b"\r",
        b": ping",
        b"{\"choices\":[{\"delta\":{\"content\":\"\xe2\x82\xac\"}}]}",
        b"{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":9,\"function\":{\"arguments\":\"{\"}}]},\"finish_reason\":\"stop\"}],\"usage\":{\"completion_tokens\":3}}",
        b"[DONE]",
        b"\xef\xbb\xbf",
        b"event: error",
        b"\0\xff",
    ];
    let piece = prop::sample::select(pieces);
    prop::collection::vec(piece, 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn splits_change_nothing(bytes in pieces(), cuts in prop::collection::vec(0_usize..400, 0..8)) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(bytes.len())).collect();
        cuts.sort_unstable();
        let mut parts = Vec::new();
        let mut start = 0;
        for &cut in cuts.iter().chain([&bytes.len()]) {
            parts.push(&bytes[start..cut]);
            start = cut;
        }
        prop_assert_eq!(decode(&parts), decode(&[&bytes]));
        let whole = stream::read(&capture(bytes.clone(), &[bytes.len()], "text/event-stream"));
        cuts.push(bytes.len());
        let split = stream::read(&capture(bytes, &cuts, "text/event-stream"));
        prop_assert_eq!(whole.answer, split.answer);
        prop_assert_eq!(whole.failure, split.failure);
    }

    #[test]
    fn any_bytes_are_read_without_panic(body in prop::collection::vec(any::<u8>(), 0..300), ends in prop::collection::vec(0_usize..600, 0..5), whole in any::<bool>()) {
        let kind = if whole { "application/json" } else { "text/event-stream" };
        let _ = Attempt::from_capture(&capture(body, &ends, kind));
    }
}
