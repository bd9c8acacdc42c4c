//! The report on a terminal.

use super::{View, class_counts, control_sentence, quantity, style, sweep};
use evenhand_harness::claim::{
    Claim, Class, ExperimentJudgement, Outcome, SecondaryJudgement, signed_percent,
};
use evenhand_harness::gate::{Reason, Severity};
use evenhand_harness::plan::{Estimand, ExperimentPlan};
use evenhand_harness::record::Record;
use std::fmt::Write;

/// Renders experiments, their claims, and a summary.
#[must_use]
pub fn render(record: &Record, view: View<'_>) -> String {
    let experiments = view.experiments(record);
    let mut out = String::new();
    for judged in &experiments {
        let plan = record
            .plan
            .target(&judged.target)
            .and_then(|t| t.experiments.iter().find(|e| e.id == judged.id));
        if let Some(plan) = plan {
            experiment(&mut out, plan, judged, view);
        }
    }
    if record.plan.targets.is_empty() {
        out.push_str("incomplete: the session was stopped before anything was planned\n\n");
    }
    let counts = class_counts(&experiments);
    let comparisons: usize = experiments.iter().map(|e| e.claims.len()).sum();
    if comparisons > 0 {
        let _ = writeln!(out, "{comparisons} comparisons: {counts}");
        if record.judgement.family_size != comparisons {
            let _ = writeln!(
                out,
                "p is adjusted for the session's family of {} comparisons",
                record.judgement.family_size
            );
        }
    }
    let _ = writeln!(out, "{}", control_sentence(&record.judgement));
    let _ = writeln!(out, "seed {}", record.plan.seed);
    out
}

/// Writing to a `String` can't fail.
fn experiment(
    out: &mut String,
    plan: &ExperimentPlan,
    judged: &ExperimentJudgement,
    view: View<'_>,
) {
    let floor = match judged.noise_floor {
        Some(floor) if plan.estimand == Estimand::PairedLogRatio => {
            format!(
                ", A/A within {}",
                signed_percent(floor.exp_m1(), Some(floor)).replace('+', "")
            )
        }
        _ => String::new(),
    };
    let workers = judged.arms.first().map_or(0, |a| a.n);
    let _ = writeln!(
        out,
        "{}  {}",
        style::strong(&super::title(judged)),
        style::dim(&format!(
            "{workers} workers x {} blocks{floor}",
            plan.blocks.max(plan.aa_blocks)
        ))
    );
    if let Some(cells) = &judged.sweep {
        sweep::table(out, plan, cells);
        if view.verbose {
            sweep::sentences(out, cells);
        }
    } else {
        arms(out, plan, judged);
    }
    for claim in &judged.claims {
        let _ = writeln!(out, "  {}", claim.sentence);
        reasons(out, &claim.reasons, view);
    }
    secondary(out, plan, judged, view);
    if judged.claims.is_empty() {
        for reason in judged
            .reasons
            .iter()
            .filter(|r| r.severity > Severity::Note)
        {
            let _ = writeln!(out, "  {}: {}", reason.code, reason.detail);
        }
    }
    out.push('\n');
}

/// One line per arm.
fn arms(out: &mut String, plan: &ExperimentPlan, judged: &ExperimentJudgement) {
    let width = judged
        .arms
        .iter()
        .map(|a| a.name.chars().count())
        .max()
        .unwrap_or(0);
    let device = super::device_mark(judged);
    for arm in &judged.arms {
        let claim = judged.claims.iter().find(|c| c.candidate == arm.name);
        let value = quantity::median(&plan.metric, arm);
        let rates: String = match arm.median {
            Some(ns) if plan.metric.is_time() => plan
                .throughput
                .iter()
                .map(|t| format!("  {:>13}", quantity::rate(t, ns)))
                .collect(),
            _ => String::new(),
        };
        let verdict = match claim {
            Some(claim) => format!("  {:>10}  {}", effect(claim), label(claim)),
            None if plan.control().is_some() => "  control".to_owned(),
            None => String::new(),
        };
        let line = format!("  {:width$}{device}  {value:>12}{rates}{verdict}", arm.name);
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

/// One line per arm and further metric that has claims; the others, and the
/// sentences, stand in the detail.
fn secondary(
    out: &mut String,
    plan: &ExperimentPlan,
    judged: &ExperimentJudgement,
    view: View<'_>,
) {
    let width = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or(0);
    let shown = |s: &&SecondaryJudgement| view.verbose || !s.claims.is_empty();
    let names = width(
        &mut judged
            .secondary
            .iter()
            .filter(shown)
            .map(|s| s.metric.chars().count()),
    );
    let arms = width(&mut judged.arms.iter().map(|a| a.name.chars().count()));
    let device = super::device_mark(judged);
    let all = judged.secondary.iter().zip(&plan.secondary);
    for (metric, declared) in all.filter(|(metric, _)| shown(metric)) {
        for arm in &metric.arms {
            let value = quantity::median(&declared.metric, arm);
            let claim = metric.claims.iter().find(|c| c.candidate == arm.name);
            let verdict = claim.map_or(String::new(), |claim| {
                format!("  {:>10}  {}", effect(claim), label(claim))
            });
            let line = format!(
                "  {:names$}  {:arms$}{device}  {value:>12}{verdict}",
                metric.metric, arm.name
            );
            let _ = writeln!(out, "{}", line.trim_end());
        }
    }
}

fn reasons(out: &mut String, reasons: &[Reason], view: View<'_>) {
    let shown = reasons.iter().filter(|r| match r.severity {
        Severity::Note => view.verbose,
        // The sentence says these.
        Severity::Explains | Severity::Insufficient => view.verbose,
        _ => true,
    });
    for reason in shown {
        let _ = writeln!(
            out,
            "    {} {}: {}",
            style::warning("!"),
            style::dim(reason.code.name()),
            reason.code.advice()
        );
    }
}

/// The effect with the digits its interval carries; nothing where no interval is.
fn effect(claim: &Claim) -> String {
    let estimate = &claim.estimate;
    if estimate.estimand != Estimand::PairedLogRatio
        || matches!(claim.class, Class::Invalid | Class::Insufficient)
    {
        return String::new();
    }
    match estimate.ci95.and_then(|ci| ci.lo.zip(ci.hi)) {
        Some((lo, hi)) => {
            let ratio = |x: f64| x.exp_m1();
            signed_percent(ratio(estimate.effect), Some(0.5 * (ratio(hi) - ratio(lo))))
        }
        None => String::new(),
    }
}

/// Class and direction in a word or two, coloured.
#[must_use]
pub fn label(claim: &Claim) -> String {
    let name = claim
        .shade
        .map_or(claim.class.name(), |shade| match claim.class {
            Class::NoiseDominated => shade.name(),
            _ => claim.class.name(),
        });
    match (claim.class, claim.outcome) {
        (Class::Strong | Class::Moderate, Some(Outcome::Improvement)) => {
            style::good(&format!("{name} improvement"))
        }
        (Class::Strong | Class::Moderate, Some(Outcome::Regression)) => {
            style::error(&format!("{name} regression"))
        }
        (Class::ParityEstablished, _) => style::good(name),
        (Class::Invalid, _) => style::error(name),
        _ => style::warning(name),
    }
}
