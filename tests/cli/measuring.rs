//! Sessions: measured, judged, interrupted, finished.

use super::support::{Ended, Lab, SMALL, read};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[test]
fn a_session_is_planned_whole_measured_and_judged() {
    let lab = Lab::new();
    let arguments = [
        &[
            "run",
            "--format",
            "json",
            "--seed",
            "1",
            "--save-baseline",
            "mine",
        ],
        &SMALL[..],
    ]
    .concat();
    let ended = lab.measure("same,slower,quicker,alone", &arguments).code(0);
    let results = ended.json("evenhand.result/1.0");
    assert_eq!(results["status"], "complete");
    assert_eq!(results["family_size"], 3);
    let claim = |id: &str| -> Value {
        let experiments = results["experiments"].as_array().unwrap();
        experiments.iter().find(|e| e["id"] == id).unwrap()["claims"][0].clone()
    };
    // A debug build caps at moderate.
    assert!(["strong", "moderate"].contains(&claim("pretend/slower")["class"].as_str().unwrap()));
    assert_eq!(claim("pretend/slower")["outcome"], "regression");
    assert_eq!(claim("pretend/quicker")["outcome"], "improvement");
    assert_eq!(claim("pretend/same")["outcome"], Value::Null);

    let plan = read(&lab.latest().join("plan.json"));
    assert_eq!(
        plan["targets"][0]["experiments"].as_array().unwrap().len(),
        4
    );
    let facts = &read(&lab.latest().join("environment.json"))["facts"];
    assert_eq!(
        facts["build.executable.cli_subject"]
            .as_str()
            .unwrap()
            .len(),
        64
    );

    gate(&lab);
    report(&lab);
    criterion_files(&lab.path("criterion"));

    // The same plan again is a further attempt, and this run is to fail on
    // regressions.
    let plan = lab.latest().join("plan.json");
    let again = [
        "run",
        "--fail-on",
        "regression",
        "--plan",
        plan.to_str().unwrap(),
    ];
    let ended = lab.measure("same,slower,quicker,alone", &again).code(3);
    assert!(ended.out.contains("seed"));
    assert_eq!(read(&lab.latest().join("plan.json"))["attempt"], 2);
    // Without the experiments it is another suite.
    lab.measure("same", &["run", "--plan", plan.to_str().unwrap()])
        .code(6)
        .says(&["pretend/slower"]);
}

fn gate(lab: &Lab) {
    let text = lab.evenhand("", &["gate"]).code(3).out;
    assert!(text.starts_with("regression: 1 of 3 comparisons"), "{text}");
    let verdict = lab
        .evenhand(
            "",
            &["gate", "--format", "json", "--fail-on", "inconclusive"],
        )
        .code(3)
        .json("evenhand.verdict/1.0");
    assert_eq!(verdict["verdict"], "regression");
    assert_eq!(verdict["exit_code"], 3);
    let failing: Vec<&Value> = verdict["comparisons"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|e| e["fails"] == true && e["finding"] == "regression")
        .collect();
    assert_eq!(failing.len(), 1);
    assert_eq!(failing[0]["experiment"], "pretend/slower");
}

fn report(lab: &Lab) {
    let file = lab.path("report.md");
    let written = lab
        .evenhand("", &["report", "-o", file.to_str().unwrap()])
        .code(0);
    assert!(written.out.is_empty());
    let markdown = std::fs::read_to_string(&file).unwrap();
    assert!(markdown.contains("## pretend/slower"));
    let stored = std::fs::read_to_string(lab.latest().join("report.md")).unwrap();
    assert_eq!(markdown, stored);
    let json = lab.evenhand("", &["report", "--format", "json"]).code(0);
    let shown = lab.evenhand("", &["show", "--format", "json"]).code(0);
    assert_eq!(
        json.json("evenhand.result/1.0"),
        shown.json("evenhand.result/1.0")
    );
}

/// What critcmp reads.
fn criterion_files(root: &Path) {
    for arm in ["old", "new"] {
        for baseline in ["new", "mine"] {
            let folder = root.join("pretend_slower").join(arm).join(baseline);
            let benchmark = read(&folder.join("benchmark.json"));
            assert_eq!(benchmark["full_id"], format!("pretend/slower/{arm}"));
            assert_eq!(benchmark["group_id"], "pretend/slower");
            assert_eq!(benchmark["throughput"]["Elements"], 100);
            let estimates = read(&folder.join("estimates.json"));
            let mean = estimates["mean"]["point_estimate"].as_f64().unwrap();
            let expected = if arm == "old" { 1.0e6 } else { 1.3e6 };
            assert!((mean / expected - 1.0).abs() < 0.01, "{mean}");
            for statistic in ["mean", "median", "median_abs_dev", "std_dev"] {
                let interval = &estimates[statistic]["confidence_interval"];
                assert!(interval["lower_bound"].as_f64() <= interval["upper_bound"].as_f64());
                assert!(estimates[statistic]["standard_error"].is_f64());
            }
            let sample = read(&folder.join("sample.json"));
            let (iters, times) = (&sample["iters"], &sample["times"]);
            assert_eq!(
                iters.as_array().unwrap().len(),
                times.as_array().unwrap().len()
            );
            assert_eq!(
                read(&folder.join("tukey.json")).as_array().unwrap().len(),
                4
            );
        }
    }
    assert!(!root.join("pretend_slower/new/base").exists());
}

