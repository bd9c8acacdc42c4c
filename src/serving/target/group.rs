//! Process groups: asked to end, killed, and verified to be gone.

use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};
use std::time::{Duration, Instant};

/// How often it is looked whether a group is gone.
const LOOK: Duration = Duration::from_millis(2);
/// A killed group is gone after this long, or something is very wrong.
const KILLED: Duration = Duration::from_secs(5);

/// Ends a group: a signal, `patience`, then a kill. `reap` is called while
/// waiting, so that a child of ours does not stay behind as a zombie. Processes
/// that left the group are killed, too, if their parents are still known.
/// Returns whether everything is gone.
pub(super) fn end(group: Pid, patience: Duration, mut reap: impl FnMut()) -> bool {
    let strays = descendants(group.as_raw_nonzero().get());
    let _ = kill_process_group(group, Signal::TERM);
    let mut gone = |limit: Duration| {
        let start = Instant::now();
        loop {
            reap();
            if is_gone(group) {
                return true;
            }
            if start.elapsed() >= limit {
                return false;
            }
            std::thread::sleep(LOOK);
        }
    };
    let mut ended = gone(patience);
    if !ended {
        let _ = kill_process_group(group, Signal::KILL);
        ended = gone(KILLED);
    }
    for (pid, started) in strays {
        if start_time(pid) == Some(started)
            && let Some(pid) = Pid::from_raw(pid)
        {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    ended
}

/// Whether no process of the group runs. Zombies that nobody collects (a
/// container without an init) do not run.
fn is_gone(group: Pid) -> bool {
    test_kill_process_group(group).is_err()
        || processes()
            .into_iter()
            .all(|p| p.group != group.as_raw_nonzero().get() || p.state == 'Z' || p.state == 'X')
            && cfg!(target_os = "linux")
}

struct Process {
    pid: i32,
    parent: i32,
    group: i32,
    state: char,
    started: u64,
}

/// All processes; none where there is no `/proc`.
fn processes() -> Vec<Process> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(process)
        .collect()
}

fn process(pid: i32) -> Option<Process> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(Process {
        pid,
        state: fields.first()?.chars().next()?,
        parent: fields.get(1)?.parse().ok()?,
        group: fields.get(2)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
    })
}

fn start_time(pid: i32) -> Option<u64> {
    process(pid).map(|p| p.started)
}

/// Descendants of a process outside of its group, with their start times.
fn descendants(of: i32) -> Vec<(i32, u64)> {
    let all = processes();
    let mut family = vec![of];
    let mut at = 0;
    while at < family.len() {
        let parent = family[at];
        let children = all
            .iter()
            .filter(|p| p.parent == parent && !family.contains(&p.pid));
        let children: Vec<i32> = children.map(|p| p.pid).collect();
        family.extend(children);
        at += 1;
    }
    all.iter()
        .filter(|p| family.contains(&p.pid) && p.group != of)
        .map(|p| (p.pid, p.started))
        .collect()
}
