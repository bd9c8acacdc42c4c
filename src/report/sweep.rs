//! The cells of a sweep: their table, and the latency-throughput plane.

use super::plot::{Axis, Marks, Plane};
use super::{quantity, style, terminal};
use evenhand_harness::claim::{ArmSummary, CellStanding, Claim, Class, Standing, SweepJudgement};
use evenhand_harness::plan::{ExperimentPlan, Metric};
use std::fmt::Write;

const PLANE_COLUMNS: usize = 60;
const PLANE_ROWS: usize = 12;

/// A cell as it is printed: name, throughput, latency, and where it stands.
pub(super) fn rows(plan: &ExperimentPlan, sweep: &SweepJudgement) -> Vec<[String; 4]> {
    let row = |cell: &CellStanding| {
        [
            cell.throughput.name.clone(),
            value(plan, &sweep.throughput, &cell.throughput),
            value(plan, &sweep.latency, &cell.latency),
            standing(sweep, cell),
        ]
    };
    sweep.cells.iter().map(row).collect()
}

fn value(plan: &ExperimentPlan, id: &str, arm: &ArmSummary) -> String {
    let metric = plan.metric_named(id).map(|(metric, _)| metric);
    metric.map_or_else(String::new, |metric| quantity::median(metric, arm))
}

fn standing(sweep: &SweepJudgement, cell: &CellStanding) -> String {
    let others: Vec<String> = cell.others.iter().map(|name| format!("`{name}`")).collect();
    let others = others.join(", ");
    let words = match cell.standing {
        Standing::Frontier => "on the frontier".to_owned(),
        Standing::Dominated => format!("dominated by {others}"),
        Standing::Open => format!("not told apart from {others}"),
    };
    if sweep.best.as_ref() == Some(&cell.throughput.name) {
        format!("best, {words}")
    } else {
        words
    }
}

/// What p was adjusted for.
pub(super) fn family(sweep: &SweepJudgement) -> String {
    format!(
        "{} claims: all pairs of cells, throughput and latency, in one family",
        2 * sweep.pairs.len()
    )
}

/// The table on a terminal, with the sentence about the best cell.
pub(super) fn table(out: &mut String, plan: &ExperimentPlan, sweep: &SweepJudgement) {
    let heads = ["", &sweep.throughput, &sweep.latency, ""].map(str::to_owned);
    let rows = rows(plan, sweep);
    let width = |at: usize| {
        let all = rows.iter().chain([&heads]);
        all.map(|row| row[at].chars().count()).max().unwrap_or(0)
    };
    let [name, throughput, latency] = [0, 1, 2].map(width);
    for row in [&heads].into_iter().chain(&rows) {
        let line = format!(
            "  {:name$}  {:>throughput$}  {:>latency$}  {}",
            row[0], row[1], row[2], row[3]
        );
        let _ = writeln!(out, "{}", line.trim_end());
    }
    let _ = writeln!(out, "  {}", sweep.sentence);
    let _ = writeln!(out, "  {}", style::dim(&family(sweep)));
}

/// Every claim of a pair, throughput first.
pub(super) fn claims(sweep: &SweepJudgement) -> impl Iterator<Item = &Claim> {
    sweep.pairs.iter().flat_map(|p| [&p.throughput, &p.latency])
}

/// The sentences of all pairs. Where all were refused, the experiment's reasons
/// say why.
pub(super) fn sentences(out: &mut String, sweep: &SweepJudgement) {
    if claims(sweep).all(|claim| claim.class == Class::Invalid) {
        return;
    }
    for claim in claims(sweep) {
        let _ = writeln!(out, "  {}  {}", terminal::label(claim), claim.sentence);
    }
}

/// Latency over throughput, a mark per cell.
pub(super) fn plane(out: &mut String, plan: &ExperimentPlan, sweep: &SweepJudgement, marks: Marks) {
    let points: Vec<Vec<(f64, f64)>> = sweep
        .cells
        .iter()
        .map(|cell| cell.throughput.median.zip(cell.latency.median))
        .map(|point| point.into_iter().collect())
        .collect();
    let all = || points.iter().flatten();
    if all().next().is_none() {
        return;
    }
    let plane = Plane {
        x: Axis::around(all().map(|p| p.0), PLANE_COLUMNS),
        y: Axis::around(all().map(|p| p.1), PLANE_ROWS),
    };
    let label = |id: &str, axis: Axis| {
        let metric: Option<&Metric> = plan.metric_named(id).map(|(metric, _)| metric);
        let (lo, hi) = axis.ends();
        let show = |v| metric.map_or_else(String::new, |m| quantity::value(m, v, 0.1 * (hi - lo)));
        (show(lo), show(hi))
    };
    let (bottom, top) = label(&sweep.latency, plane.y);
    let (left, right) = label(&sweep.throughput, plane.x);
    let width = top.chars().count().max(bottom.chars().count());
    let _ = writeln!(out, "\n  {} over {}", sweep.latency, sweep.throughput);
    for (row, line) in plane.draw(marks, &points).iter().enumerate() {
        let label = match row {
            0 => &*top,
            r if r == PLANE_ROWS - 1 => &*bottom,
            _ => "",
        };
        let text = format!("  {label:>width$} {}{line}", marks.zero);
        let _ = writeln!(out, "{}", text.trim_end());
    }
    let axis: String = std::iter::repeat_n(marks.axis, PLANE_COLUMNS).collect();
    let _ = writeln!(out, "  {:>width$}  {axis}", "");
    let room = PLANE_COLUMNS.saturating_sub(left.chars().count());
    let _ = writeln!(out, "  {:>width$}  {left}{right:>room$}", "");
    let legend = sweep.cells.iter().enumerate().map(|(at, cell)| {
        let mark = marks.arms[at % marks.arms.len()];
        format!("{mark} {}", cell.throughput.name)
    });
    let _ = writeln!(out, "  {}", legend.collect::<Vec<_>>().join("   "));
}
