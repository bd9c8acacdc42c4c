//! The process group of a server: made before it, asked to end, killed, and
//! verified to be gone.

use super::guard;
use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How often it is looked whether a group is gone.
const LOOK: Duration = Duration::from_millis(2);
/// A killed group is gone after this long, or something is very wrong.
const KILLED: Duration = Duration::from_secs(5);

/// A process group that does not outlive this process, however that ends.
///
/// It exists, and the guard knows it, before a server is started in it. If this
/// process dies while it starts one, the server either is in the group, and ends
/// with it, or finds no group to join, and does not start.
#[derive(Debug)]
pub(super) struct Group {
    number: Pid,
    /// Holds the group open until a server is in it: waits for input, never acts.
    placeholder: Option<Child>,
}

impl Group {
    /// A group without a server.
    ///
    /// # Errors
    /// If the placeholder or the guard can't be started or told.
    pub(super) fn new() -> io::Result<Self> {
        let placeholder = Command::new("/bin/sh")
            .args(["-c", "read -r _"])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let number = i32::try_from(placeholder.id()).ok().and_then(Pid::from_raw);
        let group = Self {
            number: number.expect("process numbers are positive"),
            placeholder: Some(placeholder),
        };
        guard::watch(group.number())?;
        Ok(group)
    }

    /// For [`CommandExt::process_group`].
    pub(super) fn number(&self) -> i32 {
        self.number.as_raw_nonzero().get()
    }

    /// A server is in the group and holds it.
    pub(super) fn inhabited(&mut self) {
        if let Some(mut placeholder) = self.placeholder.take() {
            let _ = placeholder.kill();
            let _ = placeholder.wait();
        }
    }

    /// Ends all of it: a signal, `patience`, then a kill. `reap` is called while
    /// waiting, so that a child of ours does not stay behind as a zombie.
    /// Descendants of `server` that left the group are killed, too, if their
    /// parents are still known. Returns whether everything is gone.
    pub(super) fn end(mut self, server: u32, patience: Duration, mut reap: impl FnMut()) -> bool {
        self.inhabited();
        let strays = descendants(server, self.number());
        let _ = kill_process_group(self.number, Signal::TERM);
        let mut gone = |limit: Duration| {
            let start = Instant::now();
            loop {
                reap();
                if is_gone(self.number) {
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
            let _ = kill_process_group(self.number, Signal::KILL);
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
}

impl Drop for Group {
    fn drop(&mut self) {
        self.inhabited();
        guard::release(self.number());
    }
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

/// Descendants of a process outside of `group`, with their start times.
fn descendants(of: u32, group: i32) -> Vec<(i32, u64)> {
    let Ok(of) = i32::try_from(of) else {
        return Vec::new();
    };
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
        .filter(|p| family.contains(&p.pid) && p.group != group)
        .map(|p| (p.pid, p.started))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const FOLDER: &str = "EVENHAND_TEST_GROUP_FOLDER";

    /// A server that tells its number, then does nothing for long.
    fn server(group: i32, told: &Path) -> Command {
        let mut command = Command::new("/bin/sh");
        command
            .args([
                "-c",
                "echo $$ > \"$0.new\" && mv \"$0.new\" \"$0\"; exec sleep 1000",
            ])
            .arg(told)
            .process_group(group)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn until(what: &str, mut met: impl FnMut() -> bool) {
        let limit = Instant::now() + Duration::from_secs(20);
        while !met() {
            assert!(Instant::now() < limit, "{what}");
            std::thread::sleep(LOOK);
        }
    }

    /// Run by the test below in a process of its own.
    #[test]
    #[ignore = "kills its process"]
    fn dies_while_it_starts_a_server() {
        let Some(folder) = std::env::var_os(FOLDER) else {
            return;
        };
        let folder = Path::new(&folder);
        let group = Group::new().unwrap();
        std::fs::write(folder.join("group"), group.number().to_string()).unwrap();
        let told = folder.join("server");
        let mut server = server(group.number(), &told).spawn().unwrap();
        // Nobody was told of the server, and no destructor runs.
        let _ = kill_process(rustix::process::getpid(), Signal::KILL);
        let _ = server.wait();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_server_does_not_outlive_who_is_killed_while_starting_it() {
        let folder = tempfile::tempdir().unwrap();
        let name = "serving::target::group::tests::dies_while_it_starts_a_server";
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--ignored"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(!status.success(), "it was not killed");
        let number = std::fs::read_to_string(folder.path().join("group")).unwrap();
        let group = Pid::from_raw(number.parse().unwrap()).unwrap();
        until("the server is left", || is_gone(group));
        // Who comes later finds no group to join.
        until("the group is left", || {
            test_kill_process_group(group).is_err()
        });
        let late = server(group.as_raw_nonzero().get(), &folder.path().join("late"));
        assert!({ late }.spawn().is_err(), "it started");
    }

    #[test]
    fn a_group_ends_with_all_that_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut group = Group::new().unwrap();
        let told = folder.path().join("server");
        let mut child = server(group.number(), &told).spawn().unwrap();
        group.inhabited();
        until("the server did not start", || told.exists());
        let number = group.number;
        assert!(!is_gone(number));
        let id = child.id();
        assert!(group.end(id, Duration::from_secs(10), || {
            let _ = child.try_wait();
        }));
        assert!(is_gone(number));
    }
}
