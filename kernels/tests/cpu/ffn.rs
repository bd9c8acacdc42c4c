use super::{SEEDS, assert_agrees};
use evenhand_kernels::cpu::ffn::*;
use evenhand_kernels::{FfnProjections, bf16};

#[test]
fn variants_agree_with_the_reference() {
    for seed in SEEDS {
        for (rows, cols) in [(1, 1), (2, 7), (3, 8), (7, 255), (64, 257), (5, 4096)] {
            assert_agrees!(FfnProjections::<f32>::new(rows, cols, seed), separate);
            assert_agrees!(FfnProjections::<f32>::new(rows, cols, seed), batched);
            assert_agrees!(FfnProjections::<bf16>::new(rows, cols, seed), separate);
            assert_agrees!(FfnProjections::<bf16>::new(rows, cols, seed), batched);
        }
    }
}

#[test]
fn gate_comes_before_up() {
    let (gate, up) = (
        [1.0, 0.0, 2.0, 0.0, 3.0, 0.0],
        [0.0, 4.0, 0.0, 5.0, 0.0, 6.0],
    );
    for ffn in [ffn_separate, ffn_batched] {
        let mut out = [f32::NAN; 6];
        ffn(&gate, &up, &[10.0, 100.0], &mut out);
        assert_eq!(out, [10.0, 20.0, 30.0, 400.0, 500.0, 600.0]);
    }
}

#[test]
fn work_counts_both_matrices() {
    let kernel = FfnProjections::<bf16>::new(3, 5, 0);
    assert_eq!(kernel.bytes_moved(), 2 * 30 + 4 * 5 + 4 * 6);
    assert_eq!(kernel.flops(), 60);
}

#[test]
#[should_panic(expected = "the matrix is not 2x3")]
fn matrices_of_different_shapes_are_refused() {
    ffn_batched(&[1.0; 6], &[1.0; 9], &[1.0; 3], &mut [0.0; 4]);
}
