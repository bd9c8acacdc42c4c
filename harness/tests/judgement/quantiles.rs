//! Quantiles of the samples behind slots.

use crate::session::{Slot, codes, experiment, judged, metric, secondary};
use bootstrap::Stream;
use evenhand_harness::claim::{Class, ExperimentJudgement};
use evenhand_harness::gate::Code;
use evenhand_harness::plan::{SecondaryMetric, SecondaryRole};
use std::cell::RefCell;

fn p95() -> SecondaryMetric {
    secondary("time", "ns", SecondaryRole::Claim).quantile(0.95)
}

/// Every slot has `samples` values of about 100; one in ten takes `tail` in the
/// candidate, twice as long in the control, and one in `failing` fails there.
fn session(samples: usize, tail: f64, failing: usize) -> ExperimentJudgement {
    let stream = RefCell::new(Stream::new(5, "samples"));
    judged(vec![p95()], &[], |arm, _, noise| {
        let mut stream = stream.borrow_mut();
        let values = (0..samples).map(|_| {
            let slow = if arm == 1 { tail } else { 200.0 };
            let base = if stream.unit() < 0.1 { slow } else { 100.0 };
            let fails = arm == 0 && stream.unit() < 1.0 / failing as f64;
            (!fails).then(|| base * (1.0 + 0.01 * stream.unit()))
        });
        Slot {
            value: Some(100.0 * (1.0 + noise)),
            secondary: vec![None],
            samples: vec![values.collect()],
            ..Slot::default()
        }
    })
}

#[test]
fn a_tail_is_claimed_where_the_mean_says_nothing() {
    let judged = session(40, 150.0, usize::MAX);
    assert_eq!(judged.claims[0].class, Class::ParityEstablished);
    let tail = &judged.secondary[0];
    assert_eq!(tail.claims[0].class, Class::Strong, "{:?}", tail.claims[0]);
    // Three quarters of 200.
    let effect = tail.claims[0].estimate.effect;
    assert!((effect - 0.75_f64.ln()).abs() < 0.01, "{effect}");
    let median = |arm: usize| tail.arms[arm].median.unwrap();
    assert!((200.0..202.0).contains(&median(0)), "{}", median(0));
    assert_eq!(tail.metric, "time.p95");
    assert!((150.0..152.0).contains(&median(1)), "{}", median(1));
}

#[test]
fn equal_tails_are_no_difference() {
    let judged = session(40, 200.0, usize::MAX);
    let class = judged.secondary[0].claims[0].class;
    assert_eq!(class, Class::ParityEstablished);
}

#[test]
fn too_few_samples_have_no_tail() {
    // Sixteen slots of two samples: p95 needs 72.
    let judged = session(2, 150.0, usize::MAX);
    let claim = &judged.secondary[0].claims[0];
    assert_eq!(claim.class, Class::Insufficient);
    assert!(claim.reasons.iter().any(|r| r.code == Code::QuantileFloor));
    assert!(
        !codes(&judged).contains(&Code::QuantileFloor),
        "the mean is not concerned"
    );
}

#[test]
fn failures_rank_behind_every_value() {
    // One in fifty does not reach p95, one in ten does.
    let few = session(40, 150.0, 50);
    assert_eq!(few.secondary[0].claims[0].class, Class::Strong);
    let many = session(40, 150.0, 10);
    let claim = &many.secondary[0].claims[0];
    assert!(!claim.class.is_claim(), "{claim:?}");
    assert!(claim.reasons.iter().any(|r| r.code == Code::ErrorsPresent));
    assert_eq!(
        many.secondary[0].arms[0].median, None,
        "infinite is not a number"
    );
}

#[test]
fn a_quantile_that_makes_no_sense_is_refused() {
    for (quantile, words) in [
        (p95().quantile(1.0), "lies between 0 and 1, not at 1"),
        (p95().quantile(f64::NAN), "lies between 0 and 1"),
        (
            SecondaryMetric {
                role: SecondaryRole::Match,
                ..p95()
            },
            "is claimed or described",
        ),
    ] {
        let plan = experiment(metric("time", "ns"), vec![quantile]);
        let error = plan.validate().unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}
