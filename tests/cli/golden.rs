//! What the commands print for a stored record, byte for byte.
//!
//! `EVENHAND_UPDATE=1` measures the record anew and rewrites everything.

use super::support::{Ended, Lab, golden};
use evenhand::harness::observation::Telemetry;
use evenhand::harness::record::Record;
use evenhand::harness::run::{read_record, write_record};
use std::path::{Path, PathBuf};
use std::sync::Once;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/golden")
}

/// Keeps the newest record of a lab. The machine at hand is nobody's business.
fn keep(lab: &Lab, folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let mut record = read_record(&lab.latest()).unwrap();
    let environment = &mut record.measurements.environment;
    let of_build = |name: &String| name.starts_with("build.") || name == "client_held";
    environment.facts.retain(|name, _| of_build(name));
    environment.findings.clear();
    for worker in record
        .measurements
        .experiments
        .iter_mut()
        .flat_map(|e| &mut e.workers)
    {
        worker.telemetry = Telemetry::default();
    }
    let record = Record::judge(record.plan, record.measurements);
    write_record(folder, &record).unwrap();
}

/// A sweep of a server that works on two requests at once.
fn sweep(lab: &Lab) -> Ended {
    let target = lab.path("null.toml");
    let text = format!(
        "[target]\nname = \"null\"\ncommand = \"{}\"\nargs = [\"null-server\", \"--listen\", \
         \"127.0.0.1:{{port}}\", \"--first-ms\", \"10\", \"--gap-ms\", \"1\", \"--at-once\", \
         \"{{batch}}\"]\n",
        env!("CARGO_BIN_EXE_cargo-evenhand")
    );
    std::fs::write(&target, text).unwrap();
    let cells = "--batch 2 --concurrency 1,2,4 --requests 8 --max-tokens 10 --seed 1";
    let arguments = ["load", "--target", target.to_str().unwrap()].into_iter();
    lab.evenhand("", &arguments.chain(cells.split(' ')).collect::<Vec<_>>())
}

/// Measures the records anew when that is asked for, best on a quiet machine.
fn refresh() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if std::env::var_os("EVENHAND_UPDATE").is_none() {
            return;
        }
        let lab = Lab::new();
        let arguments = ["run", "--seed", "1", "--workers", "12", "--blocks", "4"];
        lab.measure("same,slower,alone", &arguments).code(0);
        keep(&lab, &folder());
        let lab = Lab::new();
        sweep(&lab).code(0);
        keep(&lab, &folder().join("sweep"));
    });
}

fn check(name: &str, code: i32, arguments: &[&str]) {
    check_in(&folder(), name, code, arguments);
}

fn check_in(folder: &Path, name: &str, code: i32, arguments: &[&str]) {
    refresh();
    let lab = Lab::new();
    let record = folder.join("record.json");
    let record = record.to_str().unwrap();
    let arguments: Vec<&str> = arguments
        .iter()
        .map(|&a| if a == "RECORD" { record } else { a })
        .collect();
    let found = lab.evenhand("", &arguments).code(code).out;
    golden(&folder.join(name), &found);
}

#[test]
fn show() {
    check("show.txt", 0, &["show", "RECORD", "--verbose"]);
}

#[test]
fn show_detail() {
    check("detail.txt", 0, &["show", "RECORD", "slower"]);
    check(
        "detail-ascii.txt",
        0,
        &["show", "RECORD", "same", "--ascii"],
    );
    let ascii = std::fs::read_to_string(folder().join("detail-ascii.txt")).unwrap();
    assert!(ascii.is_ascii());
    check("detail-alone.txt", 0, &["show", "RECORD", "alone"]);
}

#[test]
fn gate() {
    check("gate.txt", 3, &["gate", "RECORD"]);
    check("gate.json", 3, &["gate", "RECORD", "--format", "json"]);
}

#[test]
fn report() {
    check("report.md", 0, &["report", "RECORD"]);
    check("report.json", 0, &["report", "RECORD", "--format", "json"]);
}

#[test]
fn the_cells_of_a_sweep() {
    let folder = folder().join("sweep");
    let check = |name, arguments: &[&str]| check_in(&folder, name, 0, arguments);
    check("show.txt", &["show", "RECORD"]);
    check("detail.txt", &["show", "RECORD", "cells", "--ascii"]);
    check("result.json", &["show", "RECORD", "--format", "json"]);
    check("report.md", &["report", "RECORD"]);
    check("gate.txt", &["gate", "RECORD", "--fail-on", "inconclusive"]);
}
