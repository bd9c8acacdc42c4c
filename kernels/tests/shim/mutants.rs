//! Mistakes that the shim must catch: the text of a kernel with one edit.

use super::compile::{Kernels, ready};
use super::device::run_with;
use evenhand_kernels::task::{Header, Source, Task};
use evenhand_kernels::tasks;
use std::sync::Arc;

/// One edit of a kernel's text.
pub struct Edit {
    pub file: &'static str,
    /// The edit happens after this text.
    pub after: &'static str,
    pub from: &'static str,
    pub to: &'static str,
}

/// The source with an edit in one of its files.
fn mutated(source: &'static Source, edit: &Edit) -> Source {
    let edited = |name: &str, text: &'static str| -> &'static str {
        if name != edit.file {
            return text;
        }
        let start = text.find(edit.after).expect("the place of the edit");
        let (before, rest) = text.split_at(start);
        assert!(rest.contains(edit.from), "{name} has no {:?}", edit.from);
        (before.to_owned() + &rest.replacen(edit.from, edit.to, 1)).leak()
    };
    let header = |header: &&'static Header| -> &'static Header {
        Box::leak(Box::new(Header {
            file: header.file,
            text: edited(header.file, header.text),
        }))
    };
    Source {
        file: source.file,
        text: edited(source.file, source.text),
        headers: source.headers.iter().map(header).collect::<Vec<_>>().leak(),
    }
}

/// What goes wrong with a variant once a file of its kernel is edited, in four
/// orders of the threads; "nothing" if nothing does. None without a compiler.
fn outcomes(task: &Task, variant: &str, edit: &Edit) -> Option<Vec<String>> {
    if !ready() {
        return None;
    }
    let variant = task.variant(variant).expect("a variant of the task");
    let launch = variant.iter_launches().last().expect("a launch");
    let source = mutated(launch.source, edit);
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
    Some(outcomes.collect())
}

/// Demands that every order tells of the mistake with all of these words.
pub fn assert_caught(task: &Task, variant: &str, edit: &Edit, words: &[&str]) {
    for outcome in outcomes(task, variant, edit).into_iter().flatten() {
        for word in words {
            assert!(
                outcome.contains(word),
                "{variant} with {:?}: {outcome}",
                edit.to
            );
        }
    }
}

/// An edit of the kernel `rms_norm_tree_f32`.
const fn in_tree(from: &'static str, to: &'static str) -> Edit {
    Edit {
        file: "rms_norm.cu",
        after: "rms_norm_tree_f32",
        from,
        to,
    }
}

/// An edit of `reduce.cuh` after some text.
const fn in_reduce(after: &'static str, from: &'static str, to: &'static str) -> Edit {
    Edit {
        file: "reduce.cuh",
        after,
        from,
        to,
    }
}

/// `file:line` of a text in a kernel, as messages name it.
fn place(task: &Task, after: &str, text: &str) -> String {
    let source = task.variants[0]
        .iter_launches()
        .next()
        .expect("a launch")
        .source;
    let start = source.text.find(after).expect("the text is there");
    let start = start + source.text[start..].find(text).expect("the text is there");
    let line = source.text[..start].matches('\n').count() + 1;
    format!("{}:{line}", source.file)
}

const STORE: &str = "sums[threadIdx.x] = squares;";
const BARRIER: &str = "sums[threadIdx.x] = squares;\n    __syncthreads();";

#[test]
fn a_missing_barrier_is_a_race() {
    let task = tasks::rms_norm(2, 1000, 0);
    let edit = in_tree(BARRIER, "sums[threadIdx.x] = squares;\n");
    assert_caught(
        &task,
        "tree",
        &edit,
        &["race", "shared dynamic memory[", "rms_norm.cu:"],
    );
}

#[test]
fn a_missing_barrier_within_a_reduction_is_a_race() {
    let edit = in_reduce("float block_sum", "    __syncthreads();\n", "\n");
    let task = tasks::rms_norm(2, 1000, 0);
    assert_caught(
        &task,
        "shuffle",
        &edit,
        &["race", "shared partial[", "reduce.cuh:"],
    );
}

#[test]
fn a_barrier_is_missed_where_memory_is_used_again_and_only_there() {
    let used_again = "    __syncthreads();\n    return value;";
    let edit = in_reduce("float block_max", used_again, "    return value;");
    let softmax = tasks::softmax(2, 1028, 0);
    assert_caught(
        &softmax,
        "warp_shuffle",
        &edit,
        &["race", "shared partial[", "reduce.cuh:"],
    );

    let used_again = "    __syncthreads();  // `partial` may be used again\n";
    let edit = in_reduce("float block_sum", used_again, "");
    assert_caught(&tasks::rms_norm(2, 1000, 0), "shuffle", &edit, &["nothing"]);
}

