//! A bench target whose experiments are chosen by the environment variable
//! `SUBJECT`: well-behaved ones, and one for every way to misbehave.

use evenhand::harness::suite::Place;
use evenhand::prelude::*;
use std::io::Write;
use std::path::PathBuf;

fn declare(suite: &mut Suite) {
    let wanted = std::env::var("SUBJECT").unwrap_or_else(|_| "plain".to_owned());
    for name in wanted.split(',') {
        match name {
            "plain" => plain(suite),
            "three_arms" => three_arms(suite),
            "single" => single(suite),
            "order" => order(suite, false),
            "separate" => order(suite, true),
            "counts" => counts(suite, false),
            "counts_apart" => counts(suite, true),
            "async" => asynchronous(suite),
            "batched" => batched(suite),
            "metrics" => metrics(suite),
            "places" => places(suite, false),
            "places_apart" => places(suite, true),
            _ => misbehaving(suite, name),
        }
    }
}

/// Sums in two ways; the candidate does half of the work twice.
fn plain(suite: &mut Suite) {
    suite
        .experiment("plain/sum")
        .margin(percent(5.0))
        .elements(4096)
        .control("whole", |b| {
            let data = evenhand::inputs::uniform_f64(b.seed(), 4096);
            b.iter_returning(move || data.iter().sum::<f64>());
        })
        .candidate("halves", |b| {
            let data = evenhand::inputs::uniform_f64(b.seed(), 4096);
            b.iter_returning(move || {
                data[..2048].iter().sum::<f64>() + data[2048..].iter().sum::<f64>()
            });
        })
        .verify(outputs_agree(relative(1e-9)));
}

fn three_arms(suite: &mut Suite) {
    let experiment = suite
        .experiment("three_arms/sum")
        .margin(percent(5.0))
        .control("one", |b| {
            let data = evenhand::inputs::bytes(b.seed(), 1024);
            b.iter(move || data.iter().map(|&x| u64::from(x)).sum::<u64>());
        });
    for name in ["two", "three"] {
        experiment.candidate(name, |b| {
            let data = evenhand::inputs::bytes(b.seed(), 1024);
            b.iter(move || data.iter().rev().map(|&x| u64::from(x)).sum::<u64>());
        });
    }
}

fn single(suite: &mut Suite) {
    suite.experiment("single/sum").arm("only", |b| {
        let data = evenhand::inputs::bytes(b.seed(), 1024);
        b.iter(move || data.iter().map(|&x| u64::from(x)).sum::<u64>());
    });
}

/// Arms that write down when they run: process, arm, iterations, and by how
/// much their stack is shifted.
fn order(suite: &mut Suite, separate: bool) {
    let arm = |name: &'static str| {
        move |b: &mut Bencher| {
            let path = PathBuf::from(std::env::var_os("SUBJECT_LOG").expect("SUBJECT_LOG is set"));
            let pad = std::env::var("EVENHAND_PAD").unwrap_or_default().len();
            b.iter_metric(move |iterations| {
                let mut log = std::fs::File::options()
                    .append(true)
                    .create(true)
                    .open(&path)
                    .unwrap();
                writeln!(log, "{} {name} {iterations} {pad}", std::process::id()).unwrap();
                1.0 + name.len() as f64
            });
        }
    };
    for (id, arms) in [("order/two", 2), ("order/three", 3)] {
        let experiment = suite
            .experiment(id)
            .margin(percent(1.0))
            .control("a", arm("a"));
        for name in ["b", "c"].into_iter().take(arms - 1) {
            experiment.candidate(name, arm(name));
        }
        if separate {
            experiment.separate_processes();
        }
    }
}

/// Arms that tell at their end how many slots they ran.
fn counts(suite: &mut Suite, separate: bool) {
    struct Counts(u32);
    impl Subject for Counts {
        fn slot(&mut self, iterations: u64) -> Result<SlotValue, ArmError> {
            self.0 += 1;
            Ok(SlotValue::from_host_time(1_000_000, iterations))
        }
        fn output(&mut self) -> Result<Option<Output>, ArmError> {
            Ok(None)
        }
        fn facts(&self) -> Vec<(String, String)> {
            vec![("built".into(), "yes".into())]
        }
        fn facts_at_end(&mut self) -> Result<Vec<(String, String)>, ArmError> {
            let slots = ("slots".into(), self.0.to_string());
            Ok(vec![slots, ("built".into(), "replaced".into())])
        }
    }
    let experiment = suite
        .experiment("counts")
        .margin(percent(1.0))
        .iterations(1)
        .control("a", |b| b.register(Counts(0)))
        .candidate("b", |b| b.register(Counts(0)));
    if separate {
        experiment.separate_processes();
    }
}

