//! Published tables as inputs: nothing may be claimed that they do not carry.

use crate::command::{analyze, golden};
use serde_json::{Value, json};
use std::path::PathBuf;

fn published(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/published")
        .join(name);
    let text = std::fs::read_to_string(path).expect("published data");
    serde_json::from_str(&text).expect("JSON")
}

fn tables(document: &Value) -> &[Value] {
    document["tables"].as_array().expect("tables")
}

fn rows(table: &Value) -> &[Value] {
    table["rows"].as_array().expect("rows")
}

/// Text and JSON of an input, against the goldens of this name.
fn check(name: &str, arguments: &[&str], input: &Value) -> (String, Value) {
    let input = input.to_string();
    let run = |format: &str| {
        let arguments: Vec<&str> = arguments
            .iter()
            .copied()
            .chain(["--format", format, "-"])
            .collect();
        let done = analyze(&arguments, input.as_bytes());
        assert_eq!(done.code, 0, "{}", done.err);
        done.out
    };
    let (text, json) = (run("human"), run("json"));
    golden(&format!("{name}.txt"), &text);
    golden(&format!("{name}.json"), &json);
    (text, serde_json::from_str(&json).expect("JSON"))
}

#[test]
fn three_repeats_are_insufficient_and_have_no_interval() {
    let data = published("treni_frontend.json");
    let claims = tables(&data)
        .iter()
        .filter(|t| t["kind"] == "claim strength");
    let comparisons: Vec<Value> = claims
        .flat_map(|table| {
            rows(table).iter().map(move |row| {
                json!({
                    "experiment": format!("frontend/{}", row["profile"].as_str().unwrap()),
                    "metric": {"id": row["metric"], "unit": "ms", "direction": "lower"},
                    "n": table["meta"]["repeats"],
                    "difference": row["delta_mean_ms"],
                    "lower": 0, "higher": 3,
                    "interval": {
                        "level": 0.95,
                        "low": row["delta_ci95_ms"]["low"],
                        "high": row["delta_ci95_ms"]["high"]
                    }
                })
            })
        })
        .collect();
    assert!(!comparisons.is_empty());
    let input = json!({
        "schema": "evenhand.summary/1.0",
        "source": "front-end claim strength, delta = frontend - custom",
        "control": "custom",
        "candidate": "frontend",
        "comparisons": comparisons
    });
    let (text, result) = check("frontend_three_repeats", &[], &input);
    for own in result["published"].as_array().unwrap() {
        assert_eq!(own["class"], "insufficient");
        assert!(own["published_interval"].is_null());
    }
    assert!(
        !text.contains("2.125"),
        "the published interval is not quoted"
    );
    assert!(!text.to_lowercase().contains("improvement"));
}

#[test]
fn summaries_of_enough_units_are_quoted_but_not_judged() {
    let data = published("treni_commercial.json");
    let groups = tables(&data)
        .iter()
        .filter(|t| t["kind"] == "paired CI classification");
    let comparisons: Vec<Value> = groups
        .flat_map(rows)
        .map(|row| {
            json!({
                "experiment": row["group"],
                "n": row["paired_n"],
                "difference": row["delta_mean_ms"],
                "interval": {
                    "level": 0.95,
                    "low": row["delta_ci95_ms"]["low"],
                    "high": row["delta_ci95_ms"]["high"]
                },
                "class": row["class"]
            })
        })
        .collect();
    assert!(comparisons.len() >= 2);
    let input = json!({
        "schema": "evenhand.summary/1.0",
        "metric": {"id": "latency", "unit": "ms", "direction": "lower"},
        "control": "internal",
        "candidate": "external",
        "comparisons": comparisons
    });
    let (text, result) = check("commercial_grouping", &[], &input);
    for own in result["published"].as_array().unwrap() {
        assert_eq!(own["class"], "insufficient");
        assert_eq!(own["reasons"][0]["code"], "not_stated");
    }
    assert!(text.contains("Published, not recomputed"));
    assert!(
        !text.contains("near_parity"),
        "the source's label is not ours"
    );
}

/// Rows of one group of the per-run tables.
fn runs<'a>(data: &'a Value, id: &str) -> &'a [Value] {
    let groups = data["groups"].as_array().expect("groups");
    let group = groups.iter().find(|g| g["id"] == id).expect("the group");
    group["rows"].as_array().expect("rows")
}

fn observations(arm: &str, rows: &[Value], key: &str, more: &Value) -> Vec<Value> {
    let row = |row: &Value| {
        let mut own = json!({"unit": row["run"], "arm": arm, "value": row["raw"][key]});
        for (key, value) in more.as_object().expect("an object") {
            own[key] = value.clone();
        }
        own
    };
    rows.iter().map(row).collect()
}

#[test]
fn five_runs_are_insufficient() {
    let data = published("tr116_groups.json");
    let mut all = Vec::new();
    for model in ["qwen2.5", "gemma3", "llama3.1"] {
        for scenario in ["baseline-vs-chimera", "chimera-homo"] {
            let rows = runs(&data, &format!("rust-{model}-{scenario}"));
            let more = json!({"experiment": format!("rust/{model}")});
            all.extend(observations(scenario, rows, "efficiency_pct", &more));
        }
    }
    let input = json!({
        "schema": "evenhand.pairs/1.0",
        "metric": {"id": "efficiency", "unit": "%", "direction": "higher"},
        "control": "baseline-vs-chimera",
        "observations": all
    });
    let (text, result) = check("scenarios_by_run", &[], &input);
    for own in result["comparisons"].as_array().unwrap() {
        assert_eq!(own["claim"]["class"], "insufficient");
        assert!(own["claim"]["estimate"]["ci95"].is_null());
    }
    assert!(!text.contains("CI95"));
}

#[test]
fn two_definitions_are_not_compared() {
    let data = published("tr116_groups.json");
    let of = |defined: bool| {
        let mut all = Vec::new();
        for scenario in ["baseline-vs-chimera", "chimera-homo"] {
            for (runtime, definition) in [
                ("rust", "sum of client wall times / wall time"),
                ("python", "sum of server durations / wall time"),
            ] {
                let rows = runs(&data, &format!("{runtime}-gemma3-{scenario}"));
                let mut more = json!({"experiment": scenario});
                if defined {
                    more["definition"] = json!(definition);
                }
                all.extend(observations(runtime, rows, "efficiency_pct", &more));
            }
        }
        json!({
            "schema": "evenhand.pairs/1.0",
            "metric": {"id": "efficiency", "unit": "%", "direction": "higher"},
            "control": "python",
            "unit": "imported",
            "observations": all
        })
    };
    let (text, result) = check("runtimes_by_definition", &[], &of(true));
    for own in result["comparisons"].as_array().unwrap() {
        assert_eq!(own["claim"]["class"], "invalid");
        assert_eq!(own["claim"]["reasons"][0]["code"], "definition_mismatch");
    }
    assert!(!text.contains("higher than of"));
    let (_, result) = check("runtimes_by_run", &[], &of(false));
    for own in result["comparisons"].as_array().unwrap() {
        assert_eq!(own["claim"]["class"], "insufficient");
    }
}
