//! The report as Markdown.

use super::{View, class_counts, control_sentence, quantity, sweep};
use evenhand_harness::claim::ExperimentJudgement;
use evenhand_harness::observation::Status;
use evenhand_harness::plan::ExperimentPlan;
use evenhand_harness::record::Record;
use std::fmt::Write;

/// Renders a whole record.
#[must_use]
pub fn render(record: &Record) -> String {
    let experiments = View::default().experiments(record);
    let mut out = format!("# Session {}\n\n", record.plan.session);
    if record.measurements.status == Status::Incomplete {
        out.push_str("**Incomplete:** stopped before the planned end.\n\n");
    }
    let counts = class_counts(&experiments);
    if !counts.is_empty() {
        let _ = writeln!(out, "{counts}. ");
    }
    let _ = writeln!(out, "{}.\n", control_sentence(&record.judgement));
    for judged in &experiments {
        experiment(&mut out, record, judged);
    }
    provenance(&mut out, record);
    out
}

fn experiment(out: &mut String, record: &Record, judged: &ExperimentJudgement) {
    let plan = record
        .plan
        .experiments()
        .find(|(t, e)| *t == judged.target && e.id == judged.id);
    let Some((_, plan)) = plan else { return };
    let _ = writeln!(out, "## {}\n", super::title(judged));
    let _ = writeln!(
        out,
        "| arm | {} | workers | class |\n|---|---:|---:|---|",
        plan.metric.id
    );
    for arm in &judged.arms {
        let value = quantity::median(&plan.metric, arm);
        let class = match judged.claims.iter().find(|c| c.candidate == arm.name) {
            Some(claim) => claim.class.name(),
            None if plan.control().is_some() => "control",
            None => "",
        };
        let device = super::device_mark(judged);
        let _ = writeln!(
            out,
            "| `{}`{device} | {value} | {} | {class} |",
            arm.name, arm.n
        );
    }
    out.push('\n');
    secondary(out, plan, judged);
    if let Some(cells) = &judged.sweep {
        let _ = writeln!(
            out,
            "| cell | {} | {} | |\n|---|---:|---:|---|",
            cells.throughput, cells.latency
        );
        for [name, throughput, latency, standing] in sweep::rows(plan, cells) {
            let _ = writeln!(out, "| `{name}` | {throughput} | {latency} | {standing} |");
        }
        let _ = writeln!(out, "\n{}\n\n{}:\n", cells.sentence, sweep::family(cells));
        for claim in sweep::claims(cells) {
            let _ = writeln!(out, "- {}", claim.sentence);
        }
        out.push('\n');
    }
    let further = judged.secondary.iter().flat_map(|s| &s.claims);
    for claim in judged.claims.iter().chain(further) {
        let _ = writeln!(out, "{}\n", claim.sentence);
        for reason in &claim.reasons {
            let _ = writeln!(out, "- `{}`: {}", reason.code, reason.detail);
        }
        out.push('\n');
    }
}

/// A table of the further metrics of an experiment.
fn secondary(out: &mut String, plan: &ExperimentPlan, judged: &ExperimentJudgement) {
    if judged.secondary.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "| metric | arm | value | workers | class |\n|---|---|---:|---:|---|"
    );
    let device = super::device_mark(judged);
    for (metric, declared) in judged.secondary.iter().zip(&plan.secondary) {
        for arm in &metric.arms {
            let value = quantity::median(&declared.metric, arm);
            let claim = metric.claims.iter().find(|c| c.candidate == arm.name);
            let class = claim.map_or("", |claim| claim.class.name());
            let _ = writeln!(
                out,
                "| {} | `{}`{device} | {value} | {} | {class} |",
                metric.metric, arm.name, arm.n
            );
        }
    }
    out.push('\n');
}

fn provenance(out: &mut String, record: &Record) {
    let _ = writeln!(out, "## Provenance\n\n| | |\n|---|---|");
    let _ = writeln!(out, "| seed | `{}` |", record.plan.seed);
    let _ = writeln!(out, "| attempt | {} |", record.plan.attempt);
    let _ = writeln!(out, "| planned | {} |", record.plan.created);
    let _ = writeln!(out, "| record digest | `{}` |", record.digest);
    for (name, fact) in &record.measurements.environment.facts {
        let _ = writeln!(out, "| {name} | {} |", fact.replace('|', "\\|"));
    }
}
