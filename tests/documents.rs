//! Documents that are generated from code are up to date.
//!
//! `EVENHAND_UPDATE=1 cargo test --test documents` writes them again.

use evenhand::harness::gate::{Code, Severity};
use std::fmt::Write;
use std::path::Path;

fn check(path: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("EVENHAND_UPDATE").is_some() {
        std::fs::write(&path, expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        found,
        expected,
        "{} is not what the code says",
        path.display()
    );
}

#[test]
fn the_page_of_reason_codes() {
    let mut page = String::from(
        "# Reason codes\n\nA reason is a code, what it does to the claim, and the numbers behind \
         it. Codes are part of the public format. This page is generated from the table in \
         `harness/src/gate/code.rs`.\n",
    );
    for (severity, title, does) in [
        (
            Severity::Invalid,
            "Refusals",
            "Nothing may be said: the class is `invalid`.",
        ),
        (
            Severity::Insufficient,
            "Shortages",
            "There is no interval: the class is `insufficient`.",
        ),
        (
            Severity::CapDirectional,
            "Caps to directional",
            "At most a hint, which is not a claim.",
        ),
        (
            Severity::CapModerate,
            "Caps to moderate",
            "At most `moderate`.",
        ),
        (
            Severity::Explains,
            "Explanations",
            "They say why the class is not higher.",
        ),
        (
            Severity::Note,
            "Notes",
            "They do nothing to the class; they are good to know.",
        ),
    ] {
        writeln!(
            page,
            "\n## {title}\n\n{does}\n\n| code | meaning | what to do |\n|---|---|---|"
        )
        .unwrap();
        for code in Code::all().filter(|c| c.severity() == severity) {
            writeln!(
                page,
                "| `{code}` | {} | {} |",
                code.meaning(),
                code.advice()
            )
            .unwrap();
        }
    }
    check("docs/src/reason-codes.md", &page);
}

/// Every page of the book exists, and every page is in the book.
#[test]
fn the_summary_lists_the_pages() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/src");
    let summary = std::fs::read_to_string(dir.join("SUMMARY.md")).unwrap();
    let mut listed: Vec<String> = summary
        .split("](")
        .skip(1)
        .map(|rest| rest.split(')').next().unwrap().to_owned())
        .collect();
    let mut found: Vec<String> = std::fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".md") && name != "SUMMARY.md")
        .collect();
    listed.sort();
    found.sort();
    assert_eq!(listed, found);
}
