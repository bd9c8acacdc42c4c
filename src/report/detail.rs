//! One experiment in detail: every number, every reason, and what the workers
//! saw.

use super::plot::{ASCII, Axis, Marks, Plane, Strip, UNICODE, labels};
use super::{quantity, style, sweep, terminal};
use evenhand_harness::claim::{
    Bounds, Claim, ExperimentJudgement, Unit, comparison_units, control_pair_units, round12,
    signed_percent,
};
use evenhand_harness::gate::Reason;
use evenhand_harness::observation::{ExperimentData, WorkerOutcome};
use evenhand_harness::plan::{Estimand, ExperimentPlan, Margin, MarginScale};
use evenhand_harness::record::Record;
use std::fmt::Write;

const STRIP_COLUMNS: usize = 46;
const CONTROL_COLUMNS: usize = 24;
const RUN_COLUMNS: usize = 76;
const RUN_ROWS: usize = 12;

/// Renders the experiment at `index` of the judgement; `ascii` keeps the plots
/// to seven bits.
#[must_use]
pub fn render(record: &Record, judged: &ExperimentJudgement, ascii: bool) -> String {
    let Some((plan, data)) = find(record, judged) else {
        return String::new();
    };
    let marks = if ascii { ASCII } else { UNICODE };
    let mut out = String::new();
    heading(&mut out, plan, judged, data);
    facts(&mut out, plan, data);
    for (candidate, claim) in judged.claims.iter().enumerate() {
        let _ = writeln!(
            out,
            "\n{}  {}\n{}",
            style::strong(&format!(
                "`{}` against `{}`",
                claim.candidate, claim.control
            )),
            terminal::label(claim),
            claim.sentence
        );
        differences(&mut out, plan, data, candidate + 1, claim, marks);
        estimate(&mut out, claim);
        reasons(&mut out, &claim.reasons);
    }
    for claim in judged.secondary.iter().flat_map(|s| &s.claims) {
        let _ = writeln!(
            out,
            "\n{}  {}\n{}",
            style::strong(&format!(
                "{}: `{}` against `{}`",
                claim.metric, claim.candidate, claim.control
            )),
            terminal::label(claim),
            claim.sentence
        );
        estimate(&mut out, claim);
        reasons(&mut out, &claim.reasons);
    }
    if let Some(cells) = &judged.sweep {
        out.push('\n');
        sweep::table(&mut out, plan, cells);
        sweep::plane(&mut out, plan, cells, marks);
        out.push('\n');
        sweep::sentences(&mut out, cells);
    }
    if judged.claims.is_empty() {
        reasons(&mut out, &judged.reasons);
    }
    run_order(&mut out, plan, data, marks);
    if ascii { to_ascii(&out) } else { out }
}

/// Plan and observations of a judged experiment.
pub(super) fn find<'r>(
    record: &'r Record,
    judged: &ExperimentJudgement,
) -> Option<(&'r ExperimentPlan, &'r ExperimentData)> {
    let target = record.plan.target(&judged.target)?;
    let plan = target.experiments.iter().find(|e| e.id == judged.id)?;
    let mut data = record.measurements.experiments.iter();
    let data = data.find(|d| d.target == judged.target && d.id == judged.id)?;
    Some((plan, data))
}

/// Signs and units that seven bits don't have.
fn to_ascii(text: &str) -> String {
    text.replace('\u{2212}', "-").replace('µ', "u")
}

