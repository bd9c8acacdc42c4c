//! A started server.

use super::group::Group;
use super::ready::{Look, look};
use super::{CommandLine, Readiness, Server, Target};
use crate::serving::clock;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How much of a log is quoted.
const QUOTED: usize = 600;

/// Why a target does not serve. The message ends with its last words.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its process could not be started.
    #[error(
        "target `{name}`: `{program}` can't be started: {source}; `command` is looked up in PATH, or give its whole path"
    )]
    Spawn {
        /// The target.
        name: String,
        /// Its program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// Files, sockets or its process group.
    #[error("target `{name}`: {what}: {source}")]
    System {
        /// The target.
        name: String,
        /// What was done.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// It ended before it served.
    #[error("target `{name}` ended ({status}) before it served{words}")]
    Ended {
        /// The target.
        name: String,
        /// How.
        status: String,
        /// Its last words.
        words: String,
    },
    /// It did not serve in time.
    #[error("target `{name}` did not serve within {seconds} s (`start_timeout_s`){words}")]
    Timeout {
        /// The target.
        name: String,
        /// The limit.
        seconds: u64,
        /// Its last words.
        words: String,
    },
    /// It answered its health check in an unexpected way.
    #[error("target `{name}`: {problem}{words}")]
    Unready {
        /// The target.
        name: String,
        /// What it answered.
        problem: String,
        /// Its last words.
        words: String,
    },
}

/// A server that serves. Dropping it ends its whole process group.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    process: Option<Process>,
    spawned_ns: u64,
    ready_ns: u64,
}

#[derive(Debug)]
struct Process {
    child: Child,
    input: Option<ChildStdin>,
    group: Group,
    patience: Duration,
    /// Standard output and error.
    logs: [PathBuf; 2],
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From just before the process was started until it was known to serve,
    /// in nanoseconds; `None` when it ran before.
    #[must_use]
    pub fn startup_ns(&self) -> Option<u64> {
        self.process.as_ref()?;
        Some(self.ready_ns.saturating_sub(self.spawned_ns))
    }

    /// Just before the process was started, on [`clock`].
    #[must_use]
    pub fn spawned_ns(&self) -> u64 {
        self.spawned_ns
    }

    /// When it was known to serve, on [`clock`].
    #[must_use]
    pub fn ready_ns(&self) -> u64 {
        self.ready_ns
    }

    /// Its process.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().map(|p| p.child.id())
    }

    /// How it ended, with its last words; `None` while it runs.
    pub fn ended(&mut self) -> Option<String> {
        let process = self.process.as_mut()?;
        let status = process.child.try_wait().ok().flatten()?;
        Some(format!("{status}{}", last_words(&process.logs)))
    }

    /// Ends it and waits until nothing of it is left. Returns whether it is so.
    pub fn stop(mut self) -> bool {
        self.process.take().is_none_or(Process::end)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            process.end();
        }
    }
}

impl Process {
    fn end(mut self) -> bool {
        drop(self.input.take());
        self.group.end(self.child.id(), self.patience, || {
            let _ = self.child.try_wait();
        })
    }
}

impl Target {
    /// Starts it, with standard output and error in `<logs>.out` and
    /// `<logs>.err`, and waits until it serves. A server that runs already is
    /// only looked at.
    ///
    /// # Errors
    /// If it does not serve; then nothing of it runs any more.
    pub fn start(&self, logs: &Path) -> Result<Running, StartError> {
        match &self.server {
            Server::Address(address) => {
                let now = clock::now();
                Ok(Running {
                    address: *address,
                    process: None,
                    spawned_ns: now,
                    ready_ns: now,
                })
            }
            Server::Command(command) => Start {
                name: &self.name,
                command,
                logs: [logs.with_extension("out"), logs.with_extension("err")],
            }
            .run(),
        }
    }
}

struct Start<'a> {
    name: &'a str,
    command: &'a CommandLine,
    logs: [PathBuf; 2],
}

