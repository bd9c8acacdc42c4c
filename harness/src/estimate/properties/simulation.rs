//! Error rates by simulation. Bounds are five standard errors wide, and the
//! seeds are fixed: a rule that is broken fails, a good one never does.

use super::super::*;
use super::gauss;
use bootstrap::Stream;

/// Share of `runs` in which `event` happens.
fn share(runs: u32, mut event: impl FnMut(u32) -> bool) -> f64 {
    f64::from((0..runs).filter(|&run| event(run)).count() as u32) / f64::from(runs)
}

/// Five standard errors of a share around `rate`.
fn slack(rate: f64, runs: u32) -> f64 {
    5.0 * (rate * (1.0 - rate) / f64::from(runs)).sqrt()
}

fn rank(p: f64, level: f64) -> bool {
    p <= level
}

#[test]
fn sign_flip_keeps_its_size_under_the_coin() {
    // Sizes as ugly as they come: drifting, heavy-tailed and autocorrelated.
    let mut stream = Stream::new(1, "size");
    for n in [8, 12, 24] {
        let runs = 1_000;
        let mut state = 0.0;
        let rate = share(runs, |_| {
            let mut noise = |i: usize| {
                state = 0.9 * state + gauss(&mut stream);
                let tail = gauss(&mut stream);
                state + 0.2 * i as f64 + tail * tail * tail
            };
            let sizes: Vec<f64> = (0..n).map(&mut noise).collect();
            let d: Vec<f64> = sizes
                .iter()
                .map(|v| if stream.coin() { *v } else { -v })
                .collect();
            rank(sign_flip(&d, 0).unwrap().p, 0.05)
        });
        // The attainable level is the largest multiple of 2 / 2^n below 5 %.
        assert!(rate <= 0.05 + slack(0.05, runs), "n = {n}: {rate}");
        assert!(rate >= 0.03, "n = {n}: {rate} is no test of 5 %");
    }
}

#[test]
fn sign_flip_has_the_power_that_the_planner_promises() {
    let mut stream = Stream::new(2, "power");
    let n = workers_needed(1.0, 1.0).unwrap();
    let runs = 600;
    let rate = share(runs, |_| {
        let d: Vec<f64> = (0..n).map(|_| 1.0 + gauss(&mut stream)).collect();
        rank(sign_flip(&d, 0).unwrap().p, 0.01)
    });
    assert!((rate - 0.8).abs() < 0.02 + slack(0.8, runs), "{rate}");
}

#[test]
fn the_hull_covers_normal_and_skewed_units() {
    let mut stream = Stream::new(3, "hull");
    // The resampled middle is the slow one.
    for (n, runs) in [(7, 600), (12, 120), (100, 300)] {
        let normal = share(runs, |run| {
            let d: Vec<f64> = (0..n).map(|_| gauss(&mut stream)).collect();
            let ci = mean_interval(&d, 0.95, u64::from(run)).unwrap().unwrap();
            ci.lo > 0.0 || ci.hi < 0.0
        });
        assert!(
            normal <= 0.05 + slack(0.05, runs),
            "normal, n = {n}: {normal}"
        );
        let skewed = share(runs, |run| {
            // Exponential: mean 1, and t alone misses up to 13 %.
            let d: Vec<f64> = (0..n).map(|_| -libm::log(1.0 - stream.unit())).collect();
            let ci = mean_interval(&d, 0.95, u64::from(run)).unwrap().unwrap();
            ci.lo > 1.0 || ci.hi < 1.0
        });
        assert!(
            skewed <= 0.07 + slack(0.07, runs),
            "skewed, n = {n}: {skewed}"
        );
    }
}

#[test]
fn the_serial_interval_survives_autocorrelation() {
    let mut stream = Stream::new(4, "serial");
    let (n, runs) = (36, 100);
    let (mut plain_misses, mut fired) = (0, 0);
    let misses = share(runs, |run| {
        let mut state = gauss(&mut stream) / 0.51f64.sqrt();
        let d: Vec<f64> = (0..n)
            .map(|_| {
                state = 0.7 * state + gauss(&mut stream);
                state
            })
            .collect();
        let plain = mean_interval(&d, 0.95, u64::from(run)).unwrap().unwrap();
        plain_misses += u32::from(plain.lo > 0.0 || plain.hi < 0.0);
        fired += u32::from(lag1(&d).unwrap().fired);
        let ci = serial_interval(&d, 0.95, u64::from(run)).unwrap().unwrap();
        ci.lo > 0.0 || ci.hi < 0.0
    });
    assert!(
        f64::from(fired) > 0.9 * f64::from(runs),
        "{fired} of {runs}"
    );
    assert!(
        f64::from(plain_misses) > 0.3 * f64::from(runs),
        "{plain_misses}"
    );
    assert!(misses <= 0.06 + slack(0.06, runs), "{misses}");
}

