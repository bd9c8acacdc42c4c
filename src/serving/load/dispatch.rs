//! Keeping an absolute schedule.

use std::time::{Duration, Instant};

/// Sleeping ends this long before the intended time; the rest is waited for
/// awake. Timers of async runtimes are a millisecond off, those of the system
/// some 50 to 80 µs.
const AWAKE: Duration = Duration::from_micros(150);
/// The last part is spun through instead of yielded.
const SPIN: Duration = Duration::from_micros(20);

/// What to do after a request was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Go on with the next.
    On,
    /// Nobody takes requests any more.
    Stop,
}

/// Calls `dispatch(i)` at every time of the schedule (nanoseconds after
/// `start`), on the calling thread, which must have nothing else to do. A call
/// that comes late does not move the later ones.
pub fn pace(start: Instant, schedule_ns: &[u64], mut dispatch: impl FnMut(usize) -> Pace) {
    for (index, &at) in schedule_ns.iter().enumerate() {
        wait_until(start + Duration::from_nanos(at));
        if dispatch(index) == Pace::Stop {
            return;
        }
    }
}

fn wait_until(due: Instant) {
    loop {
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        } else if left > AWAKE {
            std::thread::sleep(left - AWAKE);
        } else if left > SPIN {
            std::thread::yield_now();
        } else {
            std::hint::spin_loop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_early_and_a_stop_is_heard() {
        let start = Instant::now();
        let schedule = [0, 1_000_000, 1_000_000, 2_500_000, 9_000_000_000_000];
        let mut seen = Vec::new();
        pace(start, &schedule, |i| {
            seen.push((i, start.elapsed()));
            if i == 3 { Pace::Stop } else { Pace::On }
        });
        assert_eq!(seen.len(), 4);
        for (i, at) in seen {
            assert!(at >= Duration::from_nanos(schedule[i]));
        }
    }
}
