//! A stopped session stays readable and can be finished.

mod common;

use common::{Finished, Subject};
use evenhand_harness::observation::{Status, WorkerOutcome};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

fn signal(child: &Child, signal: i32) {
    #[allow(unsafe_code, reason = "the standard library can only kill")]
    // SAFETY: kill has no memory effects; the process is our own child.
    let sent = unsafe { libc::kill(child.id() as i32, signal) };
    assert_eq!(sent, 0);
}

/// Starts a slow session and waits until some workers are done.
fn begun(subject: &Subject) -> Child {
    let child = subject
        .command(&["--bench", "--workers", "8", "--blocks", "12"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let ledger = subject.path("sessions/latest/observations/ledger.jsonl");
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut done = 0;
    while done < 2 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
        done = std::fs::read_to_string(&ledger).map_or(0, |text| text.lines().count());
    }
    // A session without workers fails what its caller asserts.
    child
}

/// Finishes the session as `cargo evenhand resume` does.
fn resume(subject: &Subject) -> Finished {
    let session = subject.latest();
    let output = subject
        .command(&["--bench"])
        .env("EVENHAND_SESSION", session)
        .output()
        .unwrap();
    Finished::new(output)
}

fn assert_finished(subject: &Subject) {
    let record = subject.record();
    assert_eq!(record.measurements.status, Status::Complete);
    let data = &record.measurements.experiments[0];
    let complete: Vec<u32> = data
        .workers
        .iter()
        .filter(|w| w.is_complete())
        .map(|w| w.worker)
        .collect();
    assert_eq!(complete, (0..8).collect::<Vec<_>>());
    let claim = &record.judgement.experiments[0].claims[0];
    assert!(
        claim.reasons.iter().all(|r| r.code.name() != "incomplete"),
        "{claim:#?}"
    );
}

#[test]
fn ctrl_c_leaves_a_readable_record_that_resume_finishes() {
    let subject = Subject::new("slow");
    let child = begun(&subject);
    signal(&child, libc::SIGINT);
    let finished = Finished::new(child.wait_with_output().unwrap());
    assert_eq!(finished.code, 130, "{finished:#?}");
    assert!(
        finished.stderr.contains("cargo evenhand resume"),
        "{}",
        finished.stderr
    );

    let record = subject.record();
    assert_eq!(record.measurements.status, Status::Incomplete);
    let done = record.measurements.experiments[0]
        .workers
        .iter()
        .filter(|w| w.is_complete())
        .count();
    assert!((1..8).contains(&done), "{done}");
    let claim = &record.judgement.experiments[0].claims[0];
    assert!(
        claim.reasons.iter().any(|r| r.code.name() == "incomplete"),
        "{claim:#?}"
    );
    assert!(!claim.class.is_claim());

    let plan = record.plan.clone();
    let resumed = resume(&subject);
    assert_eq!(resumed.code, 0, "{resumed:#?}");
    assert_finished(&subject);
    assert_eq!(subject.record().plan, plan, "the plan did not change");
}

#[test]
fn a_killed_coordinator_leaves_no_orphan_and_its_session_can_be_finished() {
    let subject = Subject::new("slow");
    let mut child = begun(&subject);
    signal(&child, libc::SIGKILL);
    child.wait().unwrap();
    // Its worker ends at the next pause, when nobody answers.
    let session = subject.path("sessions/latest").canonicalize().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while !orphans(&session).is_empty() {
        assert!(
            Instant::now() < deadline,
            "an orphan is left: {:?}",
            orphans(&session)
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    // There is no record.json: it is rebuilt from plan and observations.
    assert!(!session.join("record.json").exists());
    let record = subject.record();
    assert_eq!(record.measurements.status, Status::Incomplete);
    assert!(
        record.measurements.experiments[0]
            .workers
            .iter()
            .any(|w| w.is_complete())
    );

    let resumed = resume(&subject);
    assert_eq!(resumed.code, 0, "{resumed:#?}");
    assert_finished(&subject);
}

/// Processes that have a file of the session open.
fn orphans(session: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for process in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(files) = std::fs::read_dir(process.path().join("fd")) else {
            continue;
        };
        for file in files.flatten() {
            if std::fs::read_link(file.path()).is_ok_and(|target| target.starts_with(session)) {
                found.push(process.file_name().to_string_lossy().into_owned());
            }
        }
    }
    found
}

#[test]
fn a_cut_off_observation_is_left_out_and_its_worker_runs_again() {
    let subject = Subject::new("plain");
    subject.bench(&[]);
    let session = subject.latest();
    std::fs::remove_file(session.join("record.json")).unwrap();
    // A crash in the middle of a line, before the ledger heard of the worker.
    let file = session.join("observations/subject-e00-w05.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, &text[..text.len() * 2 / 3]).unwrap();
    let ledger = session.join("observations/ledger.jsonl");
    let lines = std::fs::read_to_string(&ledger).unwrap();
    let kept: Vec<&str> = lines.lines().take(5).collect();
    std::fs::write(&ledger, format!("{}\n", kept.join("\n"))).unwrap();

    let record = subject.record();
    assert_eq!(record.measurements.status, Status::Incomplete);
    let last = record.measurements.experiments[0].workers.last().unwrap();
    assert_eq!(last.outcome, WorkerOutcome::Interrupted);
    assert!(!last.is_empty(), "what it measured stays readable");

    assert_eq!(resume(&subject).code, 0);
    let record = subject.record();
    assert_eq!(record.measurements.status, Status::Complete);
    assert_eq!(
        common::files(&session.join("observations"), "interrupted").len(),
        1
    );
}

#[test]
fn a_broken_file_is_named_with_its_line() {
    let subject = Subject::new("plain");
    subject.bench(&[]);
    let session = subject.latest();
    std::fs::remove_file(session.join("record.json")).unwrap();
    let file = session.join("observations/subject-e00-w02.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[3] = "{\"line\":\"slot\",\"b\":";
    std::fs::write(&file, lines.join("\n") + "\n").unwrap();
    let error = evenhand_harness::run::read_record(&session)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("w02.jsonl") && error.contains("line 4"),
        "{error}"
    );
}
