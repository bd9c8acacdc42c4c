//! The server as a process of its own: an executable that starts itself again.
//!
//! The child reads its [`Options`] as one line of JSON from standard input and
//! answers one line on standard output when it serves. It ends when its input
//! closes, so that it never outlives its parent, however that ends, and when
//! SIGTERM or SIGINT asks it to; either way running requests may finish.
//!
//! ```no_run
//! use evenhand::runtime::{Options, child};
//! use std::process::ExitCode;
//!
//! fn main() -> ExitCode {
//!     if let Some(code) = child::serve_if_asked() {
//!         return code; // this process is the server
//!     }
//!     let this = std::env::current_exe().expect("the system knows it");
//!     match child::spawn(&this, &Options::default()) {
//!         Ok(server) => println!("http://{}", server.address()),
//!         Err(problem) => eprintln!("{problem}"),
//!     }
//!     ExitCode::SUCCESS
//! }
//! ```

use super::options::Options;
use super::service::{Runtime, RuntimeError};
use evenhand_harness::run::stop_flag;
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitCode, ExitStatus, Stdio};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// First argument of a server process.
pub const SERVE_ARGUMENT: &str = "__serve";
/// What begins the line that the child answers with; the rest is the address.
pub const READY: &str = "evenhand-serve: ready ";
/// What begins the line that says why the child can't serve.
const REFUSED: &str = "evenhand-serve: refused ";
/// How often the stop flag is looked at.
const GLANCE: Duration = Duration::from_millis(10);

/// A server process; dropping it stops it.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
    input: Option<ChildStdin>,
    address: SocketAddr,
}

/// Starts an executable that calls [`serve_if_asked`] and waits until it
/// serves.
///
/// # Errors
/// If the process can't be started or can't serve; then it has ended.
pub fn spawn(executable: &Path, options: &Options) -> Result<ServerProcess, RuntimeError> {
    let failed = |e: io::Error| RuntimeError::Process(format!("{}: {e}", executable.display()));
    let mut child = Command::new(executable)
        .arg(SERVE_ARGUMENT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let mut input = child.stdin.take().expect("stdin is piped");
    let output = child.stdout.take().expect("stdout is piped");
    let json = serde_json::to_string(options).expect("plain data has a JSON form");
    // A child that died at once is noticed when its output closes.
    let _ = writeln!(input, "{json}");
    let mut refusal = "it ended without a word".to_owned();
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        if let Some(address) = line.strip_prefix(READY).and_then(|a| a.parse().ok()) {
            return Ok(ServerProcess {
                child,
                input: Some(input),
                address,
            });
        }
        if let Some(problem) = line.strip_prefix(REFUSED) {
            refusal = problem.to_owned();
        }
    }
    drop(input);
    let _ = child.kill();
    let _ = child.wait();
    Err(RuntimeError::Process(format!(
        "the server process of {} does not serve: {refusal}",
        executable.display()
    )))
}

impl ServerProcess {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Lets it finish running requests within its limit, and waits for its end.
    ///
    /// # Errors
    /// If the system can't wait for it.
    pub fn stop(mut self) -> io::Result<ExitStatus> {
        drop(self.input.take());
        self.child.wait()
    }

    /// Kills it.
    ///
    /// # Errors
    /// If the system can't kill it or wait for it.
    pub fn kill(mut self) -> io::Result<ExitStatus> {
        self.child.kill()?;
        self.child.wait()
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        if self.input.take().is_some() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// When this process was started by [`spawn`], serves until standard input
/// closes or a signal asks for the end, and returns the exit code.
#[must_use]
pub fn serve_if_asked() -> Option<ExitCode> {
    (std::env::args_os().nth(1).as_deref() == Some(OsStr::new(SERVE_ARGUMENT))).then(serve)
}

fn serve() -> ExitCode {
    match serve_to_the_end() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            println!("{REFUSED}{problem}");
            ExitCode::from(2)
        }
    }
}

fn serve_to_the_end() -> Result<(), String> {
    let stop = stop_flag().map_err(|e| e.to_string())?;
    let mut line = String::new();
    io::stdin()
        .read_line(&mut line)
        .map_err(|e| e.to_string())?;
    let options = serde_json::from_str::<Options>(&line).map_err(|e| e.to_string())?;
    let runtime = Runtime::spawn(options).map_err(|e| e.to_string())?;
    // A parent that is gone is noticed right below.
    let _ = writeln!(io::stdout(), "{READY}{}", runtime.address());
    let (open, parent) = channel::<()>();
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        drop(open);
    });
    while !stop.load(Ordering::Relaxed)
        && parent.recv_timeout(GLANCE) == Err(RecvTimeoutError::Timeout)
    {}
    runtime.stop();
    Ok(())
}
