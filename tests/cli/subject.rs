//! The bench target of the command's tests. Its arms report times drawn from
//! the seed, so the claims are known; `SUBJECT` chooses what goes wrong.

use evenhand::prelude::*;
#[cfg(feature = "cuda")]
use evenhand_kernels::tasks;
use std::time::{Duration, Instant};

/// An arm that takes `ns` per iteration, give or take a thousandth.
fn pretend(ns: f64, arm: u64) -> impl Fn(&mut Bencher) {
    move |b: &mut Bencher| {
        let mut noise = evenhand::inputs::uniform_f64(b.seed().wrapping_add(arm), 256)
            .into_iter()
            .cycle();
        b.iter_metric(move |iterations| {
            (0..iterations).for_each(|_| spin(Duration::from_millis(1)));
            ns * (1.0 + 0.002 * (noise.next().unwrap() - 0.5))
        });
    }
}

/// Slots must be long enough for the clock.
fn spin(time: Duration) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        std::hint::spin_loop();
    }
}

fn pair(suite: &mut Suite, id: &str, ns: f64) {
    suite
        .experiment(id)
        .margin(percent(5.0))
        .elements(100)
        .control("old", pretend(1e6, 0))
        .candidate("new", pretend(ns, 1));
}

fn declare(suite: &mut Suite) {
    let wanted = std::env::var("SUBJECT").unwrap_or_else(|_| "same,slower".to_owned());
    for name in wanted.split(',') {
        match name {
            "same" => pair(suite, "pretend/same", 1.0e6),
            "slower" => pair(suite, "pretend/slower", 1.3e6),
            "quicker" => pair(suite, "pretend/quicker", 0.8e6),
            "alone" => {
                suite.experiment("alone").arm("only", pretend(1e6, 0));
            }
            "long" => {
                let slow = |b: &mut Bencher| {
                    b.iter_metric(|iterations| {
                        (0..iterations).for_each(|_| spin(Duration::from_millis(4)));
                        4e6
                    });
                };
                let experiment = suite.experiment("long").margin(percent(5.0));
                experiment.control("old", slow).candidate("new", slow);
            }
            "wrong" => {
                suite
                    .experiment("wrong_output")
                    .margin(percent(5.0))
                    .control("old", |b| b.iter_returning(|| 1.0f64))
                    .candidate("new", |b| b.iter_returning(|| 2.0f64))
                    .verify(outputs_equal());
            }
            #[cfg(feature = "cuda")]
            "task" => {
                use evenhand::device::TaskSuite;
                suite
                    .task("task/open", |seed| tasks::rms_norm(2, 256, seed))
                    .margin(percent(5.0));
            }
            #[cfg(feature = "cuda")]
            "rotated_task" => {
                use evenhand::device::TaskSuite;
                let rotated = evenhand_kernels::device::CacheState::ColdByRotation;
                suite
                    .task_in("task/rotated", rotated, |seed| {
                        tasks::rms_norm(2, 256, seed)
                    })
                    .margin(percent(5.0));
            }
            #[cfg(feature = "cuda")]
            "upload" => {
                use evenhand::device::TaskSuite;
                suite
                    .task("task/upload", |seed| {
                        let mut task = tasks::upload_as_bf16(256, seed);
                        // Those in which no kernel runs.
                        task.variants.truncate(2);
                        task
                    })
                    .margin(percent(50.0));
            }
            #[cfg(feature = "cuda")]
            "greedy" => {
                use evenhand::device::TaskSuite;
                use evenhand_kernels::task::Step;
                suite
                    .task("task/greedy", |seed| {
                        let mut task = tasks::rms_norm(2, 256, seed);
                        if let Step::Launch(launch) = &mut task.variants[0].steps[0] {
                            launch.shared_bytes = 1 << 20;
                        }
                        task
                    })
                    .margin(percent(5.0));
            }
            "undeclarable" => {
                suite
                    .experiment("no_control")
                    .candidate("new", pretend(1e6, 0));
            }
            other => panic!("SUBJECT: unknown {other}"),
        }
    }
}

evenhand::main!(declare);
