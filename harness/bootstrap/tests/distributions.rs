//! Distributions against closed formulas and coverage against theory.
//!
//! Everything is seeded, so nothing here can fail by chance.

use std::collections::BTreeMap;

use bootstrap::{
    BootstrapDistribution, Interval, JointResamples, Moments, Replicates, Stream, clusters, exact,
    fourier, mean, moments, normal, order_statistics, statistic, strata,
};

fn normals(n: usize, stream: &mut Stream) -> Vec<f64> {
    (0..n)
        .map(|_| normal::quantile(stream.unit().max(1e-17)))
        .collect()
}

fn sum_of_means(groups: &[&[f64]]) -> f64 {
    groups
        .iter()
        .map(|g| moments::mean(g).unwrap_or(f64::NAN))
        .sum()
}

/// Variance with divisor n.
fn plug_in(x: &[f64]) -> f64 {
    let m = Moments::of(x).unwrap();
    m.sd * m.sd * (m.n - 1) as f64 / m.n as f64
}

#[test]
fn the_ideal_standard_error_of_a_mean() {
    for n in [2, 5, 9, 36, 129, 700] {
        let x = normals(n, &mut Stream::new(1, "se"));
        let ideal = (plug_in(&x) / n as f64).sqrt();
        let drawn = mean::replicates(&x, 40_000, &mut Stream::new(2, "se")).unwrap();
        assert!((drawn.standard_error() / ideal - 1.0).abs() < 0.02, "{n}");
        assert!(drawn.bias().unwrap().abs() < 0.03 * ideal, "{n}");
        let joint = JointResamples::draw(n, 40_000, &mut Stream::new(3, "se"))
            .unwrap()
            .means(&x)
            .unwrap();
        assert!((joint.standard_error() / ideal - 1.0).abs() < 0.02, "{n}");
        if n <= 9 {
            let all = exact::replicates(&x).unwrap();
            assert!((all.standard_error() / ideal - 1.0).abs() < 1e-12, "{n}");
            assert_eq!(all.total(), (n as u64).pow(n as u32));
        }
        if n >= 36 {
            // Half the distance of the two one-sigma quantiles of a near-normal distribution.
            let grid = fourier::replicates(&x).unwrap();
            let (low, high) = grid.quantiles(normal::cdf(-1.0), normal::cdf(1.0));
            assert!((0.5 * (high - low) / ideal - 1.0).abs() < 0.01, "{n}");
        }
    }
}

#[test]
fn every_tuple_width_draws_every_value_equally() {
    for n in [2, 3, 5, 8, 13, 24, 25, 26, 127, 128, 129] {
        // Each value's indicator has mean 1/n over resamples.
        for which in [0, n / 2, n - 1] {
            let mut x = vec![0.0; n];
            x[which] = 1.0;
            let resamples = 20_000;
            let drawn = mean::replicates(&x, resamples, &mut Stream::new(4, "uniform")).unwrap();
            let p = 1.0 / n as f64;
            let se = (p * (1.0 - p) / (n * resamples) as f64).sqrt();
            assert!(
                drawn.bias().unwrap().abs() < 4.0 * se,
                "n {n}, value {which}: {:?} {se}",
                drawn.bias()
            );
        }
    }
}

#[test]
fn the_grid_is_the_limit_of_resampling() {
    let mut stream = Stream::new(5, "skewed");
    for n in [12, 36, 100, 1_000] {
        let x: Vec<f64> = (0..n).map(|_| -libm::log(1.0 - stream.unit())).collect();
        let grid = fourier::bca(&x, 0.95).unwrap();
        let drawn = mean::bca(&x, 0.95, 200_000, &mut Stream::new(6, "grid")).unwrap();
        assert!(
            (grid.lo - drawn.lo).abs() < 0.01 * grid.width(),
            "{n}: {grid} {drawn}"
        );
        assert!(
            (grid.hi - drawn.hi).abs() < 0.01 * grid.width(),
            "{n}: {grid} {drawn}"
        );
    }
}

#[test]
fn the_grid_holds_rare_large_values() {
    // One value in a hundred, a thousand times the rest: nearly Poisson.
    let mut x: Vec<f64> = normals(100, &mut Stream::new(7, "spike"));
    x[17] = 1_000.0;
    let grid = fourier::percentile(&x, 0.95).unwrap();
    let drawn = mean::percentile(&x, 0.95, 200_000, &mut Stream::new(8, "spike")).unwrap();
    assert!(
        (grid.lo - drawn.lo).abs() < 0.02 * grid.width(),
        "{grid} {drawn}"
    );
    assert!(
        (grid.hi - drawn.hi).abs() < 0.02 * grid.width(),
        "{grid} {drawn}"
    );
}

