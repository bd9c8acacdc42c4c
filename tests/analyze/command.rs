//! Runs the command.

use serde_json::Value;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What the command did.
pub struct Done {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Runs `cargo evenhand analyze` on `input`.
pub fn analyze(arguments: &[&str], input: &[u8]) -> Done {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cargo-evenhand"))
        .args(["evenhand", "--color", "never", "analyze"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    // The command may end before it has read everything.
    let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("the command ends");
    feeder.join().expect("the input is written");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
    Done {
        code: output.status.code().expect("no signal"),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// The result as a document; the command must succeed.
pub fn document(arguments: &[&str], input: &str) -> Value {
    let arguments: Vec<&str> = arguments
        .iter()
        .copied()
        .chain(["--format", "json", "-"])
        .collect();
    let done = analyze(&arguments, input.as_bytes());
    assert_eq!(done.code, 0, "{}", done.err);
    serde_json::from_str(&done.out).expect("the result is JSON")
}

/// The message of a refusal.
pub fn refusal(arguments: &[&str], input: &[u8]) -> String {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["-"]).collect();
    let done = analyze(&arguments, input);
    assert_eq!(done.code, 2, "{}{}", done.out, done.err);
    assert!(
        done.out.is_empty(),
        "no result beside an error: {}",
        done.out
    );
    done.err
}

/// Class and codes of a comparison.
pub fn verdict(result: &Value, comparison: usize) -> (String, Vec<String>) {
    let claim = &result["comparisons"][comparison]["claim"];
    let codes = claim["reasons"]
        .as_array()
        .expect("reasons")
        .iter()
        .map(|r| r["code"].as_str().expect("a code").to_owned())
        .collect();
    (claim["class"].as_str().expect("a class").to_owned(), codes)
}

/// Compares with a golden file, or writes it.
pub fn golden(name: &str, got: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/analyze/golden")
        .join(name);
    if std::env::var_os("EVENHAND_UPDATE").is_some() {
        std::fs::write(&path, got).expect("the golden is written");
        return;
    }
    let want = std::fs::read_to_string(&path)
        .unwrap_or_else(|e| panic!("{}: {e}; EVENHAND_UPDATE=1 writes it", path.display()));
    assert_eq!(got, want, "{name} changed; EVENHAND_UPDATE=1 rewrites it");
}

/// A long CSV of pairs in which the candidate is `factor` times the control;
/// the noise and the order are fixed, irregular, and differ from row to row.
pub fn pairs(n: usize, factor: f64) -> String {
    let noise = |i: usize, arm: usize| {
        let x = (i * 37 + arm * 501 + 13).pow(3) % 1009;
        1.0 + 0.01 * (x as f64 / 1009.0 - 0.5)
    };
    let mut text = "unit,arm,value,order\n".to_owned();
    for i in 0..n {
        let first = usize::from([1, 1, 0, 1, 0, 0, 1, 0, 1, 1, 0, 0][i % 12] == 1);
        let (a, b) = (100.0 * noise(i, 0), 100.0 * factor * noise(i, 1));
        text.push_str(&format!(
            "{i},base,{a:.5},{}\n{i},fast,{b:.5},{}\n",
            2 - first,
            1 + first
        ));
    }
    text
}

/// Everything declared that can be.
pub const DECLARED: [&str; 10] = [
    "--control",
    "base",
    "--direction=lower",
    "--metric-unit=ms",
    "--margin=1%",
    "--unit=worker",
    "--order-randomised",
    "--stop-rule=fixed:12",
    "--metric=wall_time",
    "--seed=7",
];