fn asynchronous(suite: &mut Suite) {
    use evenhand::executor::ThreadExecutor;
    suite
        .experiment("async/ready")
        .margin(percent(5.0))
        .control("one", |b| {
            b.iter_async_returning(ThreadExecutor, || async { 42u64 })
        })
        .candidate("yielding", |b| {
            b.iter_async_returning(ThreadExecutor, || async {
                let mut first = true;
                std::future::poll_fn(|cx| {
                    if std::mem::take(&mut first) {
                        cx.waker().wake_by_ref();
                        std::task::Poll::Pending
                    } else {
                        std::task::Poll::Ready(42u64)
                    }
                })
                .await
            });
        })
        .verify(outputs_equal());
}

/// Time beside items that both arms must agree on, on a pretended device.
fn metrics(suite: &mut Suite) {
    let items = Metric::new("items", "items", Direction::Context);
    let rest = Metric::new("rest", "ns", Direction::Lower);
    let arm = |factor: f64| {
        move |b: &mut Bencher| {
            // Differs between arms and workers, so that the units scatter.
            let mut at = (b.seed() % 1009) as f64 * factor;
            b.iter_metrics(move |_| {
                at = (at + 3.7) % 11.0;
                (factor * (1000.0 + at), [Some(32.0), Some(500.0 + at)])
            });
        }
    };
    suite
        .experiment("metrics/two")
        .margin(percent(1.0))
        .device_label("pretended")
        .cold()
        .iterations(3)
        .blocks(4)
        .secondary(
            SecondaryMetric::new(items, SecondaryRole::Match)
                .estimand(Estimand::PairedDifference)
                .margin(Margin::absolute(1.0)),
        )
        .secondary(SecondaryMetric::new(rest, SecondaryRole::Claim).margin(percent(1.0)))
        .control("a", arm(1.0))
        .candidate("b", arm(1.5));
}

/// An arm that notes where each of its slots stands.
struct Places {
    notes: Option<std::fs::File>,
    place: Option<Place>,
}

impl Places {
    fn register(b: &mut Bencher) {
        let create = |path: PathBuf| {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::File::create_new(path).unwrap()
        };
        let notes = b.notes("places").map(create);
        b.register(Self { notes, place: None });
    }
}

impl Subject for Places {
    fn begin(&mut self, place: Place) {
        self.place = Some(place);
    }

    fn slot(&mut self, iterations: u64) -> Result<SlotValue, ArmError> {
        let place = self.place.take().ok_or_else(|| ArmError::new("no place"))?;
        if let Some(notes) = &mut self.notes {
            let block = place
                .block
                .map_or("-".to_owned(), |block| block.to_string());
            writeln!(notes, "{block} {}", place.turn).unwrap();
        }
        Ok(SlotValue::from_host_time(2_000_000, iterations))
    }

    fn output(&mut self) -> Result<Option<Output>, ArmError> {
        Ok(None)
    }
}

fn places(suite: &mut Suite, separate: bool) {
    let experiment = suite
        .experiment("places/two")
        .iterations(1)
        .control("a", Places::register)
        .candidate("b", Places::register);
    if separate {
        experiment.separate_processes();
    }
}

fn batched(suite: &mut Suite) {
    suite
        .experiment("batched/sort")
        .margin(percent(5.0))
        .control("stable", |b| {
            let data = evenhand::inputs::bytes(b.seed(), 512);
            b.iter_batched(
                move || data.clone(),
                |mut v| {
                    v.sort();
                    v
                },
            );
        })
        .candidate("unstable", |b| {
            let data = evenhand::inputs::bytes(b.seed(), 512);
            b.iter_batched_ref(move || data.clone(), |v| v.sort_unstable());
        });
}

