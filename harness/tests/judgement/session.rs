//! A made-up session of a control and a candidate, through files and judgement.

use bootstrap::Stream;
use evenhand_harness::claim::{ExperimentJudgement, judge};
use evenhand_harness::gate::Code;
use evenhand_harness::observation::{
    Environment, ExperimentData, Facts, Measurements, OBSERVATION_SCHEMA, SlotLine, Status,
    WorkerData, WorkerHeader, WorkerOutcome,
};
use evenhand_harness::plan::{
    Design, Direction, Estimand, ExperimentPlan, Margin, Metric, PLAN_SCHEMA, Plan,
    ReplicationUnit, SecondaryMetric, SecondaryRole, Seed, SlotFlags, StopRule, TargetPlan,
};
use evenhand_harness::schedule::worker_schedule;

const WORKERS: u32 = 16;
const BLOCKS: u32 = 8;

/// What a slot gives.
#[derive(Default)]
pub struct Slot {
    pub value: Option<f64>,
    pub secondary: Vec<Option<f64>>,
    pub samples: Vec<Vec<Option<f64>>>,
    pub flags: SlotFlags,
}

impl From<(Option<f64>, Vec<Option<f64>>, SlotFlags)> for Slot {
    fn from((value, secondary, flags): (Option<f64>, Vec<Option<f64>>, SlotFlags)) -> Self {
        Self {
            value,
            secondary,
            flags,
            ..Self::default()
        }
    }
}

pub fn metric(id: &str, unit: &str) -> Metric {
    Metric::new(id, unit, Direction::Lower)
}

pub fn secondary(id: &str, unit: &str, role: SecondaryRole) -> SecondaryMetric {
    SecondaryMetric::new(metric(id, unit), role).margin(Margin::relative(0.01))
}

/// Judges an experiment of control and candidate whose slots `slot` makes from
/// the instance, a number that grows by one per slot, and noise of one tenth
/// of a percent.
pub fn judged<S: Into<Slot>>(
    secondary: Vec<SecondaryMetric>,
    facts: &[&[(&str, &str)]],
    slot: impl Fn(usize, usize, f64) -> S,
) -> ExperimentJudgement {
    let time = metric("time", "ns");
    judged_under(StopRule::Fixed, time, secondary, facts, slot)
}

/// A comparison of `a` and `b`.
pub fn experiment(primary: Metric, secondary: Vec<SecondaryMetric>) -> ExperimentPlan {
    ExperimentPlan {
        id: "e".into(),
        arms: vec!["a".into(), "b".into()],
        metric: primary,
        margin: Margin::relative(0.01),
        estimand: Estimand::PairedLogRatio,
        secondary,
        device: None,
        sweep: None,
        cold: false,
        separate: false,
        unit: ReplicationUnit::Worker,
        design: Design::Abba,
        workers: WORKERS,
        blocks: BLOCKS,
        aa_blocks: BLOCKS / 2,
        iterations: 1,
        throughput: Vec::new(),
        verified: true,
        same_code: None,
        pilot_ns: Vec::new(),
        schedule_digest: String::new(),
    }
}

pub fn judged_under<S: Into<Slot>>(
    stop_rule: StopRule,
    primary: Metric,
    secondary: Vec<SecondaryMetric>,
    facts: &[&[(&str, &str)]],
    slot: impl Fn(usize, usize, f64) -> S,
) -> ExperimentJudgement {
    let experiment = experiment(primary, secondary);
    experiment.validate().unwrap();
    let seed = Seed(11);
    let mut noise = Stream::new(3, "noise");
    let workers = (0..WORKERS)
        .map(|index| {
            let schedule = worker_schedule(seed, "t", &experiment, index);
            let mut worker = WorkerData::new(WorkerHeader {
                schema: OBSERVATION_SCHEMA.into(),
                target: "t".into(),
                experiment: "e".into(),
                worker: index,
                pid: index,
                started: "2026-01-01T00:00:00Z".into(),
                letters: schedule.letters.clone(),
                input_seed: Seed(schedule.input_seed),
                iterations: 1,
                warmup_slots: 8,
                steady: true,
                facts: facts
                    .iter()
                    .map(|facts| {
                        let owned = facts.iter().map(|&(k, v)| (k.to_owned(), v.to_owned()));
                        owned.collect::<Facts>()
                    })
                    .collect(),
            });
            for (block, planned) in schedule.blocks.iter().enumerate() {
                for &instance in &planned.slots {
                    let at = worker.len();
                    let arm = if instance == 1 { 1 } else { 0 };
                    let made = slot(arm, at, 0.001 * (noise.unit() - 0.5)).into();
                    worker.push(SlotLine {
                        block: block as u32,
                        kind: planned.kind,
                        instance,
                        start_ns: at as u64,
                        value: made.value,
                        host_ns: 1_000_000,
                        secondary: made.secondary,
                        samples: made.samples,
                        flags: made.flags,
                    });
                }
            }
            worker.outcome = WorkerOutcome::Complete;
            worker
        })
        .collect();
    let plan = Plan {
        schema: PLAN_SCHEMA.into(),
        session: "s".into(),
        created: "2026-01-01T00:00:00Z".into(),
        seed,
        alpha: 0.05,
        stop_rule,
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
            id: "e".into(),
            fault: None,
            workers,
        }],
    };
    // What a file holds is what is judged.
    let text = serde_json::to_string(&measurements).unwrap();
    let read: Measurements = serde_json::from_str(&text).unwrap();
    assert_eq!(read, measurements);
    judge(&plan, &read).experiments.remove(0)
}

pub fn codes(judged: &ExperimentJudgement) -> Vec<Code> {
    judged.claims[0].reasons.iter().map(|r| r.code).collect()
}
