//! Tails of a queue, whose true quantile is known: the interval for p99 rests
//! on effective requests, and refuses when there are too few of them.

use bootstrap::Stream;
use evenhand_harness::estimate::{quantile_interval, quantile_interval_serial};

/// Sojourn times of an M/M/1 queue with service rate 1, in steady state
/// (Lindley's recursion, begun at the stationary distribution).
fn sojourn(load: f64, n: usize, seed: u64) -> Vec<f64> {
    let mut stream = Stream::new(seed, "queue");
    let mut exponential = |rate: f64| -(1.0 - stream.unit()).ln() / rate;
    let mut time = exponential(1.0 - load);
    (0..n)
        .map(|_| {
            let waiting = (time - exponential(load)).max(0.0);
            time = waiting + exponential(1.0);
            time
        })
        .collect()
}

/// How many of the intervals were given, and how many of those hold p99.
fn coverage(load: f64, n: usize, runs: u64, serial: bool) -> (u64, u64) {
    let truth = 100f64.ln() / (1.0 - load);
    let (mut given, mut covered) = (0, 0);
    for run in 0..runs {
        let times = sojourn(load, n, 1000 + run);
        let interval = if serial {
            quantile_interval_serial(&times, 0.99, 0.95)
        } else {
            quantile_interval(&times, 0.99, 0.95)
        };
        if let Some(limits) = interval.unwrap().limits {
            given += 1;
            covered += u64::from(limits.lo <= truth && truth <= limits.hi);
        }
    }
    (given, covered)
}

#[test]
fn effective_requests_bring_coverage_back() {
    for (load, n) in [(0.5, 5_000), (0.8, 20_000)] {
        let runs = 120;
        let (given, covered) = coverage(load, n, runs, true);
        assert!(given > 20, "load {load}: {given} of {runs} runs had enough");
        assert!(
            100 * covered >= 91 * given,
            "load {load}: {covered} of {given}"
        );
        // Taken for independent, the same requests hold far less than they say.
        let (given, covered) = coverage(load, n, runs, false);
        assert!(
            100 * covered < 80 * given,
            "load {load}: {covered} of {given}"
        );
    }
}

#[test]
fn too_few_effective_requests_are_refused() {
    let (given, _) = coverage(0.9, 2_000, 40, true);
    assert_eq!(given, 0);
}
