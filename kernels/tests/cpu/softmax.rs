use super::{SEEDS, SIZES, assert_agrees};
use evenhand_kernels::cpu::softmax::*;
use evenhand_kernels::{RowSoftmax, reference};
use proptest::prelude::*;

type Softmax = fn(&[f32], usize, &mut [f32]);
const VARIANTS: [(&str, Softmax); 4] = [
    ("three_pass", softmax_three_pass),
    ("three_pass_lanes", softmax_three_pass_lanes),
    ("online", softmax_online),
    ("online_blocked", softmax_online_blocked),
];

fn run(softmax: Softmax, x: &[f32], cols: usize) -> Vec<f32> {
    let mut out = vec![f32::NAN; x.len()];
    softmax(x, cols, &mut out);
    out
}

fn assert_all_agree(x: &[f32], cols: usize) {
    let want = reference::softmax(x, cols);
    for (name, softmax) in VARIANTS {
        let got = run(softmax, x, cols);
        if let Err(mismatch) = softmax_tolerance(x, cols).check(&got, &want) {
            panic!("{name}: {mismatch}");
        }
    }
}

#[test]
fn variants_agree_with_the_reference() {
    for seed in SEEDS {
        for cols in SIZES.into_iter().chain([32_000]) {
            let rows = if cols > 256 { 2 } else { 5 };
            assert_agrees!(RowSoftmax::new(rows, cols, seed), three_pass);
            assert_agrees!(RowSoftmax::new(rows, cols, seed), three_pass_lanes);
            assert_agrees!(RowSoftmax::new(rows, cols, seed), online);
            assert_agrees!(RowSoftmax::new(rows, cols, seed), online_blocked);
        }
    }
}

#[test]
fn extreme_logits() {
    for cols in SIZES {
        assert_all_agree(&vec![80.0; cols], cols);
        assert_all_agree(&vec![-80.0; cols], cols);
        assert_all_agree(&vec![0.0; cols], cols);
        let signs: Vec<f32> = (0..cols)
            .map(|i| if i % 3 == 0 { 80.0 } else { -80.0 })
            .collect();
        assert_all_agree(&signs, cols);
        let ascending: Vec<f32> = (0..cols)
            .map(|i| -80.0 + 160.0 * i as f32 / cols as f32)
            .collect();
        assert_all_agree(&ascending, cols);
        let descending: Vec<f32> = ascending.into_iter().rev().collect();
        assert_all_agree(&descending, cols);
        for huge_at in [0, cols / 2, cols - 1] {
            let mut one_huge = vec![1.0; cols];
            one_huge[huge_at] = 1e30;
            assert_all_agree(&one_huge, cols);
        }
    }
}

#[test]
fn masked_positions_become_zero() {
    for cols in SIZES {
        for free in [0, cols / 2, cols - 1] {
            let mut x = vec![f32::NEG_INFINITY; cols];
            x[free] = -3.0;
            for (name, softmax) in VARIANTS {
                let got = run(softmax, &x, cols);
                for (i, p) in got.into_iter().enumerate() {
                    assert_eq!(
                        p,
                        if i == free { 1.0 } else { 0.0 },
                        "{name}, element {i} of {cols}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_nan_spoils_its_row_and_no_other() {
    for cols in [1, 7, 65, 255] {
        for at in [0, cols / 2, cols - 1] {
            let mut x = vec![0.5; 3 * cols];
            x[cols + at] = f32::NAN;
            for (name, softmax) in VARIANTS {
                let got = run(softmax, &x, cols);
                for (i, p) in got.iter().enumerate() {
                    assert_eq!(p.is_nan(), i / cols == 1, "{name}, element {i}");
                }
            }
        }
    }
}

#[test]
#[should_panic(expected = "are not rows of")]
fn ragged_rows_are_refused() {
    run(softmax_online, &[0.0; 7], 3);
}

proptest! {
    #[test]
    fn rows_sum_to_one(seed: u64, rows in 1usize..4, cols in 1usize..600) {
        let kernel = RowSoftmax::new(rows, cols, seed);
        for (name, softmax) in VARIANTS {
            for row in run(softmax, kernel.input(), cols).chunks(cols) {
                let sum: f64 = row.iter().map(|&p| f64::from(p)).sum();
                prop_assert!((sum - 1.0).abs() <= kernel.tolerance().relative, "{name}: {sum}");
            }
        }
    }

    #[test]
    fn a_shift_changes_nothing(seed: u64, cols in 1usize..600, shift in -64i32..64) {
        // Logits on a grid of 1/64, so that the shift itself is exact.
        let x: Vec<f32> = RowSoftmax::new(1, cols, seed)
            .input().iter().map(|v| (v * 64.0).round() / 64.0).collect();
        let shifted: Vec<f32> = x.iter().map(|v| v + shift as f32).collect();
        for (name, softmax) in VARIANTS {
            prop_assert_eq!(run(softmax, &x, cols), run(softmax, &shifted, cols), "{}", name);
        }
    }

    #[test]
    fn arbitrary_finite_logits(x in prop::collection::vec(-100f32..100.0, 1..300)) {
        assert_all_agree(&x, x.len());
    }
}
