//! Works off intervals on request, one thread, for `scripts/bench_bootstrap`.
//!
//! Reads lines `scheme n resamples repeats` with scheme one of `bca`,
//! `fourier`, `bootstrap_t`, `median`, and answers each with the least wall
//! time of the repeats in milliseconds.

use std::io::{BufRead, Write};
use std::time::Instant;

use bootstrap::{Error, Interval, Stream, fourier, mean, order_statistics};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [scheme, n, resamples, repeats] = fields[..] else {
            return Err("expected: scheme n resamples repeats".into());
        };
        let (n, resamples, repeats): (usize, usize, usize) =
            (n.parse()?, resamples.parse()?, repeats.parse()?);
        let mut stream = Stream::new(1, "values");
        let x: Vec<f64> = (0..n)
            .map(|_| 100.0 - libm::log(1.0 - stream.unit()))
            .collect();
        let mut least = f64::INFINITY;
        for _ in 0..repeats {
            let start = Instant::now();
            std::hint::black_box(interval(scheme, std::hint::black_box(&x), resamples)?);
            least = least.min(start.elapsed().as_secs_f64() * 1e3);
        }
        writeln!(out, "{least:.5}")?;
        out.flush()?;
    }
    Ok(())
}

fn interval(scheme: &str, x: &[f64], resamples: usize) -> Result<Interval, Error> {
    let mut stream = Stream::new(2, scheme);
    match scheme {
        "bca" => mean::bca(x, 0.95, resamples, &mut stream),
        "fourier" => fourier::bca(x, 0.95),
        "bootstrap_t" => mean::bootstrap_t(x, 0.95, resamples, &mut stream),
        _ => order_statistics::percentile(x, 0.5, 0.95, resamples, &mut stream),
    }
}
