//! What judging costs: a whole session, and reading its record.

use bootstrap::Stream;
use criterion::{Criterion, criterion_group, criterion_main};
use evenhand::harness::claim::judge;
use evenhand::harness::observation::{
    Environment, ExperimentData, Measurements, OBSERVATION_SCHEMA, SlotLine, Status, WorkerData,
    WorkerHeader, WorkerOutcome,
};
use evenhand::harness::plan::{
    Design, Estimand, ExperimentPlan, Margin, Metric, PLAN_SCHEMA, Plan, ReplicationUnit, Seed,
    SlotFlags, StopRule, TargetPlan,
};
use evenhand::harness::record::Record;
use evenhand::harness::schedule::{control_pair_blocks, schedule_digest, worker_schedule};
use std::hint::black_box;
use std::time::Duration;

const SEED: Seed = Seed(7);

fn experiment(index: usize, workers: u32, blocks: u32) -> ExperimentPlan {
    let mut plan = ExperimentPlan {
        id: format!("experiment {index}"),
        arms: vec!["control".into(), "candidate".into()],
        metric: Metric::wall_time(),
        margin: Margin::relative(0.01),
        estimand: Estimand::PairedLogRatio,
        secondary: Vec::new(),
        device: None,
        sweep: None,
        cold: false,
        separate: false,
        unit: ReplicationUnit::Worker,
        design: Design::Abba,
        workers,
        blocks,
        aa_blocks: control_pair_blocks(2, blocks),
        iterations: 100,
        throughput: vec![],
        verified: true,
        same_code: None,
        pilot_ns: vec![1e4, 1e4],
        schedule_digest: String::new(),
    };
    plan.schedule_digest = schedule_digest(SEED, "analysis", &plan);
    plan
}

/// A session as it comes from workers, with one percent of noise.
fn session(experiments: usize, workers: u32, blocks: u32) -> (Plan, Measurements) {
    let plans: Vec<_> = (0..experiments)
        .map(|i| experiment(i, workers, blocks))
        .collect();
    let mut noise = Stream::new(7, "noise");
    let data = plans.iter().map(|plan| {
        let worker = |w| {
            let schedule = worker_schedule(SEED, "analysis", plan, w);
            let mut data = WorkerData::new(WorkerHeader {
                schema: OBSERVATION_SCHEMA.into(),
                target: "analysis".into(),
                experiment: plan.id.clone(),
                worker: w,
                pid: w + 1,
                started: "2026-01-01T00:00:00Z".into(),
                letters: schedule.letters.clone(),
                input_seed: Seed(schedule.input_seed),
                iterations: plan.iterations,
                warmup_slots: 8,
                steady: true,
                facts: Vec::new(),
            });
            for (index, block) in schedule.blocks.iter().enumerate() {
                for &instance in &block.slots {
                    let value = 1e4 * (1.0 + 0.01 * noise.unit());
                    data.push(SlotLine {
                        block: index as u32,
                        kind: block.kind,
                        instance,
                        start_ns: data.len() as u64 * 1_000_000,
                        value: Some(value),
                        host_ns: (100.0 * value) as u64,
                        secondary: Vec::new(),
                        samples: Vec::new(),
                        flags: SlotFlags::NONE,
                    });
                }
            }
            data.outcome = WorkerOutcome::Complete;
            data
        };
        ExperimentData {
            target: "analysis".into(),
            id: plan.id.clone(),
            fault: None,
            workers: (0..workers).map(worker).collect(),
        }
    });
    let experiments: Vec<_> = data.collect();
    let plan = Plan {
        schema: PLAN_SCHEMA.into(),
        session: "analysis".into(),
        created: "2026-01-01T00:00:00Z".into(),
        seed: SEED,
        alpha: 0.05,
        stop_rule: StopRule::Fixed,
        attempt: 1,
        repeats: None,
        targets: vec![TargetPlan {
            name: "analysis".into(),
            experiments: plans,
        }],
    };
    let environment = Environment {
        timer_resolution_ns: 20.0,
        ..Environment::default()
    };
    (
        plan,
        Measurements {
            status: Status::Complete,
            environment,
            experiments,
        },
    )
}

fn judging(c: &mut Criterion) {
    let mut group = c.benchmark_group("analysis/judge");
    for (name, experiments, workers, blocks) in [("1x12x50", 1, 12, 50), ("100x8x200", 100, 8, 200)]
    {
        let (plan, measurements) = session(experiments, workers, blocks);
        group.bench_function(name, |b| {
            b.iter(|| judge(black_box(&plan), black_box(&measurements)))
        });
    }
    group.finish();
}

fn reading(c: &mut Criterion) {
    let (plan, measurements) = session(100, 8, 200);
    let json = serde_json::to_vec(&Record::judge(plan, measurements)).unwrap();
    let mut group = c.benchmark_group("analysis/read_record");
    group.throughput(criterion::Throughput::Bytes(json.len() as u64));
    group.bench_function("100x8x200", |b| {
        b.iter(|| {
            let record: Record = serde_json::from_slice(black_box(&json)).unwrap();
            record.check().unwrap();
            record
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .sample_size(10)
        .without_plots();
    targets = judging, reading
}
criterion_main!(benches);