#[test]
fn order_statistics_equal_full_resampling() {
    let x: Vec<f64> = normals(80, &mut Stream::new(9, "order"));
    for p in [0.0, 0.1, 0.5, 0.9, 0.95, 1.0] {
        let fast = order_statistics::replicates(&x, p, 40_000, &mut Stream::new(10, "order"))
            .unwrap()
            .sorted();
        let quantile = |x: &[f64]| bootstrap::quantile(x, p).unwrap_or(f64::NAN);
        let full = statistic::replicates(&x, 40_000, &mut Stream::new(11, "order"), quantile)
            .unwrap()
            .sorted();
        assert_eq!(fast.observed(), full.observed());
        assert!(
            largest_gap(&fast, &full) < 0.012,
            "p {p}: {}",
            largest_gap(&fast, &full)
        );
    }
}

#[test]
fn order_statistics_have_the_probabilities_of_enumeration() {
    const DRAWS: usize = 400_000;
    for (n, p) in [
        (1_usize, 0.5),
        (2, 0.5),
        (4, 0.5),
        (5, 0.5),
        (6, 0.3),
        (6, 0.97),
    ] {
        // No two pairs of these have the same interpolated value.
        let x: Vec<f64> = (0..n as i32).map(|i| f64::from(10 * i * i + i)).collect();
        let mut expected = BTreeMap::new();
        for resample in 0..n.pow(n as u32) {
            let drawn: Vec<f64> = (0..n as u32).map(|k| x[resample / n.pow(k) % n]).collect();
            let value = bootstrap::quantile(&drawn, p).unwrap();
            *expected.entry(value.to_bits()).or_insert(0.0) += 1.0 / n.pow(n as u32) as f64;
        }
        let mut got = BTreeMap::new();
        let stream = &mut Stream::new(19, "ranks");
        let drawn = order_statistics::replicates(&x, p, DRAWS, stream).unwrap();
        for value in drawn.values() {
            *got.entry(value.to_bits()).or_insert(0.0) += 1.0 / DRAWS as f64;
        }
        for (value, q) in &expected {
            let gap = got.remove(value).unwrap_or(0.0) - q;
            let sigmas = gap / (q * (1.0 - q) / DRAWS as f64).sqrt().max(1e-9);
            assert!(sigmas.abs() < 4.5, "n {n}, p {p}: {sigmas} at {q}");
        }
        assert!(got.is_empty(), "impossible values");
    }
}

/// Kolmogorov-Smirnov distance of two sorted sets of replicates.
fn largest_gap(a: &Replicates, b: &Replicates) -> f64 {
    let below =
        |values: &[f64], x: f64| values.partition_point(|&v| v <= x) as f64 / values.len() as f64;
    a.values()
        .iter()
        .map(|&x| (below(a.values(), x) - below(b.values(), x)).abs())
        .fold(0.0, f64::max)
}

#[test]
fn strata_add_their_variances() {
    let groups: Vec<Vec<f64>> = [4, 9, 30]
        .map(|n| normals(n, &mut Stream::new(n as u64, "strata")))
        .into();
    let groups: Vec<&[f64]> = groups.iter().map(Vec::as_slice).collect();
    let drawn = strata::replicates(
        &groups,
        40_000,
        &mut Stream::new(12, "strata"),
        sum_of_means,
    )
    .unwrap();
    let variance: f64 = groups.iter().map(|g| plug_in(g) / g.len() as f64).sum();
    assert!((drawn.standard_error() / variance.sqrt() - 1.0).abs() < 0.02);
    // One stratum is one sample.
    let one = strata::acceleration(&groups[2..], sum_of_means).unwrap();
    assert!((one - bootstrap::acceleration_of_mean(groups[2]).unwrap()).abs() < 1e-12);
}

#[test]
fn clusters_have_the_variances_of_theory() {
    // Balanced clusters (Davison & Hinkley 1997, section 3.8).
    let (k, m) = (12, 5);
    let mut stream = Stream::new(13, "clusters");
    let clusters: Vec<Vec<f64>> = normals(k, &mut stream)
        .into_iter()
        .map(|shift| {
            normals(m, &mut stream)
                .into_iter()
                .map(|v| 2.0 * shift + v)
                .collect()
        })
        .collect();
    let clusters: Vec<&[f64]> = clusters.iter().map(Vec::as_slice).collect();
    let mean = |c: &[&[f64]]| sum_of_means(c) / c.len() as f64;
    let means: Vec<f64> = clusters.iter().map(|c| moments::mean(c).unwrap()).collect();
    let between = plug_in(&means) / k as f64;
    let within = clusters.iter().map(|c| plug_in(c)).sum::<f64>() / (k * k * m) as f64;
    let one =
        clusters::replicates(&clusters, 40_000, &mut Stream::new(14, "clusters"), mean).unwrap();
    let two =
        clusters::two_level(&clusters, 40_000, &mut Stream::new(15, "clusters"), mean).unwrap();
    assert!((one.standard_error() / between.sqrt() - 1.0).abs() < 0.02);
    assert!((two.standard_error() / (between + within).sqrt() - 1.0).abs() < 0.02);
    let a = clusters::acceleration(&clusters, mean).unwrap();
    assert!((a - bootstrap::acceleration_of_mean(&means).unwrap()).abs() < 1e-12);
}

