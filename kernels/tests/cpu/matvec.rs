use super::{SEEDS, assert_agrees};
use evenhand_kernels::cpu::matvec::*;
use evenhand_kernels::{MatVec, Weight, bf16};
use proptest::prelude::*;

const SHAPES: [(usize, usize); 10] = [
    (1, 1),
    (1, 7),
    (7, 1),
    (4, 8),
    (5, 15),
    (7, 255),
    (255, 7),
    (3, 4096),
    (256, 257),
    (1026, 64),
];

fn both<W: Weight>(w: &[W], x: &[f32], rows: usize) -> [Vec<f32>; 2] {
    [matvec_row_wise, matvec_blocked].map(|matvec| {
        let mut out = vec![f32::NAN; rows];
        matvec(w, x, &mut out);
        out
    })
}

#[test]
fn variants_agree_with_the_reference() {
    for seed in SEEDS {
        for (rows, cols) in SHAPES {
            assert_agrees!(MatVec::<f32>::new(rows, cols, seed), row_wise);
            assert_agrees!(MatVec::<f32>::new(rows, cols, seed), blocked);
            assert_agrees!(MatVec::<bf16>::new(rows, cols, seed), row_wise);
            assert_agrees!(MatVec::<bf16>::new(rows, cols, seed), blocked);
        }
    }
}

#[test]
fn bytes_follow_the_weight_format() {
    assert_eq!(MatVec::<f32>::new(3, 5, 0).bytes_moved(), 4 * 15 + 4 * 8);
    assert_eq!(MatVec::<bf16>::new(3, 5, 0).bytes_moved(), 2 * 15 + 4 * 8);
    assert_eq!(MatVec::<bf16>::new(3, 5, 0).flops(), 30);
}

#[test]
fn weights_of_both_formats_come_from_the_same_draw() {
    let wide = MatVec::<f32>::new(9, 9, 7);
    let narrow = MatVec::<bf16>::new(9, 9, 7);
    for (wide, narrow) in wide.weights().iter().zip(narrow.weights()) {
        assert_eq!(bf16::from_f32(*wide), *narrow);
    }
}

#[test]
#[should_panic(expected = "the matrix is not 2x3")]
fn a_wrong_shape_is_refused() {
    matvec_blocked(&[1.0; 7], &[1.0; 3], &mut [0.0; 2]);
}

proptest! {
    #[test]
    fn small_integers_are_exact(rows in 1usize..12, cols in 1usize..40, seed: u64) {
        // Integers below 2^24 leave nothing to rounding: every bit must agree.
        let integers = |len, label| -> Vec<f32> {
            evenhand_kernels::inputs::normal(seed, label, 20.0, len)
                .into_iter().map(f32::round).collect()
        };
        let (w, x) = (integers(rows * cols, "w"), integers(cols, "x"));
        let want: Vec<f32> = w.chunks(cols)
            .map(|row| row.iter().zip(&x).map(|(&w, &x)| w as i64 * x as i64).sum::<i64>() as f32)
            .collect();
        for got in both(&w, &x, rows) {
            prop_assert_eq!(&got, &want);
        }
        let narrow: Vec<bf16> = w.iter().map(|&w| bf16::from_f32(w)).collect();
        for got in both(&narrow, &x, rows) {
            prop_assert_eq!(&got, &want);
        }
    }
}
