//! Times the resampling schemes: `cargo bench -p evenhand-bootstrap`.

use std::hint::black_box;
use std::time::Duration;

use bootstrap::{
    JointResamples, Stream, exact, fourier, mean, moments, order_statistics, statistic,
};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

const RESAMPLES: usize = 9_999;

fn sample(n: usize) -> Vec<f64> {
    let mut stream = Stream::new(1, "values");
    (0..n)
        .map(|_| 100.0 - libm::log(1.0 - stream.unit()))
        .collect()
}

fn stream() -> Stream {
    Stream::new(2, "resampling")
}

fn means(c: &mut Criterion) {
    let mut group = c.benchmark_group("mean");
    for n in [12, 36, 100, 1_000] {
        let x = sample(n);
        group.bench_with_input(BenchmarkId::new("bca", n), &x, |b, x| {
            b.iter(|| mean::bca(black_box(x), 0.95, RESAMPLES, &mut stream()));
        });
        group.bench_with_input(BenchmarkId::new("bootstrap_t", n), &x, |b, x| {
            b.iter(|| mean::bootstrap_t(black_box(x), 0.95, RESAMPLES, &mut stream()));
        });
        group.bench_with_input(BenchmarkId::new("fourier_bca", n), &x, |b, x| {
            b.iter(|| fourier::bca(black_box(x), 0.95));
        });
    }
    for n in [6, 8, 10] {
        let x = sample(n);
        group.bench_with_input(BenchmarkId::new("exact_bootstrap_t", n), &x, |b, x| {
            b.iter(|| exact::bootstrap_t(black_box(x), 0.95));
        });
    }
    group.finish();
}

fn others(c: &mut Criterion) {
    let x = sample(36);
    c.bench_function("order_statistics/median", |b| {
        b.iter(|| order_statistics::percentile(black_box(&x), 0.5, 0.95, RESAMPLES, &mut stream()));
    });
    c.bench_function("statistic/median", |b| {
        let median = |x: &[f64]| moments::median(x).unwrap_or(f64::NAN);
        b.iter(|| statistic::percentile(black_box(&x), 0.95, RESAMPLES, &mut stream(), median));
    });
    c.bench_function("joint/ratio_of_means", |b| {
        let y = sample(36);
        let rows = JointResamples::draw(36, RESAMPLES, &mut stream());
        b.iter(|| {
            rows.as_ref()
                .map(|rows| rows.function_of_means(&[&x, black_box(&y)], |m| m[1] / m[0]))
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(15)
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(250));
    targets = means, others
}
criterion_main!(benches);