/// An experiment with a good control and a bad candidate, or a bad declaration.
fn misbehaving(suite: &mut Suite, name: &str) {
    let id = format!("bad/{name}");
    let good = |b: &mut Bencher| b.iter_returning(|| std::hint::black_box(1u64));
    let experiment = match name {
        "duplicate" => {
            suite
                .experiment("bad/duplicate")
                .control("a", good)
                .candidate("b", good);
            suite
                .experiment("bad/duplicate")
                .control("a", good)
                .candidate("b", good)
        }
        _ => suite.experiment(id),
    };
    match name {
        "duplicate" => experiment,
        "two_controls" => experiment.control("a", good).control("b", good),
        "no_control" => experiment.candidate("a", good).candidate("b", good),
        "lonely_control" => experiment.control("a", good),
        "no_arm" => experiment,
        "same_arm" => experiment.control("a", good).candidate("a", good),
        "zero_margin" => experiment
            .margin(percent(0.0))
            .control("a", good)
            .candidate("b", good),
        "panics" => experiment.control("a", good).candidate("b", |b| {
            b.iter(|| panic!("out of cheese"));
        }),
        "panics_in_setup" => experiment.control("a", good).candidate("b", |_| {
            panic!("no input");
        }),
        "never_iterates" => experiment.control("a", good).candidate("b", |_| {}),
        "iterates_twice" => experiment.control("a", good).candidate("b", |b| {
            b.iter(|| 1);
            b.iter(|| 2);
        }),
        "wrong" => experiment
            .control("a", good)
            .candidate("b", |b| b.iter_returning(|| 2u64))
            .verify(outputs_equal()),
        "wrong_later" => experiment
            .control("a", |b| b.state(0u64).output(|_| 1u64).iter(|n| *n += 1))
            .candidate("b", |b| {
                // Right at first, wrong when it has run for a while.
                b.state(0u64)
                    .output(|n| u64::from(*n < 50))
                    .iter(|n| *n += 1);
            })
            .verify(outputs_equal()),
        "apart_panics" => experiment
            .separate_processes()
            .control("a", good)
            .candidate("b", |b| b.iter(|| panic!("out of cheese"))),
        "apart_hangs" => experiment
            .separate_processes()
            .control("a", good)
            .candidate("b", |b| {
                let log = std::env::var_os("SUBJECT_LOG").expect("SUBJECT_LOG is set");
                b.iter(move || {
                    std::fs::write(&log, std::process::id().to_string()).unwrap();
                    std::thread::sleep(std::time::Duration::from_secs(3600));
                });
            }),
        "apart_refuses" => experiment
            .separate_processes()
            .control("a", good)
            .candidate("b", |b| b.fail(ArmError::new("no such device"))),
        "apart_dies" => experiment
            .separate_processes()
            .control("a", good)
            .candidate("b", |b| {
                b.iter(|| {
                    eprintln!("last words");
                    std::process::abort()
                });
            }),
        "apart_nan" => experiment
            .separate_processes()
            .control("a", good)
            .candidate("b", |b| b.iter_metric(|_| f64::NAN)),
        "apart_wrong" => experiment
            .separate_processes()
            .control("a", |b| b.iter_returning(|| vec![f64::NAN, 1.0]))
            .candidate("b", |b| b.iter_returning(|| vec![f64::NAN, 2.0]))
            .verify(outputs_equal()),
        "refuses" => experiment
            .control("a", good)
            .candidate("b", |b| b.fail(ArmError::new("no such device"))),
        "gives_up" => experiment.control("a", good).candidate("b", |b| {
            struct GivesUp;
            impl Subject for GivesUp {
                fn slot(&mut self, _: u64) -> Result<SlotValue, ArmError> {
                    Err(ArmError::new("the device disappeared"))
                }
                fn output(&mut self) -> Result<Option<Output>, ArmError> {
                    Ok(None)
                }
            }
            b.register(GivesUp);
        }),
        // Its fourth slot is one of the warm-up: the pilot takes two.
        "gives_up_warming" => {
            struct GivesUpLater(u32);
            impl Subject for GivesUpLater {
                fn slot(&mut self, iterations: u64) -> Result<SlotValue, ArmError> {
                    self.0 += 1;
                    if self.0 > 3 {
                        return Err(ArmError::new("the device disappeared"));
                    }
                    Ok(SlotValue::from_host_time(2_000_000, iterations))
                }
                fn output(&mut self) -> Result<Option<Output>, ArmError> {
                    Ok(None)
                }
            }
            experiment
                .iterations(1)
                .control("a", good)
                .candidate("b", |b| b.register(GivesUpLater(0)))
        }
        "lacks_a_metric" => experiment
            .secondary(SecondaryMetric::new(
                Metric::new("more", "ns", Direction::Lower),
                SecondaryRole::Claim,
            ))
            .control("a", |b| b.iter_metrics(|_| (1.0, [Some(1.0)])))
            .candidate("b", |b| b.iter(|| 1)),
        "no_output" => experiment
            .control("a", good)
            .candidate("b", |b| b.iter(|| 1))
            .verify(outputs_equal()),
        "nan" => experiment
            .control("a", good)
            .candidate("b", |b| b.iter_metric(|_| f64::NAN)),
        "zero" => experiment
            .control("a", good)
            .candidate("b", |b| b.iter_metric(|_| 0.0)),
        // Dies once, in the worker that finds the file missing.
        "dies_once" => experiment.control("a", good).candidate("b", |b| {
            let mark = std::env::var_os("SUBJECT_MARK").map(PathBuf::from);
            b.iter(move || {
                if let Some(mark) = &mark
                    && std::fs::File::create_new(mark).is_ok()
                {
                    eprintln!("goodbye");
                    std::process::abort();
                }
            });
        }),
        "dies" => experiment.control("a", good).candidate("b", |b| {
            b.iter_metric(|n| if n > 1 { std::process::abort() } else { 1.0 });
        }),
        "exits" => experiment.control("a", good).candidate("b", |b| {
            b.iter(|| std::process::exit(0));
        }),
        "chatty" => experiment.control("a", good).candidate("b", |b| {
            b.iter(|| print!("\u{1e}evenhand {{\"done\":null}} no newline"));
        }),
        // Long enough to be interrupted.
        "slow" => experiment
            .control("a", |b| {
                b.iter(|| std::thread::sleep(std::time::Duration::from_millis(2)))
            })
            .candidate("b", |b| {
                b.iter(|| std::thread::sleep(std::time::Duration::from_millis(2)))
            }),
        unknown => panic!("SUBJECT={unknown} is unknown"),
    };
}

evenhand::main!(declare);
