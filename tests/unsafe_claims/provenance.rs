//! Aggregation, rounding, resolution, provenance.

use crate::tool::{Case, and, clear, document, outcomes, pair, pairs};
use serde_json::{Value, json};

pub fn cases() -> Vec<Case> {
    let time = ("latency", "ms", "lower");
    let single = |id, a: f64, b: f64| {
        let input = document(time, "a", pairs(("a", &[a]), ("b", &[b])));
        Case::new(id, input, "insufficient", "too_few_workers")
    };
    vec![
        Case::new(
            "E1",
            document(
                time,
                "vllm",
                pairs(
                    ("vllm", &[436.0, 886.0, 3600.0, 1700.0]),
                    ("runtime", &[520.0, 990.0, 2700.0, 1650.0]),
                ),
            ),
            "insufficient",
            "too_few_workers",
        ),
        Case::new("E3", nine_metrics(), "insufficient", "too_few_workers")
            .never_says(&["8 of 9", "Winner"]),
        single("E4", 42.6, 38.1).never_says(&["strong"]),
        single("E5", 42.6, 42.5),
        Case::new("E6", polled(), "directional", "below_resolution").never_says(&["1.997"]),
        single("E7", 862.0, 6.0).never_says(&["143.667"]),
        Case::new(
            "E9",
            and(
                document(
                    ("success", "", "higher"),
                    "off",
                    outcomes("off", "on", [190, 19, 15, 88]),
                ),
                json!({"outcomes": true, "margin": 0.02}),
            ),
            "noise_dominated",
            "noise",
        )
        .says(&["209 of 312", "205 of 312"])
        .never_says(&["0.6698", "0.6570"]),
        Case::new(
            "E11",
            document(
                time,
                "a",
                pairs(
                    ("a", &[2005.0, 5008.0, 2004.0]),
                    ("b", &[1003.0, 1002.0, 1003.0]),
                ),
            ),
            "insufficient",
            "too_few_workers",
        )
        .says(&["The 3 units read"]),
        single("E12", 4.022, 4.018),
        Case::new(
            "E14",
            and(
                document(
                    ("throughput", "1/s", "higher"),
                    "onnx",
                    clear("onnx", "torch"),
                ),
                json!({"candidates": ["torch", "compiled", "tensorrt"]}),
            ),
            "refused",
            "",
        )
        .says(&["no row has the arm `compiled`"])
        .never_says(&["best", "Best"]),
        Case::new(
            "E19",
            json!({
                "schema": "evenhand.summary/1.0",
                "metric": {"id": "score", "unit": "", "direction": "higher"},
                "comparisons": [{"experiment": "ifeval", "difference": 0.0412}]
            }),
            "insufficient",
            "not_stated",
        )
        .says(&["the number of units was not published"]),
        Case::new(
            "E20",
            and(document(time, "a", clear("a", "b")), json!({"attempt": 7})),
            "directional",
            "attempts",
        )
        .says(&["attempt 7"]),
    ]
}

/// One reading of nine metrics on both sides.
fn nine_metrics() -> Value {
    let name = |m: usize| format!("metric {m}");
    let rows = (0..9).flat_map(|m| {
        let more = || json!({"metric": name(m)});
        pair(
            1,
            ("a", json!(10.0 + m as f64), more()),
            ("b", json!(9.0 + m as f64), more()),
        )
    });
    json!({
        "schema": "evenhand.pairs/1.0",
        "control": "a",
        "metrics": (0..9).map(|m| json!({"id": name(m), "unit": "ms", "direction": "lower"})).collect::<Vec<_>>(),
        "observations": rows.collect::<Vec<_>>()
    })
}

/// Start-up times that a health poll rounds to whole seconds.
fn polled() -> Value {
    let a: Vec<f64> = (0..12).map(|i| 2002.8 + f64::from(i % 3)).collect();
    let b: Vec<f64> = (0..12).map(|i| 1001.4 + f64::from(i % 4) * 0.3).collect();
    let mut input = document(
        ("startup", "ms", "lower"),
        "off",
        pairs(("off", &a), ("on", &b)),
    );
    input["metric"]["resolution"] = json!(1000);
    and(input, json!({"margin": "5%"}))
}
