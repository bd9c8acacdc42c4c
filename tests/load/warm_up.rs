//! Blocks begin to count when their requests show no trend any more.

use super::*;

/// A session of one server alone, with a script of its own; the workers.
fn measured(dir: &Path, name: &str, script: &str, more: &[&str]) -> (Value, Vec<Value>) {
    let marker = format!("{name}-{}", std::process::id());
    let file = target(dir, name, &marker, 2_500);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("\"gap_us\":300", script)).unwrap();
    let one = ["--target", file.to_str().unwrap(), "--quiet"];
    let output = load(dir, &[&one[..], more].concat()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    assert_no_orphans(&marker);
    let record = record(dir, &output);
    let workers = &record["measurements"]["experiments"][0]["workers"];
    let workers = workers.as_array().unwrap().clone();
    (record, workers)
}

/// The ramps of both servers of a worker.
fn ramps(worker: &Value) -> Vec<u32> {
    let facts = worker["facts"].as_array().unwrap();
    facts
        .iter()
        .map(|f| f["ramp"].as_str().unwrap().parse().unwrap())
        .collect()
}

const FOUR_USERS: &[&str] = &[
    "--concurrency",
    "4",
    "--requests",
    "24",
    "--workers",
    "4",
    "--blocks",
    "2",
    "--max-tokens",
    "1",
];

#[test]
fn a_server_that_wakes_up_in_every_block_gets_a_longer_ramp() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let script = r#""wake":{"pause_us":3000,"requests":20,"extra_us":25000}"#;
    let (record, workers) = measured(dir.path(), "sleepy", script, FOUR_USERS);
    // After 16 requests some are left that are twice as slow, after 32 none.
    let (mut long, mut steady) = (0, 0);
    for worker in &workers {
        long += ramps(worker).iter().filter(|ramp| **ramp >= 16).count();
        steady += usize::from(worker["steady"] == true);
    }
    assert!(long >= 6 && steady >= 3, "{long} of 8, {steady} of 4");

    // What counts has no trend: with the shortest ramp it would fall by more
    // than its mean.
    let declared = &record["plan"]["targets"][0]["experiments"][0]["secondary"];
    let at = declared.as_array().unwrap().iter();
    let at = { at }.position(|s| s["metric"]["id"] == "steady.trend");
    let mut trends: Vec<f64> = workers
        .iter()
        .flat_map(|w| w["secondary"][at.unwrap()].as_array().unwrap())
        .filter_map(Value::as_f64)
        .collect();
    trends.sort_unstable_by(f64::total_cmp);
    let median = trends[trends.len() / 2];
    assert!(trends.len() >= 24 && median.abs() < 0.4, "{median}");
}

#[test]
fn a_server_that_is_level_keeps_the_shortest_ramp() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let (_, workers) = measured(dir.path(), "level", "\"gap_us\":300", FOUR_USERS);
    let short = workers.iter().flat_map(ramps).filter(|ramp| *ramp == 4);
    assert!(short.count() >= 5, "of 8");
}

#[test]
fn a_server_that_never_becomes_stationary_is_called_not_steady() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let script = r#""wake":{"pause_us":3000,"requests":80,"extra_us":40000}"#;
    let users = ["--concurrency", "2", "--requests", "24", "--workers", "2"];
    let rest = ["--blocks", "1", "--max-tokens", "1", "--margin", "1"];
    let more = [&users[..], &rest[..]].concat();
    let (record, workers) = measured(dir.path(), "endless", script, &more);
    for worker in &workers {
        assert_eq!(worker["steady"], false, "{:?}", ramps(worker));
        assert!(ramps(worker).contains(&32), "{:?}", ramps(worker));
    }
    let reasons = record["judgement"]["experiments"][0]["reasons"].to_string();
    assert!(reasons.contains("not_steady"), "{reasons}");
}
