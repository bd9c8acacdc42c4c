//! The order that really ran is the order of the plan.

mod common;

use common::Subject;
use evenhand_harness::plan::Plan;
use evenhand_harness::schedule::{round_order, worker_schedule};
use std::collections::HashMap;

/// Arms wrote down every call; the last ones of each worker are its slots.
#[test]
fn arms_ran_as_the_schedule_says() {
    let subject = Subject::new("order");
    subject.bench(&["--seed", "0x5eed"]);
    let record = subject.record();
    let plan = &record.plan;

    let mut calls: HashMap<u32, Vec<(String, u64)>> = HashMap::new();
    for line in std::fs::read_to_string(subject.path("log"))
        .unwrap()
        .lines()
    {
        let mut words = line.split(' ');
        let mut next = || words.next().unwrap();
        let pid = next().parse().unwrap();
        calls
            .entry(pid)
            .or_default()
            .push((next().to_owned(), next().parse().unwrap()));
    }
    let mut pids = std::collections::HashSet::new();
    for data in &record.measurements.experiments {
        let experiment = experiment(plan, &data.id);
        assert_eq!(data.workers.len(), 6);
        for worker in &data.workers {
            assert!(pids.insert(worker.pid), "every worker is a fresh process");
            let schedule = worker_schedule(plan.seed, "subject", experiment, worker.worker);
            let planned: Vec<(String, u64)> = schedule
                .blocks
                .iter()
                .flat_map(|b| b.primers.iter().chain(&b.slots))
                .map(|&i| {
                    (
                        experiment.code_of_instance(i).to_owned(),
                        experiment.iterations,
                    )
                })
                .collect();
            let all = &calls[&worker.pid];
            assert_eq!(all[all.len() - planned.len()..], planned[..], "{}", data.id);
            let recorded: Vec<usize> = worker.instance.iter().map(|&i| usize::from(i)).collect();
            let instances: Vec<usize> = schedule
                .blocks
                .iter()
                .flat_map(|b| b.slots.iter().copied())
                .collect();
            assert_eq!(recorded, instances);
        }
    }
}

/// Workers of the experiments alternate round by round in seeded order.
#[test]
fn rounds_are_interleaved() {
    let subject = Subject::new("plain,three_arms,single");
    subject.bench(&["--seed", "11"]);
    let record = subject.record();
    let mut ran: Vec<(String, usize, u32)> = Vec::new();
    for (index, data) in record.measurements.experiments.iter().enumerate() {
        ran.extend(
            data.workers
                .iter()
                .map(|w| (w.started.clone(), index, w.worker)),
        );
    }
    ran.sort();
    let mut expected = Vec::new();
    for round in 0..6 {
        let order = round_order(record.plan.seed, "subject", 3, round);
        expected.extend(order.into_iter().map(|index| (index, round)));
    }
    assert_eq!(
        ran.into_iter().map(|(_, i, w)| (i, w)).collect::<Vec<_>>(),
        expected
    );
}

#[test]
fn a_stored_plan_runs_again_in_the_same_order() {
    let subject = Subject::new("plain,three_arms");
    subject.bench(&[]);
    let first = subject.record();
    let plan = subject.latest().join("plan.json");
    let kept = subject.path("kept.json");
    std::fs::copy(&plan, &kept).unwrap();
    subject.run(&["--bench", "--plan", kept.to_str().unwrap()]);
    let second = subject.record();

    assert_ne!(first.plan.session, second.plan.session);
    assert_eq!(second.plan.attempt, 2);
    assert_eq!(first.plan.seed, second.plan.seed);
    assert_eq!(first.plan.targets, second.plan.targets);
    for (a, b) in first
        .measurements
        .experiments
        .iter()
        .zip(&second.measurements.experiments)
    {
        for (a, b) in a.workers.iter().zip(&b.workers) {
            assert_eq!(
                (&a.letters, &a.instance, a.input_seed),
                (&b.letters, &b.instance, b.input_seed)
            );
            assert_eq!(a.iterations, b.iterations);
        }
    }
    let claims = second.judgement.experiments.iter().flat_map(|e| &e.claims);
    for claim in claims {
        assert!(
            claim.reasons.iter().any(|r| r.code.name() == "attempts"),
            "{claim:#?}"
        );
    }
}

#[test]
fn the_plan_is_on_disk_before_the_first_sample() {
    let subject = Subject::new("order");
    let finished = subject.bench(&["--plan-only", "--seed", "3"]);
    assert!(subject.latest().join("plan.json").exists());
    assert!(
        common::files(&subject.latest().join("observations"), "jsonl").is_empty(),
        "{finished:?}"
    );
    // The same session goes on from the plan.
    let session = subject.latest();
    let output = subject
        .command(&["--bench"])
        .env("EVENHAND_SESSION", &session)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let record = subject.record();
    assert_eq!(subject.latest(), session);
    assert!(
        record
            .measurements
            .experiments
            .iter()
            .all(|e| e.workers.len() == 6)
    );
}

fn experiment<'p>(plan: &'p Plan, id: &str) -> &'p evenhand_harness::plan::ExperimentPlan {
    plan.experiments()
        .map(|(_, e)| e)
        .find(|e| e.id == id)
        .unwrap()
}
