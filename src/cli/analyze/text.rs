//! The result on a terminal.

use super::described;
use super::document::{Analysis, Compared, Design, Published, direction_words};
use crate::report::{self, CLASSES, style};
use evenhand_harness::claim::{ArmSummary, Claim, Class};
use evenhand_harness::gate::{Code, Reason, Severity};
use evenhand_harness::plan::Metric;
use std::fmt::Write;

/// Excluded units shown by name.
const SHOWN: usize = 10;

/// Renders an analysis. Writing to a `String` can't fail.
pub(super) fn render(analysis: &Analysis, verbose: bool) -> String {
    let mut out = String::new();
    for comparison in &analysis.comparisons {
        compared(&mut out, comparison, verbose);
    }
    for own in &analysis.overall {
        let heading = format!("{}, all profiles", own.experiment);
        let _ = writeln!(
            out,
            "{}  {}\n  {}\n",
            style::strong(&heading),
            own.class.name(),
            own.sentence
        );
    }
    for own in &analysis.designs {
        design(&mut out, own);
    }
    for own in &analysis.tails {
        described::tail(&mut out, own);
    }
    described::groups(&mut out, analysis);
    for summary in &analysis.published {
        published(&mut out, summary);
    }
    footer(&mut out, analysis);
    out
}

fn compared(out: &mut String, own: &Compared, verbose: bool) {
    heading(out, &own.experiment, &own.metric, own.secondary);
    let width = own
        .arms
        .iter()
        .map(|a| a.name.chars().count())
        .max()
        .unwrap_or(0);
    let [control, candidate] = &own.arms;
    let _ = writeln!(
        out,
        "  {:width$}  {:>14}  control",
        control.name,
        value(own, 0)
    );
    let _ = writeln!(
        out,
        "  {:width$}  {:>14}  {}",
        candidate.name,
        value(own, 1),
        report::label(&own.claim)
    );
    let _ = writeln!(out, "  {}", own.claim.sentence);
    reasons(out, &own.claim.reasons, &own.claim, verbose);
    if own.excluded_units > 0 {
        let _ = writeln!(out, "    {} units have no pair:", own.excluded_units);
        for left in own.excluded.iter().take(SHOWN) {
            let _ = writeln!(out, "      unit `{}`: {}", left.unit, left.why);
        }
        if own.excluded_units > SHOWN {
            let rest = own.excluded_units - SHOWN;
            let _ = writeln!(out, "      and {rest} more (all in `--format json`)");
        }
    }
    out.push('\n');
}

pub(super) fn heading(out: &mut String, experiment: &str, metric: &Metric, secondary: bool) {
    let unit = if metric.unit.is_empty() {
        String::new()
    } else {
        format!(" in {}", metric.unit)
    };
    let family = if secondary { ", secondary" } else { "" };
    let detail = format!(
        "{}{unit}, {}{family}",
        metric.id,
        direction_words(metric.direction)
    );
    let _ = writeln!(
        out,
        "{}  {}",
        style::strong(experiment),
        style::dim(&detail)
    );
}

fn value(own: &Compared, arm: usize) -> String {
    if let Some(passed) = own.claim.estimate.outcomes {
        let k = [passed.control, passed.candidate][arm];
        return format!("{k} of {}", passed.n);
    }
    let ArmSummary {
        median, min, max, ..
    } = own.arms[arm];
    match (median, min, max) {
        (Some(median), Some(min), Some(max)) => {
            let text = report::value(&own.metric, median, 0.5 * (max - min));
            text.trim_end().to_owned()
        }
        _ => "not measured".to_owned(),
    }
}

fn reasons(out: &mut String, reasons: &[Reason], claim: &Claim, verbose: bool) {
    let shown = reasons.iter().filter(|r| match r.severity {
        // What caps a class does not matter where there is none.
        Severity::Note | Severity::CapModerate | Severity::CapDirectional
            if claim.class == Class::Invalid =>
        {
            verbose
        }
        Severity::Note => verbose,
        // The sentence says the others, and nobody expects this one.
        Severity::Explains => verbose || r.code == Code::NearlyTied,
        Severity::Insufficient => verbose || claim.class != Class::Insufficient,
        Severity::CapModerate | Severity::CapDirectional | Severity::Invalid => true,
    });
    for reason in shown {
        // These sentences give the details of every reason that lowers a class.
        let said = matches!(
            claim.class,
            Class::Invalid | Class::Directional | Class::Moderate
        ) && reason.severity > Severity::Note;
        reason_line(out, reason, &claim.control, !said);
    }
}

