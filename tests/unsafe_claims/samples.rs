//! Too few samples, intervals and tails.

use crate::tool::{Case, and, document, outcomes, pair, pairs};
use serde_json::{Value, json};

/// A published comparison of front ends with three repeats.
fn three_repeats() -> Value {
    json!({
        "schema": "evenhand.summary/1.0",
        "metric": {"id": "warm_request_mean", "unit": "ms", "direction": "lower"},
        "control": "custom",
        "candidate": "frontend",
        "comparisons": [{
            "experiment": "warm_fixed", "n": 3, "difference": 2.197,
            "lower": 0, "higher": 3,
            "interval": {"level": 0.95, "low": 2.125, "high": 2.238}
        }]
    })
}

pub fn cases() -> Vec<Case> {
    let time = ("latency", "ms", "lower");
    let rates = |id, counts, margin: f64| {
        let rows = outcomes("vllm", "runtime", counts);
        let more = json!({"outcomes": true, "margin": margin});
        let input = and(document(("score", "", "higher"), "vllm", rows), more);
        Case::new(id, input, "noise_dominated", "noise")
    };
    vec![
        Case::new("C3", sixteen_requests(), "insufficient", "quantile_floor")
            .never_says(&["1035.8"]),
        Case::new("C5", three_tails(), "insufficient", "quantile_floor")
            .says(&["p99 needs 368"])
            .never_says(&["stable"]),
        Case::described("C14", three_models())
            .says(&["share of variance between", "CI95 0 to"])
            .never_says(&["45 %"]),
        Case::described("C15", ten_runs())
            .says(&["rank correlation", "CI95"])
            .never_says(&["moderate", "weak", "p<"]),
        Case::new("C1", three_repeats(), "insufficient", "too_few_workers")
            .never_says(&["2.125", "2.238"]),
        Case::new("C2", six_metrics(), "insufficient", "too_few_workers")
            .says(&["3 lower, 0 higher"]),
        Case::new(
            "C4",
            and(
                document(
                    time,
                    "base",
                    pairs(
                        (
                            "base",
                            &[
                                74.1, 73.9, 75.0, 74.4, 73.2, 74.8, 75.1, 73.7, 74.0, 74.6, 73.8,
                                74.9, 74.2, 74.7, 419.0, 1145.0,
                            ],
                        ),
                        (
                            "new",
                            &[
                                75.1, 74.3, 75.9, 75.0, 74.1, 75.2, 75.9, 74.6, 74.9, 75.3, 74.4,
                                75.6, 75.1, 75.4, 75.0, 75.2,
                            ],
                        ),
                    ),
                ),
                json!({"estimand": "difference", "margin": "1ms"}),
            ),
            "noise_dominated",
            "sign_disagrees",
        )
        .never_says(&["1.216"]),
        Case::new(
            "C6",
            document(time, "off", pairs(("off", &[862.0]), ("on", &[6.0]))),
            "insufficient",
            "too_few_workers",
        )
        .says(&["The one unit"]),
        rates("C7", [3, 8, 2, 11], 0.05).says(&["11 of 24", "5 of 24"]),
        rates("C8", [40, 20, 11, 25], 0.05),
        rates("C9", [2, 2, 0, 4], 0.05).says(&["4 of 8", "2 of 8"]),
        Case::new("C10", greedy_seeds(), "noise_dominated", "noise").says(&["8 tasks"]),
        Case::new(
            "C11",
            document(
                ("success", "", "higher"),
                "a",
                pairs(("a", &[0.8782; 3]), ("b", &[0.9006; 3])),
            ),
            "insufficient",
            "too_few_workers",
        ),
        Case::new(
            "C12",
            document(
                time,
                "off",
                pairs(
                    (
                        "off",
                        &[241.0, 239.2, 240.7, 238.9, 240.1, 239.5, 241.2, 239.8],
                    ),
                    (
                        "on",
                        &[240.2, 240.1, 239.9, 239.6, 239.4, 240.3, 240.0, 239.9],
                    ),
                ),
            ),
            "noise_dominated",
            "noise",
        ),
        Case::new(
            "C13",
            document(
                ("efficiency", "%", "higher"),
                "python",
                pairs(
                    ("python", &[84.1, 86.3, 85.4, 84.2, 88.6]),
                    ("rust", &[85.08, 85.18, 99.58, 98.79, 81.2]),
                ),
            ),
            "insufficient",
            "too_few_workers",
        ),
    ]
}

