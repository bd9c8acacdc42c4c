//! Whether a timer can resolve a launch.

/// A span has at least this many steps of the timer: the step then is at most
/// 5 % of it.
pub const MIN_STEPS: f64 = 20.0;

/// Launches per span in a batch are no more than this.
const MAX_BATCH: u64 = 4096;

/// How many launches one span must cover to have [`MIN_STEPS`] steps; 1 for
/// launches that are long enough alone.
///
/// More than one can stand in a span only where nothing has to happen between
/// launches, so not with a flushed cache.
#[must_use]
pub fn batch_for(launch_ns: f64, timer_step_ns: f64) -> u64 {
    if launch_ns.is_nan() || launch_ns <= 0.0 {
        return MAX_BATCH;
    }
    let needed = (MIN_STEPS * timer_step_ns / launch_ns).ceil();
    (needed as u64).clamp(1, MAX_BATCH)
}

/// The step of a timer from spans that it measured, nanoseconds: the smallest
/// difference between two values that are not equal. `None` when all spans are
/// equal.
///
/// Spans of different lengths show the step only when there are enough of
/// them; it is never too small, and too large by chance only with few.
#[must_use]
pub fn clock_steps(spans_ns: &[f64]) -> Option<f64> {
    let mut sorted: Vec<f64> = spans_ns.iter().copied().filter(|x| x.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    // Events come as single-precision milliseconds: equal times differ by
    // rounding, at most one part in 2^23.
    let differs = |a: f64, b: f64| (b - a) > 2e-7 * b.abs();
    sorted
        .windows(2)
        .filter(|pair| differs(pair[0], pair[1]))
        .map(|pair| pair[1] - pair[0])
        .min_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_launches_are_batched_until_the_timer_resolves_them() {
        assert_eq!(batch_for(100_000.0, 500.0), 1);
        assert_eq!(batch_for(10_000.0, 500.0), 1);
        assert_eq!(batch_for(9_999.0, 500.0), 2);
        assert_eq!(batch_for(2_000.0, 1024.0), 11);
        assert_eq!(batch_for(0.0, 500.0), 4096);
        assert_eq!(batch_for(1e-9, 500.0), 4096);
    }

    #[test]
    fn the_step_is_the_smallest_difference() {
        let grid: Vec<f64> = [7, 9, 8, 7, 12, 9]
            .iter()
            .map(|k| f64::from(*k) * 1024.0)
            .collect();
        assert_eq!(clock_steps(&grid), Some(1024.0));
        assert_eq!(clock_steps(&[5000.0, 5000.0, 5000.0 * (1.0 + 1e-7)]), None);
        assert_eq!(clock_steps(&[]), None);
    }
}
