//! Sweeps: the cells of one server against each other, and two servers within
//! each cell.

use super::*;
use std::collections::{BTreeMap, BTreeSet};

/// A null server that leaves its batch to the sweep, as `limit` says.
fn server(dir: &Path, marker: &str, limit: &str) -> PathBuf {
    let file = dir.join("server.toml");
    let text = format!(
        "[target]\nname = \"server\"\ncommand = \"{}\"\nargs = [\"0\", '{{\"first_us\":10000,\
         \"gap_us\":300{limit}}}', \"{marker}\", \"batch {{batch}}\"]\nreadiness = {{ pipe = \
         \"null_server: ready \" }}\n",
        null_server().display()
    );
    std::fs::write(&file, text).unwrap();
    file
}

/// Measures cells of `server` and gives the session's record and its sweep.
fn swept(dir: &Path, server: &Path, arguments: &[&str]) -> (Value, Value) {
    let common = [
        "--target",
        server.to_str().unwrap(),
        "--requests",
        "4",
        "--max-tokens",
        "4",
        "--quiet",
    ];
    let output = load(dir, &[&common[..], arguments].concat())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", words(&output));
    let record = record(dir, &output);
    let judged = &record["judgement"]["experiments"][0];
    assert_eq!(judged["id"], "warm/cells");
    assert!(judged["claims"].as_array().unwrap().is_empty());
    let sweep = judged["sweep"].clone();
    let said = words(&output);
    assert!(
        said.contains(sweep["sentence"].as_str().unwrap()),
        "{said}\n{sweep}"
    );
    (record, sweep)
}

/// Names of all cells, and the pairs with their effects and p.
fn pairs(sweep: &Value, metric: &str) -> BTreeMap<(String, String), (f64, f64)> {
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    let pair = |pair: &Value| {
        let (claim, estimate) = (&pair[metric], &pair[metric]["estimate"]);
        let names = (text(&claim["control"]), text(&claim["candidate"]));
        let number = |key: &str| estimate[key].as_f64().unwrap();
        (names, (number("effect"), number("p")))
    };
    sweep["pairs"]
        .as_array()
        .unwrap()
        .iter()
        .map(pair)
        .collect()
}

fn standing<'v>(sweep: &'v Value, cell: &str) -> &'v Value {
    let cells = sweep["cells"].as_array().unwrap();
    let found = cells.iter().find(|c| c["throughput"]["name"] == cell);
    &found.unwrap_or_else(|| panic!("no cell {cell}: {sweep}"))["standing"]
}

/// Which requests counted, by instance.
fn counted(dir: &Path, worker: &str) -> Vec<BTreeSet<(u64, u64)>> {
    let requests = std::fs::read_dir(dir.join("sessions/latest/requests")).unwrap();
    let files = requests.map(|e| e.unwrap().path());
    let files = files.filter(|p| p.file_stem().unwrap().to_string_lossy().contains(worker));
    let mut files: Vec<PathBuf> = files.collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let rows = evenhand::serving::arm::read_rows(&path).unwrap();
            let counted = rows.iter().filter(|r| r.counts && r.block.is_some());
            counted.map(|r| (r.index, r.work)).collect()
        })
        .collect()
}

/// The server works on two requests at once: a second user doubles the
/// throughput, two more only wait.
fn saturated(arguments: &[&str]) -> Value {
    let dir = tempfile::tempdir().unwrap();
    let marker = format!("saturated-{}", std::process::id());
    let server = server(dir.path(), &marker, ",\"at_once\":{batch}");
    let cells = ["--batch", "2", "--concurrency", "1,2,4"];
    let (record, sweep) = swept(dir.path(), &server, &[&cells[..], arguments].concat());
    assert_no_orphans(&marker);
    let experiment = &record["plan"]["targets"][0]["experiments"][0];
    assert_eq!(
        experiment["arms"].to_string(),
        r#"["1 user","2 users","4 users"]"#
    );
    assert_eq!(record["judgement"]["family_size"], 6);
    assert_eq!(sweep["throughput"], "throughput.server_usage.all_busy");
    assert_eq!(sweep["latency"], "full@sent");
    // The same requests count in all three cells; the first also had A/A blocks.
    let counted = counted(dir.path(), "-w00-");
    assert!(
        !counted[1].is_empty() && counted[1] == counted[2],
        "{counted:?}"
    );
    assert!(counted[0].is_superset(&counted[1]), "{counted:?}");
    sweep
}

/// Whatever else the machine does: the exact tests are asked, not the classes.
#[test]
fn users_beyond_what_a_server_works_on_only_wait() {
    let _alone = alone();
    let sweep = saturated(&["--workers", "6", "--margin", "10"]);
    let (throughput, latency) = (pairs(&sweep, "throughput"), pairs(&sweep, "latency"));
    let of = |cells: (&str, &str)| (cells.0.to_owned(), cells.1.to_owned());
    let (effect, p) = throughput[&of(("1 user", "2 users"))];
    assert!(effect > 0.0 && p <= 0.05, "{sweep}");
    let (effect, p) = latency[&of(("2 users", "4 users"))];
    assert!(effect > 0.0 && p <= 0.05, "{sweep}");
    assert!(
        sweep["best"].is_null() || sweep["best"] == "2 users",
        "{sweep}"
    );
    assert_ne!(standing(&sweep, "2 users"), "dominated", "{sweep}");
}

