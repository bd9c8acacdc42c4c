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

#[cfg(target_os = "linux")]
#[test]
fn an_arm_that_hangs_does_not_outlive_its_worker() {
    use std::process::Stdio;
    use std::time::{Duration, Instant};

    let subject = Subject::new("apart_hangs");
    let mut session = subject
        .command(&["--bench"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Generous waits: they end as soon as what they wait for is there.
    let wait = |done: &dyn Fn() -> bool| {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !done() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        done()
    };
    let pid = || {
        std::fs::read_to_string(subject.path("log"))
            .ok()?
            .parse()
            .ok()
    };
    assert!(wait(&|| pid().is_some()), "the arm was never asked");
    let pid: u32 = pid().unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let worker: i32 = fields.split(' ').nth(1).unwrap().parse().unwrap();
    #[allow(unsafe_code, reason = "the standard library can only kill children")]
    // SAFETY: kill has no memory effects; the process is a child of our child.
    let sent = unsafe { libc::kill(worker, libc::SIGKILL) };
    assert_eq!(sent, 0);
    session.wait().unwrap();
    // A zombie that nobody waits for has ended, too.
    let gone = || {
        std::fs::read_to_string(format!("/proc/{pid}/stat"))
            .map_or(true, |stat| stat.contains(") Z "))
    };
    let ended = wait(&gone);
    if !ended {
        #[allow(unsafe_code, reason = "the standard library can only kill children")]
        // SAFETY: kill has no memory effects; the process is of this test.
        unsafe {
            libc::kill(pid as i32, libc::SIGKILL)
        };
    }
    assert!(ended, "process {pid} is an orphan");
}
