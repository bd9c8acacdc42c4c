use super::{SEEDS, assert_agrees};
use evenhand_kernels::cpu::attention::*;
use evenhand_kernels::{AttentionShape, DecodeAttention, bf16, reference};
use proptest::prelude::*;

fn shape(heads: usize, kv_heads: usize, head_dim: usize, length: usize) -> AttentionShape {
    AttentionShape {
        heads,
        kv_heads,
        head_dim,
        length,
    }
}

/// All variants on the same buffers.
fn all(shape: AttentionShape, q: &[f32], keys: &[f32], values: &[f32]) -> [Vec<f32>; 2] {
    let mut two_pass = vec![f32::NAN; q.len()];
    let mut scores = vec![f32::NAN; shape.length];
    attention_two_pass(shape, q, keys, values, &mut scores, &mut two_pass);
    let mut online = vec![f32::NAN; q.len()];
    attention_online(shape, q, keys, values, &mut online);
    [two_pass, online]
}

#[test]
fn variants_agree_with_the_reference() {
    for seed in SEEDS {
        for shape in [
            shape(1, 1, 1, 1),
            shape(2, 1, 7, 31),
            shape(6, 2, 16, 32),
            shape(4, 4, 64, 33),
            shape(8, 2, 63, 255),
            shape(3, 1, 128, 1025),
        ] {
            assert_agrees!(DecodeAttention::<f32>::new(shape, seed), two_pass);
            assert_agrees!(DecodeAttention::<f32>::new(shape, seed), online);
            assert_agrees!(DecodeAttention::<bf16>::new(shape, seed), two_pass);
            assert_agrees!(DecodeAttention::<bf16>::new(shape, seed), online);
        }
    }
}

#[test]
fn heads_of_a_group_share_their_cache() {
    // Every key and value head stores its own number at every position.
    let shape = shape(6, 3, 2, 40);
    let values: Vec<f32> = (0..40 * 3 * 2).map(|i| (i / 2 % 3) as f32).collect();
    let kernel = DecodeAttention::<f32>::new(shape, 7);
    for out in all(shape, kernel.query(), kernel.keys(), &values) {
        for (got, want) in out.iter().zip([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]) {
            assert!((got - want as f32).abs() < 1e-6, "{out:?}");
        }
    }
}

#[test]
fn equal_scores_average_the_values() {
    let shape = shape(1, 1, 1, 100);
    let values: Vec<f32> = (0..100).map(|position| position as f32).collect();
    for out in all(shape, &[0.0], &[3.0; 100], &values) {
        assert!((out[0] - 49.5).abs() < 1e-4, "{out:?}");
    }
}

#[test]
fn a_dominant_late_key_takes_all() {
    // Its score exceeds the others by far more than f32 can exponentiate.
    let shape = shape(1, 1, 1, 70);
    let mut keys = [-1.0; 70];
    keys[69] = 1.0;
    let values: Vec<f32> = (0..70).map(|position| position as f32).collect();
    for out in all(shape, &[500.0], &keys, &values) {
        assert_eq!(out, [69.0]);
    }
}

#[test]
fn the_tolerance_rejects_a_missing_position() {
    let long = DecodeAttention::<f32>::new(shape(2, 1, 64, 4096), 7);
    let short = shape(2, 1, 64, 4095);
    let rows = 4095 * 64;
    let (keys, values) = (&long.keys()[..rows], &long.values()[..rows]);
    let without_last = reference::attention(short, long.query(), keys, values);
    let got: Vec<f32> = without_last.iter().map(|&v| v as f32).collect();
    assert!(long.tolerance().check(&got, &long.reference()).is_err());
}

#[test]
fn work_counts_the_cache_once() {
    let kernel = DecodeAttention::<bf16>::new(shape(4, 2, 8, 10), 0);
    assert_eq!(kernel.bytes_moved(), 2 * 2 * 10 * 2 * 8 + 8 * 4 * 8);
    assert_eq!(kernel.flops(), 4 * 10 * (4 * 8 + 4));
}

#[test]
#[should_panic(expected = "3 heads are not groups over 2 key and value heads")]
fn heads_without_a_group_are_refused() {
    let _ = DecodeAttention::<f32>::new(shape(3, 2, 8, 10), 0);
}

proptest! {
    #[test]
    fn outputs_lie_between_the_values(seed: u64, length in 1usize..90, group in 1usize..4) {
        let kernel = DecodeAttention::<f32>::new(shape(group, 1, 1, length), seed);
        let (low, high) = kernel.values().iter().fold((f32::MAX, f32::MIN), |(low, high), &v| {
            (low.min(v), high.max(v))
        });
        for out in all(kernel.shape(), kernel.query(), kernel.keys(), kernel.values()) {
            for out in out {
                prop_assert!((low - 1e-5..=high + 1e-5).contains(&out));
            }
        }
    }
}
