//! Further metrics, flags and facts of slots.

use crate::session::{codes, judged, judged_under, metric, secondary};
use bootstrap::Stream;
use evenhand_harness::claim::{Class, ExperimentJudgement};
use evenhand_harness::gate::Code;
use evenhand_harness::plan::{
    Direction, Margin, Metric, SecondaryMetric, SecondaryRole, SlotFlags, StopRule,
};
use evenhand_harness::suite::CODE_HASH;
/// Ten percent faster in the candidate.
fn faster(arm: usize, noise: f64) -> f64 {
    (if arm == 1 { 90.0 } else { 100.0 }) * (1.0 + noise)
}

#[test]
fn secondary_metrics_have_claims_in_a_family_of_their_own() {
    let metrics = vec![
        secondary("same", "ns", SecondaryRole::Claim),
        secondary("slower", "ns", SecondaryRole::Claim),
        secondary("shown", "ns", SecondaryRole::Describe),
    ];
    let judged = judged(metrics, &[], |arm, _, noise| {
        let value = faster(arm, noise);
        let slower = 100.0 * (1.0 - noise) * (1.0 + 0.05 * arm as f64);
        let same = 50.0 * (1.0 + noise);
        (
            Some(value),
            vec![Some(same), Some(slower), None],
            SlotFlags::NONE,
        )
    });
    assert_eq!(judged.claims[0].class, Class::Strong);
    let [same, slower, shown] = &judged.secondary[..] else {
        panic!("three metrics");
    };
    assert_eq!(same.claims[0].class, Class::ParityEstablished);
    assert_eq!(slower.claims[0].class, Class::Strong);
    assert!(slower.claims[0].sentence.contains("slower of `b`"));
    assert!(slower.claims[0].estimate.p_adjusted >= slower.claims[0].estimate.p);
    assert!(shown.claims.is_empty());
    assert_eq!(shown.arms[0].median, None, "missing is not zero");
}

/// p of the secondary metrics' claims, alone and in their family.
fn family(judged: &ExperimentJudgement) -> Vec<(f64, f64)> {
    let claims = judged.secondary.iter().map(|s| &s.claims[0].estimate);
    claims
        .map(|e| (e.p.unwrap(), e.p_adjusted.unwrap()))
        .collect()
}

fn three() -> Vec<SecondaryMetric> {
    ["one", "two", "three"]
        .map(|id| secondary(id, "ns", SecondaryRole::Claim))
        .to_vec()
}

#[test]
fn sequential_p_values_pay_for_their_family() {
    // Sign flips know nothing of when an e-process stops.
    let time = metric("time", "ns");
    let judged = judged_under(StopRule::EProcess, time, three(), &[], |arm, _, noise| {
        let value = Some(faster(arm, noise));
        (value, vec![value; 3], SlotFlags::NONE)
    });
    for (p, adjusted) in family(&judged) {
        assert!((adjusted - 3.0 * p).abs() < 1e-9, "{adjusted} of {p}");
    }
}

#[test]
fn signs_are_flipped_together_only_over_the_same_workers() {
    // As many units in every metric, but each lacks another worker.
    let worker = std::cell::Cell::new(0);
    let judged = judged(three(), &[], |arm, at, noise| {
        worker.set(worker.get() + usize::from(at == 0));
        let value = faster(arm, noise);
        let secondary = (1..=3).map(|missing| (worker.get() != missing).then_some(value));
        (Some(value), secondary.collect(), SlotFlags::NONE)
    });
    for (p, adjusted) in family(&judged) {
        assert!((adjusted - 3.0 * p).abs() < 1e-9, "{adjusted} of {p}");
    }
}

#[test]
fn a_metric_is_held_to_its_own_direction() {
    let time = Metric::new("time", "ns", Direction::Context);
    let queue = Metric::new("queue", "requests", Direction::Context);
    let metrics = vec![
        secondary("slower", "ns", SecondaryRole::Claim),
        SecondaryMetric::new(queue, SecondaryRole::Claim).margin(Margin::relative(0.01)),
    ];
    let judged = judged_under(StopRule::Fixed, time, metrics, &[], |arm, _, noise| {
        let value = Some(faster(arm, noise));
        (value, vec![value; 2], SlotFlags::NONE)
    });
    assert!(codes(&judged).contains(&Code::DirectionUndeclared));
    assert_eq!(judged.secondary[0].claims[0].class, Class::Strong);
    assert_eq!(judged.secondary[1].claims[0].class, Class::Invalid);
}

