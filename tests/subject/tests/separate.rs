//! Arms in processes of their own: one works at a time, in the planned order.

mod common;

use common::Subject;
use evenhand_harness::schedule::worker_schedule;
use std::collections::HashMap;

#[test]
fn the_turn_passes_between_processes_in_the_planned_order() {
    let subject = Subject::new("separate");
    subject.bench(&["--seed", "0x5eed"]);
    let record = subject.record();
    let log = std::fs::read_to_string(subject.path("log")).unwrap();
    // One line per slot, in the order in which they ran.
    let mut pad_of = HashMap::new();
    let ran: Vec<(&str, &str)> = log
        .lines()
        .map(|line| {
            let mut words = line.split(' ');
            let mut next = || words.next().unwrap();
            let ran = (next(), next());
            let _iterations = next();
            pad_of.insert(ran.0, next().parse::<usize>().unwrap());
            ran
        })
        .collect();
    let mut seen = std::collections::HashSet::new();
    for data in &record.measurements.experiments {
        let experiment = record.plan.targets[0]
            .experiments
            .iter()
            .find(|e| e.id == data.id)
            .unwrap();
        for worker in &data.workers {
            let pids: Vec<&str> = worker.facts.iter().map(|f| f["process"].as_str()).collect();
            assert_eq!(pids.len(), experiment.instances());
            for pid in &pids {
                assert!(
                    seen.insert((*pid).to_owned()),
                    "every arm is a fresh process"
                );
                assert_ne!(pid.parse(), Ok(worker.pid));
            }
            let instance_of: HashMap<&str, usize> =
                pids.iter().enumerate().map(|(i, pid)| (*pid, i)).collect();
            let order: Vec<usize> = ran
                .iter()
                .filter_map(|(pid, _)| instance_of.get(pid).copied())
                .collect();
            let schedule = worker_schedule(record.plan.seed, "subject", experiment, worker.worker);
            for pid in &pids {
                assert_eq!(pad_of[pid], schedule.environment_pad, "its layout is drawn");
            }
            let planned: Vec<usize> = schedule
                .blocks
                .iter()
                .flat_map(|b| b.primers.iter().chain(&b.slots).copied())
                .collect();
            assert_eq!(order[order.len() - planned.len()..], planned[..]);
            for (pid, arm) in &ran {
                if let Some(&instance) = instance_of.get(pid) {
                    assert_eq!(*arm, experiment.code_of_instance(instance));
                }
            }
        }
    }
    // None outlives its worker.
    for pid in seen {
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    }
}
