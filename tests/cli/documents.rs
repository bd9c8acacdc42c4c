//! Schemas, and records that are not what they should be.

use super::support::{Lab, golden, read};
use std::path::{Path, PathBuf};

const DOCUMENTS: [&str; 13] = [
    "plan",
    "environment",
    "observation",
    "record",
    "result",
    "detail",
    "verdict",
    "list",
    "target",
    "doctor",
    "runtime",
    "calibration",
    "analysis",
];

#[test]
fn checked_in_schemas_are_up_to_date() {
    let lab = Lab::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    for document in DOCUMENTS {
        let schema = lab.evenhand("", &["schema", document]).code(0).out;
        golden(&folder.join(format!("{document}.schema.json")), &schema);
    }
    let files = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(files, DOCUMENTS.len(), "a schema without a document");
}

/// The records that the book cites.
#[test]
fn records_from_cards_are_whole() {
    let lab = Lab::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("baselines/gpu");
    for (file, claims) in [
        ("h100.json", "15 comparisons: 15 strong"),
        (
            "h100-second-card.json",
            "11 comparisons: 8 strong, 3 directional",
        ),
    ] {
        let file = folder.join(file);
        let shown = lab.evenhand("", &["show", file.to_str().unwrap()]).code(0);
        assert!(shown.out.contains(claims), "{}", shown.out);
        assert!(
            shown
                .out
                .contains("on NVIDIA H100 80GB HBM3, cold (flushed by reading)")
        );
    }
}

/// A stored record, to be damaged.
fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/golden/record.json")
}

#[test]
fn damaged_records_are_refused_with_file_and_place() {
    let lab = Lab::new();
    let text = std::fs::read_to_string(fixture()).unwrap();
    let damaged = |name: &str, text: String| -> String {
        let path = lab.path(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };

    let cut = damaged("cut.json", text[..text.len() / 2].to_owned());
    lab.evenhand("", &["show", &cut])
        .code(2)
        .says(&["cut.json", "line", "column"]);
    let later = text.replace("evenhand.record/1.", "evenhand.record/2.");
    let later = damaged("later.json", later);
    lab.evenhand("", &["show", &later]).code(2).says(&[
        "later.json",
        "evenhand.record/2.0",
        "evenhand.record/1.0",
    ]);
    let value = &read(&fixture())["measurements"]["experiments"][0]["workers"][0]["value"][0];
    let changed = damaged(
        "changed.json",
        text.replacen(&value.to_string(), "1234567.5", 1),
    );
    for command in ["show", "gate", "report"] {
        lab.evenhand("", &[command, &changed])
            .code(2)
            .says(&["changed.json", "digest"]);
    }
    let other = damaged("other.json", "{\"a\": 1}".to_owned());
    lab.evenhand("", &["show", &other])
        .code(2)
        .says(&["schema"]);
    let plan = damaged("plan.json", "{}".to_owned());
    lab.evenhand("", &["run", "--plan", &plan])
        .code(2)
        .says(&["plan.json", "schema"]);
    let empty = damaged("empty.json", String::new());
    lab.evenhand("", &["show", &empty])
        .code(2)
        .says(&["empty.json"]);
}

#[test]
fn claims_that_do_not_follow_are_said_and_made_anew() {
    let lab = Lab::new();
    let mut record = read(&fixture());
    record["judgement"]["experiments"][0]["claims"][0]["class"] = "strong".into();
    record["judgement"]["experiments"][0]["claims"][0]["sentence"] = "It is a wonder.".into();
    let path = lab.path("embellished.json");
    std::fs::write(&path, record.to_string()).unwrap();
    let ended = lab.evenhand("", &["show", path.to_str().unwrap()]).code(0);
    ended.says(&["embellished.json", "stored claims"]);
    assert!(!ended.out.contains("wonder"));
}
