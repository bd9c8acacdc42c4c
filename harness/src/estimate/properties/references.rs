//! Our fast paths against definitions and against statrs.

use super::super::special::{beta_inc, chi_square_cdf, f_cdf, student_t_cdf, student_t_quantile};
use super::super::*;
use super::{near, units};
use proptest::prelude::*;
use statrs::distribution::{ChiSquared, ContinuousCDF, FisherSnedecor, StudentsT};

/// The definition: every sign vector, one sum each.
fn brute_force(d: &[f64]) -> f64 {
    let slack = 1e-9 * d.iter().map(|v| v.abs()).sum::<f64>();
    let observed = d.iter().sum::<f64>().abs() - slack;
    let signed = |bits: u32| -> f64 {
        d.iter()
            .enumerate()
            .map(|(i, v)| if bits >> i & 1 == 1 { *v } else { -v })
            .sum()
    };
    let hits = (0..1u32 << d.len())
        .filter(|&bits| signed(bits).abs() >= observed)
        .count();
    hits as f64 / f64::from(1u32 << d.len())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn sign_flip_is_its_definition(d in units(1..13)) {
        prop_assert_eq!(sign_flip(&d, 0)?.p, brute_force(&d));
    }

    #[test]
    fn meeting_in_the_middle_is_its_definition(d in units(13..16)) {
        let test = sign_flip(&d, 0)?;
        prop_assert_eq!(test.method, SignFlipMethod::MeetInTheMiddle);
        prop_assert_eq!(test.p, brute_force(&d));
    }

    #[test]
    fn the_interval_holds_what_the_test_accepts(d in units(4..9), at in 0.0..1.0f64) {
        let interval = sign_flip_interval(&d, 0.9, 0)?;
        let (Some(lo), Some(hi)) = (interval.lo, interval.hi) else { return Ok(()) };
        prop_assume!(hi - lo > 1e-3);
        let p = |shift: f64| sign_flip(&d.iter().map(|v| v - shift).collect::<Vec<_>>(), 0).unwrap().p;
        prop_assert!(p(lo + (hi - lo) * (0.001 + 0.998 * at)) > 0.1);
        prop_assert!(p(lo - 0.01) <= 0.1 && p(hi + 0.01) <= 0.1);
    }

    #[test]
    fn distributions_agree_with_statrs(x in 0.001..60.0f64, df in 0.6..400.0f64, other in 1.0..90.0f64) {
        let t = StudentsT::new(0.0, 1.0, df).unwrap();
        prop_assert!(near(student_t_cdf(x, df), t.cdf(x), 1e-9));
        prop_assert!(near(student_t_cdf(-x, df), t.cdf(-x), 1e-8));
        prop_assert!(near(chi_square_cdf(x, df), ChiSquared::new(df).unwrap().cdf(x), 1e-8));
        let f = FisherSnedecor::new(df, other).unwrap();
        prop_assert!(near(f_cdf(x, df, other), f.cdf(x), 1e-8));
    }

    #[test]
    fn t_quantiles_invert(p in 1e-9..1.0f64, df in 0.6..1e6f64) {
        prop_assume!(p < 1.0 - 1e-9);
        prop_assert!(near(student_t_cdf(student_t_quantile(p, df), df), p, 1e-11));
    }

    #[test]
    fn incomplete_beta_mirrors(a in 0.1..500.0f64, b in 0.1..500.0f64, x in 0.0..1.0f64) {
        let sum = beta_inc(a, b, x) + beta_inc(b, a, 1.0 - x);
        prop_assert!((sum - 1.0).abs() < 1e-11, "{sum}");
    }

    #[test]
    fn clopper_pearson_tails_hold_their_share(n in 1u64..400, part in 0.0..1.0f64) {
        let k = (part * (n + 1) as f64) as u64;
        let rate = clopper_pearson(k, n, 0.95)?;
        if k > 0 {
            prop_assert!(near(special::binomial_sf(k - 1, n, rate.lo), 0.025, 1e-9));
        }
        if k < n {
            prop_assert!(near(special::binomial_cdf(k, n, rate.hi), 0.025, 1e-9));
        }
        prop_assert!(rate.lo <= rate.p && rate.p <= rate.hi);
        let score = wilson(k, n, 0.95)?;
        prop_assert!(0.0 <= score.lo && score.lo <= score.p && score.p <= score.hi && score.hi <= 1.0);
    }

    #[test]
    fn jackknife_of_harrell_davis_is_its_definition(x in units(3..20), p in 0.05..0.95f64) {
        let left_out: Vec<f64> = (0..x.len())
            .map(|i| {
                let rest: Vec<f64> = x.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, v)| *v).collect();
                harrell_davis(&rest, p).unwrap().quantile
            })
            .collect();
        let n = x.len() as f64;
        let spread = Summary::of(&left_out)?.sd.unwrap() * (n - 1.0) / n.sqrt();
        let ours = harrell_davis(&x, p)?.stderr;
        prop_assert!((ours - spread).abs() < 1e-9, "{ours} {spread}");
    }
}

#[test]
fn planner_matches_its_table() {
    let table = [(1.0, 15), (0.71, 27), (0.5, 50), (0.35, 99)];
    for (effect, n) in table {
        assert_eq!(workers_needed(effect, 1.0).unwrap(), n, "{effect}");
    }
    assert_eq!(workers_needed(-0.5, 1.0).unwrap(), 50);
    assert_eq!(workers_needed(1.0, 0.0).unwrap(), planner::floor::STRONG);
    let families: Vec<u64> = [1, 6, 12, 25, 51, 102, 103]
        .map(|g| workers_for_family(g, 0.05).unwrap())
        .to_vec();
    assert_eq!(families, [6, 8, 9, 10, 11, 12, 13]);
}

#[test]
fn mlperf_rules_match_load_gen() {
    let ramp = |n: u32| (0..n).map(f64::from).collect::<Vec<_>>();
    let t = |n: u32, p: f64| {
        mlperf_early_stopping(&ramp(n), p, 0.99)
            .unwrap()
            .map(|e| e.t)
    };
    assert_eq!(t(2000, 0.9), Some(168), "LoadGen would discard 167");
    assert_eq!(
        (t(1000, 0.99), t(5000, 0.99), t(10_000, 0.99)),
        (Some(2), Some(33), Some(77))
    );
    let floor = |p: f64| mlperf_h_min(1, p, 0.99).unwrap() + 1;
    assert_eq!(
        [0.5, 0.9, 0.95, 0.97, 0.99, 0.999].map(floor),
        [11, 64, 130, 219, 662, 6_636]
    );
    assert_eq!((t(661, 0.99), t(662, 0.99)), (None, Some(1)));
    let estimate = mlperf_early_stopping(&ramp(1000), 0.99, 0.99)
        .unwrap()
        .unwrap()
        .estimate;
    assert_eq!(estimate, 998.0);
}

#[test]
fn floors_are_where_an_interval_begins() {
    for (p, floor) in [(0.5, 6), (0.9, 36), (0.95, 72), (0.99, 368)] {
        let ramp: Vec<f64> = (0..floor).map(f64::from).collect();
        assert!(
            quantile_interval(&ramp, p, 0.95).unwrap().limits.is_some(),
            "{p}"
        );
        let short = quantile_interval(&ramp[1..], p, 0.95).unwrap();
        assert!(short.limits.is_none() && !short.warnings.is_empty(), "{p}");
    }
    let one_sided = [0.9, 0.95, 0.99, 0.999].map(|p| quantile_floor_one_sided(p, 0.95).unwrap());
    assert_eq!(one_sided, [29, 59, 299, 2_995]);
}
