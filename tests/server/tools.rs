//! Calls of tools: arguments always parse and satisfy the schema.

use crate::client::{ok, post, shared, stream};
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";

fn body(choice: Value) -> Value {
    json!({
        "model": "tiny", "max_tokens": 120, "seed": 5,
        "messages": [{"role": "user", "content": "Weather?"}],
        "tool_choice": choice,
        "tools": [
            {"type": "function", "function": {"name": "weather", "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string", "maxLength": 12},
                    "unit": {"type": "string", "enum": ["c", "f"]},
                    "days": {"type": "array", "items": {"type": "integer"}, "maxItems": 3},
                    "where": {"type": "object", "properties": {"x": {"type": "number"}},
                              "required": ["x"]},
                },
                "required": ["city", "unit"],
            }}},
            {"type": "function", "function": {"name": "stop"}},
        ],
    })
}

fn check(call: &Value) {
    let arguments: Value = serde_json::from_str(call["arguments"].as_str().unwrap()).unwrap();
    let map = arguments.as_object().unwrap();
    if call["name"] == "stop" {
        assert!(map.is_empty());
        return;
    }
    assert_eq!(call["name"], "weather");
    assert!(map["city"].as_str().unwrap().chars().count() <= 12);
    assert!(["c", "f"].contains(&map["unit"].as_str().unwrap()));
    if let Some(days) = map.get("days") {
        let days = days.as_array().unwrap();
        assert!(days.len() <= 3 && days.iter().all(Value::is_i64));
    }
    if let Some(place) = map.get("where") {
        assert!(place["x"].is_number());
    }
}

#[test]
fn required_calls_are_valid_and_the_same_streamed() {
    for seed in 0..4 {
        let mut body = body(json!("required"));
        body["seed"] = json!(seed);
        let whole = ok(shared(), CHAT, &body);
        let choice = &whole["choices"][0];
        assert_eq!(choice["finish_reason"], "tool_calls");
        assert_eq!(choice["message"]["content"], Value::Null);
        let call = &choice["message"]["tool_calls"][0];
        assert_eq!(call["type"], "function");
        check(&call["function"]);

        let events = stream(shared(), CHAT, &body);
        let mut parts = events.iter().filter_map(|e| {
            e["choices"][0]["delta"]["tool_calls"]
                .get(0)
                .map(|c| &c["function"])
        });
        let first = parts.next().unwrap();
        assert_eq!(first["name"], call["function"]["name"]);
        let arguments: String = parts.map(|p| p["arguments"].as_str().unwrap()).collect();
        assert_eq!(arguments, call["function"]["arguments"].as_str().unwrap());
        let finish = &events.last().unwrap()["choices"][0]["finish_reason"];
        assert_eq!(*finish, "tool_calls");
    }
}

#[test]
fn named_calls_and_tight_budgets() {
    let mut body = body(json!({"type": "function", "function": {"name": "weather"}}));
    // The shortest call has 53 bytes.
    body["max_tokens"] = json!(60);
    let whole = ok(shared(), CHAT, &body);
    let call = &whole["choices"][0]["message"]["tool_calls"][0]["function"];
    assert_eq!(call["name"], "weather");
    check(call);
    assert!(whole["usage"]["completion_tokens"].as_u64().unwrap() <= 60);
    body["max_tokens"] = json!(5);
    let answer = post(shared(), CHAT, &body);
    assert_eq!(
        (answer.status, &answer.json()["error"]["param"]),
        (400, &json!("max_tokens"))
    );
}

#[test]
fn without_need_the_model_decides_and_none_means_text() {
    for choice in [json!("auto"), json!("none")] {
        let mut body = body(choice.clone());
        body["max_tokens"] = json!(60);
        let message = ok(shared(), CHAT, &body)["choices"][0]["message"].clone();
        match message.get("tool_calls") {
            Some(calls) if choice == "auto" => check(&calls[0]["function"]),
            Some(_) => panic!("a call with tool_choice none"),
            None => assert!(message["content"].is_string()),
        }
    }
}

#[test]
fn schemas_outside_of_the_subset_are_refused_with_their_place() {
    let mut body = body(json!("auto"));
    body["tools"][0]["function"]["parameters"]["properties"]["city"]["pattern"] = json!("a*");
    let answer = post(shared(), CHAT, &body);
    let error = answer.json()["error"].clone();
    assert_eq!(
        (answer.status, &error["param"]),
        (400, &json!("tools[0].function.parameters"))
    );
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("/properties/city/pattern"),
        "{error}"
    );
}
