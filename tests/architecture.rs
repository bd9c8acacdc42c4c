//! The rooms and who may know whom: arrows point downwards only.
//!
//! Crates are checked by their manifests, modules of the harness and of the
//! root crate by the paths their sources name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Which workspace crates a crate may depend on (outside of tests).
const CRATES: &[(&str, &[&str])] = &[
    ("harness/bootstrap", &[]),
    ("harness", &["bootstrap"]),
    ("kernels", &["bootstrap"]),
    (".", &["bootstrap", "evenhand-harness", "evenhand-kernels"]),
];

/// Which sibling modules a module of the harness may use.
const HARNESS: &[(&str, &[&str])] = &[
    ("estimate", &[]),
    ("timer", &[]),
    ("plan", &[]),
    ("schedule", &["plan"]),
    ("observation", &["plan", "schedule"]),
    ("gate", &["estimate", "plan", "schedule", "observation"]),
    ("claim", &["estimate", "plan", "observation", "gate"]),
    ("record", &["plan", "observation", "claim"]),
    ("suite", &["plan", "timer"]),
    (
        "run",
        &[
            "claim",
            "estimate",
            "plan",
            "schedule",
            "observation",
            "record",
            "suite",
            "timer",
        ],
    ),
];

/// Modules of the harness that must stay pure functions of their inputs.
const PURE: &[&str] = &[
    "estimate",
    "plan",
    "schedule",
    "observation",
    "gate",
    "claim",
    "record",
];

/// What a pure module must not name: clocks, files, processes, environment.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::time",
    "std::env",
    "std::process",
    "std::net",
    "std::io",
    "std::thread",
    "Instant::",
    "SystemTime",
    "jiff",
    "signal_hook",
    "RandomState",
];

/// Platform-dependent mathematics: pure code goes through libm.
const PLATFORM_MATH: &[&str] = &[
    ".ln()",
    ".exp()",
    ".powf(",
    ".log10()",
    ".log2()",
    ".exp_m1()",
    ".ln_1p()",
    ".sin()",
    ".cos()",
    ".cbrt()",
];

/// What each part of the root crate may use of the harness and of its siblings.
const ROOT: &[(&str, &[&str])] = &[
    ("inputs", &[]),
    ("runtime", &["harness::run"]),
    ("executor", &["harness::suite", "harness::timer"]),
    ("device", &["harness::plan", "harness::suite"]),
    (
        "serving",
        &[
            "inputs",
            "runtime",
            "harness::estimate",
            "harness::observation",
            "harness::plan",
            "harness::suite",
            "harness::timer",
        ],
    ),
    (
        "report",
        &[
            "harness::claim",
            "harness::gate",
            "harness::observation",
            "harness::plan",
            "harness::record",
        ],
    ),
    (
        "interop",
        &[
            "harness::claim",
            "harness::gate",
            "harness::observation",
            "harness::plan",
            "harness::record",
            "harness::run",
        ],
    ),
    (
        "protocol",
        &["harness", "report", "interop", "device", "runtime"],
    ),
    (
        "simulate",
        &[
            "harness::plan",
            "harness::schedule",
            "harness::observation",
            "harness::claim",
            "harness::gate",
            "harness::estimate",
            "harness::record",
        ],
    ),
    (
        "cli",
        &[
            "harness", "report", "interop", "protocol", "device", "runtime", "serving", "simulate",
        ],
    ),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Rust files of a module, given as folder or file.
fn sources(dir: &Path, module: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let file = dir.join(format!("{module}.rs"));
    if file.is_file() {
        found.push(file);
    }
    let mut open = vec![dir.join(module)];
    while let Some(folder) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    assert!(
        !found.is_empty(),
        "{} has no module {module}",
        dir.display()
    );
    found
}

/// Source without comments and without test code, which may use anything.
fn code(path: &Path) -> String {
    if path.file_stem().is_some_and(|stem| stem == "tests")
        || path.components().any(|c| c.as_os_str() == "tests")
    {
        return String::new();
    }
    let text = std::fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]").next().unwrap();
    text.lines()
        .map(|line| line.split("//").next().unwrap())
        .collect::<Vec<_>>()
        .join("\n")
}

