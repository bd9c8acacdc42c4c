//! Every kernel of every task against its reference.

use super::compile::missing;
use super::device::run;
use super::text::entries;
use evenhand_kernels::tasks;
use std::collections::BTreeSet;

#[test]
fn every_variant_agrees_with_the_reference() {
    if let Some(reason) = missing() {
        eprintln!("skipped: {reason}");
        return;
    }
    for seed in 0..4 {
        for task in tasks::all_small(seed) {
            for variant in &task.variants {
                let name = format!("{}, {}, order {seed}", task.label(), variant.name);
                let output =
                    run(&task, variant, seed).unwrap_or_else(|broken| panic!("{name}: {broken}"));
                let checked = task.check_output(&output);
                checked.unwrap_or_else(|mismatch| panic!("{name}: {mismatch}"));
            }
        }
    }
}

#[test]
fn every_kernel_is_launched_by_a_task() {
    let launched: BTreeSet<&str> = tasks::all_small(0)
        .iter()
        .flat_map(|task| &task.variants)
        .flat_map(|variant| variant.iter_launches().map(|launch| launch.entry))
        .collect();
    for source in tasks::sources() {
        for entry in entries(&source.expand()) {
            assert!(
                launched.contains(&*entry),
                "{}: nobody launches {entry}",
                source.file
            );
        }
    }
}
