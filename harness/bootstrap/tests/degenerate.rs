//! Data that break careless code: one value, no spread, extremes, nonsense.

use bootstrap::{
    BootstrapDistribution, Error, Interval, JointResamples, Moments, Replicates, Stream, clusters,
    exact, fourier, mean, moments, order_statistics, statistic, strata,
};

fn stream() -> Stream {
    Stream::new(9, "degenerate")
}

fn all(x: &[f64]) -> Vec<Result<Interval, Error>> {
    vec![
        mean::percentile(x, 0.95, 200, &mut stream()),
        mean::basic(x, 0.95, 200, &mut stream()),
        mean::bca(x, 0.95, 200, &mut stream()),
        fourier::percentile(x, 0.95),
        fourier::basic(x, 0.95),
        fourier::bca(x, 0.95),
        exact::percentile(x, 0.95),
        exact::basic(x, 0.95),
        exact::bca(x, 0.95),
        order_statistics::percentile(x, 0.5, 0.95, 200, &mut stream()),
        mean::bootstrap_t(x, 0.95, 200, &mut stream()),
        exact::bootstrap_t(x, 0.95),
    ]
}

#[test]
fn one_value_is_its_own_interval() {
    for v in [0.0, -3.5, 1e300, 5e-324] {
        let answers = all(&[v]);
        let (t, rest) = (&answers[10..], &answers[..10]);
        for ci in rest {
            let ci = ci.unwrap();
            assert_eq!((ci.lo, ci.hi), (v, v), "{ci}");
        }
        for ci in t {
            assert_eq!(
                *ci,
                Err(Error::TooFewValues {
                    given: 1,
                    needed: 2
                })
            );
        }
    }
}

#[test]
fn no_spread_is_the_point() {
    for (v, n) in [
        (0.1, 3),
        (0.1, 7),
        (1e308, 5),
        (5e-324, 4),
        (-7.3, 10),
        (0.0, 2),
    ] {
        for ci in all(&vec![v; n]) {
            let ci = ci.unwrap();
            assert_eq!((ci.lo, ci.hi), (v, v), "{ci}");
        }
        assert_eq!(Moments::of(&vec![v; n]).unwrap().sd, 0.0);
        assert_eq!(bootstrap::acceleration_of_mean(&vec![v; n]), Ok(0.0));
    }
}

#[test]
fn extremes_neither_overflow_nor_vanish() {
    let shape = [0.25, 0.75, 0.5, -0.25, 0.875, 0.0, 0.125];
    let plain: Vec<Interval> = all(&shape).into_iter().map(Result::unwrap).collect();
    // Powers of two: the bounds must scale exactly wherever they are normal.
    for power in [1023, 600, 300, -300, -600, -950] {
        let scaled: Vec<f64> = shape.iter().map(|&v| libm::scalbn(v, power)).collect();
        for (a, b) in plain.iter().zip(all(&scaled)) {
            let b = b.unwrap();
            for (a, b) in [(a.lo, b.lo), (a.hi, b.hi)] {
                let want = libm::scalbn(a, power);
                assert!(
                    want == b || (want - b).abs() <= 1e-12 * want.abs(),
                    "2^{power}: {want} {b}"
                );
            }
        }
    }
    let denormal: Vec<f64> = [1.0, 2.0, 5.0, 9.0, 4.0]
        .iter()
        .map(|v| v * 5e-324)
        .collect();
    let huge = [f64::MAX, -f64::MAX, f64::MAX, 0.0, 1.0];
    let wide = [1e308, 5e-324, -1e-300, 1.0];
    for x in [&denormal[..], &huge, &wide] {
        for ci in all(x) {
            let ci = ci.unwrap();
            assert!(ci.lo <= ci.hi && !ci.lo.is_nan() && !ci.hi.is_nan(), "{ci}");
        }
        assert!(Moments::of(x).unwrap().sd > 0.0);
    }
}

#[test]
fn three_values_leave_bootstrap_t_unbounded() {
    let x = [1.0, 2.5, 3.0];
    for ci in [
        exact::bootstrap_t(&x, 0.95).unwrap(),
        mean::bootstrap_t(&x, 0.95, 9_999, &mut stream()).unwrap(),
    ] {
        assert!(!ci.is_bounded() && ci.width() == f64::INFINITY, "{ci}");
        assert!(ci.to_string().contains("unbounded"), "{ci}");
        assert!(ci.contains(2.0));
    }
    // The middle value is the mean: its threefold resample has no direction.
    let symmetric = exact::studentised(&[1.0, 2.0, 3.0]).unwrap();
    assert!(symmetric.pivots().values().contains(&0.0));
    assert_eq!(symmetric.pivots().fraction_below(), 0.5);
}

