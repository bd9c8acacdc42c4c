use super::interval::{bisect_limits, limits, subset_means};
use super::*;

fn sizes(n: usize) -> Vec<f64> {
    let mut stream = Stream::new(11, "test");
    (0..n).map(|_| stream.unit() + 0.01).collect()
}

#[test]
fn halves_count_what_enumeration_counts() {
    for n in 2..=16 {
        let sizes = sizes(n);
        for threshold in [-1.0, 0.0, 0.3, 1.7, 4.0, 1e9] {
            assert_eq!(
                count_by_halves(&sizes, threshold),
                count_by_enumeration(&sizes, threshold),
                "n = {n}, threshold = {threshold}"
            );
        }
    }
}

#[test]
fn signed_sums_are_sorted_and_complete() {
    let sums = signed_sums(&sizes(11));
    assert_eq!(sums.len(), 1 << 11);
    assert!(sums.is_sorted());
}

#[test]
fn ties_and_zeros_are_conservative() {
    assert_eq!(sign_flip(&[0.0; 8], 0).unwrap().p, 1.0);
    assert_eq!(sign_flip(&[1.0, -1.0], 0).unwrap().p, 1.0);
    // A zero changes neither the statistic nor the p-value.
    let with = sign_flip(&[1.0, 2.0, 3.0, 0.0], 0).unwrap().p;
    assert_eq!(with, sign_flip(&[1.0, 2.0, 3.0], 0).unwrap().p);
    // Tick data: equal sums must count whatever their rounding.
    let ticks = [0.1, 0.1, 0.1, 0.1, -0.1, 0.1, 0.1, 0.1];
    assert_eq!(sign_flip(&ticks, 0).unwrap().p, 18.0 / 256.0);
}

#[test]
fn monte_carlo_meets_the_exact_test() {
    let mut d = sizes(40);
    (0..14).for_each(|i| d[i] = -d[i]);
    let exact = sign_flip(&d, 0).unwrap();
    assert_eq!(exact.method, SignFlipMethod::MeetInTheMiddle);
    d.push(0.0);
    let drawn = sign_flip(&d, 5).unwrap();
    assert_eq!(
        drawn.method,
        SignFlipMethod::MonteCarlo {
            draws: MONTE_CARLO_DRAWS
        }
    );
    let error = (exact.p * (1.0 - exact.p) / MONTE_CARLO_DRAWS as f64).sqrt();
    assert!(
        (exact.p - drawn.p).abs() < 5.0 * error,
        "{} {}",
        exact.p,
        drawn.p
    );
    assert_eq!(drawn, sign_flip(&d, 5).unwrap());
}

#[test]
fn smallest_p_is_reached() {
    for n in [1, 6, 12, 13, 40] {
        assert_eq!(sign_flip(&vec![1.0; n], 0).unwrap().p, smallest_p(n));
    }
    assert_eq!(sign_flip(&vec![1.0; 60], 0).unwrap().p, smallest_p(60));
}

#[test]
fn intervals_of_all_methods_agree() {
    let mut d = sizes(16);
    d[3] = -d[3];
    d.sort_by(f64::total_cmp);
    let k = 1638;
    let by_means = limits(&mut subset_means(&d), k, SignFlipMethod::Enumeration);
    let (lo, hi) = bisect_limits(&d, k);
    assert!((by_means.lo.unwrap() - lo.unwrap()).abs() < 1e-11);
    assert!((by_means.hi.unwrap() - hi.unwrap()).abs() < 1e-11);

    let d = sizes(28);
    let exact = sign_flip_interval(&d, 0.95, 0).unwrap();
    let more: Vec<f64> = d
        .iter()
        .copied()
        .chain([super::super::sample::mean(&d)])
        .collect();
    let drawn = sign_flip_interval(&more, 0.95, 0).unwrap();
    let width = exact.hi.unwrap() - exact.lo.unwrap();
    assert!((exact.lo.unwrap() - drawn.lo.unwrap()).abs() < 0.1 * width);
    assert!((exact.hi.unwrap() - drawn.hi.unwrap()).abs() < 0.1 * width);
}

#[test]
fn refuses_what_is_not_a_number() {
    use super::super::EstimateError::{NonFinite, TooFew};
    assert_eq!(sign_flip(&[], 0), Err(TooFew { needed: 1, got: 0 }));
    assert_eq!(sign_flip(&[1.0, f64::NAN], 0), Err(NonFinite { index: 1 }));
    assert_eq!(sign_flip(&[f64::MAX, f64::MAX], 0).unwrap().p, 0.5);
}

#[test]
fn strata_are_weighed_alike() {
    let strata = vec![
        vec![1.0, 1.2, 0.9],
        vec![100.0, -130.0, 90.0],
        vec![0.0, 0.0],
    ];
    let units = standardise(&strata).unwrap();
    assert_eq!(units.len(), 8);
    assert!(units.iter().all(|u| u.abs() < 1.5));
    assert!(stratified_sign_flip(&[], 0).is_err());
    let scaled = vec![vec![10.0, 12.0, 9.0], vec![1.0, -1.3, 0.9], vec![0.0, 0.0]];
    let p = stratified_sign_flip(&strata, 0).unwrap().p;
    assert_eq!(p, stratified_sign_flip(&scaled, 0).unwrap().p);
}

#[test]
fn sums_near_the_largest_number_do_not_overflow() {
    let mut huge = vec![0.0; 17];
    huge[6] = 6.843_082_325_033_925e307;
    let small: Vec<f64> = huge.iter().map(|v| v * 1e-300).collect();
    assert_eq!(
        sign_flip(&huge, 0).unwrap().p,
        sign_flip(&small, 0).unwrap().p
    );
}