#[test]
#[ignore = "classes need a quiet machine: cargo test --release --test load -- --ignored"]
fn the_cell_that_fills_the_server_is_best_and_alone_on_the_frontier() {
    let _alone = alone();
    let sweep = saturated(&["--workers", "24", "--margin", "20"]);
    assert_eq!(sweep["best"], "2 users", "{sweep}");
    for (cell, expected) in [
        ("1 user", "dominated"),
        ("2 users", "frontier"),
        ("4 users", "dominated"),
    ] {
        assert_eq!(standing(&sweep, cell), expected, "{sweep}");
    }
}

/// Servers that a worker started, by their logs.
fn started(dir: &Path, worker: &str) -> BTreeSet<String> {
    let logs = std::fs::read_dir(dir.join("sessions/latest/servers")).unwrap();
    let names = logs.map(|e| e.unwrap().file_name().into_string().unwrap());
    let names = names.filter(|name| name.contains(worker));
    names
        .map(|name| name.split('.').next().unwrap().to_owned())
        .collect()
}

/// The server does not care for its batch. Both cells and the first of them
/// again ask two servers.
#[test]
fn equal_cells_have_no_best_one() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let marker = format!("equal-{}", std::process::id());
    let server = server(dir.path(), &marker, "");
    let cells = [
        "--batch",
        "1,2",
        "--concurrency",
        "2",
        "--margin",
        "50",
        "--share-servers",
    ];
    let (record, sweep) = swept(
        dir.path(),
        &server,
        &[&cells[..], &["--workers", "6"]].concat(),
    );
    assert_no_orphans(&marker);
    let experiment = &record["plan"]["targets"][0]["experiments"][0];
    assert_eq!(experiment["arms"].to_string(), r#"["batch 1","batch 2"]"#);
    assert_eq!(
        counted(dir.path(), "-w00-").len(),
        3,
        "two cells and one of them again"
    );
    assert_eq!(started(dir.path(), "-w00-").len(), 2, "one for each batch");
    assert!(sweep["best"].is_null(), "{sweep}");
    let sentence = sweep["sentence"].as_str().unwrap();
    assert!(sentence.starts_with("No best cell by "), "{sentence}");
    for cell in ["batch 1", "batch 2"] {
        assert_ne!(standing(&sweep, cell), "dominated", "{sweep}");
    }
}

#[test]
fn two_servers_are_compared_within_each_cell() {
    let _shared = shared();
    let dir = tempfile::tempdir().unwrap();
    let marker = format!("within-{}", std::process::id());
    let a = server(dir.path(), &marker, "");
    let b = dir.path().join("other.toml");
    std::fs::copy(&a, &b).unwrap();
    let arguments = [
        "--target",
        a.to_str().unwrap(),
        "--against",
        b.to_str().unwrap(),
        "--batch",
        "1,4",
        "--concurrency",
        "1,2",
        "--requests",
        "2",
        "--max-tokens",
        "2",
        "--workers",
        "6",
        "--blocks",
        "2",
        "--quiet",
    ];
    let output = load(dir.path(), &arguments).output().unwrap();
    assert!(output.status.success(), "{}", words(&output));
    let record = record(dir.path(), &output);
    let experiments = record["judgement"]["experiments"].as_array().unwrap();
    let ids: Vec<&str> = experiments
        .iter()
        .map(|e| e["id"].as_str().unwrap())
        .collect();
    assert_eq!(
        ids,
        [
            "warm/batch_1",
            "warm/2_users/batch_1",
            "warm/batch_4",
            "warm/2_users/batch_4"
        ]
    );
    assert!(experiments.iter().all(|e| e["sweep"].is_null()));
    assert!(
        experiments
            .iter()
            .all(|e| e["claims"].as_array().unwrap().len() == 1)
    );
    let facts = &record["measurements"]["experiments"][2]["workers"][0]["facts"][0];
    assert_eq!(facts["target.batch"], "4");
    assert_no_orphans(&marker);
}

#[test]
fn wrong_sweeps_say_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let with = server(dir.path(), "unused", "");
    let with = with.to_str().unwrap();
    let without = target(dir.path(), "without", "unused", 1_000);
    let without = without.to_str().unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&["--target", with], "say which batches to measure"),
        (
            &["--target", without, "--against", with],
            "server.toml: `{batch}` stands in `args` or `env`",
        ),
        (
            &["--target", without, "--batch", "1,4"],
            "without.toml: --batch needs a place",
        ),
        (
            &["--target", with, "--against", without, "--batch", "4"],
            "without.toml: --batch needs a place",
        ),
        (
            &["--target", with, "--batch", "4,4"],
            "--batch names 4 twice",
        ),
        (
            &["--target", with, "--batch", "1,4", "--rate", "5"],
            "compared in a closed loop",
        ),
        (
            &["--target", with, "--batch", "1,4", "--mode", "cold"],
            "compared in a closed loop",
        ),
        (
            &["--target", without, "--share-servers"],
            "--share-servers belongs to cells",
        ),
        (
            &["--target", with, "--batch", "1,4", "--metric", "speed"],
            "throughput.server_usage.all_busy",
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
