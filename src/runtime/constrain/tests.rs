//! Any schema of the subset and any weights give valid JSON for the schema.

use super::automaton::{Automaton, Tool};
use super::mask::TokenTrie;
use super::schema::{Property, Schema};
use bootstrap::Stream;
use proptest::prelude::*;
use serde_json::{Value, json};

fn schemas() -> impl Strategy<Value = Schema> {
    let leaf = prop_oneof![
        Just(Schema::Integer),
        Just(Schema::Number),
        (0usize..4, 0usize..6).prop_map(|(min, more)| Schema::String {
            min,
            max: if more == 5 { usize::MAX } else { min + more }
        }),
        proptest::collection::vec(
            prop_oneof![
                any::<i16>().prop_map(|n| n.to_string()),
                "[a-c\"\\\\é]{0,3}".prop_map(|s| Value::from(s).to_string()),
                Just("true".to_owned()),
                Just("null".to_owned()),
                Just("1".to_owned()),
                Just("12".to_owned()),
                Just("1.5".to_owned())
            ],
            1..5
        )
        .prop_map(|mut texts| {
            texts.sort();
            texts.dedup();
            Schema::OneOf(texts)
        }),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            (inner.clone(), 0usize..3, 0usize..3).prop_map(|(items, min, more)| Schema::Array {
                items: Box::new(items),
                min,
                max: if more == 2 { usize::MAX } else { min + more }
            }),
            objects(inner)
        ]
    })
}

fn objects(inner: impl Strategy<Value = Schema>) -> impl Strategy<Value = Schema> {
    proptest::collection::btree_map("[a-b\"é]{0,2}", (inner, any::<bool>()), 0..4).prop_map(|map| {
        Schema::Object(
            map.into_iter()
                .map(|(name, (schema, required))| Property {
                    name,
                    schema,
                    required,
                })
                .collect(),
        )
    })
}

/// An independent reading of the schema.
fn satisfies(schema: &Schema, value: &Value) -> bool {
    match schema {
        Schema::Integer => value.is_i64(),
        Schema::Number => value.is_number(),
        Schema::OneOf(texts) => texts
            .iter()
            .any(|t| serde_json::from_str::<Value>(t).unwrap() == *value),
        Schema::String { min, max } => value
            .as_str()
            .is_some_and(|s| (*min..=*max).contains(&s.chars().count())),
        Schema::Array { items, min, max } => value.as_array().is_some_and(|list| {
            (*min..=*max).contains(&list.len()) && list.iter().all(|v| satisfies(items, v))
        }),
        Schema::Object(properties) => value.as_object().is_some_and(|map| {
            map.keys().all(|k| properties.iter().any(|p| p.name == *k))
                && properties.iter().all(|p| match map.get(&p.name) {
                    Some(value) => satisfies(&p.schema, value),
                    None => !p.required,
                })
        }),
    }
}

/// Every byte and some longer tokens, as a byte-level vocabulary has them.
fn vocabulary() -> Vec<Vec<u8>> {
    let mut tokens: Vec<Vec<u8>> = (0..=255_u8).map(|b| vec![b]).collect();
    let longer = [
        "", "{\"", "\":", "\",\"", "}}", "]}", "tru", "12", ".5", "\\\"", "ab", "é\"",
    ];
    tokens.extend(longer.iter().map(|t| t.as_bytes().to_vec()));
    tokens
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn any_schema_and_any_weights_give_valid_arguments(
        schema in objects(schemas()), seed in any::<u64>(), spare in 0usize..60
    ) {
        let tokens = vocabulary();
        let trie = TokenTrie::new(tokens.iter().map(Vec::as_slice));
        let mut automaton = Automaton::calls(&[Tool { name: "f".into(), arguments: schema.clone() }]);
        let mut left = automaton.shortest() + spare;
        let mut weights = Stream::new(seed, "weights");
        let mut text = Vec::new();
        let mut allowed = Vec::new();
        while !automaton.is_complete() {
            trie.mark(&automaton, left, &mut allowed);
            let open: Vec<usize> = (0..allowed.len()).filter(|&i| allowed[i]).collect();
            prop_assert!(!open.is_empty(), "stuck after {}", String::from_utf8_lossy(&text));
            let token = &tokens[open[weights.index(open.len())]];
            let shortest = automaton.shortest();
            prop_assert!(automaton.read(token));
            prop_assert!(automaton.shortest() + token.len() >= shortest);
            text.extend_from_slice(token);
            left -= 1;
        }
        let call: Value = serde_json::from_slice(&text)
            .map_err(|e| TestCaseError::fail(format!("{e}: {}", String::from_utf8_lossy(&text))))?;
        prop_assert_eq!(&call["name"], "f");
        prop_assert!(satisfies(&schema, &call["arguments"]), "{} {:?}", call, schema);
    }
}

#[test]
fn texts_that_are_not_calls_are_refused() {
    let schema = json!({
        "type": "object",
        "properties": {
            "city": {"type": "string", "minLength": 1},
            "days": {"type": "array", "items": {"type": "integer"}, "maxItems": 2},
            "unit": {"enum": ["c", "f"]}
        },
        "required": ["city"]
    });
    let tool = Tool {
        name: "weather".into(),
        arguments: Schema::of_arguments(&schema).unwrap(),
    };
    let accepts = |arguments: &str| {
        let mut automaton = Automaton::calls(std::slice::from_ref(&tool));
        let text = format!("{{\"name\":\"weather\",\"arguments\":{arguments}}}");
        automaton.read(text.as_bytes()) && automaton.is_complete()
    };
    assert!(accepts(r#"{"city":"Paris"}"#));
    assert!(accepts(r#"{"city":"a\"b","days":[-3,0],"unit":"f"}"#));
    for wrong in [
        r#"{}"#,
        r#"{"city":""}"#,
        r#"{"city":"x","unit":"k"}"#,
        r#"{"city":"x","days":[01]}"#,
        r#"{"city":"x","days":[1,2,3]}"#,
        r#"{"city":"x","days":[1,]}"#,
        r#"{"unit":"c","city":"x"}"#,
        r#"{"city":"x"}}"#,
        "{\"city\":\"a\nb\"}",
    ] {
        assert!(!accepts(wrong), "{wrong}");
    }
}

#[test]
fn keywords_that_would_be_ignored_are_refused_with_their_place() {
    let problem = |schema: Value| Schema::of_arguments(&schema).unwrap_err().to_string();
    let of_x = |x: Value| json!({"type": "object", "properties": {"x": x}});
    assert!(problem(json!({"type": "string"})).contains("must be `object`"));
    for (x, at) in [
        (
            json!({"type": "integer", "minimum": 1}),
            "`/properties/x/minimum`",
        ),
        (json!({"type": "array"}), "`items` is missing"),
        (json!({"type": ["string", "null"]}), "`/properties/x/type`"),
        (json!({"enum": []}), "`/properties/x/enum`"),
        (
            json!({"enum": [1], "type": "string"}),
            "`/properties/x/enum/0`",
        ),
        (
            json!({"type": "string", "minLength": 3, "maxLength": 2}),
            "above",
        ),
        (json!(true), "a schema is an object"),
    ] {
        let found = problem(of_x(x));
        assert!(found.contains(at), "{found}");
    }
    let required = json!({"type": "object", "required": ["y"]});
    assert!(problem(required).contains("`y` is not in `properties`"));
}
