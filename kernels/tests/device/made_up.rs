//! A driver library that is made up, and processes that open it.

use evenhand_kernels::device::{GRAPH_DRIVER_FUNCTIONS, REQUIRED_DRIVER_FUNCTIONS};
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

pub const CHILD: &str = "EVENHAND_TEST_CHILD";
const FAKE: &str = include_str!("fake_driver.c");

/// Builds `libcuda.so.1` from C text; false when there is no C compiler.
pub fn build(folder: &Path, text: &str) -> bool {
    let source = folder.join("fake.c");
    std::fs::write(&source, text).unwrap();
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-w", "-o"])
        .arg(folder.join("libcuda.so.1"))
        .arg(&source)
        .output();
    match built {
        Ok(output) => {
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            true
        }
        Err(error) => {
            eprintln!("skipped: no C compiler `cc`: {error}");
            false
        }
    }
}

/// The whole driver less `missing`.
pub fn whole(missing: &str) -> String {
    let mut text = FAKE.to_owned();
    for name in REQUIRED_DRIVER_FUNCTIONS
        .iter()
        .chain(GRAPH_DRIVER_FUNCTIONS)
    {
        if *name != missing && !text.contains(&format!("int {name}(")) {
            writeln!(text, "int {name}(void) {{ return call(\"{name}\"); }}").unwrap();
        }
    }
    text.replace(&format!("int {missing}("), "static int unused(")
}

/// Runs `task` with the test `test` in a process that finds the libraries in
/// `folder` first; gives what it said.
pub fn child(
    test: &str,
    folder: &Path,
    task: &str,
    variables: &[(&str, &str)],
) -> (Output, String) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env("LD_LIBRARY_PATH", folder)
        .env(CHILD, task)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let said = stdout
        .lines()
        .find_map(|line| line.split_once("SAID ").map(|(_, said)| said.to_owned()))
        .unwrap_or_default();
    assert!(
        output.status.success(),
        "{task}: {stdout}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    (output, said)
}
