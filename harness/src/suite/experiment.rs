//! Declaring experiments.

use super::{Bencher, Verify};
use crate::plan::{
    Design, Estimand, ExperimentPlan, Margin, Metric, ReplicationUnit, SecondaryMetric, Sweep,
    Throughput, ThroughputKind,
};

/// The smallest change that matters, in percent of the control.
#[must_use]
pub fn percent(value: f64) -> Margin {
    Margin::relative(value / 100.0)
}

/// All experiments of a bench target, in declaration order.
#[derive(Default)]
pub struct Suite {
    experiments: Vec<Experiment>,
    only: Option<String>,
}

impl Suite {
    /// A suite of which one experiment alone will run, as in a worker.
    #[must_use]
    pub fn only(id: impl Into<String>) -> Self {
        Self {
            experiments: Vec::new(),
            only: Some(id.into()),
        }
    }

    /// Whether this experiment may run. Of one that never will, an id is
    /// declaration enough: what is costly to find out may be left out.
    #[must_use]
    pub fn wants(&self, id: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == id)
    }

    /// Begins an experiment. The id names the question and its parameters, for
    /// example `softmax/f32/64x4096`.
    pub fn experiment(&mut self, id: impl Into<String>) -> &mut Experiment {
        self.experiments.push(Experiment::new(id.into()));
        self.experiments.last_mut().expect("one was just pushed")
    }

    /// The experiments declared so far.
    #[must_use]
    pub fn experiments(&self) -> &[Experiment] {
        &self.experiments
    }
}

/// What an arm is in its experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArmRole {
    /// What the others are compared with.
    Control,
    /// Compared with the control.
    Candidate,
    /// The only arm of an experiment without a comparison.
    Single,
}

/// Builds an arm in a worker.
pub type ArmFactory = Box<dyn Fn(&mut Bencher)>;

struct Arm {
    name: String,
    role: ArmRole,
    build: ArmFactory,
}

/// One question: arms that do the same work.
pub struct Experiment {
    id: String,
    arms: Vec<Arm>,
    metric: Metric,
    margin: Margin,
    estimand: Estimand,
    secondary: Vec<SecondaryMetric>,
    throughput: Vec<Throughput>,
    verify: Option<Verify>,
    device: Option<String>,
    unit: ReplicationUnit,
    sweep: Option<Sweep>,
    cold: bool,
    separate: bool,
    sizes: Sizes,
}

/// Sizes that an experiment declares itself instead of leaving them to the pilot
/// and to the options of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// Iterations of a slot.
    pub iterations: Option<u64>,
    /// Comparison blocks of a worker.
    pub blocks: Option<u32>,
    /// No second instance of the control.
    pub no_aa: bool,
}

impl Experiment {
    fn new(id: String) -> Self {
        Self {
            id,
            arms: Vec::new(),
            metric: Metric::wall_time(),
            margin: Margin::DEFAULT,
            estimand: Estimand::PairedLogRatio,
            secondary: Vec::new(),
            throughput: Vec::new(),
            verify: None,
            device: None,
            unit: ReplicationUnit::Worker,
            sweep: None,
            cold: false,
            separate: false,
            sizes: Sizes::default(),
        }
    }

    /// The arm that the others are compared with. Exactly one.
    pub fn control(
        &mut self,
        name: impl Into<String>,
        build: impl Fn(&mut Bencher) + 'static,
    ) -> &mut Self {
        self.add(name.into(), ArmRole::Control, Box::new(build))
    }

    /// An arm that is compared with the control.
    pub fn candidate(
        &mut self,
        name: impl Into<String>,
        build: impl Fn(&mut Bencher) + 'static,
    ) -> &mut Self {
        self.add(name.into(), ArmRole::Candidate, Box::new(build))
    }

    /// The only arm of an experiment without a comparison: a plain benchmark,
    /// which gets an A/A interval and no claim.
    pub fn arm(
        &mut self,
        name: impl Into<String>,
        build: impl Fn(&mut Bencher) + 'static,
    ) -> &mut Self {
        self.add(name.into(), ArmRole::Single, Box::new(build))
    }

    fn add(&mut self, name: String, role: ArmRole, build: ArmFactory) -> &mut Self {
        self.arms.push(Arm { name, role, build });
        self
    }