impl Start<'_> {
    fn system(&self, what: &str) -> impl FnOnce(io::Error) -> StartError {
        let (name, what) = (self.name.to_owned(), what.to_owned());
        move |source| StartError::System { name, what, source }
    }

    fn run(self) -> Result<Running, StartError> {
        let group = Group::new().map_err(self.system("making its process group (/bin/sh)"))?;
        let port = match self.command.port {
            Some(port) => port,
            None => free_port().map_err(self.system("looking for a free port"))?,
        };
        let mut command = self.prepare(port, &group)?;
        let spawned_ns = clock::now();
        let mut child = command.spawn().map_err(|source| StartError::Spawn {
            name: self.name.to_owned(),
            program: self.command.program.to_string_lossy().into_owned(),
            source,
        })?;
        let mut input = child.stdin.take();
        if let (Some(pipe), Some(line)) = (&mut input, &self.command.input) {
            // If it is gone, waiting for it tells.
            let _ = writeln!(pipe, "{line}");
        }
        let stdout = child.stdout.take();
        // From here on a drop ends the group.
        let mut running = Running {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            process: Some(Process {
                child,
                input,
                group,
                patience: self.command.stop_timeout,
                logs: self.logs.clone(),
            }),
            spawned_ns,
            ready_ns: spawned_ns,
        };
        match (&self.command.readiness, stdout) {
            (Readiness::Pipe { prefix }, Some(stdout)) => {
                let log = File::create(&self.logs[0]).map_err(self.system("its log"))?;
                let lines = forward(stdout, log, prefix.clone());
                self.wait_for_line(&mut running, &lines)?;
            }
            _ => self.wait(&mut running)?,
        }
        // Only now, to leave the start alone.
        if let Some(process) = &mut running.process {
            process.group.inhabited();
        }
        Ok(running)
    }

    fn prepare(&self, port: u16, group: &Group) -> Result<Command, StartError> {
        let given = self.command;
        if let Some(folder) = self.logs[0].parent() {
            std::fs::create_dir_all(folder).map_err(self.system("the folder of its logs"))?;
        }
        let log = |at: usize| {
            File::create(&self.logs[at])
                .map(Stdio::from)
                .map_err(self.system(&self.logs[at].display().to_string()))
        };
        let mut command = Command::new(&given.program);
        let port = port.to_string();
        command
            .args(given.arguments.iter().map(|a| a.replace("{port}", &port)))
            .env_clear()
            .envs(
                given
                    .inherit
                    .iter()
                    .filter_map(|name| Some((name, std::env::var_os(name)?))),
            )
            .envs(
                given
                    .environment
                    .iter()
                    .map(|(k, v)| (k, v.replace("{port}", &port))),
            )
            .process_group(group.number())
            .stdin(if given.input.is_some() {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(match given.readiness {
                Readiness::Pipe { .. } => Stdio::piped(),
                _ => log(0)?,
            })
            .stderr(log(1)?);
        if let Some(directory) = &given.directory {
            command.current_dir(directory);
        }
        Ok(command)
    }

    fn wait(&self, running: &mut Running) -> Result<(), StartError> {
        let limit = Instant::now() + self.command.start_timeout;
        let poll = match self.command.readiness {
            Readiness::Http { poll, .. } => poll,
            _ => Duration::from_millis(1),
        };
        loop {
            let seen = look(
                &self.command.readiness,
                running.address,
                [&self.logs[0], &self.logs[1]],
            );
            running.ready_ns = clock::now();
            // A server of somebody else may answer on the port: ours must live.
            self.still_running(running)?;
            match seen {
                Look::Ready => return Ok(()),
                Look::Wrong(problem) => {
                    return Err(StartError::Unready {
                        name: self.name.to_owned(),
                        problem,
                        words: last_words(&self.logs),
                    });
                }
                Look::Loading if Instant::now() >= limit => return Err(self.timeout()),
                Look::Loading => std::thread::sleep(poll),
            }
        }
    }

    fn wait_for_line(
        &self,
        running: &mut Running,
        lines: &Receiver<(u64, String)>,
    ) -> Result<(), StartError> {
        match lines.recv_timeout(self.command.start_timeout) {
            Ok((at, rest)) => {
                running.ready_ns = at;
                if let Ok(address) = rest.trim().parse() {
                    running.address = address;
                }
                Ok(())
            }
            Err(RecvTimeoutError::Timeout) => Err(self.timeout()),
            Err(RecvTimeoutError::Disconnected) => {
                // Its output closed: it ends, or has ended.
                let limit = Instant::now() + Duration::from_secs(1);
                while Instant::now() < limit {
                    self.still_running(running)?;
                    std::thread::sleep(Duration::from_millis(2));
                }
                Err(StartError::Unready {
                    name: self.name.to_owned(),
                    problem: "it closed its output before it said that it serves".to_owned(),
                    words: last_words(&self.logs),
                })
            }
        }
    }

    fn still_running(&self, running: &mut Running) -> Result<(), StartError> {
        let process = running.process.as_mut().expect("it was just started");
        match process.child.try_wait() {
            Ok(Some(status)) => Err(StartError::Ended {
                name: self.name.to_owned(),
                status: status.to_string(),
                words: last_words(&self.logs),
            }),
            _ => Ok(()),
        }
    }

    fn timeout(&self) -> StartError {
        StartError::Timeout {
            name: self.name.to_owned(),
            seconds: self.command.start_timeout.as_secs(),
            words: last_words(&self.logs),
        }
    }
}

/// Copies a server's output to its log and reports the line that begins with
/// `prefix`, with the time at which it came.
fn forward(
    from: impl io::Read + Send + 'static,
    mut log: File,
    prefix: String,
) -> Receiver<(u64, String)> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut sender = Some(sender);
        let mut lines = BufReader::new(from);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            let at = clock::now();
            let text = String::from_utf8_lossy(&line);
            if let Some(rest) = text.strip_prefix(&prefix)
                && let Some(sender) = sender.take()
            {
                let _ = sender.send((at, rest.to_owned()));
            }
            let _ = log.write_all(&line);
            line.clear();
        }
    });
    receiver
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

/// The end of what a server wrote, for messages.
fn last_words(logs: &[PathBuf; 2]) -> String {
    let text = logs
        .iter()
        .rev()
        .filter_map(|log| std::fs::read(log).ok())
        .map(|bytes| {
            let tail = &bytes[bytes.len().saturating_sub(QUOTED)..];
            String::from_utf8_lossy(tail).trim().to_owned()
        })
        .find(|text| !text.is_empty());
    match text {
        Some(text) => format!("; its last words: {text}"),
        None => "; it wrote nothing".to_owned(),
    }
}
