//! How tasks find their caches, chosen by a run.

use super::support::{Lab, read};

const RUN: [&str; 7] = ["run", "--workers", "2", "--blocks", "2", "--device", "cpu"];

#[test]
fn a_way_that_is_none_is_refused_before_anything_is_built() {
    let lab = Lab::new();
    lab.evenhand("task", &["run", "--flush", "wipe"])
        .code(2)
        .says(&["--flush wipe", "write, read, rotate or none"]);
    let mut command = lab.command("task", &["run"]);
    command.env("EVENHAND_FLUSH", "wipe");
    let ended = super::support::Ended::of(command.output().unwrap());
    ended.code(2).says(&["write, read, rotate or none"]);
    let help = lab.evenhand("", &["run", "--help"]).code(0).out;
    assert!(help.contains("--flush <HOW>"), "{help}");
}

#[test]
fn a_run_chooses_for_experiments_that_leave_it_open() {
    let lab = Lab::new();
    let arguments = [&RUN[..], &["--flush", "none"]].concat();
    let ended = lab.measure("task,rotated_task", &arguments).code(7);
    ended.says(&[
        "task/rotated",
        "it fixes its cache state to `cold (rotated)`",
        "give --flush rotate",
    ]);
    let record = read(&lab.latest().join("record.json"));
    let experiments = record["measurements"]["experiments"].as_array().unwrap();
    let open = experiments.iter().find(|e| e["id"] == "task/open").unwrap();
    let facts = &open["workers"][0]["facts"][0];
    assert_eq!(facts["cache"], "hot", "{facts}");
    assert_eq!(facts["device"], "cpu", "{facts}");
}

#[test]
fn the_host_processor_has_no_cold_cache() {
    let lab = Lab::new();
    let arguments = [&RUN[..], &["--flush", "read"]].concat();
    lab.measure("task", &arguments)
        .code(7)
        .says(&["--flush read", "always hot", "--device cuda"]);
}
