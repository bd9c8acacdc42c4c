//! Missing, zero, simulated and infinite values.

use crate::tool::{Case, and, document, outcomes, pair, pairs};
use serde_json::{Value, json};

pub fn cases() -> Vec<Case> {
    let latency = ("latency_p50", "ms", "lower");
    let null = || Value::Null;
    let one = |a: Value, b: Value| pair(1, ("base", a, null()), ("new", b, null()));
    vec![
        Case::new(
            "A1",
            document(latency, "base", one(json!(42.6), json!(0.0))),
            "invalid",
            "not_measured",
        )
        .says(&["placeholder"])
        .never_says(&["100"]),
        Case::new(
            "A2",
            document(("memory_use", "%", ""), "base", one(json!(96.57), null())),
            "invalid",
            "not_measured",
        )
        .says(&["no direction declared", "missing is not zero"]),
        Case::new(
            "A3",
            document(
                ("throughput", "1/s", "higher"),
                "base",
                one(json!(0.0), json!(202.76)),
            ),
            "invalid",
            "zero_baseline",
        ),
        Case::new(
            "A4",
            document(latency, "base", one(json!(0.0), json!(0.0))),
            "invalid",
            "not_measured",
        )
        .never_says(&["equal", "tie"]),
        Case::new("A5", undefined_among_defined(), "invalid", "zero_baseline")
            .says(&["idle", "busy"]),
        Case::new(
            "A6",
            document(
                ("ttft", "ms", "lower"),
                "base",
                pair(
                    1,
                    ("base", json!(124.8), null()),
                    ("new", null(), json!({"state": "missing"})),
                ),
            ),
            "invalid",
            "not_measured",
        )
        .says(&["ttft", "`new` not measured"]),
        Case::new(
            "A7",
            document(
                latency,
                "base",
                pair(
                    1,
                    ("base", json!(42.6), json!({"state": "simulated"})),
                    ("new", json!(40.1), json!({"state": "simulated"})),
                ),
            ),
            "invalid",
            "simulated_source",
        ),
        Case::new(
            "A8",
            and(
                document(
                    ("ttft_delta", "ms", "lower"),
                    "base",
                    pairs(
                        ("base", &[0.0, 3.1, -2.0, 0.0, 1.5]),
                        ("new", &[0.0, 2.9, 0.0, 4.0, 1.0]),
                    ),
                ),
                json!({"estimand": "difference"}),
            ),
            "insufficient",
            "too_few_workers",
        )
        .says(&["The 5 units", "1 equal"])
        .never_says(&["N/A"]),
        Case::new(
            "A9",
            document(
                ("contention", "", "lower"),
                "rust",
                (0..5)
                    .flat_map(|run| {
                        pair(
                            run,
                            ("rust", json!(1.0), null()),
                            ("python", null(), null()),
                        )
                    })
                    .collect(),
            ),
            "invalid",
            "not_measured",
        )
        .says(&["5 of 5 units"])
        .never_says(&["No\n"]),
        Case::new(
            "A10",
            and(
                document(
                    ("error_rate", "", "lower"),
                    "internal",
                    outcomes("internal", "external", [0, 4, 0, 44]),
                ),
                json!({"outcomes": true, "margin": 0.02}),
            ),
            "noise_dominated",
            "noise",
        )
        .says(&["4 of 48", "0 of 48"]),
        Case::new(
            "A11",
            and(
                document(
                    ("gsm8k", "", "higher"),
                    "a",
                    outcomes("a", "b", [0, 0, 0, 8]),
                ),
                json!({"outcomes": true, "margin": 0.05}),
            ),
            "insufficient",
            "degenerate_interval",
        )
        .never_says(&["parity", "Parity"]),
        Case::new(
            "A12",
            document(
                ("all_reduce", "ms", "lower"),
                "a",
                pairs(("a", &[0.0; 10]), ("b", &[0.0; 10])),
            ),
            "invalid",
            "not_measured",
        )
        .never_says(&["No consistency regressions"]),
    ]
}

/// Two experiments whose controls are zero stay in the output by name.
fn undefined_among_defined() -> Value {
    let mut rows = Vec::new();
    for experiment in ["idle", "busy"] {
        let more = || json!({"experiment": experiment});
        rows.extend(pair(
            1,
            ("base", json!(0.0), more()),
            ("new", json!(12.5), more()),
        ));
    }
    document(("tokens_per_second", "1/s", "higher"), "base", rows)
}
