//! A catalogue of statements that reports really printed and should not have:
//! what the tool says to the same input instead.
//!
//! Every case is either held here or listed as not yet expressible; a case in
//! neither list fails the test.

#[path = "unsafe_claims/definitions.rs"]
mod definitions;
#[path = "unsafe_claims/design.rs"]
mod design;
#[path = "unsafe_claims/provenance.rs"]
mod provenance;
#[path = "unsafe_claims/samples.rs"]
mod samples;
#[path = "unsafe_claims/tool.rs"]
mod tool;
#[path = "unsafe_claims/values.rs"]
mod values;

use std::collections::BTreeSet;

/// Cases that need something the tool can't express yet, and what.
const NOT_YET: &[(&str, &str)] = &[
    ("B4", "identities between derived metrics"),
    (
        "B8",
        "rankings of arms, shown with the metrics that contradict them",
    ),
    ("B10", "quantiles with the direction of their tail"),
    ("B11", "tables with differences and ratios in one column"),
    ("D1", "a first run that differs from the rest"),
    ("D2", "declared outlier rules"),
    ("D3", "hypotheses about a function of the variable"),
    ("D13", "stages reconciled with the total"),
    ("D14", "unattributed time"),
    ("D15", "counts of two observers"),
    ("D18", "a status that is set before the result"),
    ("D19", "profiles with and without stress under one claim"),
    ("E2", "averages over unlike metrics"),
    ("E8", "figures typed into finished reports"),
    ("E10", "an outlier policy for the control"),
    ("E13", "one canonical value per metric"),
    ("E15", "a cited digest held against the file"),
    ("E16", "narratives held against the data"),
    ("E17", "superseded results"),
];

/// All ids of the catalogue.
fn catalogue() -> BTreeSet<String> {
    let sections = [('A', 12), ('B', 15), ('C', 15), ('D', 20), ('E', 20)];
    let ids = |(letter, last): (char, u32)| (1..=last).map(move |n| format!("{letter}{n}"));
    sections.into_iter().flat_map(ids).collect()
}

#[test]
fn every_case_is_held_or_listed() {
    let cases: Vec<tool::Case> = [
        values::cases(),
        definitions::cases(),
        samples::cases(),
        design::cases(),
        provenance::cases(),
    ]
    .into_iter()
    .flatten()
    .collect();
    let held: BTreeSet<String> = cases.iter().map(|c| c.id.to_owned()).collect();
    let listed: BTreeSet<String> = NOT_YET.iter().map(|(id, _)| (*id).to_owned()).collect();
    assert_eq!(held.len(), cases.len(), "a case stands twice");
    assert!(held.is_disjoint(&listed), "a case is held and listed");
    let known: BTreeSet<String> = held.union(&listed).cloned().collect();
    assert_eq!(known, catalogue());

    let failures: Vec<String> = cases.iter().filter_map(|c| c.check().err()).collect();
    println!(
        "{} of {} cases held, {} not yet expressible:",
        held.len(),
        known.len(),
        listed.len()
    );
    for (id, what) in NOT_YET {
        println!("  {id}: {what}");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
