use evenhand_kernels::inputs::{LARGEST, normal, uniform};

#[test]
fn values_look_normal_and_stay_in_bounds() {
    let x = normal(7, "test", 2.0, 100_000);
    let mean = x.iter().map(|&v| f64::from(v)).sum::<f64>() / x.len() as f64;
    let variance = x
        .iter()
        .map(|&v| (f64::from(v) - mean).powi(2))
        .sum::<f64>()
        / x.len() as f64;
    assert!(mean.abs() < 0.03, "mean {mean}");
    assert!(
        (variance.sqrt() - 2.0).abs() < 0.02,
        "standard deviation {}",
        variance.sqrt()
    );
    for v in x {
        assert!(f64::from(v.abs()) >= 2.0 / 1024.0 && f64::from(v.abs()) <= 2.0 * LARGEST);
    }
}

#[test]
fn seed_and_label_decide_everything() {
    assert_eq!(normal(7, "a", 1.0, 9), normal(7, "a", 1.0, 9));
    assert_eq!(normal(7, "a", 1.0, 9)[..4], normal(7, "a", 1.0, 4));
    assert_ne!(normal(7, "a", 1.0, 9), normal(8, "a", 1.0, 9));
    assert_ne!(normal(7, "a", 1.0, 9), normal(7, "b", 1.0, 9));
}

#[test]
fn uniform_numbers_stay_below_one() {
    for seed in 0..1000 {
        assert!((0.0..1.0).contains(&uniform(seed, "test")));
    }
}
