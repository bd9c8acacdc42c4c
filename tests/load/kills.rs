//! Whatever is killed, and whenever: what was measured stays readable, says
//! whether it is whole, and nothing goes on running.

use super::*;
use rustix::process::Signal;

/// A process with its parent, and when it was started: numbers are used again.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Process {
    pid: i32,
    parent: i32,
    started: u64,
}

fn process(pid: i32) -> Option<Process> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    (fields[0] != "Z").then_some(())?;
    Some(Process {
        pid,
        parent: fields[1].parse().ok()?,
        started: fields[19].parse().ok()?,
    })
}

/// A process and everything below it, parents first.
fn family(of: i32) -> Vec<Process> {
    let entries = std::fs::read_dir("/proc").unwrap();
    let pids = entries.filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok());
    let all: Vec<Process> = pids.filter_map(process).collect();
    let mut family: Vec<Process> = all.iter().copied().filter(|p| p.pid == of).collect();
    let mut at = 0;
    while at < family.len() {
        let parent = family[at].pid;
        family.extend(all.iter().filter(|p| p.parent == parent));
        at += 1;
    }
    family
}

/// Waits until every one of them is gone.
fn assert_gone(family: &[Process]) {
    let limit = Instant::now() + Duration::from_secs(20);
    while let Some(left) = family.iter().find(|p| process(p.pid) == Some(**p)) {
        assert!(Instant::now() < limit, "{left:?} of {family:?} is left");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits for the end; a command that hangs is killed and its name told.
fn end(mut child: Child, what: &str) -> Output {
    let limit = Instant::now() + Duration::from_secs(180);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > limit {
            let _ = child.kill();
            panic!("{what} did not end");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap()
}

/// Who is killed: the client, or a process that it started.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Victim {
    Client(Signal),
    Worker,
    Server,
}

#[test]
fn a_kill_at_any_point_leaves_a_readable_record_and_no_process() {
    let _shared = shared();
    let mut stream = Stream::new(7, "kills at any point");
    let victims = [
        Victim::Client(Signal::KILL),
        Victim::Worker,
        Victim::Client(Signal::KILL),
        Victim::Server,
        Victim::Client(Signal::INT),
        Victim::Client(Signal::KILL),
        Victim::Worker,
        Victim::Client(Signal::TERM),
    ];
    for (round, victim) in victims.into_iter().enumerate() {
        let dir = tempfile::tempdir().unwrap();
        let marker = format!("any-{round}-{}", std::process::id());
        let a = target(dir.path(), "a", &marker, 1_000);
        let b = target(dir.path(), "b", &marker, 1_000);
        let both = [
            "--target",
            a.to_str().unwrap(),
            "--against",
            b.to_str().unwrap(),
        ];
        let few = ["--workers", "6", "--blocks", "20", "--max-tokens", "2"];
        // Every other one measures blocks of several users.
        let users = ["--concurrency", "3", "--requests", "10"];
        let users = &users[..if round % 2 == 0 { 0 } else { 4 }];
        let mut child = load(dir.path(), &[&both[..], &few[..], users].concat())
            .spawn()
            .unwrap();
        let client = child.id() as i32;

        // From the client's own proof, through the pilot and warm-ups, to the end.
        std::thread::sleep(Duration::from_millis(stream.index(6_000) as u64));
        let before = family(client);
        let servers = processes(&marker);
        let drawn = (!servers.is_empty()).then(|| servers[stream.index(servers.len().max(1))]);
        let killed = match (victim, drawn) {
            _ if child.try_wait().unwrap().is_some() => false,
            (Victim::Client(how), _) => {
                signal(client, how);
                true
            }
            (_, None) => false,
            (Victim::Worker, Some((_, pid))) | (Victim::Server, Some((pid, _))) => {
                let pid = rustix::process::Pid::from_raw(pid).unwrap();
                // Between two looks it may have ended by itself.
                rustix::process::kill_process(pid, Signal::KILL).is_ok()
            }
        };
        let output = end(child, "the client");
        assert_gone(&before);
        assert_no_orphans(&marker);
        let what = format!("round {round}, {victim:?}, {killed}: {}", words(&output));

        let session = dir.path().join("sessions/latest");
        if !session.exists() {
            assert!(matches!(victim, Victim::Client(_)), "{what}");
            continue;
        }
        let session = std::fs::canonicalize(session).unwrap();
        // A record is written at the end; without one the session itself is read.
        let shown = evenhand(dir.path(), &["show", session.to_str().unwrap()]).output();
        let shown = shown.unwrap();
        assert!(shown.status.success(), "{what}\n{}", words(&shown));
        let whole = !words(&shown).contains("incomplete");
        match victim {
            Victim::Client(_) if killed => {
                let ended = output.status.code() == Some(0);
                assert_eq!(whole, ended, "{what}\n{}", words(&shown));
            }
            // A worker is replaced, but not the pilot's; a server that ends fails
            // the experiment.
            Victim::Server | Victim::Worker if killed => assert!(
                matches!(output.status.code(), Some(0 | 7)) && whole,
                "{what}"
            ),
            _ => assert!(output.status.success() && whole, "{what}"),
        }
        for file in std::fs::read_dir(session.join("requests"))
            .into_iter()
            .flatten()
        {
            evenhand::serving::arm::read_rows(&file.unwrap().path()).unwrap();
        }
        if whole {
            continue;
        }
        // What was cut off can be finished, unless it had no plan yet.
        let child = evenhand(dir.path(), &["resume", "--quiet"])
            .spawn()
            .unwrap();
        let resumed = end(child, "resume");
        let plan = std::fs::read_to_string(session.join("plan.json")).unwrap();
        let planned = plan.contains("\"experiments\"");
        let expected = if planned { Some(0) } else { Some(4) };
        assert_eq!(
            resumed.status.code(),
            expected,
            "{what}\n{}",
            words(&resumed)
        );
        if planned {
            let status = record(dir.path(), &resumed)["measurements"]["status"].clone();
            assert_eq!(status, "complete", "{what}");
        }
        assert_no_orphans(&marker);
    }
}

/// Nothing waits for an answer that takes a minute: the pilot's first one here.
#[test]
fn a_client_that_is_killed_in_the_pilot_leaves_no_worker_behind() {
    let _shared = shared();
    let dir = tempfile::tempdir().unwrap();
    let marker = format!("pilot-{}", std::process::id());
    let slow = target(dir.path(), "slow", &marker, 60_000_000);
    let one = ["--target", slow.to_str().unwrap()];
    let mut child = load(dir.path(), &one).spawn().unwrap();
    wait_for_servers(&marker, &mut child);
    let before = family(child.id() as i32);
    assert!(
        before.len() >= 4,
        "client, worker and two servers: {before:?}"
    );
    child.kill().unwrap();
    child.wait().unwrap();
    assert_gone(&before);
    assert_no_orphans(&marker);

    let shown = evenhand(dir.path(), &["show"]).output().unwrap();
    assert!(shown.status.success(), "{}", words(&shown));
    assert!(
        words(&shown).contains("before anything was planned"),
        "{}",
        words(&shown)
    );
    let resumed = evenhand(dir.path(), &["resume"]).output().unwrap();
    assert_eq!(resumed.status.code(), Some(4), "{}", words(&resumed));
    assert!(words(&resumed).contains("before it had a plan"));
}
