//! `/metrics` in Prometheus' text format.

use crate::runtime::engine::{Counters, Timings};
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

/// All counters and gauges; `refused` is by HTTP status class of the server.
pub(super) fn text(counters: &Counters, invalid: &AtomicU64) -> String {
    let mut out = String::with_capacity(2048);
    let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    family(
        &mut out,
        "evenhand_requests_total",
        "counter",
        "Requests by outcome.",
    );
    for (outcome, counter) in [
        ("stop", &counters.stopped),
        ("length", &counters.length),
        ("tool_calls", &counters.tool_calls),
        ("cancelled", &counters.cancelled),
        ("failed", &counters.failed),
        ("refused", &counters.refused),
        ("invalid", invalid),
    ] {
        let value = of(counter);
        let _ = writeln!(
            out,
            "evenhand_requests_total{{outcome=\"{outcome}\"}} {value}"
        );
    }
    for (name, kind, help, counter) in [
        (
            "requests_waiting",
            "gauge",
            "Requests that wait for a slot.",
            &counters.waiting,
        ),
        (
            "requests_running",
            "gauge",
            "Requests in a slot.",
            &counters.running,
        ),
        (
            "prompt_tokens_total",
            "counter",
            "Prompt tokens taken in.",
            &counters.prompt_tokens,
        ),
        (
            "completion_tokens_total",
            "counter",
            "Tokens generated.",
            &counters.completion_tokens,
        ),
        (
            "steps_total",
            "counter",
            "Steps of the decoder.",
            &counters.steps,
        ),
        (
            "kv_tokens",
            "gauge",
            "Tokens in KV caches.",
            &counters.kv_tokens,
        ),
        (
            "kv_capacity_tokens",
            "gauge",
            "Tokens that open KV caches have room for.",
            &counters.kv_capacity,
        ),
    ] {
        family(&mut out, &format!("evenhand_{name}"), kind, help);
        let _ = writeln!(out, "evenhand_{name} {}", of(counter));
    }
    family(
        &mut out,
        "evenhand_stage_seconds_total",
        "counter",
        "Wall time of finished requests by stage.",
    );
    let names = Timings::default().stages();
    for ((stage, _), sum) in names.iter().zip(&counters.stages) {
        let seconds = of(sum) as f64 / 1e9;
        let _ = writeln!(
            out,
            "evenhand_stage_seconds_total{{stage=\"{stage}\"}} {seconds}"
        );
    }
    out
}

fn family(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}
