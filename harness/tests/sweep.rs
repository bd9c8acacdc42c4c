//! Cells of a sweep, from planted slots through the whole judgement.

use bootstrap::Stream;
use evenhand_harness::claim::{Class, Judgement, Standing, SweepJudgement, judge};
use evenhand_harness::observation::{
    Environment, ExperimentData, Measurements, OBSERVATION_SCHEMA, SlotLine, Status, WorkerData,
    WorkerHeader, WorkerOutcome,
};
use evenhand_harness::plan::{
    Direction, Estimand, Margin, Metric, PLAN_SCHEMA, Plan, SecondaryMetric, SecondaryRole, Seed,
    SlotFlags, StopRule, Sweep, TargetPlan,
};
use evenhand_harness::schedule::{whole_designs, worker_schedule};
use evenhand_harness::suite::Suite;

const WORKERS: u32 = 12;

/// A cell as it is planted: throughput, latency and tokens of an answer.
#[derive(Clone, Copy)]
struct Cell(f64, f64, f64);

fn sweep() -> Sweep {
    Sweep {
        throughput: "rate".into(),
        latency: "latency".into(),
    }
}

/// Cells of 1, 2, 3... users, with the throughput as primary metric.
fn suite(cells: usize) -> Suite {
    let mut suite = Suite::default();
    let experiment = suite.experiment("cells");
    experiment
        .metric(Metric::new("rate", "tokens/s", Direction::Higher))
        .margin(Margin::relative(0.05))
        .secondary(
            SecondaryMetric::new(
                Metric::new("latency", "ns", Direction::Lower),
                SecondaryRole::Describe,
            )
            .margin(Margin::relative(0.05)),
        )
        .secondary(
            SecondaryMetric::new(
                Metric::new("tokens", "tokens", Direction::Context),
                SecondaryRole::Match,
            )
            .estimand(Estimand::PairedDifference),
        )
        .sweep(sweep())
        .control("1 users", |_| {});
    for users in 2..=cells {
        experiment.candidate(format!("{users} users"), |_| {});
    }
    suite
}

/// Judges a sweep whose slots have the planted values and noise of half a percent.
fn judged(cells: &[Cell]) -> Judgement {
    let mut experiment = suite(cells.len()).experiments()[0].declare().unwrap();
    experiment.workers = WORKERS;
    experiment.blocks = whole_designs(cells.len(), 4);
    experiment.aa_blocks = 2;
    let seed = Seed(5);
    let mut noise = Stream::new(8, "noise");
    let workers = (0..WORKERS).map(|index| {
        let schedule = worker_schedule(seed, "t", &experiment, index);
        let mut worker = WorkerData::new(WorkerHeader {
            schema: OBSERVATION_SCHEMA.into(),
            target: "t".into(),
            experiment: "cells".into(),
            worker: index,
            pid: index,
            started: "2026-01-01T00:00:00Z".into(),
            letters: schedule.letters.clone(),
            input_seed: Seed(schedule.input_seed),
            iterations: 1,
            warmup_slots: 8,
            steady: true,
            facts: Vec::new(),
        });
        for (block, planned) in schedule.blocks.iter().enumerate() {
            for &instance in &planned.slots {
                let Cell(rate, latency, tokens) = cells[instance % cells.len()];
                let mut noisy = |x: f64| Some(x * (1.0 + 0.01 * (noise.unit() - 0.5)));
                let at = worker.len() as u64;
                worker.push(SlotLine {
                    block: block as u32,
                    kind: planned.kind,
                    instance,
                    start_ns: at,
                    value: noisy(rate),
                    host_ns: 1_000_000,
                    secondary: vec![noisy(latency), Some(tokens)],
                    samples: Vec::new(),
                    flags: SlotFlags::NONE,
                });
            }
        }
        worker.outcome = WorkerOutcome::Complete;
        worker
    });
    let data = ExperimentData {
        target: "t".into(),
        id: "cells".into(),
        fault: None,
        workers: workers.collect(),
    };
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
    plan.validate().unwrap();
    let judgement = judge(
        &plan,
        &Measurements {
            status: Status::Complete,
            environment: Environment::default(),
            experiments: vec![data],
        },
    );
    // What a file holds is what was concluded.
    let text = serde_json::to_string(&judgement).unwrap();
    assert_eq!(serde_json::from_str::<Judgement>(&text).unwrap(), judgement);
    judgement
}

fn cells_of(judgement: &Judgement) -> &SweepJudgement {
    let judged = &judgement.experiments[0];
    assert!(judged.claims.is_empty(), "no cell is the control");
    assert!(judged.secondary.iter().all(|s| s.claims.is_empty()));
    judged.sweep.as_ref().unwrap()
}

