//! Every kernel of every task against its reference.

use super::compile::ready;
use super::device::run;
use super::text::entries;
use evenhand_kernels::cpu::softmax::softmax_tolerance;
use evenhand_kernels::tasks::Sampling;
use evenhand_kernels::{reference, tasks};
use proptest::prelude::*;
use std::collections::BTreeSet;

#[test]
fn every_variant_agrees_with_the_reference() {
    if !ready() {
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

/// Runs all variants of a task whose first input is replaced.
fn assert_softmax_of(x: &[f32], cols: usize) {
    let mut task = tasks::softmax(x.len() / cols, cols, 0);
    task.buffers[0].data.f32_mut().copy_from_slice(x);
    task.reference = reference::softmax(x, cols);
    task.tolerance = softmax_tolerance(x, cols);
    for variant in &task.variants {
        let output = run(&task, variant, 0).unwrap_or_else(|broken| panic!("{broken}"));
        let checked = task.check_output(&output);
        checked.unwrap_or_else(|mismatch| panic!("{}: {mismatch}", variant.name));
    }
}

#[test]
fn softmax_bears_masks_and_extremes() {
    if !ready() {
        return;
    }
    let cols = 516;
    for free in [0, 300, cols - 1] {
        let mut masked = vec![f32::NEG_INFINITY; cols];
        masked[free] = -3.0;
        assert_softmax_of(&masked, cols);
        let mut huge = vec![1.0; cols];
        huge[free] = 1e30;
        assert_softmax_of(&huge, cols);
    }
    let ascending: Vec<f32> = (0..cols).map(|i| i as f32 - 256.0).collect();
    assert_softmax_of(&ascending, cols);
}

#[test]
fn statistics_show_a_logit_that_is_no_number() {
    if !ready() {
        return;
    }
    let sizes = Sampling {
        vocabulary: 1030,
        k: 5,
        temperature: 0.8,
    };
    let mut task = tasks::sampling_uncertainty(sizes, 0);
    task.buffers[0].data.f32_mut()[700] = f32::NAN;
    for variant in &task.variants {
        let output = run(&task, variant, 0).unwrap_or_else(|broken| panic!("{broken}"));
        let missed = output.f32().iter().any(|value| !value.is_nan());
        assert!(!missed, "{}: {output:?}", variant.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(12) })]

    #[test]
    fn any_shape_agrees(seed: u64, rows in 1usize..3, cols in 1usize..600) {
        if ready() {
            for task in [
                tasks::softmax(rows, cols, seed),
                tasks::softmax_bf16(rows, cols, seed),
                tasks::rms_norm(rows, cols, seed),
                tasks::rms_norm_bf16(rows, cols, seed),
                tasks::add_rms_norm(rows, cols, seed),
                tasks::f32_to_bf16(rows * cols, seed),
                tasks::bf16_to_f32(rows * cols, seed),
            ] {
                for variant in &task.variants {
                    let output = run(&task, variant, seed).map_err(TestCaseError::fail)?;
                    if let Err(mismatch) = task.check_output(&output) {
                        let name = format!("{}, {}", task.label(), variant.name);
                        return Err(TestCaseError::fail(format!("{name}: {mismatch}")));
                    }
                }
            }
        }
    }
}
