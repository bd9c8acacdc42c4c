//! Arms on a simulated device with a known truth, through the schedule, the
//! subject, the gates and the claims that real measurements take.
#![cfg(feature = "cuda")]

use evenhand::device::{TaskArm, TaskBencher, further_metrics};
use evenhand::harness::claim::{Class, ExperimentJudgement, judge};
use evenhand::harness::gate::Code;
use evenhand::harness::observation::{
    Environment, ExperimentData, Measurements, OBSERVATION_SCHEMA, SlotLine, Status, WorkerData,
    WorkerHeader, WorkerOutcome,
};
use evenhand::harness::plan::{
    Direction, ExperimentPlan, Margin, Metric, PLAN_SCHEMA, Plan, SecondaryRole, Seed, StopRule,
    TargetPlan,
};
use evenhand::harness::schedule::worker_schedule;
use evenhand::harness::suite::{Place, Subject, Suite, build_arm};
use evenhand_kernels::device::{CacheState, Ceilings, SimDevice, Timing, Truth};
use evenhand_kernels::task::Task;
use evenhand_kernels::tasks;
use std::collections::BTreeMap;

const WORKERS: u32 = 12;
const BLOCKS: u32 = 12;
const ITERATIONS: u64 = 20;
/// A launch of the control, nanoseconds.
const CONTROL_NS: f64 = 50_000.0;

fn task() -> Task {
    tasks::rms_norm(1, 8, 1)
}

/// The names of control and candidate.
fn arms() -> [&'static str; 2] {
    let task = task();
    [task.variants[0].name, task.variants[1].name]
}

fn experiment() -> ExperimentPlan {
    let mut suite = Suite::default();
    let experiment = suite.experiment("simulated");
    experiment
        .metric(Metric::new("simulated_time", "ns", Direction::Lower))
        .margin(Margin::relative(0.01))
        .device_label("simulated")
        .control(arms()[0], |_| {})
        .candidate(arms()[1], |_| {});
    for metric in further_metrics(Timing::Simulated, true) {
        experiment.secondary(metric);
    }
    ExperimentPlan {
        workers: WORKERS,
        blocks: BLOCKS,
        aa_blocks: BLOCKS / 2,
        iterations: ITERATIONS,
        ..experiment.declare().unwrap()
    }
}

/// Measures an experiment on a device per worker, and judges it.
fn judged(truth: &Truth, cache: CacheState, seed: u64) -> ExperimentJudgement {
    let experiment = experiment();
    let seed = Seed(seed);
    let task = task();
    let workers = (0..WORKERS)
        .map(|index| worker(truth, cache, seed, &experiment, &task, index))
        .collect();
    let plan = Plan {
        schema: PLAN_SCHEMA.into(),
        session: "s".into(),
        created: "2026-01-01T00:00:00Z".into(),
        seed,
        alpha: 0.05,
        stop_rule: StopRule::Fixed,
        attempt: 1,
        repeats: None,
        targets: vec![TargetPlan {
            name: "t".into(),
            experiments: vec![experiment],
        }],
    };
    let measurements = Measurements {
        status: Status::Complete,
        environment: Environment::default(),
        experiments: vec![ExperimentData {
            target: "t".into(),
            id: "simulated".into(),
            fault: None,
            workers,
        }],
    };
    judge(&plan, &measurements).experiments.remove(0)
}

fn worker(
    truth: &Truth,
    cache: CacheState,
    seed: Seed,
    experiment: &ExperimentPlan,
    task: &Task,
    index: u32,
) -> WorkerData {
    let schedule = worker_schedule(seed, "t", experiment, index);
    let device = SimDevice::new(truth.clone(), seed.0 ^ schedule.input_seed);
    let mut subjects: Vec<Option<Box<dyn Subject>>> =
        (0..experiment.instances()).map(|_| None).collect();
    for &instance in &schedule.letters {
        let variant = experiment.code_of_instance(instance);
        let arm = build_arm(schedule.input_seed, |b| {
            b.task_on(&device, task, variant, cache);
        });
        subjects[instance] = Some(arm.unwrap());
    }
    let mut subjects: Vec<Box<dyn Subject>> = subjects.into_iter().flatten().collect();
    // Warm-up, in which the meters learn the usual clock.
    for subject in &mut subjects {
        for _ in 0..9 {
            subject.slot(ITERATIONS).unwrap();
        }
    }
    let mut worker = WorkerData::new(WorkerHeader {
        schema: OBSERVATION_SCHEMA.into(),
        target: "t".into(),
        experiment: "simulated".into(),
        worker: index,
        pid: index + 1,
        started: "2026-01-01T00:00:00Z".into(),
        letters: schedule.letters.clone(),
        input_seed: Seed(schedule.input_seed),
        iterations: ITERATIONS,
        warmup_slots: 9,
        steady: true,
        facts: Vec::new(),
    });
    let mut start_ns = 0;
    for (block, planned) in schedule.blocks.iter().enumerate() {
        for &instance in &planned.slots {
            let slot = subjects[instance].slot(ITERATIONS).unwrap();
            worker.push(SlotLine {
                block: block as u32,
                kind: planned.kind,
                instance,
                start_ns,
                value: slot.value,
                host_ns: slot.host_ns,
                secondary: subjects[instance].secondary().to_vec(),
                samples: Vec::new(),
                flags: slot.flags,
            });
            start_ns += slot.host_ns;
        }
    }
    worker.outcome = WorkerOutcome::Complete;
    worker
}

