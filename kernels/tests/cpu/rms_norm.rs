use super::{SEEDS, SIZES, assert_agrees};
use evenhand_kernels::RmsNorm;
use evenhand_kernels::cpu::rms_norm::*;
use proptest::prelude::*;

type Norm = fn(&[f32], &[f32], f32, &mut [f32]);
const VARIANTS: [(&str, Norm); 2] = [("scalar", rms_norm_scalar), ("lanes", rms_norm_lanes)];

fn run(norm: Norm, x: &[f32], weight: &[f32], epsilon: f32) -> Vec<f32> {
    let mut out = vec![f32::NAN; x.len()];
    norm(x, weight, epsilon, &mut out);
    out
}

#[test]
fn variants_agree_with_the_reference() {
    for seed in SEEDS {
        for hidden in SIZES {
            for rows in [1, 5] {
                assert_agrees!(RmsNorm::new(rows, hidden, seed), scalar);
                assert_agrees!(RmsNorm::new(rows, hidden, seed), lanes);
            }
        }
    }
}

#[test]
fn epsilon_keeps_a_zero_row_at_zero() {
    for (name, norm) in VARIANTS {
        assert_eq!(run(norm, &[0.0; 33], &[1.0; 33], 1e-5), [0.0; 33], "{name}");
    }
}

#[test]
fn epsilon_counts_where_the_input_is_small() {
    for (name, norm) in VARIANTS {
        // mean(x^2) = epsilon, hence x / sqrt(2 epsilon).
        let got = run(norm, &[0.5; 20], &[3.0; 20], 0.25);
        for y in got {
            assert!((y - 3.0 / 2f32.sqrt()).abs() < 1e-6, "{name}: {y}");
        }
    }
}

#[test]
#[should_panic(expected = "are not rows of")]
fn ragged_rows_are_refused() {
    run(rms_norm_lanes, &[0.0; 7], &[1.0; 3], 1e-5);
}

proptest! {
    #[test]
    fn scale_invariance(seed: u64, hidden in 1usize..600, power in -20i32..20, factor in 0.5f32..2.0) {
        let kernel = RmsNorm::new(1, hidden, seed);
        let weight = vec![1.0; hidden];
        let scaled = |factor: f32| kernel.input().iter().map(|v| v * factor).collect::<Vec<f32>>();
        for (name, norm) in VARIANTS {
            let plain = run(norm, kernel.input(), &weight, 0.0);
            // The mean square of a power of two times x is exact as well, and
            // so is its square root: every bit must agree.
            let by_power = run(norm, &scaled(2f32.powi(power)), &weight, 0.0);
            prop_assert_eq!(&by_power, &plain, "{}", name);
            let want: Vec<f64> = plain.iter().map(|&v| v.into()).collect();
            let got = run(norm, &scaled(factor), &weight, 0.0);
            let mut tolerance = kernel.tolerance();
            tolerance.relative *= 2.0;
            prop_assert!(tolerance.check(&got, &want).is_ok(), "{}", name);
        }
    }

    #[test]
    fn unit_weights_give_unit_rms(seed: u64, hidden in 1usize..600) {
        let kernel = RmsNorm::new(1, hidden, seed);
        for (name, norm) in VARIANTS {
            let y = run(norm, kernel.input(), &vec![1.0; hidden], 0.0);
            let mean = y.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / hidden as f64;
            prop_assert!((mean - 1.0).abs() <= 2.0 * kernel.tolerance().relative, "{name}: {mean}");
        }
    }
}
