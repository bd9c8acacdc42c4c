//! The client against the null server: both sides' stamps of every event.

use super::support::{options, runtime};
use evenhand::serving::client::{Capture, Client, Dispatch, ErrorClass, Request};
use evenhand::serving::metrics::{Diagnostics, definition, gaps};
use evenhand::serving::null_server::{Fault, NullServer, Script, event_times};
use evenhand::serving::{Attempt, Proof, self_proof};
use std::sync::Arc;
use tokio::task::JoinSet;

fn ask(script: Script, streams: usize) -> Vec<Capture> {
    let server = NullServer::start("127.0.0.1:0".parse().unwrap(), script).unwrap();
    let body = serde_json::json!({"stream": true});
    let request = Arc::new(Request::json("/v1/chat/completions", &body).unwrap());
    let client = Arc::new(Client::new(server.address(), options()));
    runtime().block_on(async {
        let mut all = JoinSet::new();
        for _ in 0..streams {
            let (client, request) = (Arc::clone(&client), Arc::clone(&request));
            all.spawn(async move { client.send(&request, Dispatch::now()).await });
        }
        all.join_all().await
    })
}

fn value(id: &str, attempt: &Attempt) -> f64 {
    definition(id).unwrap().value(attempt).unwrap()
}

/// Every metric equals what the server's stamps say plus the client's own
/// delay, which is never negative; no event is early.
fn check(script: Script, captures: &[Capture]) {
    for capture in captures {
        let seen = Attempt::from_capture(capture);
        assert!(seen.succeeded(), "{:?}", seen.failure);
        assert_eq!(seen.answer.text, script.text());
        assert_eq!(seen.tokens.server, Some(u64::from(script.tokens)));
        assert_eq!(seen.tokens.chunks, u64::from(script.events()));
        let times = event_times(capture);
        for event in &times {
            assert!(event.written_ns >= event.due_ns, "written early");
            assert!(
                event.read_ns >= event.written_ns,
                "read before it was written"
            );
        }
        let content: Vec<_> = times.iter().filter(|t| t.content).collect();
        assert_eq!(content.len(), script.events() as usize);
        let (first, last) = (content[0], content[content.len() - 1]);
        let sent = seen.stamps.sent_ns.unwrap();
        assert!(first.received_ns >= sent, "received before it was sent");
        let late = |e: &evenhand::serving::null_server::EventTimes| e.read_ns - e.written_ns;
        let ttft = value("ttft.content@sent", &seen);
        let truth = first.written_ns - first.received_ns;
        let way = first.received_ns - sent;
        assert_eq!(ttft, (truth + way + late(first)) as f64);
        assert!(ttft >= script.due_ns(0) as f64);
        if script.tokens > 1 {
            let served = (last.written_ns - first.written_ns) as f64;
            let error = late(last) as f64 - late(first) as f64;
            let tpot = (served + error) / f64::from(script.tokens - 1);
            assert_eq!(value("tpot.server_usage.excl_first", &seen), tpot);
        }
        assert!(value("full@sent", &seen) >= script.end_ns() as f64);
        assert!(value("full@intended", &seen) >= value("full@sent", &seen));
        assert!(value("ttfb@sent", &seen) <= ttft);
        let gaps = gaps(&seen);
        let known = gaps.alone_ns.len() as u64 + gaps.coalesced;
        assert_eq!(known, u64::from(script.events()) - 1);
    }
}

fn script() -> Script {
    Script {
        role_us: Some(2_000),
        first_us: 10_000,
        gap_us: 3_000,
        tokens: 12,
        ..Script::default()
    }
}

#[test]
fn one_stream_is_what_the_script_says() {
    check(script(), &ask(script(), 1));
    let instant = Script {
        first_us: 0,
        gap_us: 0,
        role_us: None,
        ..script()
    };
    check(instant, &ask(instant, 1));
}

#[test]
fn tokens_events_and_writes_are_told_apart() {
    let odd = Script {
        tokens: 11,
        tokens_per_event: 2,
        events_per_write: 3,
        ..script()
    };
    let captures = ask(odd, 2);
    check(odd, &captures);
    let attempts: Vec<_> = captures.iter().map(Attempt::from_capture).collect();
    let seen = Diagnostics::new(&attempts);
    assert_eq!(seen.usage_not_chunks, 2);
    assert!(seen.coalesced.unwrap() > 0.0);
    assert!(seen.events_per_read.unwrap() > 1.0);
}

#[test]
fn thirty_two_streams_are_what_the_script_says() {
    check(script(), &ask(script(), 32));
}

#[test]
#[ignore = "2,000 sockets and 1,000 threads: run it alone"]
fn a_thousand_streams_are_what_the_script_says() {
    let slow = Script {
        first_us: 200_000,
        gap_us: 100_000,
        ..script()
    };
    check(slow, &ask(slow, 1000));
}

#[test]
fn scripted_faults_have_their_classes() {
    let class = |fault| {
        let script = Script {
            fault: Some(fault),
            ..script()
        };
        let seen = Attempt::from_capture(&ask(script, 1)[0]);
        (seen.error_class(), seen.tokens.chunks)
    };
    let after = 3;
    assert_eq!(
        class(Fault::Status { code: 503 }),
        (Some(ErrorClass::HttpStatus), 0)
    );
    assert_eq!(
        class(Fault::ErrorObject { after }),
        (Some(ErrorClass::ErrorObject), 3)
    );
    assert_eq!(
        class(Fault::Close { after }),
        (Some(ErrorClass::ClosedEarly), 3)
    );
    #[cfg(unix)]
    assert_eq!(class(Fault::Reset { after }).0, Some(ErrorClass::Reset));
}

#[test]
fn requests_override_the_script_and_mistakes_are_named() {
    let script = Script::default();
    let (asked, stream) = script
        .overridden(br#"{"stream":true,"max_tokens":5,"script":{"gap_us":7}}"#)
        .unwrap();
    assert_eq!((asked.tokens, asked.gap_us, stream), (5, 7, true));
    let error = script.overridden(br#"{"script":{"gap":7}}"#).unwrap_err();
    assert!(error.contains("gap"), "{error}");
    assert!(script.overridden(b"x").is_err());
}

#[test]
fn the_proof_compares_every_event() {
    let proof = Proof {
        planned_rate: 20.0,
        streams: 3,
        requests: 12,
        tokens: 5,
        ..Proof::default()
    };
    let error = self_proof(&proof).unwrap();
    assert_eq!(error.rate, 40.0);
    assert_eq!((error.requests, error.failed), (12, 0));
    assert_eq!(error.events, 12 * 6); // the event with the finish reason too
    assert!(error.p50_ns <= error.p99_ns && error.p99_ns <= error.max_ns);
    assert!(error.ttft_error_mean_ns >= 0.0);
    let nothing = Proof {
        planned_rate: 0.0,
        ..proof
    };
    assert!(self_proof(&nothing).is_err());
}