fn cold(truth: &Truth, seed: u64) -> ExperimentJudgement {
    judged(truth, CacheState::ColdByWriting, seed)
}

fn has(judged: &ExperimentJudgement, code: Code) -> bool {
    judged.claims[0].reasons.iter().any(|r| r.code == code)
}

/// A quiet device on which the candidate takes `factor` of the control's time.
fn planted(factor: f64) -> Truth {
    Truth::quiet(CONTROL_NS).with(arms()[1], factor * CONTROL_NS)
}

#[test]
fn a_planted_effect_is_found_with_its_sign_and_size() {
    for (factor, better) in [(0.9, true), (1.1, false)] {
        let judged = cold(&planted(factor), 3);
        let claim = &judged.claims[0];
        assert_eq!(claim.class, Class::Strong, "{:?}", claim.reasons);
        assert!((claim.estimate.effect.exp() - factor).abs() < 0.01);
        let word = if better { "lower" } else { "higher" };
        assert!(claim.sentence.contains(word), "{}", claim.sentence);
        assert!(claim.sentence.contains("simulated"), "{}", claim.sentence);
    }
}

#[test]
fn without_an_effect_nothing_is_claimed() {
    for seed in 0..12 {
        for truth in [planted(1.0), drifting(1.0), biased(1.0)] {
            let class = cold(&truth, seed).claims[0].class;
            assert!(
                !matches!(class, Class::Strong | Class::Moderate),
                "seed {seed}: {class:?} for {truth:?}"
            );
        }
    }
}

fn drifting(factor: f64) -> Truth {
    Truth {
        drift_per_s: 0.5,
        ..planted(factor)
    }
}

fn biased(factor: f64) -> Truth {
    Truth {
        slot_bias: 0.05,
        ..planted(factor)
    }
}

#[test]
fn drift_and_slot_bias_do_not_hide_an_effect() {
    for truth in [drifting(0.9), biased(0.9)] {
        let judged = cold(&truth, 5);
        let claim = &judged.claims[0];
        assert!((claim.estimate.effect.exp() - 0.9).abs() < 0.015);
        assert!(
            matches!(claim.class, Class::Strong | Class::Moderate),
            "{:?}",
            claim.reasons
        );
    }
}

#[test]
fn throttling_is_flagged_and_caps_the_claim() {
    let truth = Truth {
        throttle_from_s: Some(0.05),
        ..planted(0.9)
    };
    let judged = cold(&truth, 7);
    assert!(has(&judged, Code::Throttled));
    assert!(has(&judged, Code::ClockChanged));
    assert_ne!(judged.claims[0].class, Class::Strong);
    assert!(!has(&cold(&planted(0.9), 7), Code::Throttled));
}

/// Launches of 6 µs with a timer of 1.024 µs: six steps are no measurement.
fn coarse() -> Truth {
    Truth {
        timer_step_ns: 1024.0,
        ..Truth::quiet(6_000.0).with(arms()[1], 5_400.0)
    }
}

#[test]
fn a_coarse_timer_is_refused_where_launches_cannot_be_batched() {
    let judged = cold(&coarse(), 9);
    assert!(has(&judged, Code::BelowResolution));
    assert!(!matches!(
        judged.claims[0].class,
        Class::Strong | Class::Moderate
    ));
}

