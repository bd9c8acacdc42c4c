//! `cargo evenhand load` against null servers in processes of their own: what
//! is planted is found, what is not is not, and nothing survives a kill.
#![cfg(unix)]

#[path = "load/cells.rs"]
mod cells;
#[path = "load/kills.rs"]
mod kills;
#[path = "load/resume.rs"]
mod resume;
#[path = "load/servers.rs"]
mod servers;
#[path = "load/warm_up.rs"]
mod warm_up;

use bootstrap::Stream;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

static MACHINE: RwLock<()> = RwLock::new(());

/// For what is judged by times: other measurements would be foreign load.
fn alone() -> RwLockWriteGuard<'static, ()> {
    MACHINE.write().unwrap_or_else(PoisonError::into_inner)
}

/// For what must hold at any load.
fn shared() -> RwLockReadGuard<'static, ()> {
    MACHINE.read().unwrap_or_else(PoisonError::into_inner)
}

/// The example built beside the tests.
fn null_server() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples/null_server");
    assert!(
        path.is_file(),
        "{} is missing: `cargo test` builds examples",
        path.display()
    );
    path
}

/// A target file of a null server; the marker makes its processes findable.
fn target(dir: &Path, name: &str, marker: &str, first_us: u32) -> PathBuf {
    let file = dir.join(format!("{name}.toml"));
    let text = format!(
        "[target]\nname = \"{name}\"\ncommand = \"{}\"\nargs = [\"0\", '{{\"first_us\":{first_us},\
         \"gap_us\":300}}', \"{marker}\"]\nreadiness = {{ pipe = \"null_server: ready \" }}\n",
        null_server().display()
    );
    std::fs::write(&file, text).unwrap();
    file
}

fn load(dir: &Path, arguments: &[&str]) -> Command {
    evenhand(dir, &[&["load"], arguments].concat())
}

