//! What the commands print for a stored record, byte for byte.
//!
//! `EVENHAND_UPDATE=1` measures the record anew and rewrites everything.

use super::support::{Lab, golden};
use evenhand::harness::observation::Telemetry;
use evenhand::harness::record::Record;
use evenhand::harness::run::{read_record, write_record};
use std::path::{Path, PathBuf};
use std::sync::Once;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/golden")
}

/// Measures the record anew when that is asked for.
fn refresh() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if std::env::var_os("EVENHAND_UPDATE").is_none() {
            return;
        }
        let lab = Lab::new();
        let arguments = ["run", "--seed", "1", "--workers", "12", "--blocks", "4"];
        lab.measure("same,slower,alone", &arguments).code(0);
        std::fs::create_dir_all(folder()).unwrap();
        let mut record = read_record(&lab.latest()).unwrap();
        // The machine at hand is nobody's business.
        let environment = &mut record.measurements.environment;
        environment
            .facts
            .retain(|name, _| name.starts_with("build."));
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
        write_record(&folder(), &record).unwrap();
    });
}

fn check(name: &str, code: i32, arguments: &[&str]) {
    refresh();
    let lab = Lab::new();
    let record = folder().join("record.json");
    let record = record.to_str().unwrap();
    let arguments: Vec<&str> = arguments
        .iter()
        .map(|&a| if a == "RECORD" { record } else { a })
        .collect();
    let found = lab.evenhand("", &arguments).code(code).out;
    golden(&folder().join(name), &found);
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