#[test]
fn a_wrong_output_fails_the_run_and_the_gate_but_not_the_rest() {
    let lab = Lab::new();
    let arguments = [&["run", "--quiet"], &SMALL[..]].concat();
    let ended = lab
        .measure("wrong,quicker,undeclarable", &arguments)
        .code(7);
    ended.says(&["wrong_output", "no_control"]);
    assert!(ended.out.contains("improvement"), "{}", ended.out);
    let verdict = lab
        .evenhand("", &["gate", "--format", "json"])
        .code(7)
        .json("evenhand.verdict/1.0");
    assert_eq!(verdict["verdict"], "benchmark_failed");
    lab.evenhand("", &["show", "latest", "wrong"]).code(0);
}

#[test]
fn a_budget_is_kept_and_said() {
    let lab = Lab::new();
    let ended = lab.measure("same", &["run", "--budget", "1s"]).code(0);
    ended.says(&["workers", "plan:"]);
    let workers = read(&lab.latest().join("plan.json"))["targets"][0]["experiments"][0]["workers"]
        .as_u64()
        .unwrap();
    assert!((6..=12).contains(&workers));
}

/// Starts a session and stops it by Ctrl-C after its second worker.
fn interrupted(lab: &Lab) -> Ended {
    let arguments = ["run", "--workers", "6", "--blocks", "12"];
    let mut command = lab.command("long", &[&arguments[..], &super::support::CARGO].concat());
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let ledger = lab.path("sessions/latest/observations/ledger.jsonl");
    let end = Instant::now() + Duration::from_secs(240);
    while std::fs::read_to_string(&ledger).map_or(0, |text| text.lines().count()) < 2 {
        assert!(Instant::now() < end, "no worker ended");
        std::thread::sleep(Duration::from_millis(20));
    }
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    Ended::of(child.wait_with_output().unwrap())
}

#[test]
#[cfg(unix)]
fn an_interrupted_session_is_readable_and_is_finished() {
    let lab = Lab::new();
    interrupted(&lab).code(130).says(&["cargo evenhand resume"]);
    let shown = lab.evenhand("", &["show", "--format", "json"]).code(0);
    assert_eq!(shown.json("evenhand.result/1.0")["status"], "incomplete");
    let gated = lab.evenhand("", &["gate"]).code(0).out;
    assert!(gated.contains("incomplete"), "{gated}");

    let environment = lab.latest().join("environment.json");
    let begun = std::fs::read_to_string(&environment).unwrap();

    // Another build since then is refused, or costs the claims.
    let mut other = read(&environment);
    other["facts"]["build.executable.cli_subject"] = "0".repeat(64).into();
    std::fs::write(&environment, other.to_string()).unwrap();
    lab.measure("long", &["resume"])
        .code(6)
        .says(&["cli_subject", "--allow-rebuilt"]);
    let copy = lab.path("copy");
    copy_session(&lab.latest(), &copy);
    let arguments = [
        "resume",
        copy.to_str().unwrap(),
        "--allow-rebuilt",
        "--format",
        "json",
    ];
    let results = lab
        .measure("long", &arguments)
        .code(0)
        .json("evenhand.result/1.0");
    assert_eq!(results["status"], "complete");
    let claim = &results["experiments"][0]["claims"][0];
    assert_eq!(claim["class"], "invalid");
    assert!(claim["reasons"].to_string().contains("environment_differs"));
    lab.evenhand("", &["gate", copy.to_str().unwrap()]).code(6);

    std::fs::write(&environment, begun).unwrap();
    let results = lab
        .measure("long", &["resume", "--format", "json"])
        .code(0)
        .json("evenhand.result/1.0");
    assert_eq!(results["status"], "complete");
    assert_ne!(results["experiments"][0]["claims"][0]["class"], "invalid");
    lab.measure("long", &["resume"])
        .code(0)
        .says(&["already finished"]);
}

fn copy_session(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_session(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn calibration_counts_false_claims_and_leaves_latest_alone() {
    let lab = Lab::new();
    let arguments = [
        "calibrate",
        "--comparisons",
        "4",
        "--workers",
        "8",
        "--blocks",
        "2",
        "--format",
        "json",
    ];
    let ended = lab.measure("same,alone", &arguments).code(0);
    let document = ended.json("evenhand.calibration/1.0");
    // Three arms in a session, so the second one passes the number asked for.
    assert_eq!(document["comparisons"], 6);
    assert_eq!(document["sessions"].as_array().unwrap().len(), 2);
    assert_eq!(document["arms"].as_array().unwrap().len(), 3);
    assert_eq!(document["holds"], true);
    assert!(document["arms"][0]["detectable_effect"].is_f64());
    assert!(!lab.path("sessions/latest").exists());
    lab.measure("undeclarable", &arguments).code(7);
}