#[test]
fn max_t_keeps_the_family_error_of_correlated_metrics() {
    let mut stream = Stream::new(5, "family");
    let (n, metrics, runs) = (11, 5, 300);
    let rate = share(runs, |_| {
        let mut family = vec![Vec::new(); metrics];
        for _ in 0..n {
            let shared = gauss(&mut stream);
            family
                .iter_mut()
                .for_each(|m| m.push(2.0 * shared + gauss(&mut stream)));
        }
        max_t(&family, 0)
            .unwrap()
            .adjusted
            .iter()
            .any(|p| rank(*p, 0.05))
    });
    assert!(rate <= 0.05 + slack(0.05, runs), "{rate}");
}

#[test]
fn strata_of_three_repeats_keep_their_size() {
    let mut stream = Stream::new(6, "strata");
    let runs = 1_000;
    let rate = share(runs, |_| {
        // The noisiest profile has three times the noise of the quietest.
        let strata: Vec<Vec<f64>> = (0..4)
            .map(|p| {
                (0..3)
                    .map(|_| (1.0 + 0.67 * f64::from(p)) * gauss(&mut stream))
                    .collect()
            })
            .collect();
        rank(stratified_sign_flip(&strata, 0).unwrap().p, 0.05)
    });
    assert!((rate - 0.05).abs() <= slack(0.05, runs), "{rate}");
}

#[test]
fn sequential_rules_keep_their_level() {
    let mut stream = Stream::new(7, "sequential");
    let runs = 1_000;
    let looks = obrien_fleming_looks(&DEFAULT_LOOKS, 0.05).unwrap();
    let (mut by_look, mut by_wealth, mut by_size) = (0, 0, 0);
    for _ in 0..runs {
        let d: Vec<f64> = (0..36).map(|_| gauss(&mut stream)).collect();
        // A look at 24 is much cheaper than one at 36; both would do.
        let early = looks[..2]
            .iter()
            .any(|l| sign_flip(&d[..l.n], 0).unwrap().p <= l.alpha);
        by_look += u32::from(early);
        by_wealth += u32::from(e_process(&d).unwrap().iter().any(|e| *e >= 20.0));
        let stop = (8..24)
            .find(|&n| precision_stop(&d[..n], 0.5, 0.95).unwrap().stop)
            .unwrap_or(24);
        by_size += u32::from(sign_flip(&d[..stop], 0).unwrap().p <= 0.05);
    }
    let rate = |count: u32| f64::from(count) / f64::from(runs);
    let spent = looks[0].alpha + looks[1].alpha;
    assert!(
        rate(by_look) <= spent + slack(spent, runs),
        "{}",
        rate(by_look)
    );
    assert!(
        rate(by_wealth) <= 0.05 + slack(0.05, runs),
        "{}",
        rate(by_wealth)
    );
    assert!(
        (rate(by_size) - 0.05).abs() <= slack(0.05, runs),
        "{}",
        rate(by_size)
    );
}

#[test]
fn queues_cost_effective_samples() {
    // Waiting times of a single-server queue by Lindley's recursion.
    let mut stream = Stream::new(8, "queue");
    let mut exponential = |rate: f64| -libm::log(1.0 - stream.unit()) / rate;
    let mut wait = 0.0;
    let mut sojourns = Vec::new();
    for i in 0..25_000 {
        let service = exponential(1.0);
        if i >= 5_000 {
            sojourns.push(wait + service);
        }
        wait = f64::max(0.0, wait + service - exponential(0.8));
    }
    let n_eff = exceedance_n_eff(&sojourns, 0.99).unwrap();
    assert!((80.0..1_500.0).contains(&n_eff), "{n_eff}");
    let ci = quantile_interval_serial(&sojourns, 0.99, 0.95).unwrap();
    assert_eq!(ci.limits.is_none(), n_eff < 368.0);
    // Independent values keep nearly all of their worth.
    let independent: Vec<f64> = (0..5_000).map(|_| exponential(1.0)).collect();
    let n_eff = exceedance_n_eff(&independent, 0.99).unwrap();
    assert!(n_eff > 3_000.0, "{n_eff}");
}

#[test]
fn quantile_differences_cover() {
    let mut stream = Stream::new(9, "mover");
    let runs = 500;
    let misses = share(runs, |_| {
        let mut arm = || -> Vec<f64> {
            (0..200)
                .map(|_| libm::exp(0.5 * gauss(&mut stream)))
                .collect()
        };
        let (a, b) = (arm(), arm());
        let interval = |x: &[f64]| quantile_interval(x, 0.95, 0.95).unwrap();
        let d = quantile_difference(&interval(&a), &interval(&b)).unwrap();
        d.lo > 0.0 || d.hi < 0.0
    });
    assert!(misses <= 0.05 + slack(0.05, runs), "{misses}");
}
