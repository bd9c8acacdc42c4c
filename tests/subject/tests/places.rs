//! Every slot is told where it stands, and an arm's notes stay with its worker.

mod common;

use common::{Subject, files};
use evenhand_harness::schedule::worker_schedule;

/// The places of every slot in the plan's schedule, as the subject notes them.
fn planned(record: &evenhand_harness::record::Record, worker: u32, instance: usize) -> Vec<String> {
    let experiment = &record.plan.targets[0].experiments[0];
    let schedule = worker_schedule(record.plan.seed, "subject", experiment, worker);
    let mut places = Vec::new();
    for (block, planned) in schedule.blocks.iter().enumerate() {
        let primers = planned.primers.iter().filter(|&&i| i == instance);
        places.extend(primers.map(|_| "- 0".to_owned()));
        let slots = planned.slots.iter().filter(|&&i| i == instance);
        places.extend(slots.enumerate().map(|(turn, _)| format!("{block} {turn}")));
    }
    places
}

#[test]
fn every_slot_is_told_its_place_and_the_notes_are_one_file_per_instance() {
    for subject in ["places", "places_apart"] {
        let subject = Subject::new(subject);
        subject.bench(&[]);
        let record = subject.record();
        let session = subject.latest();
        let mut found = Vec::new();
        for worker in 0..6 {
            for instance in 0..3 {
                let name = format!("subject-e00-w{worker:02}-{instance}.jsonl");
                let text = std::fs::read_to_string(session.join("places").join(&name)).unwrap();
                let noted: Vec<&str> = text.lines().collect();
                let planned = planned(&record, worker, instance);
                let (before, measured) = noted.split_at(noted.len() - planned.len());
                assert_eq!(measured, planned, "{name}");
                // Warm-up: a place that is none of the schedule.
                assert!(
                    !before.is_empty() && before.iter().all(|&p| p == "- 0"),
                    "{name}"
                );
                found.push(name);
            }
        }
        assert_eq!(files(&session.join("places"), "").len(), found.len());
    }
}

#[test]
fn a_worker_that_runs_again_keeps_the_notes_of_the_interrupted_one() {
    let subject = Subject::new("places");
    subject.bench(&[]);
    let session = subject.latest();
    let notes = session.join("places/subject-e00-w05-0.jsonl");
    let before = std::fs::read_to_string(&notes).unwrap();
    // A crash before the last worker's first line, and before the ledger heard of it.
    std::fs::remove_file(session.join("record.json")).unwrap();
    std::fs::remove_file(session.join("observations/subject-e00-w05.jsonl")).unwrap();
    let ledger = session.join("observations/ledger.jsonl");
    let lines = std::fs::read_to_string(&ledger).unwrap();
    let kept: Vec<&str> = lines.lines().take(5).collect();
    std::fs::write(&ledger, format!("{}\n", kept.join("\n"))).unwrap();

    let resumed = subject
        .command(&["--bench"])
        .env("EVENHAND_SESSION", &session)
        .output()
        .unwrap();
    let resumed = common::Finished::new(resumed);
    assert_eq!(resumed.code, 0, "{resumed:#?}");
    let data = &subject.record().measurements.experiments[0];
    assert_eq!(data.fault, None);
    assert_eq!(data.workers.iter().filter(|w| w.is_complete()).count(), 6);
    let aside = files(&session.join("places"), "w05-0.jsonl.interrupted-1");
    assert_eq!(std::fs::read_to_string(&aside[0]).unwrap(), before);
}