/// Four requests at once and no more: further users only wait.
#[test]
fn a_saturated_server_has_a_best_cell_that_dominates() {
    let judgement = judged(&[
        Cell(10.0, 1e8, 32.0),
        Cell(40.0, 1e8, 32.0),
        Cell(40.0, 2e8, 32.0),
    ]);
    assert_eq!(judgement.family_size, 6, "three pairs, two metrics");
    let sweep = cells_of(&judgement);
    assert_eq!(sweep.best.as_deref(), Some("2 users"), "{}", sweep.sentence);
    let standings: Vec<Standing> = sweep.cells.iter().map(|c| c.standing).collect();
    assert_eq!(
        standings,
        [Standing::Dominated, Standing::Frontier, Standing::Dominated]
    );
    assert_eq!(sweep.cells[2].others, ["2 users"]);
    let [first, ..] = &sweep.pairs[..] else {
        panic!("three pairs")
    };
    assert_eq!(first.throughput.class, Class::Strong);
    assert_eq!(first.latency.class, Class::ParityEstablished);
    for claim in [&first.throughput, &first.latency] {
        assert_eq!((&*claim.control, &*claim.candidate), ("1 users", "2 users"));
        // Holm over six: the smallest p is 2 / 2^12.
        let (p, adjusted) = (
            claim.estimate.p.unwrap(),
            claim.estimate.p_adjusted.unwrap(),
        );
        assert!(adjusted >= p && adjusted <= 6.0 * p + 1e-12 || adjusted == 1.0);
    }
}

#[test]
fn a_trade_off_leaves_every_cell_on_the_frontier() {
    let judgement = judged(&[
        Cell(10.0, 1.0e8, 32.0),
        Cell(30.0, 1.5e8, 32.0),
        Cell(50.0, 4.0e8, 32.0),
        Cell(70.0, 9.0e8, 32.0),
    ]);
    let sweep = cells_of(&judgement);
    assert!(sweep.cells.iter().all(|c| c.standing == Standing::Frontier));
    assert_eq!(sweep.best.as_deref(), Some("4 users"));
    assert!(sweep.sentence.contains("by rate"), "{}", sweep.sentence);
    assert_eq!(sweep.pairs.len(), 6);
}

#[test]
fn equal_cells_have_no_best_one() {
    let judgement = judged(&[Cell(40.0, 1e8, 32.0); 3]);
    let sweep = cells_of(&judgement);
    assert_eq!(sweep.best, None);
    assert!(
        sweep
            .sentence
            .starts_with("No best cell by rate, because `"),
        "{}",
        sweep.sentence
    );
    assert!(
        sweep.sentence.contains("differ by less than the margin"),
        "{}",
        sweep.sentence
    );
}

#[test]
fn cells_that_did_other_work_have_no_standing() {
    let judgement = judged(&[Cell(10.0, 1e8, 32.0), Cell(40.0, 1e8, 31.0)]);
    let sweep = cells_of(&judgement);
    assert_eq!(sweep.best, None);
    assert!(sweep.sentence.contains("tokens"), "{}", sweep.sentence);
    assert!(sweep.cells.iter().all(|c| c.standing == Standing::Open));
    assert_eq!(sweep.pairs[0].throughput.class, Class::Invalid);
}

#[test]
fn sweeps_that_make_no_sense_are_refused() {
    let declare = |change: fn(&mut evenhand_harness::suite::Experiment)| {
        let mut suite = Suite::default();
        let experiment = suite.experiment("e");
        experiment
            .metric(Metric::new("rate", "tokens/s", Direction::Higher))
            .secondary(SecondaryMetric::new(
                Metric::new("latency", "ns", Direction::Lower),
                SecondaryRole::Describe,
            ))
            .sweep(sweep())
            .control("one", |_| {});
        change(experiment);
        experiment.declare()
    };
    let good = declare(|e| {
        e.candidate("two", |_| {});
    });
    assert!(good.is_ok());
    let missing = declare(|e| {
        e.candidate("two", |_| {}).sweep(Sweep {
            throughput: "rate".into(),
            latency: "ttft".into(),
        });
    });
    assert!(missing.unwrap_err().contains("names `ttft`"));
    let turned = declare(|e| {
        e.candidate("two", |_| {}).sweep(Sweep {
            throughput: "latency".into(),
            latency: "rate".into(),
        });
    });
    assert!(turned.unwrap_err().contains("declared otherwise"));
    let other = declare(|e| {
        e.candidate("two", |_| {}).metric(Metric::wall_time());
    });
    assert!(other.unwrap_err().contains("primary metric `wall_time`"));
}
