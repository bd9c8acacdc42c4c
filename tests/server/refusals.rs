//! What malformed requests are answered with: a status and the field's name.

use crate::client::{get, post, request, shared};
use evenhand::runtime::{Options, Runtime};
use proptest::prelude::*;
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";
const TEXT: &str = "/v1/completions";

#[test]
fn wrong_fields_are_named() {
    let usual = json!({
        "model": "tiny", "max_tokens": 2, "messages": [{"role": "user", "content": "x"}]
    });
    let cases: &[(&str, Value, u16)] = &[
        ("model", json!(null), 400),
        ("model", json!("other"), 404),
        ("model", json!(3), 400),
        ("messages", json!(null), 400),
        ("messages", json!([]), 400),
        ("messages", json!("x"), 400),
        ("max_tokens", json!(0), 400),
        ("max_tokens", json!(-1), 400),
        ("max_tokens", json!(1.5), 400),
        ("temperature", json!(-0.1), 400),
        ("temperature", json!("hot"), 400),
        ("top_p", json!(1.1), 400),
        ("top_k", json!(-2), 400),
        ("seed", json!(0.5), 400),
        ("stop", json!(5), 400),
        ("stop", json!([""]), 400),
        ("stream", json!("yes"), 400),
        ("stream_options", json!({"include_usage": true}), 400),
        ("top_logprobs", json!(3), 400),
        ("n", json!(2), 400),
        ("response_format", json!({"type": "json_object"}), 400),
        ("tool_choice", json!("required"), 400),
    ];
    for (field, value, status) in cases {
        let mut body = usual.clone();
        body[*field] = value.clone();
        let answer = post(shared(), CHAT, &body);
        let error = answer.json()["error"].clone();
        assert_eq!(answer.status, *status, "{field} {value}: {error}");
        assert_eq!(error["param"], *field, "{value}: {error}");
        assert_eq!(error["type"], "invalid_request_error");
        assert!(
            error["message"].as_str().unwrap().contains(field),
            "{error}"
        );
    }
    let mut body = usual.clone();
    body["messages"] =
        json!([{"role": "user", "content": "x"}, {"role": "nobody", "content": "y"}]);
    assert_eq!(
        post(shared(), CHAT, &body).json()["error"]["param"],
        "messages[1].role"
    );
    let body = json!({"model": "tiny", "prompt": [1, 99_999]});
    let answer = post(shared(), TEXT, &body);
    assert_eq!(
        (answer.status, &answer.json()["error"]["param"]),
        (400, &json!("prompt"))
    );
}

#[test]
fn prompts_beyond_the_context_are_refused() {
    for prompt in [
        json!(vec![5; 4096]),
        json!(vec![5; 4090]),
        json!("x ".repeat(200_000)),
    ] {
        let body = json!({"model": "tiny", "prompt": prompt, "max_tokens": 16});
        let answer = post(shared(), TEXT, &body);
        assert_eq!(answer.status, 400);
        assert_eq!(answer.json()["error"]["code"], "context_length_exceeded");
    }
}

#[test]
fn paths_methods_and_sizes() {
    assert_eq!(get(shared(), "/v2/none").status, 404);
    let answer = get(shared(), CHAT);
    assert_eq!(answer.status, 405);
    assert!(answer.head.contains("allow: post"), "{}", answer.head);
    assert_eq!(post(shared(), "/health", &json!({})).status, 405);
    let huge = vec![b' '; (1 << 20) + 1];
    let answer = request(shared(), "POST", CHAT, &huge);
    assert_eq!(answer.status, 413);
    assert_eq!(answer.json()["error"]["code"], "body_too_large");
    let path = format!("/{}", "x".repeat(20_000));
    assert!([414, 431].contains(&get(shared(), &path).status));
}

#[test]
fn addresses_that_others_can_reach_need_a_word() {
    let options = Options {
        address: "0.0.0.0:0".parse().unwrap(),
        ..Options::default()
    };
    let problem = Runtime::spawn(options).unwrap_err().to_string();
    assert!(problem.contains("allow_remote"), "{problem}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_body_gets_an_error_object(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let answer = request(shared(), "POST", CHAT, &body);
        prop_assert_eq!(answer.status, 400);
        prop_assert!(answer.json()["error"]["message"].is_string());
    }

    #[test]
    fn any_json_gets_an_answer(
        field in "(model|messages|prompt|max_tokens|tools|tool_choice|stop|seed|stream_options)",
        text in "[\\[\\]{}\":,0-9a-z]{0,20}"
    ) {
        let value = serde_json::from_str(&text).unwrap_or(Value::from(text));
        let body = json!({"model": "tiny", "prompt": "x", "max_tokens": 1});
        let mut body = body;
        body[field] = value;
        let status = post(shared(), TEXT, &body).status;
        prop_assert!([200, 400, 404].contains(&status), "{} {}", status, body);
    }

    #[test]
    fn any_bytes_on_the_socket_leave_the_server_alive(
        bytes in proptest::collection::vec(any::<u8>(), 1..300)
    ) {
        use std::io::Write;
        let mut socket = crate::client::connect(shared());
        let _ = socket.write_all(&bytes);
        drop(socket);
        prop_assert_eq!(get(shared(), "/health").status, 200);
    }
}
