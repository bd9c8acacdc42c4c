use super::{Buffer, Launch, Step};
use std::fmt;
use std::sync::Arc;

/// One way to do the work of a task.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Name, unique within the task.
    pub name: &'static str,
    /// What a GPU executes, in order.
    pub steps: Vec<Step>,
    /// The Rust counterpart: the same idea on the host processor.
    pub cpu: Option<CpuKernel>,
}

impl Variant {
    /// A variant of kernel launches alone.
    #[must_use]
    pub fn launches(
        name: &'static str,
        launches: impl IntoIterator<Item = Launch>,
        cpu: impl Fn(&mut [Buffer]) + Send + Sync + 'static,
    ) -> Self {
        Self::steps(name, launches.into_iter().map(Step::Launch), cpu)
    }

    /// A variant of any steps.
    #[must_use]
    pub fn steps(
        name: &'static str,
        steps: impl IntoIterator<Item = Step>,
        cpu: impl Fn(&mut [Buffer]) + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            steps: steps.into_iter().collect(),
            cpu: Some(CpuKernel(Arc::new(cpu))),
        }
    }

    /// A variant without a counterpart on the host processor.
    #[must_use]
    pub fn device_only(name: &'static str, steps: impl IntoIterator<Item = Step>) -> Self {
        Self {
            name,
            steps: steps.into_iter().collect(),
            cpu: None,
        }
    }

    /// The kernel launches among the steps.
    pub fn iter_launches(&self) -> impl Iterator<Item = &Launch> {
        self.steps.iter().filter_map(|step| match step {
            Step::Launch(launch) => Some(launch),
            _ => None,
        })
    }

    /// Whether the host works or copies in the timed part: then only the wall
    /// time of the whole covers it, not a pair of device events.
    #[must_use]
    pub fn involves_host(&self) -> bool {
        self.steps
            .iter()
            .any(|step| !matches!(step, Step::Launch(_)))
    }

    /// The buffers whose device side the steps themselves fill.
    pub fn uploads(&self) -> impl Iterator<Item = usize> {
        self.steps.iter().filter_map(|step| match step {
            Step::Upload { buffer, .. } => Some(*buffer),
            _ => None,
        })
    }
}

/// Runs the work on the host processor, in the buffers of the task.
#[derive(Clone)]
pub struct CpuKernel(Arc<Run>);

type Run = dyn Fn(&mut [Buffer]) + Send + Sync;

impl CpuKernel {
    /// Reads the inputs and writes the output among `buffers`, which have the
    /// order and lengths of [`Task::buffers`](super::Task::buffers).
    ///
    /// # Panics
    /// If `buffers` are those of another task.
    pub fn run(&self, buffers: &mut [Buffer]) {
        (self.0)(buffers);
    }
}

impl fmt::Debug for CpuKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CpuKernel")
    }
}
