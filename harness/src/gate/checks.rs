//! What each gate looks at.

use super::client::check_client;
use super::flags::flagged;
use super::{Code, Reason};
use crate::estimate::{lag1, trend, welch};
use crate::observation::{Environment, ExperimentData, WorkerData, profile_fact, rebuilt_fact};
use crate::plan::{
    Design, Direction, ExperimentPlan, MAX_REPLACED_SHARE, Plan, ReplicationUnit, StopRule,
};
use crate::schedule::worker_schedule;

/// A slot must last this many steps of the clock.
const STEPS_PER_SLOT: f64 = 1000.0;
/// Foreign load worth a note, in cores.
const FOREIGN_CORES: f64 = 0.25;
/// Clock change worth a note.
const CLOCK_CHANGE: f64 = 0.05;
/// Trend tests and lag-1 start here.
const SERIAL_FROM: usize = 12;

/// Everything that plan and observations of an experiment give reason for.
#[must_use]
pub fn check_experiment(
    plan: &Plan,
    target: &str,
    experiment: &ExperimentPlan,
    data: &ExperimentData,
    unfinished: bool,
    environment: &Environment,
) -> Vec<Reason> {
    let mut reasons = declaration(plan, experiment);
    let complete: Vec<&WorkerData> = data.workers.iter().filter(|w| w.is_complete()).collect();
    if let Some(fault) = &data.fault {
        let code = match fault.fault {
            crate::observation::Fault::WrongOutput => Code::WrongOutput,
            _ => Code::ArmFailed,
        };
        let subject = match &fault.arm {
            Some(arm) => format!("arm `{arm}` {}", fault.fault.words()),
            None => format!("the experiment {}", fault.fault.words()),
        };
        reasons.push(Reason::new(code, format!("{subject}: {}", fault.message)));
    } else if unfinished {
        let detail = format!(
            "{} of {} workers measured",
            complete.len(),
            experiment.workers
        );
        reasons.push(Reason::new(Code::Incomplete, detail));
    }
    let lost = data
        .workers
        .iter()
        .filter(|w| w.outcome == crate::observation::WorkerOutcome::Lost);
    let lost = lost.count();
    if lost as f64 > MAX_REPLACED_SHARE * f64::from(experiment.workers) {
        reasons.push(Reason::new(
            Code::WorkersReplaced,
            format!(
                "{lost} workers were lost where {} were planned",
                experiment.workers
            ),
        ));
    }
    if experiment.unit == ReplicationUnit::Worker && experiment.design.is_randomised() {
        reasons.extend(
            complete
                .iter()
                .find_map(|w| deviation(plan, target, experiment, w)),
        );
    }
    reasons.extend(rebuilt(target, &complete, environment));
    reasons.extend(conditions(target, &complete, environment));
    reasons.extend(flagged(experiment, &complete));
    reasons.extend(check_client(&complete, environment));
    reasons
}

/// What the declaration of the experiment's metric gives reason for.
#[must_use]
pub fn check_metric(experiment: &ExperimentPlan) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if !experiment.has_control() {
        return reasons;
    }
    if experiment.metric.direction == Direction::Context {
        let detail = format!("`{}` only describes", experiment.metric.id);
        reasons.push(Reason::new(Code::DirectionUndeclared, detail));
    }
    if !experiment.margin.declared {
        let detail = "the default of 1 % was used";
        reasons.push(Reason::new(Code::MarginUndeclared, detail));
    }
    reasons
}

