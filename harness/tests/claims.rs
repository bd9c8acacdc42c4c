//! The rules of the claim table, one by one, and what must hold for all data.

use evenhand_harness::claim::{Class, Evidence, Outcome, Shade, Verdict, classify};
use evenhand_harness::gate::{Code, Reason, Severity};
use evenhand_harness::plan::{Direction, StopRule};
use proptest::prelude::*;

const MARGIN: f64 = 0.01;

fn evidence(d: &[f64]) -> Evidence {
    Evidence::gather(d, (-MARGIN, MARGIN), &StopRule::Fixed, 7)
}

fn judge(d: &[f64], gates: &[Reason]) -> Verdict {
    let e = evidence(d);
    let p = e.p;
    classify(&e, Direction::Lower, p, gates)
}

fn codes(verdict: &Verdict) -> Vec<&'static str> {
    verdict.reasons.iter().map(|r| r.code.name()).collect()
}

/// Noise with mean zero, no trend, no serial correlation.
fn noise(n: usize, size: f64) -> Vec<f64> {
    const PATTERN: [f64; 12] = [
        0.1, -1.1, 0.9, -0.4, 0.6, 1.2, -0.8, -0.2, 0.3, -1.0, 0.7, -0.3,
    ];
    (0..n).map(|i| size * PATTERN[i % 12]).collect()
}

fn shifted(n: usize, size: f64, shift: f64) -> Vec<f64> {
    noise(n, size).into_iter().map(|x| x + shift).collect()
}

#[test]
fn every_class_is_reached_by_its_rule() {
    let table = [
        (
            shifted(12, 0.005, -0.05),
            Class::Strong,
            Some(Outcome::Improvement),
            None,
        ),
        (
            shifted(12, 0.005, 0.05),
            Class::Strong,
            Some(Outcome::Regression),
            None,
        ),
        (
            shifted(8, 0.005, 0.05),
            Class::Strong,
            Some(Outcome::Regression),
            None,
        ),
        // Six units can't reach p <= .01.
        (
            shifted(6, 0.005, 0.05),
            Class::Moderate,
            Some(Outcome::Regression),
            None,
        ),
        // Beyond zero, not beyond the margin.
        (
            shifted(12, 0.004, 0.008),
            Class::Moderate,
            Some(Outcome::Regression),
            None,
        ),
        (
            shifted(12, 0.001, 0.0),
            Class::ParityEstablished,
            None,
            None,
        ),
        (
            shifted(24, 0.001, 0.004),
            Class::ParityEstablished,
            None,
            Some(Shade::DetectableButImmaterial),
        ),
        // Eleven units prove no parity.
        (
            shifted(11, 0.001, 0.0),
            Class::NoiseDominated,
            None,
            Some(Shade::NearParityNoiseDominated),
        ),
        (
            shifted(12, 0.05, 0.0),
            Class::NoiseDominated,
            None,
            Some(Shade::InconclusiveWide),
        ),
        (shifted(5, 0.001, 0.05), Class::Insufficient, None, None),
        (vec![], Class::Insufficient, None, None),
        (vec![0.05; 12], Class::Insufficient, None, None),
    ];
    for (d, class, outcome, shade) in table {
        let verdict = judge(&d, &[]);
        assert_eq!(
            (verdict.class, verdict.outcome, verdict.shade),
            (class, outcome, shade),
            "{d:?}"
        );
    }
}

#[test]
fn caps_lower_and_say_so() {
    let d = shifted(12, 0.005, 0.05);
    for code in Code::all() {
        let verdict = judge(&d, &[Reason::new(code, "test")]);
        let expected = match code.severity() {
            Severity::Note | Severity::Explains => Class::Strong,
            Severity::CapModerate => Class::Moderate,
            Severity::CapDirectional => Class::Directional,
            Severity::Insufficient => Class::Insufficient,
            Severity::Invalid => Class::Invalid,
        };
        assert_eq!(verdict.class, expected, "{code}");
        assert!(codes(&verdict).contains(&code.name()), "{code}");
    }
}

#[test]
fn multiplicity_makes_a_claim_a_hint() {
    let e = evidence(&shifted(12, 0.005, 0.05));
    let verdict = classify(&e, Direction::Lower, Some(0.2), &[]);
    assert_eq!(verdict.class, Class::Directional);
    assert!(codes(&verdict).contains(&"multiplicity"));
}