#[test]
fn general_statistics_meet_the_fast_path() {
    let x = normals(15, &mut Stream::new(16, "general"));
    let studentised = |x: &[f64]| {
        let m = Moments::of(x).unwrap();
        (m.mean, m.standard_error())
    };
    let general =
        statistic::bootstrap_t(&x, 0.95, 100_000, &mut Stream::new(17, "t"), studentised).unwrap();
    let fast = mean::bootstrap_t(&x, 0.95, 100_000, &mut Stream::new(18, "t")).unwrap();
    assert!(
        (general.lo - fast.lo).abs() < 0.02 * fast.width(),
        "{general} {fast}"
    );
    assert!(
        (general.hi - fast.hi).abs() < 0.02 * fast.width(),
        "{general} {fast}"
    );
    let bca = statistic::bca(&x, 0.95, 100_000, &mut Stream::new(19, "bca"), |x| {
        moments::mean(x).unwrap()
    })
    .unwrap();
    let grid = fourier::bca(&x, 0.95).unwrap();
    assert!(
        (bca.lo - grid.lo).abs() < 0.02 * grid.width()
            && (bca.hi - grid.hi).abs() < 0.02 * grid.width()
    );
    // Same rows, same arithmetic up to rounding.
    let rows = JointResamples::draw(15, 500, &mut Stream::new(20, "rows")).unwrap();
    let left = rows.means(&x).unwrap();
    let right = statistic::replicates(&x, 500, &mut Stream::new(20, "rows"), |x| {
        moments::mean(x).unwrap()
    })
    .unwrap();
    let third = rows.function_of_means(&[&x], |m| m[0]).unwrap();
    let fourth = rows
        .statistic(|row| row.iter().map(|&i| x[i as usize]).sum::<f64>() / 15.0)
        .unwrap();
    for (((a, b), c), d) in left
        .values()
        .iter()
        .zip(right.values())
        .zip(third.values())
        .zip(fourth.values())
    {
        assert!((a - b).abs() < 1e-14 && (a - c).abs() < 1e-14 && (a - d).abs() < 1e-14);
    }
    let difference = left.combine(&third, |a, b| a - b).unwrap();
    assert!(difference.values().iter().all(|d| d.abs() < 1e-14));
    assert_eq!(
        left.map(|v| 2.0 * v).unwrap().observed(),
        2.0 * left.observed()
    );
}

#[test]
fn simultaneous_intervals_are_wider_and_keep_their_metrics() {
    let mut stream = Stream::new(21, "joint");
    let metrics: Vec<Vec<f64>> = (0..5).map(|_| normals(40, &mut stream)).collect();
    let constant = vec![3.0; 40];
    let mut all: Vec<&[f64]> = metrics.iter().map(Vec::as_slice).collect();
    all.push(&constant);
    let rows = JointResamples::draw(40, 9_999, &mut stream).unwrap();
    let intervals = rows.simultaneous(&all, 0.95).unwrap();
    assert_eq!((intervals[5].lo, intervals[5].hi), (3.0, 3.0));
    let critical = rows.max_pivots(&all).unwrap().quantile(0.95);
    // Five independent two-sided tests at 5 % together: 2.57 for normal data.
    assert!((2.4..3.2).contains(&critical), "{critical}");
    for (metric, joint) in all.iter().zip(&intervals).take(5) {
        let alone = rows.studentised(metric).unwrap().interval(0.95).unwrap();
        assert!(joint.width() > alone.width(), "{joint} {alone}");
    }
}

/// Share of intervals that contain zero, the true mean, in percent.
fn coverage(n: usize, sets: usize, interval: impl Fn(&[f64], u64) -> Interval) -> f64 {
    let mut stream = Stream::new(22, "coverage");
    let covered = (0..sets)
        .filter(|&set| interval(&normals(n, &mut stream), set as u64).contains(0.0))
        .count();
    100.0 * covered as f64 / sets as f64
}

#[test]
fn coverage_is_what_theory_says() {
    // Three values: the percentile interval is the range, which misses the
    // mean of a symmetric distribution with probability 1/4.
    let three = coverage(3, 4_000, |x, _| exact::percentile(x, 0.95).unwrap());
    assert!((three - 75.0).abs() < 2.5, "{three}");
    // Percentile intervals of few values are too short, bootstrap-t is not.
    let percentile = coverage(8, 1_500, |x, _| fourier::percentile(x, 0.95).unwrap());
    assert!((86.0..91.0).contains(&percentile), "{percentile}");
    let t = coverage(8, 1_500, |x, seed| {
        mean::bootstrap_t(x, 0.95, 999, &mut Stream::new(seed, "t")).unwrap()
    });
    assert!((92.5..97.0).contains(&t), "{t}");
    let bca = coverage(100, 1_500, |x, _| fourier::bca(x, 0.95).unwrap());
    assert!((92.5..96.5).contains(&bca), "{bca}");
    let median = |x: &[f64], seed| {
        order_statistics::percentile(x, 0.5, 0.95, 999, &mut Stream::new(seed, "m")).unwrap()
    };
    let median = coverage(51, 1_500, median);
    assert!((91.5..97.0).contains(&median), "{median}");
}
