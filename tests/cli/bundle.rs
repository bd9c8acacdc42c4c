//! A folder that measures elsewhere, and what it brings back.

use super::support::{Ended, Lab, SMALL, read};
use std::process::{Command, Stdio};

/// Runs the bundle's own script where there is no cargo.
fn run_there(lab: &Lab, arguments: &[&str]) -> Ended {
    let output = Command::new(lab.path("bundle/run.sh"))
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("SUBJECT", "slower")
        .current_dir(lab.path(""))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Ended::of(output)
}

fn bundle(lab: &Lab) -> Ended {
    let out = lab.path("bundle");
    let make = [
        "bundle",
        "--out",
        out.to_str().unwrap(),
        "--include",
        "kernels/src/cpu",
    ];
    lab.measure("slower", &make)
}

#[test]
fn a_bundle_measures_without_cargo_and_its_sessions_come_back() {
    let lab = Lab::new();
    bundle(&lab).code(0);
    assert!(lab.path("bundle/include/cpu/softmax.rs").is_file());
    bundle(&lab).code(2).says(&["exists already"]);

    let measured = run_there(&lab, &[&["--format", "json"], &SMALL[..]].concat()).code(0);
    let results = measured.json("evenhand.result/1.0");
    assert_eq!(results["experiments"][0]["id"], "pretend/slower");

    let folder = lab.path("bundle");
    let import = ["import", folder.to_str().unwrap()];
    let first = lab.evenhand("", &import).code(0);
    assert!(first.out.contains("1 "), "{}", first.out);
    let record = read(&lab.latest().join("record.json"));
    assert_eq!(record["digest"], results["record_digest"]);
    // The commit is that of the bundle, not of where it ran.
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some(said)
    };
    if let Some(commit) = git(&["rev-parse", "HEAD"]) {
        let facts = &read(&lab.latest().join("environment.json"))["facts"];
        assert_eq!(facts["vcs.revision"], commit.as_str());
        let dirty = git(&["status", "--porcelain"]).is_some_and(|files| !files.is_empty());
        assert_eq!(facts["vcs.dirty"], dirty.to_string());
    }
    let again = lab.evenhand("", &import).code(0);
    assert!(again.out.contains("was here already"), "{}", again.out);
}

#[test]
fn what_does_not_hold_is_not_taken_over() {
    let lab = Lab::new();
    bundle(&lab).code(0);
    run_there(&lab, &SMALL).code(0);
    let folder = lab.path("bundle");
    let latest = std::fs::canonicalize(folder.join("sessions/latest")).unwrap();
    let file = latest.join("record.json");
    let text = std::fs::read_to_string(&file).unwrap();
    let changed = text.replacen("\"iterations\":", "\"iterations\":1", 1);
    assert_ne!(text, changed);
    std::fs::write(&file, changed).unwrap();
    let import = ["import", folder.to_str().unwrap()];
    let refused = lab.evenhand("", &import);
    assert_ne!(refused.code, 0);
    refused.says(&["record.json", "digest"]);
    assert!(
        !lab.path("sessions")
            .join(latest.file_name().unwrap())
            .exists()
    );

    let empty = lab.path("empty");
    std::fs::create_dir(&empty).unwrap();
    let nothing = lab.evenhand("", &["import", empty.to_str().unwrap()]);
    nothing.code(4).says(&["holds no session"]);
}

#[test]
fn a_damaged_bundle_is_refused() {
    let lab = Lab::new();
    bundle(&lab).code(0);
    let executable = lab.path("bundle/targets/cli_subject");
    std::fs::write(&executable, b"no program").unwrap();
    run_there(&lab, &SMALL)
        .code(2)
        .says(&["cli_subject", "copy the folder again"]);
    std::fs::remove_file(lab.path("bundle/bundle.json")).unwrap();
    run_there(&lab, &SMALL)
        .code(2)
        .says(&["bundle.json", "cargo evenhand bundle"]);
}
