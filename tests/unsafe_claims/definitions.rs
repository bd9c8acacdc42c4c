//! Direction, units, work unit, definitions.

use crate::tool::{Case, and, clear, document, pair};
use serde_json::{Value, json};

/// Ten pairs whose sides differ in one fact.
fn differing(metric: (&str, &str, &str), fact: &str, a: Value, b: Value) -> Value {
    let rows = (0..10).flat_map(|unit| {
        let x = f64::from(unit % 4);
        pair(
            unit as usize,
            ("a", json!(20.0 + x), json!({fact: a})),
            ("b", json!(10.0 + x), json!({fact: b})),
        )
    });
    document(metric, "a", rows.collect())
}

pub fn cases() -> Vec<Case> {
    let time = ("latency", "ms", "lower");
    let mismatch = |id, metric, fact, a: Value, b: Value, code| {
        Case::new(id, differing(metric, fact, a, b), "invalid", code)
    };
    let defined = |id, a: &str, b: &str| {
        mismatch(
            id,
            time,
            "definition",
            json!(a),
            json!(b),
            "definition_mismatch",
        )
    };
    vec![
        Case::new(
            "B1",
            document(("temperature", "C", ""), "a", clear("a", "b")),
            "invalid",
            "direction_undeclared",
        ),
        mismatch(
            "B2",
            ("energy_per_step", "J", "lower"),
            "work",
            json!("batch 2"),
            json!("batch 16"),
            "work_unit_mismatch",
        ),
        mismatch(
            "B3",
            time,
            "work",
            json!("inference"),
            json!("training"),
            "work_unit_mismatch",
        ),
        defined("B5", "collector - insight", "insight - collector"),
        defined(
            "B6",
            "sum of wall times / wall",
            "sum of server durations / wall",
        ),
        Case::new(
            "B7",
            document(
                ("speedup", "", "higher"),
                "concurrent",
                clear("concurrent", "concurrent ")[..1].to_vec(),
            ),
            "refused",
            "",
        )
        .says(&["nothing to compare with the control"]),
        defined("B9", "pairs / elapsed", "mean of batch / latency"),
        Case::new(
            "B12",
            document(time, "frontend", clear("frontend", "custom")),
            "directional",
            "order_unknown",
        )
        .says(&[
            "of `custom` is",
            "lower than of `frontend`",
            "lower is better",
        ]),
        mismatch(
            "B13",
            time,
            "tokens",
            json!(61),
            json!(57),
            "token_mismatch",
        ),
        mismatch(
            "B14",
            time,
            "contract",
            json!("4 decode steps"),
            json!("48 decode steps"),
            "parity_violation",
        )
        .never_says(&["3.817", "x faster"]),
        defined("B15", "pipeline mean", "warm request mean"),
        mismatch(
            "E18",
            time,
            "contract",
            json!("ctx 512"),
            json!("ctx 2048"),
            "parity_violation",
        ),
        mismatch(
            "D9",
            time,
            "definition",
            json!("calibrated"),
            json!("synthetic"),
            "definition_mismatch",
        ),
        mismatch(
            "D17",
            time,
            "output",
            json!("all ok"),
            json!("cut at length"),
            "wrong_output",
        ),
        Case::new(
            "D5",
            differing(time, "split", json!("test"), json!("train")),
            "invalid",
            "train_on_test",
        )
        .never_says(&["37.59", "255.707"]),
        Case::new(
            "D8",
            and(
                differing(
                    ("success", "", "higher"),
                    "split",
                    json!("tuned"),
                    json!("tuned"),
                ),
                json!({"margin": "1%"}),
            ),
            "invalid",
            "train_on_test",
        ),
    ]
}