fn heading(
    out: &mut String,
    plan: &ExperimentPlan,
    judged: &ExperimentJudgement,
    data: &ExperimentData,
) {
    let count = |wanted: fn(&WorkerOutcome) -> bool| {
        data.workers.iter().filter(|w| wanted(&w.outcome)).count()
    };
    let complete = count(|o| *o == WorkerOutcome::Complete);
    let lost = count(|o| *o == WorkerOutcome::Lost);
    let _ = writeln!(
        out,
        "{}  {}",
        style::strong(&super::title(judged)),
        style::dim(&format!("bench target {}", judged.target))
    );
    let lost = match lost {
        0 => String::new(),
        n => format!(", {n} lost and replaced"),
    };
    let mut line = |name: &str, value: String| {
        let _ = writeln!(out, "  {name:<12} {value}");
    };
    line(
        "design",
        format!(
            "{complete} of {} workers{lost}; {} comparison and {} A/A blocks each, {} iterations \
             in a slot",
            plan.workers, plan.blocks, plan.aa_blocks, plan.iterations
        ),
    );
    line(
        "metric",
        format!(
            "{} in {}, {}",
            plan.metric.id,
            plan.metric.unit,
            super::direction(plan.metric.direction)
        ),
    );
    line("margin", margin(plan.margin, &plan.metric.unit));
    line(
        "verified",
        if plan.verified {
            "outputs agree before and after timing".to_owned()
        } else {
            "no: outputs were not compared".to_owned()
        },
    );
    for arm in &judged.arms {
        let value = match (arm.median, arm.min, arm.max) {
            (Some(median), Some(min), Some(max)) => format!(
                "{} (workers: {} to {})",
                quantity::value(&plan.metric, median, 0.5 * (max - min)),
                quantity::value(&plan.metric, min, 0.5 * (max - min)),
                quantity::value(&plan.metric, max, 0.5 * (max - min))
            ),
            _ => "not measured".to_owned(),
        };
        let device = super::device_mark(judged);
        line("arm", format!("`{}`{device} {value}", arm.name));
    }
    for (metric, declared) in judged.secondary.iter().zip(&plan.secondary) {
        for arm in &metric.arms {
            let value = quantity::median(&declared.metric, arm);
            line(
                "further",
                format!("{} of `{}` {value}", metric.metric, arm.name),
            );
        }
    }
    line("plan digest", judged.plan_digest.clone());
}

/// What is known about the built arms; a fact that differs between workers
/// says so.
fn facts(out: &mut String, plan: &ExperimentPlan, data: &ExperimentData) {
    let complete: Vec<_> = data.workers.iter().filter(|w| w.is_complete()).collect();
    let Some(first) = complete.first() else {
        return;
    };
    for (instance, facts) in first.facts.iter().enumerate().take(plan.arms.len()) {
        for (name, value) in facts {
            let same = complete
                .iter()
                .all(|w| w.facts.get(instance).and_then(|f| f.get(name)) == Some(value));
            let value = if same {
                value
            } else {
                "differs between workers"
            };
            let _ = writeln!(
                out,
                "  {:<12} `{}` {name}: {value}",
                "fact", plan.arms[instance]
            );
        }
    }
}

/// A margin as people write it.
#[must_use]
pub fn margin(margin: Margin, unit: &str) -> String {
    let declared = if margin.declared {
        ""
    } else {
        " (the default; nobody declared one)"
    };
    match margin.scale {
        MarginScale::Relative => format!("{} %{declared}", round12(100.0 * margin.value)),
        MarginScale::Absolute => format!("{} {unit}{declared}", margin.value),
    }
}

/// An effect on the scale that people read.
fn words(plan: &ExperimentPlan, effect: f64, half_width: f64) -> String {
    match plan.estimand {
        Estimand::PairedLogRatio => {
            signed_percent(effect.exp_m1(), Some(half_width.exp_m1().abs()))
        }
        Estimand::PairedDifference => {
            let sign = if effect < 0.0 { "\u{2212}" } else { "+" };
            let value = quantity::value(&plan.metric, effect.abs(), half_width);
            format!("{sign}{value}")
        }
    }
}

