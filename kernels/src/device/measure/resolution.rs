//! Whether a timer can resolve a launch.

/// A span has at least this many steps of the timer: the step then is at most
/// 5 % of it.
pub const MIN_STEPS: f64 = 20.0;

/// Launches per span in a batch are no more than this.
const MAX_BATCH: u64 = 4096;

/// A batch is longer than [`MIN_STEPS`] by this factor: at the limit itself
/// noise would mark every second span.
const ROOM: f64 = 1.25;

/// How many launches one span must cover to have [`MIN_STEPS`] steps, with
/// room for noise; 1 for launches that are long enough alone.
///
/// More than one can stand in a span only where nothing has to happen between
/// launches, so not with a flushed cache.
#[must_use]
pub fn batch_for(launch_ns: f64, timer_step_ns: f64) -> u64 {
    if launch_ns.is_nan() || launch_ns <= 0.0 {
        return MAX_BATCH;
    }
    let needed = (ROOM * MIN_STEPS * timer_step_ns / launch_ns).ceil();
    (needed as u64).clamp(1, MAX_BATCH)
}

/// The next spans of a slot that has `left` launches to go: launches in each
/// span, and how many spans, at most `most`. What does not fill a span joins
/// the last one: alone it would be too short.
#[must_use]
pub fn next_spans(left: u64, batch: u64, most: u64) -> (u64, u64) {
    let whole = left / batch;
    match (whole, left % batch) {
        (0 | 1, _) => (left, 1),
        (_, 0) => (batch, whole.min(most)),
        _ => (batch, (whole - 1).min(most)),
    }
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
        assert_eq!(batch_for(12_500.0, 500.0), 1);
        assert_eq!(batch_for(12_499.0, 500.0), 2);
        assert_eq!(batch_for(2_000.0, 1024.0), 13);
        assert_eq!(batch_for(0.0, 500.0), 4096);
        assert_eq!(batch_for(1e-9, 500.0), 4096);
    }

    #[test]
    fn no_span_holds_less_than_a_batch() {
        let spans = |launches: u64, batch, most| {
            let (mut left, mut spans) = (launches, Vec::new());
            while left > 0 {
                let (now, count) = next_spans(left, batch, most);
                assert!(count <= most);
                spans.extend(std::iter::repeat_n(now, count as usize));
                left -= now * count;
            }
            spans
        };
        assert_eq!(spans(12, 4, 32), [4, 4, 4]);
        assert_eq!(spans(13, 4, 2), [4, 4, 5]);
        assert_eq!(spans(11, 4, 1), [4, 7]);
        assert_eq!(spans(7, 4, 32), [7]);
        assert_eq!(spans(3, 4, 32), [3]);
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
