//! The generator's own delay.

/// Intended to dispatched, over the requests of an open loop: what the
/// generator added itself. Negative never: it waits for the intended time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lag {
    /// Requests.
    pub n: usize,
    /// Median, nanoseconds.
    pub p50_ns: u64,
    /// 99th percentile (nearest rank), nanoseconds.
    pub p99_ns: u64,
    /// Largest, nanoseconds.
    pub max_ns: u64,
}

impl Lag {
    /// The lag of requests given as (intended, dispatched); `None` without any.
    #[must_use]
    pub fn of(requests: impl IntoIterator<Item = (u64, u64)>) -> Option<Self> {
        let mut lags: Vec<u64> = requests
            .into_iter()
            .map(|(intended, dispatched)| dispatched.saturating_sub(intended))
            .collect();
        lags.sort_unstable();
        let rank =
            |p: f64| lags[((p * lags.len() as f64).ceil() as usize).clamp(1, lags.len()) - 1];
        let max_ns = *lags.last()?;
        Some(Self {
            n: lags.len(),
            p50_ns: rank(0.50),
            p99_ns: rank(0.99),
            max_ns,
        })
    }

    /// Whether the lag is too large a part of a latency to be ignored: p99
    /// above one hundredth of it, or above 100 µs where that is more (below, it
    /// is what waking a thread costs).
    #[must_use]
    pub fn is_late(&self, latency_ns: f64) -> bool {
        self.p99_ns as f64 > (0.01 * latency_ns).max(100_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_nearest_ranks() {
        let lag = Lag::of((0..100).map(|i| (1000, 1001 + i))).unwrap();
        assert_eq!(
            (lag.n, lag.p50_ns, lag.p99_ns, lag.max_ns),
            (100, 50, 99, 100)
        );
        assert_eq!(Lag::of([(10, 5)]).unwrap().max_ns, 0);
        assert_eq!(Lag::of([]), None);
    }

    #[test]
    fn late_is_relative_to_the_latency() {
        let lag = Lag::of([(0, 500_000)]).unwrap();
        assert!(lag.is_late(10e6));
        assert!(!lag.is_late(100e6));
        assert!(!Lag::of([(0, 90_000)]).unwrap().is_late(1e3));
    }
}
