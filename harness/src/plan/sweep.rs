//! Sweeps: arms that are settings of one system.

use super::{Direction, ExperimentPlan, Margin, Metric};
use serde::{Deserialize, Serialize};

/// What the arms of a sweep are compared on. The arms do the same work and are
/// the cells of the sweep: none of them is the control, every one is compared
/// with every other, on both metrics. The experiment's primary metric is one
/// of the two and says which cell is best.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sweep {
    /// Id of the metric of throughput: higher is better.
    pub throughput: String,
    /// Id of the metric of latency: lower is better.
    pub latency: String,
}

impl Sweep {
    /// Both metrics, throughput first.
    #[must_use]
    pub fn metrics(&self) -> [&str; 2] {
        [&self.throughput, &self.latency]
    }

    /// What does not fit the experiment.
    pub(super) fn problem(&self, plan: &ExperimentPlan) -> Option<String> {
        if plan.arms.len() < 2 {
            return Some("a sweep needs two cells; add arms".to_owned());
        }
        if !self.metrics().contains(&plan.metric.id.as_str()) {
            return Some(format!(
                "its primary metric `{}` must be the throughput or the latency of the sweep",
                plan.metric.id
            ));
        }
        let better = [Direction::Higher, Direction::Lower];
        self.metrics().iter().zip(better).find_map(|(id, better)| {
            match plan.metric_named(id).map(|(metric, _)| metric.direction) {
                None => Some(format!("the sweep names `{id}`, which is no metric of it")),
                Some(direction) if direction != better => Some(format!(
                    "in a sweep the throughput is better when higher and the latency when lower; \
                     `{id}` is declared otherwise"
                )),
                Some(_) => None,
            }
        })
    }
}

impl ExperimentPlan {
    /// A metric of the experiment by its id, with its margin.
    #[must_use]
    pub fn metric_named(&self, id: &str) -> Option<(&Metric, Margin)> {
        let primary = std::iter::once((&self.metric, self.margin));
        let further = self.secondary.iter().map(|s| (&s.metric, s.margin));
        primary.chain(further).find(|(metric, _)| metric.id == id)
    }

    /// Number of comparisons that carry claims: those with the control, or in a
    /// sweep all pairs of cells on both metrics.
    #[must_use]
    pub fn comparisons(&self) -> usize {
        match &self.sweep {
            None => self.candidates().len(),
            Some(_) => self.arms.len() * self.arms.len().saturating_sub(1),
        }
    }
}
