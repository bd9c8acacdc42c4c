//! Quantiles and descriptions on a terminal.

use super::document::{Analysis, Tail};
use super::text::{heading, reason_line};
use crate::report::style;
use evenhand_harness::claim::{Bounds, Link, RunGroup, quantile_name};
use std::fmt::Write;

/// One quantile with one run per arm.
pub(super) fn tail(out: &mut String, own: &Tail) {
    heading(out, &own.experiment, &own.metric, false);
    let verdict = &own.verdict;
    let _ = writeln!(
        out,
        "  {}  {}",
        quantile_name(own.quantile),
        verdict.class.name()
    );
    for arm in &verdict.arms {
        let found = match (arm.quantile, arm.ci95) {
            (Some(q), Some(ci)) => format!("{} (CI95 {})", number(q), interval(&ci)),
            _ => "no quantile".to_owned(),
        };
        let _ = writeln!(out, "    {}  {found}, {} values", arm.name, arm.n);
    }
    let _ = writeln!(out, "  {}", verdict.sentence);
    for reason in &verdict.reasons {
        let name = verdict.arms.first().map_or("", |a| a.name.as_str());
        reason_line(out, reason, name, false);
    }
    out.push('\n');
}

/// Descriptions of runs.
pub(super) fn groups(out: &mut String, analysis: &Analysis) {
    for own in &analysis.groups {
        group(out, own);
    }
    for own in &analysis.links {
        link(out, own);
    }
    if !analysis.groups.is_empty() {
        out.push('\n');
    }
}

fn group(out: &mut String, own: &RunGroup) {
    let unit = if own.unit.is_empty() {
        String::new()
    } else {
        format!(" in {}", own.unit)
    };
    let _ = writeln!(
        out,
        "{}  {}{unit}",
        style::strong(&format!("{}, {}", own.experiment, own.arm)),
        own.metric
    );
    let shown = |x: Option<f64>| x.map_or("none".to_owned(), number);
    let _ = writeln!(
        out,
        "  {} runs: mean {}, sd {}, {} to {}, CV {}",
        own.n,
        shown(own.mean),
        shown(own.sd),
        shown(own.min),
        shown(own.max),
        own.cv
            .map_or("none".to_owned(), |cv| format!("{} %", number(100.0 * cv)))
    );
    if own.not_measured > 0 {
        let _ = writeln!(out, "  {} runs not measured", own.not_measured);
    }
    if let Some(shares) = &own.components {
        let cut = if shares.truncated {
            ", negative, shown as 0"
        } else {
            ""
        };
        let _ = writeln!(
            out,
            "  {} runs with repeats: sd {} between{cut}, {} within; share of variance between \
             {:.2} (CI95 {})",
            shares.runs,
            number(shares.between_sd),
            number(shares.within_sd),
            shares.icc,
            interval(&shares.icc_ci95)
        );
    }
}

fn link(out: &mut String, own: &Link) {
    let [first, second] = &own.metrics;
    let what = format!("{}, {}: {first} and {second}", own.experiment, own.arm);
    let _ = match (&own.refused, own.rank_r, &own.ci95) {
        (None, Some(r), Some(ci)) => writeln!(
            out,
            "{what}: rank correlation {r:.2} (CI95 {}, {} runs)",
            interval(ci),
            own.n
        ),
        (why, ..) => writeln!(
            out,
            "{what}: no correlation, because {}",
            why.as_deref().unwrap_or("there is none")
        ),
    };
}

fn interval(bounds: &Bounds) -> String {
    let end = |x: Option<f64>| x.map_or("open".to_owned(), number);
    format!("{} to {}", end(bounds.lo), end(bounds.hi))
}

/// Four significant digits.
fn number(x: f64) -> String {
    if x == 0.0 {
        return "0".to_owned();
    }
    let decimals = (3 - x.abs().log10().floor() as i32).clamp(0, 9) as usize;
    format!("{x:.decimals$}").replace('-', "\u{2212}")
}