#[test]
fn batches_resolve_what_a_coarse_timer_cannot() {
    for cache in [CacheState::Hot, CacheState::ColdByRotation] {
        let judged = judged(&coarse(), cache, 9);
        assert!((judged.claims[0].estimate.effect.exp() - 0.9).abs() < 0.02);
        assert!(!has(&judged, Code::BelowResolution));
    }
}

#[test]
fn launches_that_fill_no_batch_leave_no_short_span() {
    let device = SimDevice::new(coarse(), 1);
    let mut arm = TaskArm::new(&device, &task(), arms()[0], CacheState::Hot).unwrap();
    for launches in 5..30 {
        let slot = arm.slot(launches).unwrap();
        assert!(slot.flags.is_empty(), "{launches}: {:?}", slot.flags);
    }
}

#[test]
fn work_and_memory_outside_of_what_is_timed_are_seen() {
    let mut hidden = planted(0.5);
    hidden.hidden_ns.insert(arms()[1].to_owned(), 1_000_000.0);
    let judged = cold(&hidden, 11);
    assert!(has(&judged, Code::HiddenWork));
    assert_eq!(judged.claims[0].class, Class::Invalid);

    let mut leaking = planted(0.9);
    leaking.leak_bytes.insert(arms()[1].to_owned(), 1 << 20);
    assert!(has(&cold(&leaking, 11), Code::MemoryGrew));

    let crowded = Truth {
        others: 1,
        ..planted(0.9)
    };
    assert!(has(&cold(&crowded, 11), Code::ForeignLoad));
}

#[test]
fn faster_than_the_card_can_be_ends_the_arm() {
    let task = task();
    let truth = Truth {
        ceilings: Ceilings {
            bytes_per_ns: Some(task.bytes_moved as f64 / CONTROL_NS * 0.9),
            ..Ceilings::default()
        },
        ..planted(1.0)
    };
    let device = SimDevice::new(truth, 1);
    let mut arm = TaskArm::new(&device, &task, arms()[0], CacheState::ColdByWriting).unwrap();
    let error = arm.slot(ITERATIONS).unwrap_err();
    assert!(error.message.contains("memory ceiling"), "{error}");
    // From a hot cache the same is possible.
    let mut arm = TaskArm::new(&device, &task, arms()[0], CacheState::Hot).unwrap();
    arm.slot(ITERATIONS).unwrap();
}

#[test]
fn far_more_arithmetic_than_was_measured_ends_the_arm() {
    let task = task();
    assert!(task.flops > 0);
    let on = |share: f64| {
        let rate = task.flops as f64 / CONTROL_NS / share;
        let truth = Truth {
            ceilings: Ceilings {
                vector_flops_per_ns: Some(rate / 2.0),
                matrix_flops_per_ns: Some(rate),
                ..Ceilings::default()
            },
            ..planted(1.0)
        };
        let device = SimDevice::new(truth, 1);
        let mut arm = TaskArm::new(&device, &task, arms()[0], CacheState::Hot).unwrap();
        arm.slot(ITERATIONS)
    };
    // The rate is a lower bound of what a card can do.
    on(2.0).unwrap();
    let error = on(5.0).unwrap_err();
    assert!(error.message.contains("arithmetic ceiling"), "{error}");
}

/// What an arm knows at its end, after slots of 20 launches.
fn known_at_end(truth: Truth, slots: usize) -> BTreeMap<String, String> {
    let device = SimDevice::new(truth, 3);
    let mut arm = TaskArm::new(&device, &task(), arms()[1], CacheState::ColdByWriting).unwrap();
    // Warm-up: what is seen there is not of the slots that count.
    let block = None;
    arm.begin(Place { block, turn: 0 });
    for _ in 0..slots {
        arm.slot(ITERATIONS).unwrap();
    }
    for block in 0..slots as u32 {
        let block = Some(block);
        arm.begin(Place { block, turn: 0 });
        arm.slot(ITERATIONS).unwrap();
    }
    arm.facts_at_end().unwrap().into_iter().collect()
}