    /// The smallest effect that matters. Without it the default of 1 % stands
    /// in and caps the claim at `moderate`.
    pub fn margin(&mut self, margin: Margin) -> &mut Self {
        self.margin = margin;
        self
    }

    /// The margin of the primary metric, and of every secondary metric so far
    /// that declares none of its own.
    pub fn margin_of_all(&mut self, margin: Margin) -> &mut Self {
        let undeclared = self.secondary.iter_mut().filter(|s| !s.margin.declared);
        undeclared.for_each(|secondary| secondary.margin = margin);
        self.margin(margin)
    }

    /// What is measured; wall time by default.
    pub fn metric(&mut self, metric: Metric) -> &mut Self {
        self.metric = metric;
        self
    }

    /// Which effect is estimated; the paired log ratio by default. Values that
    /// may be zero or negative need the difference and an absolute margin.
    pub fn estimand(&mut self, estimand: Estimand) -> &mut Self {
        self.estimand = estimand;
        self
    }

    /// A further metric of the same slots. Arms give its values through
    /// [`Subject::secondary`](super::Subject::secondary), in the order of these calls.
    pub fn secondary(&mut self, metric: SecondaryMetric) -> &mut Self {
        self.secondary.push(metric);
        self
    }

    /// What the arms run on, for every line that is printed about them.
    pub fn device_label(&mut self, label: impl Into<String>) -> &mut Self {
        self.device = Some(label.into());
        self
    }

    /// What n counts, where a fresh worker does not restart what is measured (a
    /// server that was running before). Caps the claims at `directional`.
    pub fn unit(&mut self, unit: ReplicationUnit) -> &mut Self {
        self.unit = unit;
        self
    }

    /// The arms are cells of a sweep: each is compared with every other, on a
    /// metric of throughput and one of latency. None of them is the control.
    pub fn sweep(&mut self, sweep: Sweep) -> &mut Self {
        self.sweep = Some(sweep);
        self
    }

    /// Every slot begins from a cold state that the arm makes itself: nothing
    /// is warmed up.
    pub fn cold(&mut self) -> &mut Self {
        self.cold = true;
        self
    }

    /// Every arm gets a process of its own inside a worker. All are alive, one
    /// works at a time: nothing that lives in a process (allocator, device
    /// context, caches of a library) is shared by the arms.
    pub fn separate_processes(&mut self) -> &mut Self {
        self.separate = true;
        self
    }

    /// Iterations of a slot, instead of what the pilot would choose.
    pub fn iterations(&mut self, iterations: u64) -> &mut Self {
        self.sizes.iterations = Some(iterations);
        self
    }

    /// Comparison blocks of a worker, where the session's options name none.
    pub fn blocks(&mut self, blocks: u32) -> &mut Self {
        self.sizes.blocks = Some(blocks);
        self
    }

    /// The control is not measured against itself: no second instance of it is
    /// built. For what does not fit three times; the claim is capped with
    /// `no_aa_control`, and an experiment with one [`arm`](Self::arm) is the A/A
    /// session to run beside it.
    pub fn no_aa(&mut self) -> &mut Self {
        self.sizes.no_aa = true;
        self
    }

    pub(crate) fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// Bytes that one iteration reads and writes.
    pub fn bytes_moved(&mut self, bytes: usize) -> &mut Self {
        self.throughput(ThroughputKind::Bytes, bytes as f64)
    }

    /// Elements that one iteration processes.
    pub fn elements(&mut self, elements: usize) -> &mut Self {
        self.throughput(ThroughputKind::Elements, elements as f64)
    }

    /// Floating-point operations of one iteration.
    pub fn flops(&mut self, flops: usize) -> &mut Self {
        self.throughput(ThroughputKind::Flops, flops as f64)
    }

    fn throughput(&mut self, kind: ThroughputKind, per_iteration: f64) -> &mut Self {
        self.throughput.push(Throughput {
            kind,
            per_iteration,
        });
        self
    }