pub(super) fn reason_line(out: &mut String, reason: &Reason, control: &str, detailed: bool) {
    let detail = if detailed {
        format!(" ({})", reason.detail)
    } else {
        String::new()
    };
    let _ = writeln!(
        out,
        "    {} {}{detail}: {}",
        style::warning("!"),
        style::dim(reason.code.name()),
        advice(reason.code, control)
    );
}

/// What to do, in the words of this command where it has some.
fn advice(code: Code, control: &str) -> String {
    match code {
        Code::MarginUndeclared => "add `--margin` if one was declared before measuring".to_owned(),
        Code::StopRuleUndeclared => {
            "add `--stop-rule fixed:N` if N units were planned before measuring".to_owned()
        }
        Code::OrderNotRandomised => {
            "let a coin draw the order of every pair, record it, and add `--order-randomised`"
                .to_owned()
        }
        Code::OrderUnknown => {
            "record the order of every pair in a column `order`; add `--order-randomised` if a \
             coin drew it"
                .to_owned()
        }
        Code::NoAaControl => {
            format!("measure the control a second time in every unit, as arm `{control}'`")
        }
        Code::DirectionUndeclared => "add `--direction lower` or `--direction higher`".to_owned(),
        other => other.advice().to_owned(),
    }
}

fn design(out: &mut String, own: &Design) {
    heading(out, &own.experiment, &own.metric, false);
    let verdict = &own.verdict;
    let [first, second] = &own.factors;
    let _ = writeln!(out, "  {first} and {second}  {}", verdict.class.name());
    for cell in &verdict.cells {
        let _ = writeln!(out, "    {:8}  {} of {}", cell.levels, cell.passed, cell.n);
    }
    for effect in &verdict.effects {
        let _ = writeln!(out, "  {}", effect.sentence);
    }
    let _ = writeln!(out, "  {}", verdict.sentence);
    for reason in &verdict.reasons {
        reason_line(out, reason, "", false);
    }
    out.push('\n');
}

fn published(out: &mut String, own: &Published) {
    heading(out, &own.experiment, &own.metric, false);
    let class = own.verdict.class.name();
    let class = match own.verdict.class {
        Class::Invalid => style::error(class),
        _ => style::warning(class),
    };
    let _ = writeln!(out, "  {} against {}  {class}", own.candidate, own.control);
    let _ = writeln!(out, "  {}", own.verdict.sentence);
    for reason in &own.verdict.reasons {
        reason_line(out, reason, &own.control, false);
    }
    out.push('\n');
}

fn footer(out: &mut String, analysis: &Analysis) {
    let classes = analysis.comparisons.iter().map(|c| c.claim.class);
    let classes: Vec<Class> = classes
        .chain(analysis.tails.iter().map(|t| t.verdict.class))
        .chain(analysis.designs.iter().map(|d| d.verdict.class))
        .chain(analysis.published.iter().map(|p| p.verdict.class))
        .collect();
    let counts: Vec<String> = CLASSES
        .iter()
        .map(|class| (classes.iter().filter(|c| *c == class).count(), class.name()))
        .filter(|(n, _)| *n > 0)
        .map(|(n, name)| format!("{n} {name}"))
        .collect();
    let noun = if classes.len() == 1 {
        "comparison"
    } else {
        "comparisons"
    };
    if classes.is_empty() {
        let _ = writeln!(out, "Descriptions only: nothing here is a claim");
    } else {
        let _ = writeln!(out, "{} {noun}: {}", classes.len(), counts.join(", "));
    }
    if analysis.family_size > 1 {
        let _ = writeln!(
            out,
            "p is adjusted for a family of {} primary comparisons",
            analysis.family_size
        );
    }
    if let Some(control) = &analysis.control {
        let _ = writeln!(out, "{}", report::control_words(Some(control)));
    }
    if !analysis.ignored.is_empty() {
        let names: Vec<String> = analysis.ignored.iter().map(|n| format!("`{n}`")).collect();
        let _ = writeln!(out, "not used: {}", names.join(", "));
    }
    let _ = writeln!(
        out,
        "{}",
        style::dim(&format!(
            "{} (SHA-256 {}){}",
            analysis.source.name,
            &analysis.source.sha256[..12],
            analysis
                .seed
                .map_or(String::new(), |s| format!(", seed {s}"))
        ))
    );
}
