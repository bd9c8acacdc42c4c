//! What must hold for all data.

use bootstrap::{
    BootstrapDistribution, Interval, JointResamples, Stream, exact, fourier, mean, normal,
};
use proptest::prelude::*;

fn sample(sizes: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-100.0..100.0_f64, sizes)
}

fn stream() -> Stream {
    Stream::new(5, "properties")
}

/// Every interval of the mean, by name.
fn all(x: &[f64]) -> Vec<Interval> {
    let mut intervals = vec![
        mean::percentile(x, 0.95, 400, &mut stream()).unwrap(),
        mean::basic(x, 0.95, 400, &mut stream()).unwrap(),
        mean::bca(x, 0.95, 400, &mut stream()).unwrap(),
        mean::bootstrap_t(x, 0.95, 400, &mut stream()).unwrap(),
        fourier::bca(x, 0.95).unwrap(),
        fourier::percentile(x, 0.95).unwrap(),
    ];
    if x.len() <= 7 {
        intervals.push(exact::percentile(x, 0.95).unwrap());
        intervals.push(exact::bca(x, 0.95).unwrap());
        intervals.push(exact::bootstrap_t(x, 0.95).unwrap());
    }
    intervals
}

/// Up to rounding at `scale`. Where bounds lie far beyond the data, two nearly
/// equal values have given a resample next to no variance, and rounding costs
/// its pivot most of the digits.
fn same(a: f64, b: f64, scale: f64) -> bool {
    let far = a.abs() > 10.0 * scale;
    a == b || (a - b).abs() <= if far { 1e-6 * a.abs() } else { 1e-9 * scale }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn bounds_are_ordered_and_levels_nest(x in sample(2..40)) {
        for ci in all(&x) {
            prop_assert!(ci.lo <= ci.hi, "{ci}");
        }
        let means = mean::replicates(&x, 400, &mut stream()).unwrap().sorted();
        let (narrow, wide) = (means.percentile(0.8).unwrap(), means.percentile(0.99).unwrap());
        prop_assert!(wide.lo <= narrow.lo && narrow.hi <= wide.hi);
    }

    #[test]
    fn percentile_and_bca_stay_inside_the_data(x in sample(1..40)) {
        let (min, max) = (x.iter().copied().fold(f64::MAX, f64::min), x.iter().copied().fold(f64::MIN, f64::max));
        for ci in [
            mean::percentile(&x, 0.99, 400, &mut stream()).unwrap(),
            mean::bca(&x, 0.99, 400, &mut stream()).unwrap(),
            fourier::bca(&x, 0.99).unwrap(),
        ] {
            prop_assert!(min <= ci.lo && ci.hi <= max, "{ci}");
        }
    }

    #[test]
    fn a_shift_moves_the_bounds(x in sample(2..40), shift in -1e3..1e3_f64) {
        let moved: Vec<f64> = x.iter().map(|v| v + shift).collect();
        for (a, b) in all(&x).into_iter().zip(all(&moved)) {
            prop_assert!(same(a.lo + shift, b.lo, 2e3) && same(a.hi + shift, b.hi, 2e3), "{a} {b}");
        }
    }

    #[test]
    fn a_power_of_two_scales_the_bounds_exactly(x in sample(2..40), power in -40..40_i32) {
        let scaled: Vec<f64> = x.iter().map(|&v| libm::scalbn(v, power)).collect();
        for (a, b) in all(&x).into_iter().zip(all(&scaled)) {
            prop_assert_eq!((libm::scalbn(a.lo, power), libm::scalbn(a.hi, power)), (b.lo, b.hi), "{} {}", a, b);
        }
    }

    #[test]
    fn swapping_the_arms_mirrors_the_bounds(x in sample(2..40)) {
        let mirrored: Vec<f64> = x.iter().map(|v| -v).collect();
        // Interpolated quantiles are symmetric; atoms are read from below.
        for (a, b) in all(&x).into_iter().zip(all(&mirrored)).take(6) {
            prop_assert!(same(-a.hi, b.lo, 100.0) && same(-a.lo, b.hi, 100.0), "{a} {b}");
        }
    }

    #[test]
    fn order_is_nothing_without_a_seed(x in sample(2..8), seed in any::<u64>()) {
        let mut shuffled = x.clone();
        Stream::new(seed, "shuffle").shuffle(&mut shuffled);
        for (a, b) in [
            (exact::percentile(&x, 0.95).unwrap(), exact::percentile(&shuffled, 0.95).unwrap()),
            (exact::bca(&x, 0.95).unwrap(), exact::bca(&shuffled, 0.95).unwrap()),
            (exact::bootstrap_t(&x, 0.95).unwrap(), exact::bootstrap_t(&shuffled, 0.95).unwrap()),
            (fourier::bca(&x, 0.95).unwrap(), fourier::bca(&shuffled, 0.95).unwrap()),
        ] {
            prop_assert!(same(a.lo, b.lo, 100.0) && same(a.hi, b.hi, 100.0), "{a} {b}");
        }
    }

    #[test]
    fn joint_rows_keep_metrics_together(x in sample(3..30), a in 0.5..2.0_f64, b in -5.0..5.0_f64) {
        let y: Vec<f64> = x.iter().map(|v| a * v + b).collect();
        let rows = JointResamples::draw(x.len(), 100, &mut stream()).unwrap();
        let (mx, my) = (rows.means(&x).unwrap(), rows.means(&y).unwrap());
        for (mx, my) in mx.values().iter().zip(my.values()) {
            prop_assert!(same(a * mx + b, *my, 300.0));
        }
    }

    #[test]
    fn the_first_resamples_do_not_depend_on_the_rest(x in sample(1..300)) {
        let few = mean::replicates(&x, 50, &mut stream()).unwrap();
        let many = mean::replicates(&x, 90, &mut stream()).unwrap();
        prop_assert_eq!(few.values(), &many.values()[..50]);
    }

    #[test]
    fn selection_is_sorting(x in sample(1..60), p in 0.0..1.0_f64, q in 0.0..1.0_f64) {
        let values = bootstrap::Replicates::new(0.0, x.clone()).unwrap();
        let (p, q) = (p.min(q), p.max(q));
        prop_assert_eq!(values.quantiles(p, q), values.clone().sorted().quantiles(p, q));
        prop_assert_eq!(values.quantile(p), bootstrap::quantile(&x, p).unwrap());
        let sorted = values.sorted();
        prop_assert_eq!(bootstrap::quantile_sorted(sorted.values(), p).unwrap(), sorted.quantile(p));
    }

    #[test]
    fn normal_quantile_inverts(z in -37.0..8.0_f64) {
        let p = normal::cdf(z);
        // An error of one unit in p's last place moves z by this much.
        let slack = 1e-14 * (1.0 + z.abs()) + 2e-16 * p / normal::pdf(z);
        prop_assert!((normal::quantile(p) - z).abs() <= slack, "{z} {p} {}", normal::quantile(p));
        prop_assert!((normal::cdf(-z) + p - 1.0).abs() <= 3e-16);
    }
}
