//! Mistakes that the shim must catch: the text of a kernel with one edit.

use super::compile::{Kernels, missing};
use super::device::run_with;
use evenhand_kernels::task::{Header, Source, Task};
use evenhand_kernels::tasks;
use std::sync::Arc;

/// The source with an edit in one of its files.
fn mutated(source: &'static Source, file: &str, from: &str, to: &str) -> Source {
    let edit = |name: &str, text: &'static str| -> &'static str {
        if name != file {
            return text;
        }
        assert!(text.contains(from), "{file} has no {from:?}");
        text.replacen(from, to, 1).leak()
    };
    let header = |header: &&'static Header| -> &'static Header {
        Box::leak(Box::new(Header {
            file: header.file,
            text: edit(header.file, header.text),
        }))
    };
    Source {
        file: source.file,
        text: edit(source.file, source.text),
        headers: source.headers.iter().map(header).collect::<Vec<_>>().leak(),
    }
}

/// What goes wrong with a variant once a file of its kernel is edited, in four
/// orders of the threads.
fn outcomes(task: &Task, variant: &str, file: &str, from: &str, to: &str) -> Vec<String> {
    let variant = task.variant(variant).expect("a variant of the task");
    let launch = variant.iter_launches().last().expect("a launch");
    let source = mutated(launch.source, file, from, to);
    let kernels = Arc::new(Kernels::of(&source).unwrap_or_else(|error| panic!("{error}")));
    let outcome = |seed| {
        let output = run_with(task, variant, seed, |_| Ok(Arc::clone(&kernels)))?;
        task.check_output(&output)
            .map_err(|error| error.to_string())
    };
    let outcomes = (0..4).map(|seed| match outcome(seed) {
        Ok(()) => "nothing".to_owned(),
        Err(message) => message,
    });
    outcomes.collect()
}

/// Demands that every order tells of the mistake with all of these words.
pub fn assert_caught(
    task: &Task,
    variant: &str,
    (file, from, to): (&str, &str, &str),
    words: &[&str],
) {
    if let Some(reason) = missing() {
        eprintln!("skipped: {reason}");
        return;
    }
    for outcome in outcomes(task, variant, file, from, to) {
        for word in words {
            assert!(outcome.contains(word), "{variant} with {to:?}: {outcome}");
        }
    }
}

/// The line on which a text stands, as messages name it.
fn line_of(source: &str, text: &str) -> String {
    let before = source.split(text).next().expect("the text is there");
    before.lines().count().to_string()
}

const TREE: &str = "sums[threadIdx.x] = squares;\n    __syncthreads();";

#[test]
fn a_missing_barrier_is_a_race() {
    let edit = ("rms_norm.cu", TREE, "sums[threadIdx.x] = squares;\n");
    assert_caught(
        &tasks::rms_norm(2, 1000, 0),
        "tree",
        edit,
        &["race", "shared dynamic", "rms_norm.cu:"],
    );
}

#[test]
fn a_missing_barrier_between_the_halves_of_a_reduction_is_a_race() {
    let edit = ("reduce.cuh", "    __syncthreads();\n", "\n");
    assert_caught(
        &tasks::rms_norm(2, 1000, 0),
        "shuffle",
        edit,
        &["race", "shared partial[", "reduce.cuh:"],
    );
}

#[test]
fn a_divergent_barrier_is_named_by_its_line() {
    let divergent = "sums[threadIdx.x] = squares;\n    if (threadIdx.x < 128) __syncthreads();";
    let task = tasks::rms_norm(2, 1000, 0);
    let text = task.variants[0].iter_launches().next().unwrap().source.text;
    let barrier = line_of(text, TREE).parse::<usize>().unwrap() + 1;
    let named = format!("rms_norm.cu:{barrier}");
    let edit = ("rms_norm.cu", TREE, divergent);
    // The threads that skip it race with those that wait, or get stuck first.
    for outcome in outcomes_unless_missing(&task, "tree", edit) {
        assert!(
            outcome.contains("race")
                || (outcome.contains("different places") && outcome.contains(&named)),
            "{outcome}"
        );
    }
    // Nothing to race for: the barrier alone.
    let edit = (
        "rms_norm.cu",
        "    float squares = 0.0f;",
        "    if (threadIdx.x < 128) __syncthreads();\n    float squares = 0.0f;",
    );
    assert_caught(&task, "tree", edit, &["different places", "rms_norm.cu:"]);
}

fn outcomes_unless_missing(
    task: &Task,
    variant: &str,
    (file, from, to): (&str, &str, &str),
) -> Vec<String> {
    match missing() {
        Some(reason) => {
            eprintln!("skipped: {reason}");
            Vec::new()
        }
        None => outcomes(task, variant, file, from, to),
    }
}

#[test]
fn a_wrong_shuffle_offset_is_a_wrong_result() {
    let edit = (
        "reduce.cuh",
        "value += __shfl_xor_sync(ALL_LANES, value, offset)",
        "value += __shfl_xor_sync(ALL_LANES, value, 1)",
    );
    assert_caught(
        &tasks::rms_norm(2, 1000, 0),
        "shuffle",
        edit,
        &["the reference says"],
    );
}

#[test]
fn a_shuffle_without_some_of_its_lanes_is_caught() {
    let edit = (
        "reduce.cuh",
        "value += __shfl_xor_sync(ALL_LANES, value, offset)",
        "if (threadIdx.x % 32 < 16) value += __shfl_xor_sync(ALL_LANES, value, offset)",
    );
    assert_caught(
        &tasks::rms_norm(2, 1000, 0),
        "shuffle",
        edit,
        &["different places", "reduce.cuh:"],
    );
}

#[test]
fn a_write_past_the_end_is_caught_before_it_happens() {
    let edit = (
        "rms_norm.cu",
        "out[i] = x[i] * inverse * weight[i];",
        "out[i + 1] = x[i] * inverse * weight[i];",
    );
    let task = tasks::rms_norm(1, 77, 0);
    let text = task.variants[0].iter_launches().next().unwrap().source.text;
    let line = line_of(text, "        out[i] = x[i]")
        .parse::<usize>()
        .unwrap()
        + 1;
    assert_caught(
        &task,
        "tree",
        edit,
        &[
            "written out of bounds",
            "nearest to out",
            &format!("rms_norm.cu:{line}"),
        ],
    );
}

#[test]
fn a_read_past_the_end_is_caught() {
    let edit = (
        "rms_norm.cu",
        "i < hidden; i += blockDim.x",
        "i <= hidden; i += blockDim.x",
    );
    assert_caught(
        &tasks::rms_norm(1, 77, 0),
        "tree",
        edit,
        &["read out of bounds", "nearest to x"],
    );
}

#[test]
fn a_write_past_shared_memory_is_caught() {
    let edit = (
        "rms_norm.cu",
        "sums[threadIdx.x] = squares;",
        "sums[threadIdx.x + 1] = squares;",
    );
    assert_caught(
        &tasks::rms_norm(1, 77, 0),
        "tree",
        edit,
        &["out of bounds", "shared dynamic"],
    );
}

#[test]
fn blocks_that_write_the_same_element_race() {
    let edit = (
        "rms_norm.cu",
        "out += static_cast<size_t>(blockIdx.x) * hidden;",
        "",
    );
    assert_caught(&tasks::rms_norm(3, 77, 0), "tree", edit, &["race at out["]);
}
