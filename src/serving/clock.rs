//! The clock of the request path: the machine's monotonic clock, in
//! nanoseconds. Two processes on one machine read the same values, so a
//! server's stamps compare with the client's.

use std::time::Duration;

/// How long before its time a waiting thread stops sleeping. A sleep
/// overshoots by 60 to 80 µs; a runtime's timer by a whole millisecond.
const YIELD_NS: u64 = 100_000;

/// Nanoseconds on the monotonic clock (on Linux: since boot).
#[must_use]
#[cfg(unix)]
pub fn now() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    time.tv_sec.unsigned_abs() * 1_000_000_000 + u64::from(time.tv_nsec.unsigned_abs() as u32)
}

/// Nanoseconds on the monotonic clock, since the first call in this process.
#[must_use]
#[cfg(not(unix))]
pub fn now() -> u64 {
    static ORIGIN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    let origin = ORIGIN.get_or_init(std::time::Instant::now);
    u64::try_from(origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Blocks a plain thread until `at_ns`: sleeps, then yields for the last
/// 100 µs. Returns at once when the time has passed. Never early.
pub fn sleep_until(at_ns: u64) {
    loop {
        let left = at_ns.saturating_sub(now());
        if left == 0 {
            return;
        }
        if left > YIELD_NS {
            std::thread::sleep(Duration::from_nanos(left - YIELD_NS));
        } else {
            std::thread::yield_now();
        }
    }
}