#[test]
fn a_divergent_barrier_is_named_by_its_line() {
    let task = tasks::rms_norm(2, 1000, 0);
    let first = "    float squares = 0.0f;";
    let divergent = "    if (threadIdx.x < 128) __syncthreads(); float squares = 0.0f;";
    let edit = in_tree(first, divergent);
    let named = place(&task, "rms_norm_tree_f32", first);
    let expected = [&*named, "different places", "rms_norm.cu:"];
    assert_caught(&task, "tree", &edit, &expected);
}

#[test]
fn a_wrong_shuffle_offset_is_a_wrong_result() {
    let edit = in_reduce("float warp_sum", "value, offset)", "value, 1)");
    assert_caught(
        &tasks::rms_norm(2, 1000, 0),
        "shuffle",
        &edit,
        &["the reference says"],
    );
}

#[test]
fn a_shuffle_without_some_of_its_lanes_is_caught() {
    let edit = in_reduce(
        "float warp_sum",
        "value +=",
        "if (threadIdx.x % 32 < 16) value +=",
    );
    let words = ["different places", "reduce.cuh:"];
    assert_caught(&tasks::rms_norm(2, 1000, 0), "shuffle", &edit, &words);
}

#[test]
fn a_lane_outside_its_own_mask_is_caught() {
    let edit = in_reduce("float warp_sum", "(ALL_LANES,", "(0xFFFFu,");
    let words = ["is not in the mask 0xffff", "reduce.cuh:"];
    assert_caught(&tasks::rms_norm(2, 1000, 0), "shuffle", &edit, &words);
}

#[test]
fn a_write_past_the_end_is_caught_before_it_happens() {
    let task = tasks::rms_norm(1, 77, 0);
    let edit = in_tree("out[i] =", "out[i + 1] =");
    let line = place(&task, "rms_norm_tree_f32", "out[i] =");
    assert_caught(
        &task,
        "tree",
        &edit,
        &["written out of bounds", "nearest to out", &line],
    );
}

#[test]
fn a_read_past_the_end_is_caught() {
    let edit = in_tree("i < hidden", "i <= hidden");
    let words = ["read out of bounds", "nearest to x"];
    assert_caught(&tasks::rms_norm(1, 77, 0), "tree", &edit, &words);
}

#[test]
fn a_write_past_shared_memory_is_caught() {
    let edit = in_tree(STORE, "sums[threadIdx.x + 1] = squares;");
    let words = ["out of bounds", "nearest to shared dynamic memory"];
    assert_caught(&tasks::rms_norm(1, 77, 0), "tree", &edit, &words);
}

#[test]
fn a_write_to_an_input_is_caught() {
    let edit = in_tree(
        STORE,
        "sums[threadIdx.x] = squares; const_cast<float*>(x)[0] = 0.0f;",
    );
    assert_caught(
        &tasks::rms_norm(1, 77, 0),
        "tree",
        &edit,
        &["an input is written: x[0]"],
    );
}

#[test]
fn a_misaligned_vector_is_caught() {
    let edit = Edit {
        file: "rms_norm.cu",
        after: "void norm_vector",
        from: "load_vector(x + i,",
        to: "load_vector(x + i + 1,",
    };
    let words = ["an access of 16 bytes is misaligned at x["];
    assert_caught(&tasks::rms_norm(2, 1000, 0), "vector", &edit, &words);
    assert_caught(&tasks::rms_norm_bf16(2, 2056, 0), "vector", &edit, &words);
}

#[test]
fn blocks_that_write_the_same_element_race() {
    let edit = in_tree("out += (size_t)blockIdx.x * hidden;", "");
    assert_caught(&tasks::rms_norm(3, 77, 0), "tree", &edit, &["race at out["]);
}

#[test]
fn a_parameter_of_another_type_is_caught() {
    let edit = in_tree("unsigned hidden", "unsigned long long hidden");
    let words = ["rms_norm_tree_f32 takes", "u64", "the launch passes"];
    assert_caught(&tasks::rms_norm(3, 77, 0), "tree", &edit, &words);
}

#[test]
fn a_read_of_what_nobody_wrote_is_a_wrong_result() {
    let edit = in_tree(STORE, "if (threadIdx.x != 7) sums[threadIdx.x] = squares;");
    assert_caught(&tasks::rms_norm(2, 1000, 0), "tree", &edit, &["is NaN"]);
}
