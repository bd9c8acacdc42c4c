//! How many servers a worker starts, and what is compared.

use super::*;

/// Instances that noted requests, by worker.
fn servers_per_worker(dir: &Path) -> Vec<usize> {
    let requests = dir.join("sessions/latest/requests");
    let mut counts = std::collections::BTreeMap::new();
    for file in std::fs::read_dir(requests).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let (worker, _) = name.rsplit_once('-').unwrap();
        *counts.entry(worker.to_owned()).or_insert(0) += 1;
    }
    counts.into_values().collect()
}

const EIGHT: &[&str] = &["--workers", "8", "--blocks", "6", "--max-tokens", "2"];

#[test]
fn without_a_second_control_two_servers_run_and_the_claim_is_capped() {
    let _shared = shared();
    let dir = tempfile::tempdir().unwrap();
    let marker = format!("no-aa-{}", std::process::id());
    let a = target(dir.path(), "a", &marker, 2_000);
    let b = target(dir.path(), "b", &marker, 30_000);
    let both = [
        "--target",
        a.to_str().unwrap(),
        "--against",
        b.to_str().unwrap(),
        "--no-aa",
        "--quiet",
    ];
    let output = load(dir.path(), &[&both[..], EIGHT].concat())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    assert_eq!(servers_per_worker(dir.path()), [2; 8]);
    let record = record(dir.path(), &output);
    let experiment = &record["plan"]["targets"][0]["experiments"][0];
    assert_eq!(experiment["aa_blocks"], 0);
    // A server that needs fifteen times as long would be `strong` otherwise.
    let claim = find(&record["judgement"]["experiments"], "class").expect("a claim");
    assert_ne!(claim["class"], "strong", "{}", words(&output));
    let reasons = claim["reasons"].as_array().unwrap();
    assert!(
        reasons.iter().any(|r| r["code"] == "no_aa_control"),
        "{reasons:?}"
    );
    assert_no_orphans(&marker);
}

#[test]
fn one_target_alone_is_compared_with_itself() {
    let _shared = shared();
    let dir = tempfile::tempdir().unwrap();
    let marker = format!("alone-{}", std::process::id());
    let a = target(dir.path(), "a", &marker, 2_000);
    let one = ["--target", a.to_str().unwrap(), "--quiet"];
    let output = load(dir.path(), &[&one[..], EIGHT].concat())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    assert_eq!(servers_per_worker(dir.path()), [2; 8]);
    let record = record(dir.path(), &output);
    let judged = &record["judgement"];
    assert_eq!(judged["control"]["units"], 8, "{}", words(&output));
    assert!(judged["experiments"][0]["noise_floor"].is_number());
    assert!(
        judged["experiments"][0]["claims"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    assert_no_orphans(&marker);

    let refused = load(dir.path(), &[&one[..], &["--no-aa"]].concat());
    let refused = { refused }.output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "{}", words(&refused));
    assert!(words(&refused).contains("--against"), "{}", words(&refused));
}