/// What the plan itself caps.
fn declaration(plan: &Plan, experiment: &ExperimentPlan) -> Vec<Reason> {
    let mut reasons = check_metric(experiment);
    let mut add = |code, detail: &str| reasons.push(Reason::new(code, detail));
    match experiment.design {
        Design::ImportedFixed => add(Code::OrderNotRandomised, "the same arm always came first"),
        Design::ImportedUnknown => add(Code::OrderUnknown, "the data have no order"),
        _ => {}
    }
    match experiment.unit {
        ReplicationUnit::Worker => {}
        ReplicationUnit::PairInProcess => add(Code::UnitsNotWorkers, "pairs inside one process"),
        ReplicationUnit::Request => add(Code::UnitsNotWorkers, "requests to one running server"),
        ReplicationUnit::Imported => add(Code::UnitUnknown, "the data do not say what a pair is"),
    }
    if plan.stop_rule == StopRule::Undeclared {
        add(
            Code::StopRuleUndeclared,
            "the data do not say how many units were planned",
        );
    }
    if experiment.aa_blocks == 0 && experiment.has_control() {
        add(Code::NoAaControl, "there are no A/A blocks");
    }
    if plan.attempt > 1 {
        let first = plan
            .repeats
            .as_deref()
            .map_or("", |digest| &digest[..digest.len().min(12)]);
        add(
            Code::Attempts,
            &format!("attempt {} of plan {first}", plan.attempt),
        );
    }
    reasons
}

/// Whether a worker did something else than the plan's seed draws.
fn deviation(
    plan: &Plan,
    target: &str,
    experiment: &ExperimentPlan,
    worker: &WorkerData,
) -> Option<Reason> {
    let changed = |what: &str| {
        Some(Reason::new(
            Code::PlanChanged,
            format!("worker {}: {what}", worker.worker),
        ))
    };
    if worker.iterations != experiment.iterations {
        let detail = format!(
            "worker {} ran {} iterations in a slot where {} were planned",
            worker.worker, worker.iterations, experiment.iterations
        );
        return Some(Reason::new(Code::WorkUnitMismatch, detail));
    }
    let schedule = worker_schedule(plan.seed, target, experiment, worker.worker);
    if worker.letters != schedule.letters || worker.input_seed.0 != schedule.input_seed {
        return changed("its coin is not the plan's");
    }
    let planned = schedule.blocks.iter().flat_map(|b| b.slots.iter().copied());
    if !planned.eq(worker.instance.iter().map(|&i| usize::from(i))) {
        return changed("the slots did not run in the planned order");
    }
    None
}

/// Whether workers of more than one build stand together.
fn rebuilt(target: &str, workers: &[&WorkerData], environment: &Environment) -> Option<Reason> {
    let times = environment.facts.get(&rebuilt_fact(target))?;
    let mixed = times.split(' ').any(|time| {
        let before = workers.iter().filter(|w| w.started.as_str() < time).count();
        0 < before && before < workers.len()
    });
    mixed.then(|| {
        Reason::new(
            Code::EnvironmentDiffers,
            "the bench target was built again between its workers",
        )
    })
}