#[test]
fn ties_keep_bca_centred() {
    // A resample that repeats the sample reaches its mean in another order.
    let atoms = exact::replicates(&[0.1, 0.2, 0.3, 0.7]).unwrap();
    let mass = atoms
        .values()
        .iter()
        .zip(atoms.weights())
        .find(|(v, _)| (*v - 0.325).abs() < 1e-12)
        .unwrap()
        .1;
    assert!(mass >= 24, "{mass}");
    let symmetric = mean::replicates(&[-0.3, -0.1, 0.1, 0.3], 50_000, &mut stream()).unwrap();
    assert!(symmetric.z0().abs() < 0.02, "{}", symmetric.z0());
}

#[test]
fn nonsense_is_refused() {
    for answer in all(&[]) {
        assert!(matches!(answer, Err(Error::Empty)), "{answer:?}");
    }
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for answer in all(&[1.0, bad, 2.0]) {
            assert_eq!(answer, Err(Error::NotFinite { index: 1 }));
        }
    }
    for level in [0.0, 1.0, -0.5, 2.0, f64::NAN] {
        assert!(matches!(
            fourier::bca(&[1.0, 2.0], level),
            Err(Error::Level { .. })
        ));
        assert!(matches!(
            exact::bootstrap_t(&[1.0, 2.0], level),
            Err(Error::Level { .. })
        ));
    }
    assert_eq!(
        mean::percentile(&[1.0, 2.0], 0.95, 39, &mut stream()),
        Err(Error::TooFewResamples {
            given: 39,
            needed: 40
        })
    );
    assert!(mean::percentile(&[1.0, 2.0], 0.95, 40, &mut stream()).is_ok());
    assert!(mean::percentile(&[1.0, 2.0], 0.99, 200, &mut stream()).is_ok());
    assert!(mean::replicates(&[1.0], 0, &mut stream()).is_err());
    assert_eq!(
        exact::bca(&[0.0; 11], 0.95),
        Err(Error::TooManyValues {
            given: 11,
            limit: 10
        })
    );
    assert!(bootstrap::Grid::of_mean(&[1.0, 2.0], 100).is_err());
    assert!(bootstrap::quantile(&[1.0], 1.5).is_err());
    assert!(bootstrap::quantile(&[1.0], f64::NAN).is_err());
    assert!(JointResamples::draw(0, 10, &mut stream()).is_err());
    assert_eq!(
        JointResamples::from_rows(2, &[[0, 2]]),
        Err(Error::Index { index: 2, n: 2 })
    );
    let rows = JointResamples::draw(3, 100, &mut stream()).unwrap();
    assert_eq!(
        rows.means(&[1.0]),
        Err(Error::Lengths { left: 1, right: 3 })
    );
    assert!(rows.simultaneous(&[], 0.95).is_err());
    assert_eq!(
        statistic::replicates(&[1.0, 2.0], 10, &mut stream(), |_| f64::NAN),
        Err(Error::Statistic)
    );
    assert!(statistic::studentised(&[1.0], 10, &mut stream(), |_| (1.0, f64::NAN)).is_err());
    assert!(statistic::replicates::<f64>(&[], 10, &mut stream(), |_| 1.0).is_err());
    assert!(statistic::leave_one_out(&[1.0], |x| x[0]).is_err());
    assert!(strata::replicates::<f64>(&[], 10, &mut stream(), |_| 0.0).is_err());
    assert!(clusters::two_level(&[&[1.0][..], &[]], 10, &mut stream(), |_| 0.0).is_err());
    assert!(moments::mean(&[]).is_err());
    assert!(Replicates::new(0.0, vec![f64::NAN]).is_err());
}

#[test]
fn infinite_replicates_stay_infinite() {
    let mut values = vec![1.0; 100];
    values[..10].fill(f64::INFINITY);
    let replicates = Replicates::new(1.0, values).unwrap();
    for replicates in [replicates.clone(), replicates.sorted()] {
        let ci = replicates.percentile(0.95).unwrap();
        assert_eq!((ci.lo, ci.hi), (1.0, f64::INFINITY));
        assert_eq!(replicates.basic(0.95).unwrap().lo, f64::NEG_INFINITY);
        assert_eq!(replicates.standard_error(), f64::INFINITY);
    }
}
