//! Design and contamination.

use crate::tool::{Case, and, clear, document, pair, pairs};
use serde_json::{Value, json};

pub fn cases() -> Vec<Case> {
    let time = ("latency", "ms", "lower");
    vec![
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