    /// How outputs are judged, before and after timing.
    pub fn verify(&mut self, verify: Verify) -> &mut Self {
        self.verify = Some(verify);
        self
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The judge of outputs, when one was declared.
    #[must_use]
    pub fn verifier(&self) -> Option<&Verify> {
        self.verify.as_ref()
    }

    /// Builds the arm that stands at `index` in the plan (control first).
    pub(crate) fn build(&self, index: usize, bencher: &mut Bencher) {
        (self.ordered()[index].build)(bencher);
    }

    /// The arms with the control first.
    fn ordered(&self) -> Vec<&Arm> {
        let mut arms: Vec<&Arm> = self.arms.iter().collect();
        arms.sort_by_key(|arm| arm.role != ArmRole::Control);
        arms
    }

    /// The experiment as a plan entry; workers, blocks and iterations are for
    /// the planner to fill.
    ///
    /// # Errors
    /// Says what is wrong with the declaration, naming arms.
    pub fn declare(&self) -> Result<ExperimentPlan, String> {
        let named = |role| {
            self.arms
                .iter()
                .filter(move |a| a.role == role)
                .map(|a| a.name.as_str())
        };
        let quoted = |role| {
            named(role)
                .map(|n| format!("`{n}`"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        match (
            named(ArmRole::Control).count(),
            named(ArmRole::Candidate).count(),
            named(ArmRole::Single).count(),
        ) {
            (1, 1.., 0) | (0, 0, 1) => {}
            (0, 0, 0) => {
                return Err(
                    "it has no arm; add `.control(..)` and `.candidate(..)`, or one `.arm(..)`"
                        .into(),
                );
            }
            (0, 1.., _) => {
                return Err(format!(
                    "{} has no control to be compared with; make one arm the `.control(..)`",
                    quoted(ArmRole::Candidate)
                ));
            }
            (2.., _, _) => {
                return Err(format!(
                    "it has more than one control ({}); make all but one `.candidate(..)`",
                    quoted(ArmRole::Control)
                ));
            }
            (1, 0, 0) => {
                return Err(format!(
                    "control {} has no candidate; add one, or use `.arm(..)` for a plain benchmark",
                    quoted(ArmRole::Control)
                ));
            }
            _ => {
                return Err(format!(
                    "`.arm(..)` ({}) stands alone: use it once, without control and candidates",
                    quoted(ArmRole::Single)
                ));
            }
        }
        if self.sizes.iterations == Some(0) || self.sizes.blocks == Some(0) {
            return Err("`.iterations(..)` and `.blocks(..)` must be at least 1".into());
        }
        if self.sizes.no_aa && self.arms.len() == 1 {
            return Err(
                "one arm alone is measured against itself; `.no_aa()` belongs to a comparison"
                    .into(),
            );
        }
        if self.estimand == Estimand::PairedDifference
            && self.margin.declared
            && self.margin.scale == crate::plan::MarginScale::Relative
        {
            return Err(
                "a difference needs a margin in the metric's unit: `Margin::absolute(..)`".into(),
            );
        }
        let arms: Vec<String> = self.ordered().iter().map(|a| a.name.clone()).collect();
        let plan = ExperimentPlan {
            id: self.id.clone(),
            design: Design::for_arms(arms.len()),
            arms,
            metric: self.metric.clone(),
            margin: self.margin,
            estimand: self.estimand,
            secondary: self.secondary.clone(),
            device: self.device.clone(),
            sweep: self.sweep.clone(),
            cold: self.cold,
            separate: self.separate,
            unit: self.unit,
            workers: 1,
            blocks: 1,
            aa_blocks: u32::from(!self.sizes.no_aa),
            iterations: 1,
            throughput: self.throughput.clone(),
            verified: self.verify.is_some(),
            same_code: None,
            pilot_ns: Vec::new(),
            schedule_digest: String::new(),
        };
        plan.validate().map_err(|e| match e {
            crate::plan::PlanError::Experiment { problem, .. } => problem,
            schema @ crate::plan::PlanError::Schema { .. } => schema.to_string(),
        })?;
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_comparison_can_do_without_its_second_control() {
        let mut suite = Suite::default();
        let pair = suite.experiment("pair");
        pair.control("a", |_| {}).candidate("b", |_| {}).no_aa();
        let plan = pair.declare().unwrap();
        assert_eq!((plan.aa_blocks, plan.instances()), (0, 2));
        let error = suite.experiment("one").arm("a", |_| {}).no_aa().declare();
        assert!(error.unwrap_err().contains("against itself"));
    }
}
