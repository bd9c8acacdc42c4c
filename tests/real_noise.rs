//! False claims on real noise: A/A comparisons that the harness recorded on
//! busy machines, judged again under fresh coins.
//!
//! Both arms of a trace ran the same code, so swapping the arms of a worker
//! gives another session that could have been measured. Every claim on any of
//! them is false.

use bootstrap::Stream;
use evenhand::harness::claim::{Class, Evidence, classify};
use evenhand::harness::estimate::clopper_pearson;
use evenhand::harness::gate::check_units;
use evenhand::harness::plan::{Direction, StopRule};
use serde_json::Value;
use std::path::Path;

/// Fresh coins per comparison.
const COINS: u32 = 60;
const MARGIN: f64 = 0.01;

/// Block effects of the workers of a comparison.
type Comparison = Vec<Vec<f64>>;

fn traces(name: &str) -> Vec<Comparison> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/traces")
        .join(name);
    let document: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(document["schema"], "evenhand.traces/1.0");
    let per_block = document["slots_per_block"].as_u64().unwrap() as usize;
    let comparisons = document["comparisons"].as_array().unwrap();
    assert!(comparisons.len() >= 16);
    comparisons
        .iter()
        .map(|c| {
            c["workers"]
                .as_array()
                .unwrap()
                .iter()
                .map(|w| blocks(w, per_block))
                .collect()
        })
        .collect()
}

/// `ln(sum B / sum A)` of every block.
fn blocks(worker: &Value, per_block: usize) -> Vec<f64> {
    let order = worker["order"].as_str().unwrap().as_bytes();
    let ns: Vec<f64> = worker["ns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap())
        .collect();
    assert_eq!(order.len(), ns.len());
    let sum = |arm: u8, order: &[u8], ns: &[f64]| -> f64 {
        order
            .iter()
            .zip(ns)
            .filter(|&(&o, _)| o == arm)
            .map(|(_, v)| v)
            .sum()
    };
    order
        .chunks(per_block)
        .zip(ns.chunks(per_block))
        .map(|(order, ns)| (sum(b'B', order, ns) / sum(b'A', order, ns)).ln())
        .collect()
}

/// What is said of a comparison whose workers drew these coins: our class, and
/// whether the mean ratio alone is beyond the margin.
fn said(comparison: &Comparison, coins: &[bool]) -> (Class, bool) {
    let d: Vec<f64> = comparison
        .iter()
        .zip(coins)
        .map(|(blocks, &swap)| {
            let median = bootstrap::moments::median(blocks).unwrap();
            if swap { -median } else { median }
        })
        .collect();
    let e = Evidence::gather(&d, (-MARGIN, MARGIN), &StopRule::Fixed, 1);
    let gates = check_units(&d, e.lower, e.higher, e.ties, &[]);
    let class = classify(&e, Direction::Lower, e.p, &gates).class;
    (class, e.effect.abs() > MARGIN)
}

/// Sessions, and the false statements in them.
#[derive(Default)]
struct Counts {
    sessions: u64,
    strong: u64,
    moderate: u64,
    ratio: u64,
}

fn count(name: &str) -> Counts {
    let mut counts = Counts::default();
    for (index, comparison) in traces(name).iter().enumerate() {
        let mut stream = Stream::new(2026, &format!("real noise/{name}/{index}"));
        for _ in 0..COINS {
            let coins: Vec<bool> = comparison.iter().map(|_| stream.coin()).collect();
            let (class, ratio) = said(comparison, &coins);
            counts.sessions += 1;
            counts.strong += u64::from(class == Class::Strong);
            counts.moderate += u64::from(matches!(class, Class::Strong | Class::Moderate));
            counts.ratio += u64::from(ratio);
        }
    }
    counts
}

/// Our rules stay within their bounds, and the traces are noisy enough to fool
/// who only looks at the ratio.
fn check(name: &str) {
    let c = count(name);
    println!(
        "{name}: {} sessions, {} false strong, {} false moderate or better, {} false by the \
         bare ratio",
        c.sessions, c.strong, c.moderate, c.ratio
    );
    let least = |k| clopper_pearson(k, c.sessions, 0.95).unwrap().lo;
    assert!(least(c.strong) <= 0.01, "{name}: {} false strong", c.strong);
    assert!(
        least(c.moderate) <= 0.05,
        "{name}: {} false moderate",
        c.moderate
    );
    assert!(
        least(c.ratio) > 0.2,
        "{name}: too quiet to prove anything: {} ratios beyond the margin",
        c.ratio
    );
}

#[test]
fn on_a_crowded_machine() {
    check("crowded.json");
}