/// Three repeats on six metrics, all lower.
fn six_metrics() -> Value {
    let mut rows = Vec::new();
    for metric in 0..6 {
        for repeat in 0..3 {
            let more = || json!({"metric": format!("metric {metric}")});
            let x = 21.4 + 0.02 * f64::from(repeat);
            rows.extend(pair(
                repeat as usize,
                ("frontend", json!(x), more()),
                ("custom", json!(x - 2.1), more()),
            ));
        }
    }
    json!({
        "schema": "evenhand.pairs/1.0",
        "control": "frontend",
        "metrics": (0..6).map(|m| json!({"id": format!("metric {m}"), "unit": "ms", "direction": "lower"})).collect::<Vec<_>>(),
        "observations": rows
    })
}

/// Eight tasks, three seeds that can't change a greedy answer.
fn greedy_seeds() -> Value {
    let mut rows = Vec::new();
    for task in 0..8 {
        for seed in 0..3 {
            let more = || json!({"repeat": seed});
            rows.extend(pair(
                task,
                ("a", json!(u8::from(task < 3)), more()),
                ("b", json!(u8::from(task < 5)), more()),
            ));
        }
    }
    and(
        document(("score", "", "higher"), "a", rows),
        json!({"outcomes": true, "margin": 0.05}),
    )
}

/// The p99 of sixteen requests measures the slowest one.
fn sixteen_requests() -> Value {
    let rows = (0..16).flat_map(|i| {
        let more = || json!({"unit": "run", "repeat": i});
        let slow = match i {
            14 => 419.0,
            15 => 1145.0,
            _ => 74.0 + 0.1 * f64::from(i),
        };
        pair(
            0,
            ("vllm", json!(74.2 + 0.1 * f64::from(i % 5)), more()),
            ("runtime", json!(slow), more()),
        )
    });
    and(
        document(("latency", "ms", "lower"), "vllm", rows.collect()),
        json!({"quantile": "p99"}),
    )
}

/// Three runs of 120 requests: three p99s, and no mean of them.
fn three_tails() -> Value {
    let mut rows = Vec::new();
    for run in 0..3usize {
        for i in 0..120usize {
            let x = 80.0 + ((i * 37 + run * 11) % 50) as f64;
            let more = || json!({"repeat": i});
            rows.extend(pair(
                run,
                ("before", json!(x), more()),
                ("after", json!(x + 0.5), more()),
            ));
        }
    }
    and(
        document(("latency", "ms", "lower"), "before", rows),
        json!({"quantile": 0.99}),
    )
}

/// Three models, five runs each.
fn three_models() -> Value {
    let models = [
        [99.2, 81.4, 88.0, 77.9, 98.5],
        [90.1, 92.6, 89.4, 91.2, 92.9],
        [96.3, 97.9, 95.1, 98.8, 96.2],
    ];
    let rows = models.iter().enumerate().flat_map(|(model, runs)| {
        runs.iter().enumerate().map(
            move |(run, x)| json!({"unit": model, "arm": "all models", "repeat": run, "value": x}),
        )
    });
    document(("efficiency", "%", "higher"), "all models", rows.collect())
}

/// Ten runs with two metrics.
fn ten_runs() -> Value {
    let first = [0.2, 1.1, 0.7, 0.4, 1.6, 0.9, 0.3, 1.2, 0.8, 0.5];
    let second = [84.0, 88.1, 85.2, 89.7, 90.4, 83.3, 86.9, 87.2, 91.0, 82.5];
    let both = [("delta", first), ("efficiency", second)];
    let rows = both.iter().flat_map(|(metric, values)| {
        values
            .iter()
            .enumerate()
            .map(move |(run, x)| json!({"unit": run, "arm": "rust", "metric": metric, "value": x}))
    });
    let rows = rows.collect::<Vec<Value>>();
    json!({"schema": "evenhand.pairs/1.0", "observations": rows})
}
