//! libtest's bench lines, which several tools read.

use super::View;
use evenhand_harness::record::Record;
use std::fmt::Write;

/// One line per arm that measured a time: `test ID/ARM ... bench: 1,234 ns/iter (+/- 56)`.
#[must_use]
pub fn render(record: &Record, view: View<'_>) -> String {
    let mut out = String::new();
    for judged in view.experiments(record) {
        let time = record.plan.experiments().any(|(target, plan)| {
            target == judged.target && plan.id == judged.id && plan.metric.is_time()
        });
        for arm in judged.arms.iter().filter(|_| time) {
            if let (Some(median), Some(min), Some(max)) = (arm.median, arm.min, arm.max) {
                let _ = writeln!(
                    out,
                    "test {}/{} ... bench: {:>11} ns/iter (+/- {})",
                    judged.id,
                    format_args!(
                        "{}{}",
                        arm.name,
                        super::device_mark(judged).replace(' ', "")
                    ),
                    grouped(median),
                    grouped(max - min)
                );
            }
        }
    }
    out
}

/// A rounded number with commas between groups of three digits.
fn grouped(ns: f64) -> String {
    let digits = format!("{ns:.0}");
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn groups_of_three() {
        assert_eq!(super::grouped(0.4), "0");
        assert_eq!(super::grouped(999.0), "999");
        assert_eq!(super::grouped(1_234_567.0), "1,234,567");
    }
}