#[test]
fn the_primary_claims_only_what_the_corroborating_metric_shows() {
    let cycles = || vec![secondary("cycles", "cycles", SecondaryRole::Corroborate)];
    let agree = judged(cycles(), &[], |arm, _, noise| {
        let value = faster(arm, noise);
        (Some(value), vec![Some(1.4 * value)], SlotFlags::NONE)
    });
    assert_eq!(agree.claims[0].class, Class::Strong);
    // Less time in as many cycles: the clock, not the code.
    let clock = judged(cycles(), &[], |arm, _, noise| {
        let cycles = 100.0 * (1.0 - noise);
        (
            Some(faster(arm, noise)),
            vec![Some(cycles)],
            SlotFlags::NONE,
        )
    });
    assert_eq!(clock.claims[0].class, Class::Directional);
    assert!(codes(&clock).contains(&Code::Uncorroborated));
    let unmeasured = judged(cycles(), &[], |arm, _, noise| {
        (Some(faster(arm, noise)), vec![None], SlotFlags::NONE)
    });
    assert_eq!(unmeasured.claims[0].class, Class::Directional);
    // Equal times from different cycles are no parity.
    let hidden = judged(cycles(), &[], |arm, _, noise| {
        let value = 100.0 * (1.0 + noise);
        (Some(value), vec![Some(faster(arm, noise))], SlotFlags::NONE)
    });
    assert_ne!(hidden.claims[0].class, Class::ParityEstablished);
}

#[test]
fn unequal_work_leaves_metrics_per_unit_of_work() {
    let metrics = || {
        vec![
            secondary("completion_tokens", "tokens", SecondaryRole::Match),
            secondary("per_token", "ns", SecondaryRole::ClaimPerUnit),
            secondary("whole", "ns", SecondaryRole::Claim),
        ]
    };
    let run = |tokens: fn(usize, usize) -> f64| {
        judged(metrics(), &[], move |arm, at, noise| {
            let value = faster(arm, noise);
            let all = vec![Some(tokens(arm, at)), Some(value), Some(value)];
            (Some(value), all, SlotFlags::NONE)
        })
    };
    let equal = run(|_, _| 32.0);
    assert_eq!(equal.claims[0].class, Class::Strong);
    let once = run(|arm, at| if arm == 1 && at % 7 == 3 { 31.0 } else { 32.0 });
    assert_eq!(once.claims[0].class, Class::Invalid);
    assert!(codes(&once).contains(&Code::TokenMismatch));
    assert_eq!(once.secondary[1].claims[0].class, Class::Strong);
    assert_eq!(once.secondary[2].claims[0].class, Class::Invalid);
}

#[test]
fn work_that_is_known_of_one_arm_only_is_not_equal() {
    let run = |tokens: fn(usize, usize) -> Option<f64>, fails: fn(usize) -> bool| {
        let metrics = vec![secondary("tokens", "tokens", SecondaryRole::Match)];
        judged(metrics, &[], move |arm, at, noise| {
            if fails(at) {
                return (None, vec![None], SlotFlags::FAILED);
            }
            let value = faster(arm, noise);
            (Some(value), vec![tokens(arm, at)], SlotFlags::NONE)
        })
    };
    let one = run(|arm, _| (arm == 0).then_some(32.0), |_| false);
    assert_eq!(one.claims[0].class, Class::Invalid);
    assert!(codes(&one).contains(&Code::TokenMismatch));
    let some = run(|arm, at| (arm == 0 || at > 9).then_some(32.0), |_| false);
    assert!(codes(&some).contains(&Code::TokenMismatch));
    // A request that failed did no work that could be compared.
    let failed = run(|_, _| Some(32.0), |at| at == 5);
    assert_eq!(failed.claims[0].class, Class::Strong);
}

