//! A process that outlives this one, to end what this one started.
//!
//! A killed process runs no destructors. The guard is a shell in a process
//! group of its own that reads `+ GROUP` and `- GROUP` lines from a pipe. When
//! the pipe closes, however this process ended, it kills the groups that are
//! left, until nothing can join them any more.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};

const SCRIPT: &str = r#"
groups=" "
while read -r what group; do
  case $what in
    +) groups="$groups$group " ;;
    -) before=${groups%%" $group "*}; after=${groups#*" $group "}; groups="$before $after" ;;
  esac
done
for group in $groups; do
  left=500
  while [ $left -gt 0 ] && kill -s KILL -- "-$group" 2>/dev/null; do
    left=$((left - 1)); sleep 0.01
  done
done
"#;

struct Guard {
    _shell: Child,
    pipe: ChildStdin,
}

static GUARD: Mutex<Option<Guard>> = Mutex::new(None);

fn tell(line: &str) -> io::Result<()> {
    let mut guard = GUARD.lock().unwrap_or_else(PoisonError::into_inner);
    if guard.is_none() {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let pipe = shell.stdin.take().expect("stdin is piped");
        *guard = Some(Guard {
            _shell: shell,
            pipe,
        });
    }
    let guard = guard.as_mut().expect("it was just started");
    writeln!(guard.pipe, "{line}").and_then(|()| guard.pipe.flush())
}

/// The group must not outlive this process.
pub(super) fn watch(group: i32) -> io::Result<()> {
    tell(&format!("+ {group}"))
}

/// The group is gone; its number may be used again.
pub(super) fn release(group: i32) {
    // Without a guard there is nothing to be released.
    let _ = tell(&format!("- {group}"));
}
