use super::{SEEDS, SIZES};
use evenhand_kernels::cpu::uncertainty::*;
use evenhand_kernels::reference::Uncertainty;
use evenhand_kernels::{inputs, reference};
use proptest::prelude::*;

fn measure(logits: &[f32], token: usize) -> [Uncertainty; 2] {
    [uncertainty_two_pass, uncertainty_online].map(|measure| measure(logits, token))
}

fn assert_agree(logits: &[f32], token: usize) {
    let want = reference::uncertainty(logits, token);
    for got in measure(logits, token) {
        let got = [got.log_probability, got.entropy];
        let checked =
            uncertainty_tolerance(logits).check(&got, &[want.log_probability, want.entropy]);
        checked.unwrap_or_else(|mismatch| panic!("{} logits: {mismatch}", logits.len()));
    }
}

#[test]
fn variants_agree_with_the_reference() {
    for seed in SEEDS {
        for size in SIZES.into_iter().chain([1024, 1025, 128_256]) {
            let logits = inputs::normal(seed, "logits", 3.0, size);
            assert_agree(&logits, size / 2);
        }
    }
}

#[test]
fn even_logits_are_as_uncertain_as_possible() {
    let most = 4096f64.ln();
    for got in measure(&[2.5; 4096], 17) {
        assert!((got.entropy - most).abs() < 1e-5, "{got:?}");
        assert!((got.log_probability + most).abs() < 1e-5, "{got:?}");
    }
}

#[test]
fn the_only_possible_token_is_certain() {
    let mut logits = [f32::NEG_INFINITY; 3000];
    logits[2100] = -4.0;
    for got in measure(&logits, 2100) {
        assert_eq!((got.log_probability, got.entropy), (0.0, 0.0));
    }
    assert_agree(&logits, 2100);
    for got in measure(&logits, 0) {
        assert_eq!(got.log_probability, f64::NEG_INFINITY);
    }
}

#[test]
fn a_logit_that_is_no_number_shows() {
    let mut logits = inputs::normal(7, "logits", 3.0, 3000);
    logits[2100] = f32::NAN;
    for got in measure(&logits, 9) {
        assert!(
            got.log_probability.is_nan() && got.entropy.is_nan(),
            "{got:?}"
        );
    }
}

#[test]
fn statistics_do_not_depend_on_the_level() {
    let logits = inputs::normal(7, "logits", 3.0, 1500);
    let raised: Vec<f32> = logits.iter().map(|l| l + 64.0).collect();
    for (low, high) in measure(&logits, 9).into_iter().zip(measure(&raised, 9)) {
        assert!((low.entropy - high.entropy).abs() < 1e-4);
        assert!((low.log_probability - high.log_probability).abs() < 1e-4);
    }
}

#[test]
fn the_tolerance_rejects_another_token_and_a_missing_block() {
    let logits = inputs::normal(7, "logits", 3.0, 32_000);
    let tolerance = uncertainty_tolerance(&logits);
    let want = reference::uncertainty(&logits, 5);
    let other = reference::uncertainty(&logits, 6);
    assert!(!tolerance.accepts(other.log_probability, want.log_probability));
    let short = reference::uncertainty(&logits[..31_000], 5);
    assert!(!tolerance.accepts(short.log_probability, want.log_probability));
    assert!(!tolerance.accepts(short.entropy, want.entropy));
}

proptest! {
    #[test]
    fn variants_agree_on_any_scale(
        logits in prop::collection::vec(-90f32..90.0, 1..3000), token: prop::sample::Index,
    ) {
        assert_agree(&logits, token.index(logits.len()));
    }
}