#[test]
fn a_slot_without_a_value_is_a_failed_one() {
    let missing = judged(vec![], &[], |arm, at, noise| {
        let value = (arm == 0 || at % 3 != 0).then(|| faster(arm, noise));
        (value, vec![], SlotFlags::NONE)
    });
    assert_eq!(missing.claims[0].class, Class::Invalid);
    assert!(codes(&missing).contains(&Code::ErrorsPresent));
}

#[test]
fn few_and_equal_failures_are_a_note_many_or_unequal_ones_refuse() {
    let run = |fails: fn(usize, usize) -> bool| {
        judged(vec![], &[], move |arm, at, noise| {
            if fails(arm, at) {
                (None, vec![], SlotFlags::FAILED)
            } else {
                (Some(faster(arm, noise)), vec![], SlotFlags::NONE)
            }
        })
    };
    let few = run(|_, at| at == 5);
    assert_eq!(few.claims[0].class, Class::Strong);
    assert!(codes(&few).contains(&Code::ErrorsPresent));
    let many = run(|_, at| at % 10 == 5);
    assert_eq!(many.claims[0].class, Class::Invalid);
    let unequal = run(|arm, at| arm == 1 && at % 9 == 0 && at > 0);
    assert_eq!(unequal.claims[0].class, Class::Invalid);
    assert!(unequal.claims[0].sentence.contains("slots failed"));
    let all = run(|arm, _| arm == 1);
    assert_eq!(all.claims[0].class, Class::Invalid);
    assert_eq!(all.arms[1].median, None);
}

#[test]
fn flags_act_by_their_share_and_their_code() {
    let run = |flag: SlotFlags, every: usize| {
        judged(vec![], &[], move |arm, at, noise| {
            let flags = if at % every == 0 {
                flag
            } else {
                SlotFlags::NONE
            };
            (Some(faster(arm, noise)), vec![], flags)
        })
    };
    for (flag, every, class, code) in [
        (SlotFlags::THROTTLED, 4, Class::Moderate, Code::Throttled),
        (SlotFlags::THROTTLED, 47, Class::Strong, Code::Throttled),
        (
            SlotFlags::SCHEDULE_LATE,
            4,
            Class::Invalid,
            Code::ScheduleLate,
        ),
        (
            SlotFlags::SCHEDULE_LATE,
            47,
            Class::Strong,
            Code::ScheduleLate,
        ),
        (
            SlotFlags::CLIENT_SATURATED,
            2,
            Class::Invalid,
            Code::ClientSaturated,
        ),
        (
            SlotFlags::INPUT_CHANGED,
            47,
            Class::Invalid,
            Code::InputChanged,
        ),
        (SlotFlags::HIDDEN_WORK, 47, Class::Invalid, Code::HiddenWork),
        (SlotFlags::FALLBACK, 47, Class::Invalid, Code::FallbackUsed),
        (
            SlotFlags::CACHE_STATE,
            47,
            Class::Invalid,
            Code::CacheStateUnequal,
        ),
        (
            SlotFlags::TOO_SHORT,
            47,
            Class::Directional,
            Code::BelowResolution,
        ),
        (
            SlotFlags::MEMORY_GREW,
            47,
            Class::Moderate,
            Code::MemoryGrew,
        ),
        (SlotFlags::FOREIGN_WORK, 2, Class::Strong, Code::ForeignLoad),
    ] {
        let judged = run(flag, every);
        assert_eq!(judged.claims[0].class, class, "{code} every {every}");
        assert!(codes(&judged).contains(&code), "{code} every {every}");
    }
}

#[test]
fn one_slot_of_a_session_is_no_hidden_work() {
    let slots = std::cell::Cell::new(0);
    let judged = judged(vec![], &[], |arm, _, noise| {
        slots.set(slots.get() + 1);
        let flags = if slots.get() == 100 {
            SlotFlags::HIDDEN_WORK
        } else {
            SlotFlags::NONE
        };
        (Some(faster(arm, noise)), vec![], flags)
    });
    assert_eq!(judged.claims[0].class, Class::Strong);
    assert!(codes(&judged).contains(&Code::HiddenWork));
}

