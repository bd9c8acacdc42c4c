//! What a slot itself costs: the same closures in an empty loop, in our slot,
//! and in criterion's `iter`, all in one run.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use evenhand::harness::suite::{Subject, build_arm};
use evenhand::harness::timer::Timer;
use std::hint::black_box;
use std::time::Duration;

/// A dependent multiply-add: about a nanosecond that can't be optimised away.
fn step(x: u64) -> u64 {
    x.wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407)
}

fn slot(subject: &mut dyn Subject, iterations: u64) -> Duration {
    Duration::from_nanos(
        subject
            .slot(iterations)
            .expect("closures can't fail")
            .host_ns,
    )
}

fn per_iteration(c: &mut Criterion) {
    let mut group = c.benchmark_group("overhead/per_iteration");
    group.bench_function("empty_loop", |b| {
        let mut x = 1;
        b.iter_custom(|n| {
            let timer = Timer::start();
            for _ in 0..n {
                x = step(black_box(x));
                black_box(x);
            }
            Duration::from_nanos(timer.elapsed_ns())
        });
    });
    group.bench_function("slot_iter", |b| {
        let mut x = 1;
        let mut arm = build_arm(1, |b| {
            b.iter(move || {
                x = step(black_box(x));
                x
            })
        })
        .unwrap();
        b.iter_custom(|n| slot(arm.as_mut(), n));
    });
    group.bench_function("slot_state", |b| {
        let mut arm = build_arm(1, |b| {
            b.state(1).iter(|x| {
                *x = step(black_box(*x));
                *x
            })
        })
        .unwrap();
        b.iter_custom(|n| slot(arm.as_mut(), n));
    });
    group.bench_function("criterion_iter", |b| {
        let mut x = 1;
        b.iter(|| {
            x = step(black_box(x));
            x
        });
    });
    group.finish();
}

/// A whole slot, entry and exit included, by its number of iterations.
fn per_slot(c: &mut Criterion) {
    let mut group = c.benchmark_group("overhead/per_slot");
    for iterations in [1u64, 1000] {
        let mut arm = build_arm(1, |b| b.iter(|| ())).unwrap();
        group.bench_with_input(
            BenchmarkId::from_parameter(iterations),
            &iterations,
            |b, &n| {
                b.iter(|| arm.slot(black_box(n)));
            },
        );
    }
    group.bench_function("clock_twice", |b| b.iter(|| Timer::start().elapsed_ns()));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .sample_size(30)
        .without_plots();
    targets = per_iteration, per_slot
}
criterion_main!(benches);