#[test]
fn what_was_seen_of_the_device_is_known_at_the_end() {
    let truth = Truth {
        others: 2,
        throttle_from_s: Some(0.4),
        ..planted(1.0)
    };
    // 200 slots of 1.4 ms each, slower from the middle on.
    let facts = known_at_end(truth, 200);
    let number = |name: &str| facts[name].parse::<f64>().unwrap();
    // One every 66 ms, and the first half of the time is warm-up.
    assert!((4.0..10.0).contains(&number("looks")), "{facts:?}");
    for name in ["power_w.min", "power_w.mean", "power_w.max"] {
        assert!((60.0..=300.0).contains(&number(name)), "{facts:?}");
    }
    assert!(number("power_w.min") <= number("power_w.mean"));
    assert!(number("power_w.mean") <= number("power_w.max"));
    assert_eq!(facts["temperature_c.max"], "55");
    assert_eq!(facts["sm_clock_mhz.min"], "1080");
    assert_eq!(facts["sm_clock_mhz.max"], "1800");
    assert_eq!(facts["throttle_reasons"], "sw_power_cap");
    assert_eq!(facts["other_processes.max"], "2");
    assert_eq!(facts["memory_used_bytes.max"], "0");
    // The driver does not tell the memory's clock.
    assert!(!facts.contains_key("memory_clock_mhz.max"), "{facts:?}");
}

#[test]
fn a_quiet_device_throttles_for_no_reason() {
    let facts = known_at_end(planted(1.0), 200);
    assert_eq!(facts["throttle_reasons"], "none");
    assert_eq!(facts["other_processes.max"], "0");
}

#[test]
fn energy_of_a_launch_is_that_of_the_device() {
    let mut truth = Truth {
        placement: 0.0,
        ..planted(1.0)
    };
    truth.power_w.insert(arms()[1].to_owned(), 500.0);
    let facts = known_at_end(truth, 10);
    let number = |name: &str| facts[name].parse::<f64>().unwrap();
    // 50 µs at 500 W, and 20 µs at 60 W around it.
    let energy = number("energy_mj_per_launch");
    assert!((energy / 26.2 - 1.0).abs() < 0.02, "{facts:?}");
    assert!(number("energy_launches") * 70e-6 > 0.49, "{facts:?}");
    assert!(number("energy_updates") >= 5.0, "{facts:?}");
}

#[test]
fn what_a_device_does_not_tell_stays_missing() {
    let no_counter = Truth {
        energy_step_ns: None,
        temperature_c: None,
        ..planted(1.0)
    };
    let facts = known_at_end(no_counter, 200);
    assert!(facts.contains_key("power_w.mean"), "{facts:?}");
    assert!(!facts.contains_key("temperature_c.max"), "{facts:?}");
    assert!(
        !facts.keys().any(|name| name.starts_with("energy")),
        "{facts:?}"
    );
    let unseen = Truth {
        telemetry: false,
        ..planted(1.0)
    };
    assert_eq!(known_at_end(unseen, 10), BTreeMap::new());
}

#[test]
fn shares_of_measured_ceilings_stand_in_the_record() {
    let task = task();
    let truth = Truth {
        placement: 0.0,
        ceilings: Ceilings {
            bytes_per_ns: Some(task.bytes_moved as f64 / CONTROL_NS / 0.5),
            vector_flops_per_ns: Some(task.flops as f64 / CONTROL_NS / 0.8),
            matrix_flops_per_ns: Some(task.flops as f64 / CONTROL_NS / 0.4),
        },
        ..planted(1.0)
    };
    let metrics = further_metrics(Timing::Simulated, true);
    let shares = |truth: &Truth, cache| {
        let device = SimDevice::new(truth.clone(), 1);
        let mut arm = TaskArm::new(&device, &task, arms()[0], cache).unwrap();
        arm.slot(ITERATIONS).unwrap();
        assert_eq!(arm.secondary().len(), metrics.len());
        let of = |id: &str| {
            let index = metrics.iter().position(|m| m.metric.id == id).unwrap();
            assert_eq!(metrics[index].role, SecondaryRole::Describe);
            assert_eq!(metrics[index].metric.unit, "%");
            arm.secondary()[index].map(f64::round)
        };
        (
            of("memory_bandwidth.of_measured_copy"),
            of("arithmetic.of_measured_rate"),
        )
    };
    // Of the larger rate of arithmetic.
    let cold = shares(&truth, CacheState::ColdByWriting);
    assert_eq!(cold, (Some(50.0), Some(40.0)));
    // A hot cache is not bounded by memory.
    let hot = shares(&truth, CacheState::Hot);
    assert_eq!(hot, (None, Some(40.0)));
    let unmeasured = shares(&planted(1.0), CacheState::ColdByWriting);
    assert_eq!(unmeasured, (None, None));
    // They reach the record as they are.
    let judged = judged(&truth, CacheState::ColdByWriting, 3);
    let json = serde_json::to_string(&judged).unwrap();
    assert!(json.contains("arithmetic.of_measured_rate"), "{json}");
}