#[test]
fn equal_machine_code_is_reported() {
    let run = |b: &'static str| {
        let facts: &[&[(&str, &str)]] = &[&[(CODE_HASH, "c0de")], &[(CODE_HASH, b)], &[]];
        judged(vec![], facts, |_, _, noise| {
            (Some(100.0 * (1.0 + noise)), vec![], SlotFlags::NONE)
        })
    };
    assert!(codes(&run("c0de")).contains(&Code::SameCode));
    assert!(!codes(&run("0ther")).contains(&Code::SameCode));
}

#[test]
fn a_code_hash_may_be_any_text() {
    let hash: &[(&str, &str)] = &[(CODE_HASH, "aüüüüüüüüüüü")];
    let judged = judged(vec![], &[hash, hash, &[]], |_, _, noise| {
        (Some(100.0 * (1.0 + noise)), vec![], SlotFlags::NONE)
    });
    assert!(codes(&judged).contains(&Code::SameCode));
}

#[test]
fn a_time_not_far_above_the_clients_own_error_is_no_claim() {
    let run = |error: &'static str, held: &'static str, b: f64| {
        let of_arm: &[(&str, &str)] = &[("client_error_p50_ns", error), ("client_held", held)];
        let second = secondary("full", "ns", SecondaryRole::Claim);
        judged(vec![second], &[of_arm, of_arm, of_arm], |arm, _, noise| {
            let value = 100_000.0 * if arm == 1 { b } else { 1.0 } * (1.0 + noise);
            (Some(value), vec![Some(value)], SlotFlags::NONE)
        })
    };
    // A fifth less of 100 µs is 20 µs: three times 6.7 µs.
    for (error, class, of) in [
        ("6500", Class::Strong, 0.8),
        ("6900", Class::Directional, 0.8),
    ] {
        let judged = run(error, "true", of);
        assert_eq!(judged.claims[0].class, class, "{error}");
        assert_eq!(judged.secondary[0].claims[0].class, class, "{error}");
        assert_eq!(
            codes(&judged).contains(&Code::ClientSaturated),
            class != Class::Strong
        );
    }
    // Parity says that less than the margin of 1 %, 1 µs, is there.
    assert_eq!(
        run("300", "true", 1.0).claims[0].class,
        Class::ParityEstablished
    );
    let coarse = run("370", "true", 1.0);
    assert!(!coarse.claims[0].class.is_claim(), "{:?}", coarse.claims[0]);
    // A client that did not hold the load says nothing at all.
    assert_eq!(run("300", "false", 0.8).claims[0].class, Class::Invalid);
    // Without a client there is no such error.
    assert_eq!(run("unknown", "true", 0.8).claims[0].class, Class::Strong);
}

/// The relative change over a slot, for noise that resembles its predecessor.
fn trend_of(stream: &mut Stream, slope: f64) -> f64 {
    let n = 24;
    let mut state = 0.0;
    let values: Vec<f64> = (0..n)
        .map(|i| {
            state = 0.8 * state + stream.unit() - 0.5;
            100.0 + 20.0 * state + slope * 100.0 * i as f64 / (n - 1) as f64
        })
        .collect();
    let mean = values.iter().sum::<f64>() / n as f64;
    evenhand_harness::estimate::trend(&values).unwrap().slope * (n - 1) as f64 / mean
}

#[test]
fn a_trend_within_slots_caps_and_noise_does_not() {
    let run = |seed: u64, slope: f64| {
        let stream = std::cell::RefCell::new(Stream::new(seed, "blocks"));
        let trend = secondary("trend", "ratio", SecondaryRole::Trend);
        judged(vec![trend], &[], move |arm, _, noise| {
            let slope = if arm == 1 { slope } else { 0.0 };
            let trend = trend_of(&mut stream.borrow_mut(), slope);
            (Some(faster(arm, noise)), vec![Some(trend)], SlotFlags::NONE)
        })
    };
    let drifting = run(1, 0.3);
    assert_eq!(drifting.claims[0].class, Class::Moderate);
    assert!(codes(&drifting).contains(&Code::NotSteady));
    // One in a hundred at most: in 200 sessions of correlated noise 8 are more
    // than four standard deviations away.
    let refused = (0..200)
        .filter(|&seed| codes(&run(seed, 0.0)).contains(&Code::NotSteady))
        .count();
    assert!(refused < 8, "{refused}");
}
