//! Values with units, with no more digits than they carry.

use evenhand_harness::claim::ArmSummary;
use evenhand_harness::plan::{Metric, Throughput, ThroughputKind};

/// An arm's value with the digits that its spread over the workers carries
/// (two digits of the half range).
#[must_use]
pub fn value(metric: &Metric, value: f64, spread: f64) -> String {
    let (scale, unit) = if metric.is_time() {
        time_unit(value)
    } else {
        (1.0, metric.unit.as_str())
    };
    let decimals = decimals(spread / scale, value / scale);
    format!("{:.decimals$} {unit}", value / scale)
}

/// An arm's median with the digits that its range carries; "not measured"
/// where there is none.
#[must_use]
pub fn median(metric: &Metric, arm: &ArmSummary) -> String {
    match (arm.median, arm.min, arm.max) {
        (Some(median), Some(min), Some(max)) => value(metric, median, 0.5 * (max - min)),
        _ => "not measured".to_owned(),
    }
}

fn time_unit(ns: f64) -> (f64, &'static str) {
    match ns.abs() {
        x if x < 1e3 => (1.0, "ns"),
        x if x < 1e6 => (1e3, "µs"),
        x if x < 1e9 => (1e6, "ms"),
        _ => (1e9, "s"),
    }
}

/// Decimals that show two digits of a spread; never beyond six digits in all.
fn decimals(spread: f64, value: f64) -> usize {
    let magnitude = |x: f64| x.abs().log10().floor() as i32;
    if value == 0.0 || !value.is_finite() {
        return 0;
    }
    let most = (5 - magnitude(value)).max(0);
    let wished = if spread > 0.0 {
        1 - magnitude(spread)
    } else {
        most
    };
    wished.clamp(0, most) as usize
}

/// Throughput of an arm, for example `12.3 GB/s`.
#[must_use]
pub fn rate(throughput: &Throughput, ns: f64) -> String {
    let per_second = throughput.per_iteration / ns * 1e9;
    let (scale, prefix) = match per_second {
        x if x < 1e3 => (1.0, ""),
        x if x < 1e6 => (1e3, "k"),
        x if x < 1e9 => (1e6, "M"),
        x if x < 1e12 => (1e9, "G"),
        _ => (1e12, "T"),
    };
    let unit = match throughput.kind {
        ThroughputKind::Bytes => "B/s",
        ThroughputKind::Elements => "elem/s",
        ThroughputKind::Flops => "FLOP/s",
    };
    let scaled = per_second / scale;
    let decimals = if scaled < 10.0 {
        2
    } else {
        usize::from(scaled < 100.0)
    };
    format!("{scaled:.decimals$} {prefix}{unit}")
}

/// A duration for people: `45 s`, `3 min 20 s`.
#[must_use]
pub fn seconds(seconds: f64) -> String {
    match seconds.round() as u64 {
        0 => "1 s".to_owned(),
        s @ 1..120 => format!("{s} s"),
        s @ 120..7200 => format!("{} min {:02} s", s / 60, s % 60),
        s => format!("{} h {:02} min", s / 3600, s % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_follow_the_spread() {
        let time = Metric::wall_time();
        assert_eq!(value(&time, 206_123.4, 3000.0), "206.1 µs");
        assert_eq!(value(&time, 206_123.4, 300.0), "206.12 µs");
        assert_eq!(value(&time, 206_123.4, 30_000.0), "206 µs");
        assert_eq!(value(&time, 12.0, 0.0), "12.0000 ns");
        assert_eq!(seconds(200.0), "3 min 20 s");
    }
}