fn evenhand(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-evenhand"));
    command
        .args(arguments)
        .env("EVENHAND_DIR", dir.join("sessions"))
        .env_remove("EVENHAND_SESSION")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn words(output: &Output) -> String {
    format!(
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Processes whose command line holds the marker, with their parents.
fn processes(marker: &str) -> Vec<(i32, i32)> {
    let entries = std::fs::read_dir("/proc").unwrap();
    let pids = entries.filter_map(|e| e.ok()?.file_name().to_str()?.parse::<i32>().ok());
    pids.filter_map(|pid| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let arguments: Vec<&[u8]> = line.split(|&b| b == 0).collect();
        arguments.contains(&marker.as_bytes()).then_some(())?;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let state = fields.next()?;
        (state != "Z").then_some(())?;
        Some((pid, fields.next()?.parse().ok()?))
    })
    .collect()
}

/// Waits until the servers of a worker run.
fn wait_for_servers(marker: &str, child: &mut Child) -> Vec<(i32, i32)> {
    let limit = Instant::now() + Duration::from_secs(60);
    loop {
        let found = processes(marker);
        if found.len() >= 2 {
            return found;
        }
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
        assert!(Instant::now() < limit, "no server came up");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Nothing of ours is left, after some patience.
fn assert_no_orphans(marker: &str) {
    let limit = Instant::now() + Duration::from_secs(20);
    while !processes(marker).is_empty() {
        assert!(Instant::now() < limit, "orphans: {:?}", processes(marker));
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn signal(pid: i32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

/// The record that a session left.
#[track_caller]
fn record(dir: &Path, output: &Output) -> Value {
    let file = dir.join("sessions/latest/record.json");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|e| {
        panic!(
            "{}: {e}\n{}\n{}",
            file.display(),
            output.status,
            words(output)
        )
    });
    serde_json::from_str(&text).unwrap()
}

/// The first object that has a key.
fn find<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    match value {
        Value::Object(map) if map.get(key).is_some_and(Value::is_string) => Some(value),
        Value::Object(map) => map.values().find_map(|v| find(v, key)),
        Value::Array(items) => items.iter().find_map(|v| find(v, key)),
        _ => None,
    }
}

const SMALL: &[&str] = &[
    "--workers",
    "10",
    "--blocks",
    "10",
    "--max-tokens",
    "2",
    "--margin",
    "1",
    "--quiet",
];

/// A server that needs twice as long is seen whatever else the machine does:
/// the exact test is asked, not the width of the interval.
#[test]
fn a_planted_slowdown_is_found_and_nothing_is_not() {
    planted(40_000, |claim| {
        let estimate = &claim["estimate"];
        estimate["p"].as_f64().unwrap() <= 0.05 && estimate["effect"].as_f64().unwrap() > 0.0
    });
    // Without a difference `strong` comes in one run of a hundred at most.
    planted(20_000, |claim| claim["class"] != "strong");
}

#[test]
#[ignore = "two percent need a quiet machine: cargo test --test load -- --ignored"]
fn two_percent_are_found() {
    planted(20_400, |claim| {
        claim["class"] == "strong" || claim["class"] == "moderate"
    });
}

/// Measures a null server that needs 20 ms against one that needs `first_us`,
/// and judges the claim.
fn planted(first_us: u32, good: fn(&Value) -> bool) {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let marker = format!("plant-{first_us}-{}", std::process::id());
    let a = target(dir.path(), "a", &marker, 20_000);
    let b = target(dir.path(), "b", &marker, first_us);
    let mut arguments = vec![
        "--target",
        a.to_str().unwrap(),
        "--against",
        b.to_str().unwrap(),
    ];
    arguments.extend_from_slice(SMALL);
    arguments.extend_from_slice(&["--tail", "50,95"]);
    let output = load(dir.path(), &arguments).output().unwrap();
    assert!(output.status.success(), "{}", words(&output));
    let record = record(dir.path(), &output);
    check_tails(&record, 20_000.0 / f64::from(first_us));
    let claim = find(&record["judgement"]["experiments"], "class").expect("a claim");
    assert!(good(claim), "{}", words(&output));
    assert!(
        dir.path()
            .join("sessions/latest/client_proof.json")
            .is_file()
    );
    assert_no_orphans(&marker);

    // Everything can be derived again from the raw rows.
    let requests = dir.path().join("sessions/latest/requests");
    let files: Vec<_> = std::fs::read_dir(requests).unwrap().collect();
    assert_eq!(files.len(), 10 * 3, "three servers in each of ten workers");
    for file in files {
        let rows = evenhand::serving::arm::read_rows(&file.unwrap().path()).unwrap();
        assert!(rows.iter().filter(|r| r.block.is_some()).count() >= 6);
        assert!(
            rows.iter()
                .all(|r| r.attempt.stamps.first_content_ns.is_some())
        );
    }
}

/// Half of a few requests is known, their slowest twentieth is not.
fn check_tails(record: &Value, ratio: f64) {
    let judged = record["judgement"]["experiments"][0]["secondary"]
        .as_array()
        .unwrap();
    let of = |id: &str| judged.iter().find(|m| m["metric"] == id).unwrap();
    let half = of("ttft.content@sent.p50");
    let median = |arm: usize| half["arms"][arm]["median"].as_f64().unwrap();
    let seen = median(0) / median(1);
    assert!((seen / ratio - 1.0).abs() < 0.3, "{seen} for {ratio}");
    let slowest = &of("ttft.content@sent.p95")["claims"][0];
    let reasons = slowest["reasons"].to_string();
    assert!(reasons.contains("quantile_floor"), "{slowest}");
}

#[test]
fn no_kill_leaves_an_orphan_or_an_unreadable_record() {
    let _shared = shared();
    let mut stream = Stream::new(20_26, "kills");
    for victim in ["server", "worker", "client"] {
        let dir = tempfile::tempdir().unwrap();
        let marker = format!("kill-{victim}-{}", std::process::id());
        let a = target(dir.path(), "a", &marker, 3_000);
        let b = target(dir.path(), "b", &marker, 3_000);
        let arguments = [
            "--target",
            a.to_str().unwrap(),
            "--against",
            b.to_str().unwrap(),
            "--workers",
            "12",
            "--blocks",
            "40",
            "--max-tokens",
            "2",
        ];
        let mut child = load(dir.path(), &arguments).spawn().unwrap();
        // Not the pilot's: those of the first worker that records.
        let limit = Instant::now() + Duration::from_secs(90);
        let requests = dir.path().join("sessions/latest/requests");
        while !requests.is_dir() {
            assert!(Instant::now() < limit, "nothing was measured");
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(Duration::from_millis(100 + stream.index(900) as u64));
        let servers = wait_for_servers(&marker, &mut child);
        let (server, worker) = servers[stream.index(servers.len())];
        match victim {
            "server" => signal(server, rustix::process::Signal::KILL),
            "worker" => {
                signal(worker, rustix::process::Signal::KILL);
                std::thread::sleep(Duration::from_millis(500));
                signal(child.id() as i32, rustix::process::Signal::INT);
            }
            _ => signal(child.id() as i32, rustix::process::Signal::INT),
        }
        let output = child.wait_with_output().unwrap();
        assert_no_orphans(&marker);
        let record = record(dir.path(), &output);
        let text = record.to_string();
        if victim == "server" {
            assert_eq!(output.status.code(), Some(7), "{}", words(&output));
            assert!(
                text.contains("ended while it was measured"),
                "{}",
                words(&output)
            );
        } else {
            assert_eq!(output.status.code(), Some(130), "{}", words(&output));
            assert!(
                text.contains("\"status\":\"incomplete\""),
                "{}",
                words(&output)
            );
        }
        for file in std::fs::read_dir(requests).unwrap() {
            evenhand::serving::arm::read_rows(&file.unwrap().path()).unwrap();
        }
    }
}

#[test]
fn wrong_invocations_name_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let good = target(dir.path(), "good", "unused", 1_000);
    let good = good.to_str().unwrap();
    let bad = dir.path().join("bad.toml");
    std::fs::write(
        &bad,
        "[target]\nname = \"x\"\ncommand = \"y\"\nport = 1\nmodell = \"z\"\n",
    )
    .unwrap();
    let cases: &[(&[&str], &str)] = &[
        (
            &["--target", bad.to_str().unwrap()],
            "bad.toml: `target.modell`: there is no such key; did you mean `model`?",
        ),
        (&["--target", "nothing.toml"], "nothing.toml: "),
        (&["--target", "http://192.0.2.1:80"], "--allow-remote"),
        (
            &["--target", "http://127.0.0.1:9", "--mode", "cold"],
            "can't be restarted",
        ),
        (
            &["--target", good, "--metric", "speed"],
            "ttft.content@sent",
        ),
        (
            &["--target", good, "--mode", "cold", "--concurrency", "4"],
            "cold start",
        ),
        (&["--target", good, "--rate", "-1"], "rate"),
        (&["--target", good, "--tail", "100"], "between 0 and 1"),
        (
            &["--target", good, "--mode", "cold", "--tail", "95"],
            "leave cold starts and cells out",
        ),
        (
            &["--target", good, "--concurrency", "2,4,2"],
            "--concurrency names 2 twice",
        ),
        (
            &["--target", good, "--rate", "5", "--requests", "4294967295"],
            "at most 1000000 requests",
        ),
    ];
    for (arguments, expected) in cases {
        let output = load(dir.path(), arguments).output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(2),
            "{arguments:?}: {}",
            words(&output)
        );
        let said = String::from_utf8_lossy(&output.stderr).replace('\n', " ");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}

/// A server that knows no such model will not know it later either.
#[cfg(feature = "runtime")]
#[test]
fn a_refused_request_ends_the_experiment_with_the_servers_own_words() {
    let _shared = shared();
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, model: &str| {
        let path = dir.path().join(format!("{name}.toml"));
        let text = format!(
            "[target]\nname = \"{name}\"\n{model}engine = \"evenhand\"\ncommand = \"{}\"\nargs = \
             [\"serve\", \"--preset\", \"tiny\", \"--port\", \"{{port}}\"]\n",
            env!("CARGO_BIN_EXE_cargo-evenhand")
        );
        std::fs::write(&path, text).unwrap();
        path
    };
    let (known, unknown) = (
        file("known", "model = \"tiny\"\n"),
        file("unknown", "model = \"unknown\"\n"),
    );
    let arguments = ["--workers", "6", "--blocks", "2", "--max-tokens", "2"];
    let run = |target: &Path| {
        let target = ["--target", target.to_str().unwrap()];
        let output = load(dir.path(), &[&target[..], &arguments].concat());
        { output }.output().unwrap()
    };
    let refused = run(&unknown);
    assert_eq!(refused.status.code(), Some(7), "{}", words(&refused));
    for word in ["refuses the request", "no model `unknown`", "names `model`"] {
        assert!(words(&refused).contains(word), "{}", words(&refused));
    }
    let answered = run(&known);
    assert_eq!(answered.status.code(), Some(0), "{}", words(&answered));
}
