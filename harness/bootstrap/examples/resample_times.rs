//! Times the intervals of a mean: CPU-bound, one thread.
//!
//! Reads lines `n resamples repeats` and answers each with one line
//! `n resamples bca_ms fourier_ms bootstrap_t_ms median_ms`: the least time of
//! the repeats, in milliseconds.

use std::io::{BufRead, Write};
use std::time::Instant;

use bootstrap::{Stream, fourier, mean, order_statistics};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout();
    for line in std::io::stdin().lock().lines() {
        let fields: Vec<usize> = line?
            .split_whitespace()
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        let [n, resamples, repeats] = fields[..] else {
            return Err("expected: n resamples repeats".into());
        };
        let mut stream = Stream::new(1, "values");
        let x: Vec<f64> = (0..n)
            .map(|_| 100.0 - libm::log(1.0 - stream.unit()))
            .collect();
        let bca = least(repeats, || {
            mean::bca(&x, 0.95, resamples, &mut Stream::new(2, "bca"))
        });
        let fourier = least(repeats, || fourier::bca(&x, 0.95));
        let t = least(repeats, || {
            mean::bootstrap_t(&x, 0.95, resamples, &mut Stream::new(2, "t"))
        });
        let median = least(repeats, || {
            order_statistics::percentile(&x, 0.5, 0.95, resamples, &mut Stream::new(2, "median"))
        });
        writeln!(
            out,
            "{n} {resamples} {bca:.5} {fourier:.5} {t:.5} {median:.5}"
        )?;
        out.flush()?;
    }
    Ok(())
}

fn least<T>(repeats: usize, mut work: impl FnMut() -> T) -> f64 {
    let once = |_| {
        let start = Instant::now();
        std::hint::black_box(work());
        start.elapsed().as_secs_f64() * 1e3
    };
    (0..repeats.max(1)).map(once).fold(f64::INFINITY, f64::min)
}