/// What the machine did meanwhile.
fn conditions(target: &str, workers: &[&WorkerData], environment: &Environment) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if workers.is_empty() {
        return reasons;
    }
    let n = workers.len();
    let unsteady = workers.iter().filter(|w| !w.steady).count();
    if 2 * unsteady > n {
        reasons.push(Reason::new(
            Code::NotSteady,
            format!("{unsteady} of {n} workers"),
        ));
    }
    let throttled = workers
        .iter()
        .filter(|w| w.telemetry.throttled.is_some_and(|t| t > 0))
        .count();
    if throttled as f64 > MAX_REPLACED_SHARE * n as f64 {
        reasons.push(Reason::new(
            Code::Throttled,
            format!("{throttled} of {n} workers"),
        ));
    }
    let mut host: Vec<u64> = workers
        .iter()
        .flat_map(|w| w.host_ns.iter().copied())
        .collect();
    if !host.is_empty() {
        let middle = host.len() / 2;
        let median = *host.select_nth_unstable(middle).1 as f64;
        if median < STEPS_PER_SLOT * environment.timer_resolution_ns {
            reasons.push(Reason::new(
                Code::BelowResolution,
                format!(
                    "slots last {median:.0} ns, the clock's step is {:.0} ns",
                    environment.timer_resolution_ns
                ),
            ));
        }
    }
    let foreign: Vec<f64> = workers
        .iter()
        .filter_map(|w| w.telemetry.foreign_cores)
        .collect();
    if let Some(mean) = mean(&foreign)
        && mean > FOREIGN_CORES
    {
        reasons.push(Reason::new(
            Code::ForeignLoad,
            format!("other processes kept {mean:.1} cores busy on average"),
        ));
    }
    let clocks: Vec<f64> = workers.iter().filter_map(|w| w.telemetry.cpu_mhz).collect();
    let (low, high) = clocks
        .iter()
        .fold((f64::INFINITY, 0.0f64), |(low, high), &mhz| {
            (low.min(mhz), high.max(mhz))
        });
    if high > low * (1.0 + CLOCK_CHANGE) {
        reasons.push(Reason::new(
            Code::ClockChanged,
            format!("{low:.0} to {high:.0} MHz"),
        ));
    }
    if environment
        .facts
        .get(&profile_fact(target))
        .is_some_and(|profile| profile == "debug")
    {
        reasons.push(Reason::new(
            Code::DebugBuild,
            "the executable is a debug build",
        ));
    }
    reasons
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Whether at least three quarters of the units, but not all, lie in one
/// hundredth of their range. With a bootstrap-t, a resample of those alone has
/// almost no spread, so the interval reaches far beyond every unit.
fn nearly_tied(d: &[f64]) -> Option<String> {
    if d.len() < 6 {
        return None;
    }
    let mut sorted = d.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let range = sorted[sorted.len() - 1] - sorted[0];
    let (mut most, mut start) = (0, 0);
    for (end, x) in sorted.iter().enumerate() {
        while x - sorted[start] > 0.01 * range {
            start += 1;
        }
        most = most.max(end + 1 - start);
    }
    (range > 0.0 && 4 * most >= 3 * d.len())
        .then(|| format!("{most} of {} units lie within 1 % of their range", d.len()))
}

/// What the units themselves give reason for. `first` tells for each unit
/// whether the control had the earlier letter, when that is known.
#[must_use]
pub fn check_units(
    d: &[f64],
    wins: usize,
    losses: usize,
    ties: usize,
    first: &[bool],
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let n = d.len();
    if n >= SERIAL_FROM {
        if let Ok(lag) = lag1(d)
            && lag.fired
        {
            let detail = format!(
                "lag-1 correlation {:.2} above {:.2}; {:.1} effective units",
                lag.r1c, lag.threshold, lag.n_eff
            );
            reasons.push(Reason::new(Code::Autocorrelated, detail));
        }
        if let Ok(trend) = trend(d)
            && trend.p <= 0.01
        {
            reasons.push(Reason::new(
                Code::Drift,
                format!("trend over the units, p = {:.4}", trend.p),
            ));
        }
    }
    // Wins are candidates that are lower: a negative effect.
    let mean: f64 = d.iter().sum::<f64>();
    if mean < 0.0 && losses > wins || mean > 0.0 && wins > losses {
        let detail = format!("{wins} units lower, {losses} higher, the mean on the other side");
        reasons.push(Reason::new(Code::SignDisagrees, detail));
    }
    if n > 0 && ties as f64 > 0.2 * n as f64 && 2 * ties <= n {
        reasons.push(Reason::new(Code::Ties, format!("{ties} of {n} units")));
    }
    if let Some(detail) = nearly_tied(d) {
        reasons.push(Reason::new(Code::NearlyTied, detail));
    }
    if first.len() == n {
        let side = |wanted: bool| -> Vec<f64> {
            d.iter()
                .zip(first)
                .filter(|&(_, &f)| f == wanted)
                .map(|(&d, _)| d)
                .collect()
        };
        let (early, late) = (side(true), side(false));
        if early.len() >= 3
            && late.len() >= 3
            && let Ok(test) = welch(&early, &late, 0.95)
            && test.p <= 0.01
        {
            reasons.push(Reason::new(Code::OrderEffect, format!("p = {:.4}", test.p)));
        }
    }
    reasons
}
