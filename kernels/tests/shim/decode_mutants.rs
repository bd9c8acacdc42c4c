//! Mistakes in the kernels of decode: attention, projections, sampling.

use super::mutants::{Edit, assert_caught};
use evenhand_kernels::AttentionShape;
use evenhand_kernels::task::Task;
use evenhand_kernels::tasks::{self, Sampling};

const WRONG: &[&str] = &["the reference says"];

/// The first place in a file.
fn edit(file: &'static str, from: &'static str, to: &'static str) -> Edit {
    Edit {
        file,
        after: "",
        from,
        to,
    }
}

fn attention() -> Task {
    let shape = AttentionShape {
        heads: 6,
        kv_heads: 2,
        head_dim: 64,
        length: 333,
    };
    tasks::attention(shape, 0)
}

fn sizes(vocabulary: usize, k: usize) -> Sampling {
    Sampling {
        vocabulary,
        k,
        temperature: 0.8,
    }
}

#[test]
fn groups_that_merge_before_all_have_written_race() {
    let edit = edit("attention.cu", "    __syncthreads();\n", "\n");
    for variant in ["block_per_head", "split_k"] {
        assert_caught(
            &attention(),
            variant,
            &edit,
            &["race", "shared", "attention.cu:"],
        );
    }
}

#[test]
fn a_score_of_half_a_row_is_a_wrong_result() {
    let edit = edit("attention.cu", "offset = LANES / 2;", "offset = LANES / 4;");
    assert_caught(&attention(), "block_per_head", &edit, WRONG);
}

#[test]
fn a_query_head_of_another_group_is_a_wrong_result() {
    let edit = edit(
        "attention.cu",
        "head / (heads / kv_heads)",
        "head % kv_heads",
    );
    assert_caught(&attention(), "block_per_head", &edit, WRONG);
}

#[test]
fn a_row_beyond_the_cache_is_read_out_of_bounds() {
    let edit = edit("attention.cu", "position < last;", "position <= last;");
    assert_caught(
        &attention(),
        "block_per_head",
        &edit,
        &["read out of bounds", "nearest to keys"],
    );
}

#[test]
fn lanes_that_leave_before_a_shuffle_are_missed() {
    // Groups past the end skip the exchange that their warp still waits for.
    let edit = edit(
        "attention.cu",
        "        float score = 0.0f;\n",
        "        if (!inside) break;\n        float score = 0.0f;\n",
    );
    assert_caught(&attention(), "block_per_head", &edit, &["different places"]);
}

#[test]
fn a_running_sum_that_is_not_rescaled_is_a_wrong_result() {
    let edit = edit(
        "attention.cu",
        "sum = sum * keep + weight;",
        "sum = sum + weight;",
    );
    assert_caught(&attention(), "split_k", &edit, WRONG);
}

#[test]
fn a_chunk_without_its_maximum_is_a_wrong_result() {
    let edit = edit(
        "attention.cu",
        "exp2f(partial_sums[2 * slot] - max)",
        "exp2f(0.0f)",
    );
    assert_caught(&attention(), "split_k", &edit, WRONG);
}

#[test]
fn both_projections_in_one_place_race() {
    let edit = edit("ffn.cu", "out + (size_t)blockIdx.y * rows", "out");
    let task = tasks::ffn_bf16(11, 520, 0);
    assert_caught(&task, "batched", &edit, &["race at out["]);
}

#[test]
fn the_same_matrix_twice_is_a_wrong_result() {
    let edit = edit("ffn.cu", "blockIdx.y == 0 ? gate : up", "gate");
    assert_caught(&tasks::ffn_f32(11, 516, 0), "batched", &edit, WRONG);
}

#[test]
fn a_second_projection_over_the_first_is_a_wrong_result() {
    let edit = edit("ffn.cu", "out + first_row", "out");
    assert_caught(&tasks::ffn_f32(11, 516, 0), "separate", &edit, WRONG);
}

#[test]
fn elements_that_no_lane_takes_are_a_wrong_result() {
    let edit = edit(
        "row_dot.cuh",
        "col += 32 * WIDTH) {",
        "col += 64 * WIDTH) {",
    );
    let task = tasks::matvec_bf16(33, 1000, 0);
    assert_caught(&task, "warp_per_row", &edit, WRONG);
}

#[test]
fn a_wide_load_of_an_odd_row_is_caught() {
    let edit = edit("row_dot.cuh", "cols % WIDTH != 0", "false");
    // Rows in the middle are misaligned; the last one also ends within a load.
    let task = tasks::matvec_bf16(9, 77, 0);
    assert_caught(&task, "warp_per_row", &edit, &["16 bytes", "w["]);
}

#[test]
fn a_sort_without_its_barrier_races() {
    let edit = edit(
        "sampling.cu",
        "                }\n            }\n            __syncthreads();",
        "                }\n            }\n",
    );
    let task = tasks::sampling(sizes(1030, 40), 0);
    assert_caught(&task, "tiles", &edit, &["race", "sampling.cu:"]);
}

#[test]
fn an_argmax_that_may_repeat_itself_is_a_wrong_result() {
    let edit = edit("sampling.cu", "key < last", "key <= last");
    let task = tasks::sampling(sizes(1030, 40), 0);
    assert_caught(&task, "repeated_argmax", &edit, WRONG);
}

#[test]
fn a_round_that_starts_early_races() {
    let edit = edit(
        "sampling.cu",
        "        __syncthreads(); // before the next round overwrites best\n",
        "",
    );
    let task = tasks::sampling(sizes(1030, 40), 0);
    assert_caught(&task, "repeated_argmax", &edit, &["race", "shared"]);
}

#[test]
fn a_tile_left_out_of_the_statistics_is_a_wrong_result() {
    let edit = edit(
        "sampling.cu",
        "int tile = (int)threadIdx.x; tile < tiles;",
        "int tile = (int)threadIdx.x + 1; tile < tiles;",
    );
    let task = tasks::sampling_uncertainty(sizes(5000, 300), 0);
    assert_caught(&task, "fused", &edit, WRONG);
}

#[test]
fn moments_merged_without_their_shift_are_a_wrong_result() {
    let edit = edit(
        "sampling.cu",
        "moments.weighted + down * moments.sum",
        "moments.weighted",
    );
    let task = tasks::sampling_uncertainty(sizes(5000, 300), 0);
    for variant in ["separate_sweep", "fused"] {
        assert_caught(&task, variant, &edit, WRONG);
    }
}

#[test]
fn candidates_left_out_of_the_merge_are_a_wrong_result() {
    let edit = edit(
        "sampling.cu",
        "(int)blockIdx.x * TILE, count);",
        "(int)blockIdx.x * TILE, count / 2);",
    );
    let task = tasks::sampling(sizes(5000, 300), 0);
    assert_caught(&task, "tiles", &edit, WRONG);
}
