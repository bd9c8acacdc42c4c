//! Metrics of attempts made by hand: every value follows from the stamps.

use evenhand::serving::Attempt;
use evenhand::serving::client::{
    Capture, ConnectionEnd, ConnectionUse, ErrorClass, Failure, Read, Stamps,
};
use evenhand::serving::metrics::{
    DEFINITIONS, FailedAs, Sample, definition, gaps, time_to_final_outcome,
};

const MS: u64 = 1_000_000;

/// Reads at these times (ms) with these events; `c` is a content event, `r` a
/// role, `t` reasoning, `f` the finish reason, `u<n>` the usage.
fn attempt(reads: &[(u64, &str)], done_ms: u64) -> Attempt {
    let mut body = String::new();
    let mut marks = Vec::new();
    for (at_ms, events) in reads {
        for event in events.split_whitespace() {
            let json = match event.split_at(1) {
                ("c", _) => r#"{"choices":[{"delta":{"content":"x"}}]}"#.to_owned(),
                ("t", _) => r#"{"choices":[{"delta":{"reasoning":"x"}}]}"#.to_owned(),
                ("r", _) => {
                    r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#.to_owned()
                }
                ("f", _) => r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#.to_owned(),
                ("u", n) => format!(r#"{{"choices":[],"usage":{{"completion_tokens":{n}}}}}"#),
                other => panic!("{other:?}"),
            };
            body += &format!("data: {json}\n\n");
        }
        marks.push(Read {
            at_ns: at_ms * MS,
            bytes: 1,
            body_end: body.len() as u64,
        });
    }
    Attempt::counted(
        &Capture {
            stamps: Stamps {
                intended_ns: 2 * MS,
                queued_ns: 3 * MS,
                connect_start_ns: Some(4 * MS),
                connect_end_ns: Some(6 * MS),
                sent_ns: Some(10 * MS),
                first_byte_ns: reads.first().map(|r| r.0 * MS),
                done_ns: done_ms * MS,
                ..Stamps::default()
            },
            connection: ConnectionUse::default(),
            connection_end: ConnectionEnd::Open,
            status: Some(200),
            headers: vec![("content-type".into(), "text/event-stream".into())],
            reads: marks,
            body: body.into_bytes(),
            failure: None,
            requested_tokens: Some(7),
            line_limit: 1 << 20,
        },
        Some(&|text| text.len() as u64),
    )
}

fn value(id: &str, attempt: &Attempt) -> Option<f64> {
    definition(id).unwrap().value(attempt)
}

#[test]
fn every_metric_follows_from_the_stamps() {
    let ms = MS as f64;
    let seen = attempt(
        &[
            (11, ""),
            (15, "r"),
            (20, "t"),
            (30, "c"),
            (50, "c"),
            (51, "c c"),
            (60, "c"),
            (75, "c f u11"),
        ],
        80,
    );
    assert!(seen.succeeded(), "{:?}", seen.failure);
    let expected = [
        ("connect", Some(2.0 * ms)),
        ("ttfb@sent", Some(ms)),
        ("ttft.any@sent", Some(5.0 * ms)),
        ("ttft.content@sent", Some(10.0 * ms)),
        ("ttft.content@intended", Some(18.0 * ms)),
        ("ttft.output@sent", Some(20.0 * ms)),
        ("full@sent", Some(70.0 * ms)),
        ("full@intended", Some(78.0 * ms)),
        ("tpot.server_usage.excl_first", Some(5.5 * ms)),
        // 20-30, 30-50 and 60-75; 50-51 and 51-60 touch a read with two.
        ("gap.chunk", Some(15.0 * ms)),
        ("ms_per_completion_token.e2e", Some(70.0 / 11.0)),
        ("reads.events_per_read", Some(10.0 / 7.0)),
        ("tokens.server", Some(11.0)),
        ("tokens.client", Some(7.0)),
        ("tokens.chunks", Some(7.0)),
        ("tokens.requested", Some(7.0)),
    ];
    assert_eq!(expected.len(), DEFINITIONS.len());
    for (id, expected) in expected {
        assert_eq!(value(id, &seen), expected, "{id}");
    }
    let gaps = gaps(&seen);
    assert_eq!(gaps.alone_ns, [10 * MS, 20 * MS, 15 * MS]);
    assert_eq!(gaps.coalesced, 3);
}

#[test]
fn an_answer_in_one_read_has_no_gaps_rather_than_zero_gaps() {
    let seen = attempt(&[(20, "r c c c f u3")], 20);
    assert_eq!(value("gap.chunk", &seen), None);
    assert_eq!(gaps(&seen).coalesced, 2);
    assert_eq!(value("reads.events_per_read", &seen), Some(6.0));
}

#[test]
fn missing_is_not_zero() {
    // Finished without a token: no time to the first one.
    let seen = attempt(&[(15, "r f")], 20);
    assert!(seen.succeeded());
    for id in [
        "ttft.content@sent",
        "ttft.output@sent",
        "tpot.server_usage.excl_first",
        "gap.chunk",
        "tokens.server",
    ] {
        assert_eq!(value(id, &seen), None, "{id}");
    }
    // One token has no time per further token.
    let seen = attempt(&[(15, "c f u1")], 20);
    assert_eq!(value("tpot.server_usage.excl_first", &seen), None);
}

#[test]
fn failed_requests_are_never_just_left_out() {
    let failed = |at: u64| {
        let mut failed = attempt(&[(15, "c")], at);
        failed.failure = Some(Failure::new(ErrorClass::TotalTimeout, "x"));
        failed
    };
    let attempts = [
        attempt(&[(20, "c f")], 30),
        attempt(&[(30, "c f")], 40),
        attempt(&[(20, "r f")], 30),
        failed(500),
    ];
    let ttft = definition("ttft.content@sent").unwrap();
    let served = Sample::new(&attempts, ttft, FailedAs::LeftOut);
    assert_eq!(
        (served.k, served.n, served.failed, served.missing),
        (2, 4, 1, 1)
    );
    assert_eq!(served.quantile(0.99), Some(20.0 * MS as f64));
    let all = Sample::new(&attempts, ttft, FailedAs::Infinite);
    assert_eq!(all.infinite, 2);
    assert_eq!(all.quantile(0.5), Some(20.0 * MS as f64));
    assert_eq!(all.quantile(0.51), None);
    assert_eq!(
        Sample::new(&[], ttft, FailedAs::Infinite).quantile(0.5),
        None
    );
    // A retry after a timeout waits from the first intention.
    let tries = [failed(500), attempt(&[(520, "c f")], 530)];
    assert_eq!(
        time_to_final_outcome(&tries),
        Some((528.0 * MS as f64, true))
    );
    assert_eq!(time_to_final_outcome(&[]), None);
}

#[test]
fn records_keep_everything() {
    let seen = attempt(&[(20, "t c f u3")], 20);
    let line = serde_json::to_string(&seen).unwrap();
    assert_eq!(serde_json::from_str::<Attempt>(&line).unwrap(), seen);
}
