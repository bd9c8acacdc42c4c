//! Design and contamination.

use crate::tool::{Case, and, clear, document, pair, pairs};
use serde_json::{Value, json};

pub fn cases() -> Vec<Case> {
    let time = ("latency", "ms", "lower");
    vec![
        Case::described("D4", linked())
            .says(&["computed from the other"])
            .never_says(&["1.00"]),
        Case::new("D7", toggles(), "invalid", "contaminated_arm")
            .says(&["`external` with internal toggle", "245 of 312"])
            .never_says(&["10.2", "11.5", "hint"]),
        Case::new(
            "D6",
            and(
                document(
                    ("score", "", "higher"),
                    "a",
                    pairs(("a", &[0.5; 24]), ("c", &[0.5; 24])),
                ),
                json!({"margin": 0.05}),
            ),
            "insufficient",
            "mostly_ties",
        )
        .never_says(&["parity", "Parity"]),
        Case::new("D10", failures(), "invalid", "errors_present").says(&["failed"]),
        Case::new(
            "D11",
            document(
                time,
                "vllm",
                pairs(("vllm", &[1325.2, 1290.8]), ("runtime", &[1226.5, 1192.1])),
            ),
            "insufficient",
            "too_few_workers",
        ),
        Case::new(
            "D12",
            document(time, "off", clear("off", "on")),
            "directional",
            "margin_undeclared",
        ),
        Case::new(
            "D16",
            and(
                document(time, "a", clear("a", "b")),
                json!({"stop_rule": "fixed:20"}),
            ),
            "directional",
            "incomplete",
        )
        .says(&["20 units were planned, 12 are in the data"]),
        Case::new(
            "D20",
            document(
                time,
                "external",
                pairs(
                    ("external", &[60.1, 95.2, 110.4, 133.7]),
                    ("internal", &[59.5, 84.9, 109.6, 133.7]),
                ),
            ),
            "insufficient",
            "too_few_workers",
        ),
    ]
}

/// 48 requests, 4 of which failed on one side only.
fn failures() -> Value {
    let rows = (0..48).flat_map(|i| {
        let failed = i % 12 == 0;
        let more = if failed {
            json!({"state": "failed"})
        } else {
            Value::Null
        };
        let x = 90.0 + (i % 7) as f64;
        pair(
            i,
            ("internal", json!(x), Value::Null),
            ("external", json!(x + 5.0), more),
        )
    });
    document(("latency", "ms", "lower"), "internal", rows.collect())
}

/// A throughput that is 32 / latency.
fn linked() -> Value {
    let rows = (0..8).flat_map(|run| {
        let latency = 10.0 + f64::from(run * 31 % 17);
        [("latency", latency), ("throughput", 32.0 / latency)]
            .map(|(metric, x)| json!({"unit": run, "arm": "a", "metric": metric, "value": x}))
    });
    let rows = rows.collect::<Vec<Value>>();
    json!({"schema": "evenhand.pairs/1.0", "observations": rows})
}

/// Each toggle moved the arm that it does not concern.
fn toggles() -> Value {
    let cells = |arm: &'static str, passed: [u64; 4]| {
        let levels = [("off", "off"), ("off", "on"), ("on", "off"), ("on", "on")];
        levels
            .into_iter()
            .zip(passed)
            .map(move |((first, second), k)| {
                json!({
                    "arm": arm, "factor1": first, "factor2": second, "passed": k, "trials": 312
                })
            })
    };
    let rows: Vec<Value> = cells("internal", [272, 312, 280, 312])
        .chain(cells("external", [245, 250, 281, 285]))
        .collect();
    and(
        document(("success", "", "higher"), "external", rows),
        json!({
            "factors": ["internal toggle", "external toggle"],
            "untouched": ["external=internal toggle", "internal=external toggle"]
        }),
    )
}