#[test]
fn ties_and_serial_correlation_are_seen() {
    let mut tied = shifted(12, 0.005, 0.05);
    tied[..7].fill(0.0);
    assert_eq!(judge(&tied, &[]).class, Class::Insufficient);
    // A slow wave: neighbours are alike.
    let wave: Vec<f64> = (0..24)
        .map(|i| 0.05 + 0.02 * libm::sin(f64::from(i) / 4.0))
        .collect();
    let e = evidence(&wave);
    assert!(e.serially_correlated && e.n_eff < 24.0);
    assert!(!judge(&wave, &[]).class.is_claim());
}

#[test]
fn strong_effects_lie_beyond_the_noise_floor() {
    let mut e = evidence(&shifted(12, 0.005, 0.05));
    for (floor, class) in [
        (None, Class::Strong),
        (Some(0.02), Class::Strong),
        (Some(0.06), Class::Moderate),
    ] {
        e.noise_floor = floor;
        assert_eq!(
            classify(&e, Direction::Lower, e.p, &[]).class,
            class,
            "{floor:?}"
        );
    }
}

#[test]
fn a_higher_better_metric_turns_the_outcome() {
    let e = evidence(&shifted(12, 0.005, 0.05));
    let verdict = classify(&e, Direction::Higher, e.p, &[]);
    assert_eq!(verdict.outcome, Some(Outcome::Improvement));
}

/// How much a class says.
fn rank(class: Class) -> u8 {
    match class {
        Class::Invalid => 0,
        Class::Insufficient => 1,
        Class::NoiseDominated => 2,
        Class::Directional => 3,
        Class::Moderate => 4,
        Class::ParityEstablished => 5,
        Class::Strong => 6,
    }
}

fn units() -> impl Strategy<Value = Vec<f64>> {
    (
        prop::collection::vec(-1.0..1.0f64, 0..30),
        -0.05..0.05f64,
        0.0001..0.05f64,
    )
        .prop_map(|(noise, shift, size)| noise.into_iter().map(|x| shift + size * x).collect())
}

fn gates() -> impl Strategy<Value = Vec<Reason>> {
    let all: Vec<Code> = Code::all().collect();
    let code = prop::sample::select(all).prop_map(|code| Reason::new(code, "drawn"));
    prop::collection::vec(code, 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn swapping_the_labels_flips_the_outcome_and_keeps_the_class(d in units()) {
        let swapped: Vec<f64> = d.iter().map(|x| -x).collect();
        let (e, f) = (evidence(&d), evidence(&swapped));
        prop_assert_eq!(e.p, f.p);
        if let (Some(a), Some(b)) = (e.ci95, f.ci95) {
            prop_assert_eq!((a.lo, a.hi), (b.hi.map(|x| -x), b.lo.map(|x| -x)));
        }
        let (one, other) = (judge(&d, &[]), judge(&swapped, &[]));
        prop_assert_eq!(one.class, other.class);
        prop_assert_eq!(one.shade, other.shade);
        match one.outcome {
            None => prop_assert_eq!(other.outcome, None),
            Some(outcome) => prop_assert_ne!(Some(outcome), other.outcome),
        }
    }

    #[test]
    fn one_more_gate_never_raises_a_class(d in units(), gates in gates(), more in gates()) {
        let before = judge(&d, &gates).class;
        let after = judge(&d, &[gates, more].concat()).class;
        prop_assert!(rank(after) <= rank(before), "{before:?} became {after:?}");
    }

    #[test]
    fn a_larger_family_never_raises_a_class(d in units(), factor in 1.0..50.0f64) {
        let e = evidence(&d);
        let alone = classify(&e, Direction::Lower, e.p, &[]).class;
        let adjusted = e.p.map(|p| (p * factor).min(1.0));
        let crowded = classify(&e, Direction::Lower, adjusted, &[]).class;
        prop_assert!(rank(crowded) <= rank(alone));
    }

    #[test]
    fn a_wider_margin_never_makes_a_claim_of_a_difference(d in units(), factor in 1.0..5.0f64) {
        let wide = (-MARGIN * factor, MARGIN * factor);
        let e = Evidence::gather(&d, wide, &StopRule::Fixed, 7);
        let widened = classify(&e, Direction::Lower, e.p, &[]).class;
        if widened == Class::Strong {
            prop_assert_eq!(judge(&d, &[]).class, Class::Strong);
        }
    }

    #[test]
    fn units_in_another_unit_of_measurement_say_the_same(d in units(), scale in 1e-3..1e3f64) {
        let scaled: Vec<f64> = d.iter().map(|x| x * scale).collect();
        let margin = (-MARGIN * scale, MARGIN * scale);
        let e = Evidence::gather(&scaled, margin, &StopRule::Fixed, 7);
        let verdict = classify(&e, Direction::Lower, e.p, &[]);
        prop_assert_eq!(verdict.class, judge(&d, &[]).class);
    }
}