/// One line per worker: the middle half of its blocks, and its unit. The A/A
/// unit of the same worker stands beside.
fn differences(
    out: &mut String,
    plan: &ExperimentPlan,
    data: &ExperimentData,
    candidate: usize,
    claim: &Claim,
    marks: Marks,
) {
    let units = comparison_units(plan, data, candidate);
    if units.is_empty() {
        return;
    }
    let controls = control_pair_units(plan, data);
    let estimate = &claim.estimate;
    let ends = |bounds: Option<Bounds>| {
        let (lo, hi) = bounds.map_or((None, None), |b| (b.lo, b.hi));
        lo.into_iter().chain(hi)
    };
    let margins = estimate.margin;
    let shown = units.iter().flat_map(|u| {
        let (low, high) = middle_half(&u.blocks);
        [u.effect, low, high]
    });
    let shown = shown.chain(ends(estimate.ci99)).chain([0.0]);
    // Margins far outside of the data would squeeze them into a corner.
    let axis = Axis::around(shown, STRIP_COLUMNS);
    let control_shown = controls.iter().flat_map(|u| {
        let (low, high) = middle_half(&u.blocks);
        [u.effect, low, high]
    });
    let control_axis = Axis::around(control_shown.chain([0.0]), CONTROL_COLUMNS);

    let beside = if controls.is_empty() {
        ""
    } else {
        "control against itself"
    };
    let _ = writeln!(
        out,
        "\n  {:<12} {:<STRIP_COLUMNS$}   {beside}",
        "worker",
        format!("{} relative to {}", claim.candidate, claim.control),
    );
    let row = |axis, unit: &Unit| {
        let (low, high) = middle_half(&unit.blocks);
        Strip::new(axis, marks, Some(margins))
            .line(low, high)
            .point(unit.effect)
            .text()
    };
    for unit in &units {
        let beside = controls.iter().find(|c| c.worker == unit.worker);
        let first = if unit.control_first { "AB" } else { "BA" };
        let text = format!(
            "  {:>3} {first:<8} {}   {}",
            unit.worker,
            row(axis, unit),
            beside.map_or(String::new(), |c| row(control_axis, c))
        );
        let _ = writeln!(out, "{}", text.trim_end());
    }
    for (name, bounds) in [("CI95", estimate.ci95), ("CI99", estimate.ci99)] {
        if let Some(bounds) = bounds {
            let strip = Strip::new(axis, marks, Some(margins))
                .interval(bounds.lo, bounds.hi)
                .point(estimate.effect);
            let _ = writeln!(out, "  {name:<12} {}", strip.text().trim_end());
        }
    }
    let label = |axis: Axis| {
        let (lo, hi) = axis.ends();
        labels(axis, |v| words(plan, v, 0.5 * (hi - lo)))
    };
    let beside = if controls.is_empty() {
        String::new()
    } else {
        label(control_axis)
    };
    let text = format!("  {:<12} {:<STRIP_COLUMNS$}   {beside}", "", label(axis));
    let _ = writeln!(out, "{}", text.trim_end());
    let _ = writeln!(
        out,
        "  {} unit (median of its blocks), {} middle half of the blocks, {} zero, {} margin; AB: the \
         control had the first letter",
        marks.point, marks.line, marks.zero, marks.margin
    );
}

/// First and third quartile.
fn middle_half(blocks: &[f64]) -> (f64, f64) {
    let quartile = |p| bootstrap::quantile(blocks, p).unwrap_or(f64::NAN);
    (quartile(0.25), quartile(0.75))
}

/// Every field of the estimate.
fn estimate(out: &mut String, claim: &Claim) {
    let e = &claim.estimate;
    let number = |x: f64| format!("{x:.6}");
    let maybe = |x: Option<f64>| x.map_or("none".to_owned(), number);
    let bounds = |b: Option<Bounds>| match b {
        None => "none".to_owned(),
        Some(b) => {
            let end = |x: Option<f64>| x.map_or("open".to_owned(), number);
            format!("{} to {}", end(b.lo), end(b.hi))
        }
    };
    let p = |p: Option<f64>| p.map_or("none".to_owned(), |p| format!("{p:.3e}"));
    let scale = match e.estimand {
        Estimand::PairedLogRatio => "log ratio, candidate to control",
        Estimand::PairedDifference => "difference, candidate minus control",
    };
    let _ = writeln!(out, "\n  estimate ({scale})");
    let rows = [
        ("effect (mean)", number(e.effect)),
        ("CI95", bounds(e.ci95)),
        ("CI99", bounds(e.ci99)),
        ("interval by", e.interval_method.clone()),
        (
            "margins",
            format!("{} and {}", number(e.margin.0), number(e.margin.1)),
        ),
        ("p", format!("{} ({})", p(e.p), e.p_method)),
        ("p in family", p(e.p_adjusted)),
        ("n", format!("{} (effective {:.1})", e.n, e.n_eff)),
        ("sd of units", maybe(e.sd)),
        ("range", format!("{} to {}", number(e.min), number(e.max))),
        (
            "units",
            format!("{} lower, {} higher, {} equal", e.lower, e.higher, e.ties),
        ),
        ("lag-1", maybe(e.lag1)),
        ("trend p", p(e.trend_p)),
        (
            "compat",
            format!(
                "{} (percentile 95 %; decides nothing)",
                bounds(e.compat_percentile95)
            ),
        ),
        ("seed", e.seed.to_string()),
        (
            "units needed",
            claim.units_needed.map_or("not asked".to_owned(), |n| {
                format!("{n} to resolve the margin")
            }),
        ),
    ];
    for (name, value) in rows {
        let _ = writeln!(out, "    {name:<14} {value}");
    }
}

