//! One replication: a real plan, its real schedule, simulated slots.

use super::world::{Machine, Turn, World};
use crate::harness::observation::{
    Environment, ExperimentData, Measurements, OBSERVATION_SCHEMA, SlotLine, Status, WorkerData,
    WorkerHeader, WorkerOutcome,
};
use crate::harness::plan::{
    Design, Estimand, ExperimentPlan, Margin, Metric, PLAN_SCHEMA, Plan, ReplicationUnit, Seed,
    SlotFlags, StopRule, TargetPlan,
};
use crate::harness::schedule::{
    WorkerSchedule, control_pair_blocks, whole_designs, worker_schedule,
};
use bootstrap::Stream;

/// Name of the simulated bench target.
pub const TARGET: &str = "simulation";

/// The layout of a simulated session.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layout {
    /// Workers of each experiment.
    pub workers: u32,
    /// Comparison blocks of a worker.
    pub blocks: u32,
    /// Whether A/A blocks run between them.
    pub control_pairs: bool,
    /// Candidates of each experiment.
    pub candidates: usize,
    /// Experiments of the session.
    pub experiments: usize,
    /// Declared margin, as a fraction.
    pub margin: f64,
    /// What the plan says that a unit is.
    pub unit: ReplicationUnit,
}

impl Layout {
    /// The defaults of a plan: one comparison, 50 blocks, a margin of 1 %.
    #[must_use]
    pub fn with_workers(workers: u32) -> Self {
        Self {
            workers,
            blocks: crate::harness::plan::DEFAULT_BLOCKS,
            control_pairs: true,
            candidates: 1,
            experiments: 1,
            margin: 0.01,
            unit: ReplicationUnit::Worker,
        }
    }

    /// The plan of a replication.
    #[must_use]
    pub fn plan(&self, seed: u64) -> Plan {
        let arms: Vec<String> = std::iter::once("control".to_owned())
            .chain((1..=self.candidates).map(|i| format!("candidate-{i}")))
            .collect();
        let aa_blocks = if self.control_pairs {
            control_pair_blocks(arms.len(), self.blocks)
        } else {
            0
        };
        let experiment = |i| ExperimentPlan {
            id: format!("experiment-{i}"),
            arms: arms.clone(),
            metric: Metric::wall_time(),
            margin: Margin::relative(self.margin),
            estimand: Estimand::PairedLogRatio,
            secondary: Vec::new(),
            device: None,
            sweep: None,
            cold: false,
            separate: false,
            unit: self.unit,
            design: Design::for_arms(arms.len()),
            workers: self.workers,
            blocks: whole_designs(arms.len(), self.blocks),
            aa_blocks,
            iterations: 1,
            throughput: Vec::new(),
            verified: true,
            same_code: None,
            pilot_ns: Vec::new(),
            schedule_digest: String::new(),
        };
        Plan {
            schema: PLAN_SCHEMA.to_owned(),
            session: TARGET.to_owned(),
            created: "2000-01-01T00:00:00Z".to_owned(),
            seed: Seed(seed),
            alpha: 0.05,
            stop_rule: StopRule::Fixed,
            attempt: 1,
            repeats: None,
            targets: vec![TargetPlan {
                name: TARGET.to_owned(),
                experiments: (0..self.experiments).map(experiment).collect(),
            }],
        }
    }
}

/// Draws the schedule of a worker.
pub type Scheduler = fn(Seed, &str, &ExperimentPlan, u32) -> WorkerSchedule;

/// A plan and what was "measured" under it.
#[derive(Clone, Debug)]
pub struct Session {
    /// The plan.
    pub plan: Plan,
    /// The observations.
    pub measurements: Measurements,
}

impl Session {
    /// Draws a session of `world` with the schedule as shipped.
    #[must_use]
    pub fn draw(world: &World, layout: &Layout, seed: u64) -> Self {
        Self::draw_scheduled(world, layout, seed, worker_schedule)
    }

    /// The same with another scheduler.
    #[must_use]
    pub fn draw_scheduled(world: &World, layout: &Layout, seed: u64, draw: Scheduler) -> Self {
        let plan = layout.plan(seed);
        let experiments = plan
            .experiments()
            .map(|(target, experiment)| measure(world, &plan, target, experiment, draw))
            .collect();
        let measurements = Measurements {
            status: Status::Complete,
            environment: Environment::default(),
            experiments,
        };
        Self { plan, measurements }
    }

    /// The only experiment of a session with one.
    ///
    /// # Panics
    /// If the layout had no experiment.
    #[must_use]
    pub fn only(&self) -> (&ExperimentPlan, &ExperimentData) {
        let plan = &self.plan.targets[0].experiments[0];
        (plan, &self.measurements.experiments[0])
    }
}

/// All workers of an experiment, one after the other on one machine.
fn measure(
    world: &World,
    plan: &Plan,
    target: &str,
    experiment: &ExperimentPlan,
    draw: Scheduler,
) -> ExperimentData {
    let schedules: Vec<WorkerSchedule> = (0..experiment.workers)
        .map(|w| draw(plan.seed, target, experiment, w))
        .collect();
    let slots = schedules.iter().map(WorkerSchedule::slots).sum();
    let stream = Stream::new(plan.seed.0, &format!("world/{}", experiment.id));
    let mut machine = Machine::new(world, slots, stream);
    let candidates = 1..experiment.arms.len();
    let workers = schedules
        .iter()
        .map(|schedule| worker(&mut machine, schedule, |i| candidates.contains(&i)))
        .collect();
    ExperimentData {
        target: target.to_owned(),
        id: experiment.id.clone(),
        fault: None,
        workers,
    }
}

fn worker(
    machine: &mut Machine<'_>,
    schedule: &WorkerSchedule,
    is_candidate: impl Fn(usize) -> bool,
) -> WorkerData {
    let mut data = WorkerData::new(WorkerHeader {
        schema: OBSERVATION_SCHEMA.to_owned(),
        target: String::new(),
        experiment: String::new(),
        worker: schedule.worker,
        pid: schedule.worker + 1,
        started: String::new(),
        letters: schedule.letters.clone(),
        input_seed: Seed(schedule.input_seed),
        iterations: 1,
        warmup_slots: 0,
        steady: true,
        facts: Vec::new(),
    });
    data.outcome = WorkerOutcome::Complete;
    machine.start_worker(&schedule.letters, &is_candidate);
    let mut start_ns = 0;
    for (index, block) in schedule.blocks.iter().enumerate() {
        for (position, &instance) in block.slots.iter().enumerate() {
            let value = machine.slot(Turn {
                instance,
                candidate: is_candidate(instance),
                position,
            });
            let host_ns = (1e4 * value) as u64;
            data.push(SlotLine {
                block: index as u32,
                kind: block.kind,
                instance,
                start_ns,
                value: Some(value),
                host_ns,
                secondary: Vec::new(),
                samples: Vec::new(),
                flags: SlotFlags::NONE,
            });
            start_ns += host_ns;
        }
    }
    data
}
