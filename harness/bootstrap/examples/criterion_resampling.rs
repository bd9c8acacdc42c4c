//! A criterion run that only sleeps while it measures, so that its CPU time is
//! the CPU time of criterion's own analysis.
//!
//! `criterion_resampling RESAMPLES`: one benchmark, 100 samples.

use std::time::{Duration, Instant};

use criterion::Criterion;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let resamples: usize = std::env::args()
        .nth(1)
        .ok_or("expected: RESAMPLES")?
        .parse()?;
    let mut criterion = Criterion::default()
        .sample_size(100)
        .nresamples(resamples)
        .warm_up_time(Duration::from_millis(10))
        .measurement_time(Duration::from_millis(100));
    criterion.bench_function("resampling", |b| {
        b.iter_custom(|iterations| {
            let start = Instant::now();
            std::thread::sleep(Duration::from_micros(iterations));
            start.elapsed()
        });
    });
    Ok(())
}