/// Every reason with what it means and what to do.
fn reasons(out: &mut String, reasons: &[Reason]) {
    if reasons.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n  reasons");
    for reason in reasons {
        let _ = writeln!(
            out,
            "    {} ({}): {}\n      {}\n      to do: {}",
            style::strong(reason.code.name()),
            reason.severity.name(),
            reason.detail,
            reason.code.meaning(),
            reason.code.advice()
        );
    }
}

/// Slot values in the order they were measured, all workers one after the
/// other; a mark is the median of an arm's slots in its column.
fn run_order(out: &mut String, plan: &ExperimentPlan, data: &ExperimentData, marks: Marks) {
    let complete: Vec<_> = data.workers.iter().filter(|w| w.is_complete()).collect();
    let total: usize = complete.iter().map(|w| w.len()).sum();
    if total == 0 {
        return;
    }
    let columns = RUN_COLUMNS.min(total);
    let mut cells = vec![vec![Vec::new(); columns]; plan.arms.len()];
    let mut starts = vec![' '; columns];
    let mut at = 0;
    for worker in &complete {
        starts[at * columns / total] = marks.zero;
        for slot in 0..worker.len() {
            // The shadow is the control's code.
            let arm = usize::from(worker.instance[slot]) % plan.arms.len();
            cells[arm][at * columns / total].extend(worker.value[slot]);
            at += 1;
        }
    }
    let series: Vec<Vec<(f64, f64)>> = cells
        .iter()
        .map(|columns| {
            let medians = columns.iter().enumerate().filter_map(|(x, values)| {
                let median = bootstrap::moments::median(values).ok()?;
                Some((x as f64, median))
            });
            medians.collect()
        })
        .collect();
    let plane = Plane {
        x: Axis::around([0.0, columns as f64 - 1.0], columns),
        y: Axis::around(series.iter().flatten().map(|p| p.1), RUN_ROWS),
    };
    let (lo, hi) = plane.y.ends();
    let value = |v: f64| quantity::value(&plan.metric, v, 0.1 * (hi - lo));
    let (top, bottom) = (value(hi), value(lo));
    let width = top.chars().count().max(bottom.chars().count());
    let _ = writeln!(out, "\n  run order ({})", plan.metric.id);
    let lines = plane.draw(marks, &series);
    let last = lines.len() - 1;
    for (row, line) in lines.iter().enumerate() {
        let label = match row {
            0 => top.as_str(),
            r if r == last => bottom.as_str(),
            _ => "",
        };
        let text = format!("  {label:>width$} {}{line}", marks.zero);
        let _ = writeln!(out, "{}", text.trim_end());
    }
    let axis: String = std::iter::repeat_n(marks.axis, columns).collect();
    let _ = writeln!(out, "  {:>width$}  {axis}", "");
    let starts: String = starts.into_iter().collect();
    let _ = writeln!(out, "  {:>width$}  {}", "worker", starts.trim_end());
    let legend: Vec<String> = plan
        .arms
        .iter()
        .enumerate()
        .map(|(arm, name)| format!("{} {name}", marks.arms[arm % marks.arms.len()]))
        .collect();
    let _ = writeln!(out, "  {}", legend.join("   "));
}
