//! How tasks find their caches, chosen by a run.

use super::support::{CARGO, Ended, Lab, read};
use evenhand_kernels::device::{GRAPH_DRIVER_FUNCTIONS, REQUIRED_DRIVER_FUNCTIONS};
use evenhand_kernels::nvrtc::{Nvrtc, Search};
use std::path::Path;
use std::process::Command;

const RUN: [&str; 7] = ["run", "--workers", "2", "--blocks", "2", "--device", "cpu"];

#[test]
fn a_way_that_is_none_is_refused_before_anything_is_built() {
    let lab = Lab::new();
    lab.evenhand("task", &["run", "--flush", "wipe"])
        .code(2)
        .says(&["--flush wipe", "write, read, rotate or none"]);
    let mut command = lab.command("task", &["run"]);
    command.env("EVENHAND_FLUSH", "wipe");
    let ended = Ended::of(command.output().unwrap());
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

/// A library `libcuda.so.1` that does nothing, in `folder`; false, with the
/// reason, where it cannot be built or nothing can be compiled for it.
fn made_up_driver(folder: &Path) -> bool {
    if let Err(reason) = Nvrtc::open(&Search::from_environment()) {
        eprintln!("skipped: {reason}");
        return false;
    }
    let mut text = include_str!("../../kernels/tests/device/fake_driver.c").to_owned();
    for name in REQUIRED_DRIVER_FUNCTIONS
        .iter()
        .chain(GRAPH_DRIVER_FUNCTIONS)
    {
        if !text.contains(&format!("int {name}(")) {
            text += &format!("int {name}(void) {{ return call(\"{name}\"); }}\n");
        }
    }
    let source = folder.join("fake.c");
    std::fs::write(&source, text).unwrap();
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-w", "-o"])
        .arg(folder.join("libcuda.so.1"))
        .arg(&source)
        .status();
    match built {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("skipped: no C compiler `cc`: {error}");
            false
        }
    }
}

/// What runs on a made-up driver says nothing about a card; labels, reasons and
/// the way of a session are the same.
#[test]
fn a_card_is_labelled_with_its_cache_and_bad_experiments_fail_alone() {
    let lab = Lab::new();
    let driver = tempfile::tempdir().unwrap();
    if !made_up_driver(driver.path()) {
        return;
    }
    let arguments = [
        "run",
        "--workers",
        "2",
        "--blocks",
        "2",
        "--device",
        "cuda",
        "--flush",
        "none",
    ];
    let mut command = lab.command("greedy,task,upload", &[&arguments[..], &CARGO].concat());
    let on_card = |command: &mut Command| {
        command
            .env("LD_LIBRARY_PATH", driver.path())
            .env("EVENHAND_CUBIN_CACHE", lab.path("cubins"));
    };
    on_card(&mut command);
    Ended::of(command.output().unwrap()).code(7).says(&[
        "asks for 1048576 bytes of shared memory per block; this card has 232448",
        // No kernel ran.
        "task/open",
        "element 0 is NaN",
    ]);
    let record = read(&lab.latest().join("record.json"));
    for planned in record["plan"]["targets"][0]["experiments"]
        .as_array()
        .unwrap()
    {
        assert_eq!(planned["device"], "Fake A, hot");
    }
    let experiments = record["measurements"]["experiments"].as_array().unwrap();
    let of = |id: &str| experiments.iter().find(|e| e["id"] == id).unwrap();
    let upload = of("task/upload");
    assert_eq!(upload["workers"].as_array().unwrap().len(), 2, "{upload}");
    let facts = &upload["workers"][0]["facts"][0];
    assert_eq!(facts["cache"], "hot");
    assert_eq!(facts["device"], "Fake A");
    // NVML is not there, or does not know the card: nothing was seen, and nothing is told.
    assert!(facts["nvml"].is_string(), "{facts}");
    for name in ["looks", "power_w.mean", "energy_mj_per_launch"] {
        assert!(facts[name].is_null(), "{facts}");
    }
    // On a cold cache the same plan would call it hot; nothing is measured.
    let plan = lab.latest().join("plan.json");
    let again = [
        &["run", "--device", "cuda", "--plan"][..],
        &[plan.to_str().unwrap()],
        &CARGO,
    ];
    let sessions = lab.path("sessions");
    let before = std::fs::read_dir(&sessions).unwrap().count();
    let mut command = lab.command("greedy,task,upload", &again.concat());
    on_card(&mut command);
    Ended::of(command.output().unwrap()).code(6).says(&[
        "the plan measures `task/greedy` on `Fake A, hot`",
        "would measure on `Fake A, cold (flushed by reading)`",
        "--flush",
    ]);
    let after = std::fs::read_dir(&sessions).unwrap().count();
    assert_eq!(before, after);
}
