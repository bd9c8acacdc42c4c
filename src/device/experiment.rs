//! Experiments made of tasks.

use super::cache::cache_for;
use super::{TaskBencher, chosen, expected};
use evenhand_harness::plan::{Direction, Metric, SecondaryMetric, SecondaryRole};
use evenhand_harness::suite::{ArmError, Bencher, Experiment, Suite, matches_reference, within};
use evenhand_kernels::device::{CacheState, Timing};
use evenhand_kernels::task::Task;
use std::cell::RefCell;
use std::rc::Rc;

/// Gives a [`Suite`] experiments made of tasks.
pub trait TaskSuite {
    /// An experiment whose arms are the variants of a task, the first one the
    /// control. `make` draws the task from a worker's seed; what it declares
    /// (bytes, operations, names) must not depend on the seed.
    ///
    /// On a GPU the cache is made cold as `--flush` says, without it by
    /// reading before every launch; on the host processor the label is
    /// `cpu` and the caches are hot. Outputs are compared with the task's
    /// reference before and after timing.
    fn task(&mut self, id: &str, make: impl Fn(u64) -> Task + 'static) -> &mut Experiment;

    /// The same with a state of the cache on a GPU that no option changes: a
    /// `--flush` that asks for another one fails the experiment.
    fn task_in(
        &mut self,
        id: &str,
        cache: CacheState,
        make: impl Fn(u64) -> Task + 'static,
    ) -> &mut Experiment;
}

/// A task is drawn once per seed, for all arms and the reference.
type Drawn = Rc<dyn Fn(u64) -> Rc<Task>>;

fn drawn_once(make: impl Fn(u64) -> Task + 'static) -> Drawn {
    let last: RefCell<Option<(u64, Rc<Task>)>> = RefCell::default();
    Rc::new(move |seed| {
        let mut last = last.borrow_mut();
        match &*last {
            Some((known, task)) if *known == seed => Rc::clone(task),
            _ => {
                let task = Rc::new(make(seed));
                *last = Some((seed, Rc::clone(&task)));
                task
            }
        }
    })
}

impl TaskSuite for Suite {
    fn task(&mut self, id: &str, make: impl Fn(u64) -> Task + 'static) -> &mut Experiment {
        declare(self, id, None, make)
    }

    fn task_in(
        &mut self,
        id: &str,
        cache: CacheState,
        make: impl Fn(u64) -> Task + 'static,
    ) -> &mut Experiment {
        declare(self, id, Some(cache), make)
    }
}

fn declare<'a>(
    suite: &'a mut Suite,
    id: &str,
    fixed: Option<CacheState>,
    make: impl Fn(u64) -> Task + 'static,
) -> &'a mut Experiment {
    if !suite.wants(id) {
        return suite.experiment(id);
    }
    let draw = drawn_once(make);
    let declared = draw(0);
    let device = expected();
    let wanted = cache_for(fixed, device.gpu);
    // The label of an experiment that fails with the reason.
    let cache = wanted.clone().unwrap_or(fixed.unwrap_or_default());
    // Copies and conversions on the host lie outside every pair of events.
    let on_host = !device.gpu || declared.variants.iter().any(|v| v.involves_host());
    let timing = if on_host {
        Timing::Host
    } else {
        Timing::DeviceEvents
    };
    let experiment = suite.experiment(id);
    experiment
        .metric(Metric::new(timing.metric_id(), "ns", Direction::Lower))
        .bytes_moved(declared.bytes_moved as usize)
        .device_label(if device.gpu {
            format!("{}, {cache}", device.label)
        } else {
            device.label.clone()
        });
    if declared.flops > 0 {
        experiment.flops(declared.flops as usize);
    }
    for metric in further_metrics(timing, device.gpu) {
        experiment.secondary(metric);
    }
    let variants = declared.variants.iter();
    let measurable = variants.filter(|v| device.gpu || v.cpu.is_some());
    for (index, variant) in measurable.map(|v| v.name).enumerate() {
        let draw = Rc::clone(&draw);
        let wanted = wanted.clone();
        let build = move |bencher: &mut Bencher| match (&wanted, chosen()) {
            (Err(problem), _) => bencher.fail(ArmError::new(problem.clone())),
            (_, Err(error)) => bencher.fail(ArmError::new(error.to_string())),
            (Ok(cache), Ok(device)) => {
                let task = draw(bencher.seed());
                bencher.task_on(&*device, &task, variant, *cache);
            }
        };
        if index == 0 {
            experiment.control(variant, build);
        } else {
            experiment.candidate(variant, build);
        }
    }
    let tolerance = declared.tolerance;
    experiment.verify(matches_reference(
        within(tolerance.absolute, tolerance.relative),
        move |seed| draw(seed).reference.clone(),
    ))
}

/// The metrics beside the time, in the order in which arms give them.
///
/// Cycles must move like the time before the time may claim: a change of clock
/// alone moves only one of them. The shares of what the card was measured to
/// reach (a copy; arithmetic from registers) and the energy are shown.
#[must_use]
pub fn further_metrics(timing: Timing, gpu: bool) -> Vec<SecondaryMetric> {
    if !gpu {
        return Vec::new();
    }
    let new = |id: &str, unit: &str, direction, role| {
        SecondaryMetric::new(Metric::new(id, unit, direction), role)
    };
    let energy = new("energy", "mJ", Direction::Lower, SecondaryRole::Describe);
    if timing == Timing::Host {
        return vec![energy];
    }
    let share = |id| new(id, "%", Direction::Higher, SecondaryRole::Describe);
    vec![
        new(
            "sm_cycles",
            "cycles",
            Direction::Lower,
            SecondaryRole::Corroborate,
        ),
        share("memory_bandwidth.of_measured_copy"),
        share("arithmetic.of_measured_rate"),
        energy,
    ]
}