/// First segments named after a prefix such as `crate::`, also inside braces.
fn named_after(text: &str, prefix: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in text.match_indices(prefix) {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let rest = &text[at + prefix.len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut item = String::new();
            for c in list.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => names.push(std::mem::take(&mut item)),
                    _ => {}
                }
                if depth == 0 && c != ',' {
                    item.push(c);
                }
            }
            names.push(item);
        } else {
            names.push(rest.to_owned());
        }
    }
    names
        .iter()
        .map(|n| {
            n.trim()
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect::<String>()
        })
        .filter(|n| !n.is_empty())
        .collect()
}

#[test]
fn crates_depend_downwards() {
    let names: BTreeMap<&str, &str> = [
        ("harness/bootstrap", "bootstrap"),
        ("harness", "evenhand-harness"),
        ("kernels", "evenhand-kernels"),
    ]
    .into();
    for (dir, allowed) in CRATES {
        let manifest = std::fs::read_to_string(root().join(dir).join("Cargo.toml")).unwrap();
        let section = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let section = section.split("\n[").next().unwrap();
        for name in names.values() {
            let used = section.lines().any(|line| {
                line.strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
            });
            assert!(
                !used || allowed.contains(name),
                "{dir} must not depend on {name}"
            );
        }
    }
}

#[test]
fn modules_of_the_harness_use_downwards() {
    let dir = root().join("harness/src");
    let listed: Vec<&str> = HARNESS.iter().map(|(m, _)| *m).collect();
    let lib = std::fs::read_to_string(dir.join("lib.rs")).unwrap();
    for module in lib.lines().filter_map(|l| l.strip_prefix("pub mod ")) {
        let module = module.trim_end_matches(';');
        assert!(
            listed.contains(&module),
            "{module} has no place in the table of arrows"
        );
    }
    for (module, allowed) in HARNESS {
        for path in sources(&dir, module) {
            for used in named_after(&code(&path), "crate::") {
                assert!(
                    used == *module || allowed.contains(&used.as_str()),
                    "{}: {module} must not use {used}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn pure_modules_have_no_clock_no_files_and_no_platform_mathematics() {
    let mut places: Vec<(String, PathBuf)> = Vec::new();
    for module in PURE {
        let files = sources(&root().join("harness/src"), module);
        places.extend(files.into_iter().map(|p| ((*module).to_owned(), p)));
    }
    let bootstrap = root().join("harness/bootstrap");
    places.extend(
        sources(&bootstrap, "src")
            .into_iter()
            .map(|p| ("bootstrap".to_owned(), p)),
    );
    for (module, path) in places {
        let code = code(&path);
        for word in IMPURE.iter().chain(PLATFORM_MATH) {
            assert!(
                !code.contains(word),
                "{}: {module} is pure, but names {word}",
                path.display()
            );
        }
    }
}

#[test]
fn the_root_crate_uses_downwards() {
    let dir = root().join("src");
    let lib = std::fs::read_to_string(dir.join("lib.rs")).unwrap();
    for module in lib.lines().filter_map(|l| l.strip_prefix("pub mod ")) {
        let module = module.trim_end_matches(';').trim_end_matches(" {");
        let known = module == "prelude" || ROOT.iter().any(|(m, _)| *m == module);
        assert!(known, "{module} has no place in the table of arrows");
    }
    for (module, allowed) in ROOT {
        if !dir.join(module).exists() && !dir.join(format!("{module}.rs")).exists() {
            continue;
        }
        for path in sources(&dir, module) {
            let code = code(&path).replace("crate::harness::", "evenhand_harness::");
            for used in named_after(&code, "crate::") {
                assert!(
                    used == *module || allowed.contains(&used.as_str()),
                    "{}: {module} must not use {used}",
                    path.display()
                );
            }
            for used in named_after(&code, "evenhand_harness::") {
                let named = format!("harness::{used}");
                assert!(
                    allowed.contains(&"harness") || allowed.contains(&named.as_str()),
                    "{}: {module} must not use {named}",
                    path.display()
                );
            }
        }
    }
}

/// The check itself must be able to fail.
#[test]
fn paths_are_found_in_every_form() {
    let found = named_after(
        "use crate::a::B; use crate::{c, d::{E, F}, g}; crate::h::i();",
        "crate::",
    );
    assert_eq!(found, ["a", "c", "d", "g", "h"]);
    assert!(named_after("use other_crate::x;", "crate::").is_empty());
}
