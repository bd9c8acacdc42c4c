//! The monotonic host clock.

use std::time::Instant;

/// A running measurement.
#[derive(Clone, Copy, Debug)]
pub struct Timer(Instant);

impl Timer {
    /// Reads the clock.
    #[inline(always)]
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Nanoseconds since [`Timer::start`].
    #[inline(always)]
    #[must_use]
    pub fn elapsed_ns(&self) -> u64 {
        // 2^64 ns are 584 years.
        self.0.elapsed().as_nanos() as u64
    }

    /// Nanoseconds from `self` to a later `other`; zero if `other` is earlier.
    #[must_use]
    pub fn ns_until(&self, other: &Self) -> u64 {
        other.0.saturating_duration_since(self.0).as_nanos() as u64
    }
}

/// What the clock itself contributes to a slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimerProperties {
    /// Smallest non-zero step seen, nanoseconds.
    pub resolution_ns: f64,
    /// Mean cost of one reading, nanoseconds.
    pub cost_ns: f64,
}

/// Measures the clock's step and cost in about a millisecond.
#[must_use]
pub fn measure_timer() -> TimerProperties {
    const READINGS: u32 = 10_000;
    let mut resolution = u64::MAX;
    let whole = Timer::start();
    let mut last = whole.elapsed_ns();
    for _ in 0..READINGS {
        let now = whole.elapsed_ns();
        if now > last {
            resolution = resolution.min(now - last);
        }
        last = now;
    }
    let total = whole.elapsed_ns();
    TimerProperties {
        // A clock that never moved is as coarse as the whole loop.
        resolution_ns: if resolution == u64::MAX {
            total.max(1)
        } else {
            resolution
        } as f64,
        cost_ns: total as f64 / f64::from(READINGS),
    }
}
