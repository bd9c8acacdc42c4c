//! Nothing panics, and no NaN comes out, whatever goes in.

use super::super::*;
use proptest::prelude::*;

/// Any number at all: huge, tiny, repeated, zero, infinite or NaN.
fn anything(size: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<f64>> {
    let number = prop_oneof![
        4 => -1e3..1e3f64,
        2 => Just(1.0),
        1 => Just(0.0),
        1 => any::<f64>(),
    ];
    prop::collection::vec(number, size)
}

fn any_level() -> impl Strategy<Value = f64> {
    prop_oneof![6 => 0.5..0.9999f64, 1 => any::<f64>(), 1 => Just(1.0), 1 => Just(0.0)]
}

fn clean(values: &[f64]) -> bool {
    values.iter().all(|v| !v.is_nan())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn units(d in anything(0..20), level in any_level(), seed: u64) {
        if let Ok(test) = sign_flip(&d, seed) {
            prop_assert!(test.p > 0.0 && test.p <= 1.0);
        }
        for ci in [mean_interval(&d, level, seed), serial_interval(&d, level, seed)].into_iter().flatten().flatten() {
                prop_assert!(clean(&[ci.lo, ci.hi, ci.mean]) && ci.lo <= ci.hi, "{ci:?}");
        }
        if let Ok(ci) = sign_flip_interval(&d, level, seed) {
            prop_assert!(clean(&[ci.lo.unwrap_or(0.0), ci.hi.unwrap_or(0.0)]));
        }
        if let Ok(t) = t_interval(&d, level) {
            prop_assert!(clean(&[t.lo, t.hi, t.stderr, t.t.unwrap_or(0.0), t.p.unwrap_or(0.0)]));
        }
        if let Ok(t) = tost(&d, -1.0, level, 0.05) {
            prop_assert!(clean(&[t.p_low, t.p_upp, t.lo, t.hi]));
        }
        if let Ok(s) = Summary::of(&d) {
            prop_assert!(clean(&[s.mean, s.sd.unwrap_or(0.0), s.min, s.max]) && s.mean.is_finite());
        }
        if let Ok(w) = wilcoxon(&d) {
            prop_assert!((0.0..=1.0).contains(&w.p));
        }
        if let Ok(h) = hodges_lehmann(&d, level) {
            prop_assert!(clean(&[h.shift, h.lo.unwrap_or(0.0), h.hi.unwrap_or(0.0)]));
        }
        if let Ok(p) = precision_stop(&d, 1.0, level) {
            prop_assert!(p.half_width.is_finite());
        }
        if let Ok(path) = e_process(&d) {
            prop_assert!(path.iter().all(|e| e.is_finite() && *e >= 0.0));
        }
        if let Ok(bound) = unseen_mode_bound(d.len(), level) {
            prop_assert!((0.0..=1.0).contains(&bound));
        }
        let _ = wins_losses_ties(&d, level);
        let _ = obrien_fleming_looks(&[d.len(), 30], level);
        let _ = holm(&d);
    }

    #[test]
    fn series(d in anything(0..40), level in any_level()) {
        if let Ok(r) = lag1(&d) {
            prop_assert!(clean(&[r.r1, r.r1c, r.ess, r.n_eff]) && r.n_eff >= 1.0, "{r:?}");
        }
        if let Ok(t) = trend(&d) {
            prop_assert!(clean(&[t.slope, t.stderr, t.p]), "{t:?}");
        }
        if let Ok(c) = ewc_interval(&d, level) {
            prop_assert!(clean(&[c.lo, c.hi, c.omega]), "{c:?}");
        }
        if let Ok(b) = politis_white(&d) {
            prop_assert!(clean(&[b.stationary, b.circular]), "{b:?}");
        }
        if let Ok(n) = exceedance_n_eff(&d, level) {
            prop_assert!(n > 0.0 && n <= d.len() as f64);
        }
        for ci in [quantile_interval(&d, level, 0.9), quantile_interval_serial(&d, 0.5, level)].into_iter().flatten() {
                prop_assert!(ci.quantile.is_finite());
                prop_assert!(ci.limits.is_none_or(|l| l.lo <= l.hi && l.coverage <= 1.0));
                if let Some(zero) = quantile_difference(&ci, &ci) {
                    prop_assert!(zero.lo <= 0.0 && zero.hi >= 0.0);
                }
        }
        if let Ok(h) = harrell_davis(&d, level) {
            prop_assert!(clean(&[h.quantile, h.stderr]));
        }
        if let Ok(v) = vangel(&d, level) {
            prop_assert!(clean(&[v.cv, v.lo, v.hi.unwrap_or(0.0)]));
        }
        let _ = mlperf_early_stopping(&d, level, 0.99);
    }

    #[test]
    fn pairs(a in anything(0..14), b in anything(0..14), level in any_level(), seed: u64) {
        let n = a.len().min(b.len());
        let equal = (&a[..n], &b[..n]);
        for (a, b) in [(a.as_slice(), b.as_slice()), equal] {
            if let Ok(w) = welch(a, b, level) {
                prop_assert!(clean(&[w.t, w.df, w.p, w.lo, w.hi]), "{w:?}");
            }
            if let Ok(u) = mann_whitney(a, b) {
                prop_assert!((0.0..=1.0).contains(&u.p));
            }
            for r in [pearson(a, b, level), spearman(a, b, level)].into_iter().flatten() {
                    prop_assert!(clean(&[r.r, r.lo, r.hi]) && r.lo <= r.hi, "{r:?}");
            }
            if let Ok(c) = components(&[a.to_vec(), b.to_vec()], level) {
                prop_assert!(clean(&[c.f, c.p, c.icc, c.icc_lo, c.icc_hi, c.mean_lo, c.mean_hi]), "{c:?}");
                let _ = best_repeats(&c, 10.0, 1.0);
            }
            let _ = paired_differences(a, b);
            let _ = max_t(&[a.to_vec(), b.to_vec()], seed);
            let _ = stratified_sign_flip(&[a.to_vec(), b.to_vec()], seed);
        }
    }

    #[test]
    fn ratios(
        pairs in prop::collection::vec((0.1..1e3f64, prop_oneof![4 => 0.1..1e3f64, 1 => any::<f64>()]), 0..12),
        level in any_level(),
        seed: u64,
    ) {
        let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        if let Ok(r) = ratio_of_means(&a, &b, level, seed) {
            prop_assert!(clean(&[r.ratio, r.log_stderr, r.delta.lo, r.delta.hi, r.g]), "{r:?}");
            prop_assert!(r.hull.is_none_or(|h| h.lo <= r.delta.lo && r.delta.hi <= h.hi), "{r:?}");
            if let Fieller::Bounded(f) = r.fieller {
                prop_assert!(f.lo <= f.hi);
            }
        }
        if let Ok(g) = geometric_mean_ratio(&a, &b, level, seed) {
            prop_assert!(clean(&[g.ratio, g.t.lo, g.t.hi]));
        }
        let _ = mean_of_ratios(&a, &b, level, seed);
        let profile = Profile { control: a, candidate: b };
        if let Ok(all) = overall(&[profile.clone(), profile], 0.0, seed) {
            prop_assert!(clean(&[all.geometric, all.arithmetic, all.test.p]));
        }
    }

    #[test]
    fn counts(k in prop::array::uniform4(0u64..50), n in prop::array::uniform4(0u64..50), level in any_level()) {
        let counts = PairedCounts { both: k[0], first_only: k[1], second_only: k[2], neither: k[3] };
        for d in [newcombe_paired(&counts, level), bonett_price(&counts, level)].into_iter().flatten() {
            prop_assert!(d.lo <= d.hi && clean(&[d.difference, d.lo, d.hi]), "{d:?}");
        }
        let m = mcnemar(&counts);
        prop_assert!(m.mid_p <= m.exact && m.exact <= 1.0 && m.mid_p >= 0.0, "{m:?}");
        let cells = std::array::from_fn(|i| Cell { k: k[i], n: n[i] });
        if let Ok(a) = ablation_2x2(&cells, level) {
            prop_assert!(clean(&[a.interaction.lo, a.interaction.hi, a.first.lo, a.second.hi]));
            let main = 0.5 * (a.first_with_second_off.difference + a.first_with_second_on.difference);
            prop_assert!((main - a.first.difference).abs() < 1e-12);
        }
        let _ = untouched_arm(cells[0], cells[1], level);
        let _ = clopper_pearson(k[0], n[0], level);
    }
}

#[test]
fn degenerate_units_have_an_answer() {
    let same = [0.3; 12];
    let ci = mean_interval(&same, 0.95, 0).unwrap().unwrap();
    assert_eq!((ci.lo, ci.hi), (0.3, 0.3));
    assert_eq!(t_interval(&same, 0.95).unwrap().p, None);
    assert_eq!(lag1(&same), Err(EstimateError::NoVariation));
    assert!(serial_interval(&same, 0.95, 0).unwrap().is_some());
    // One odd unit among equal ones: the bootstrap-t has no scale to offer.
    let odd = [1.0, 1.0, 1.0, 1.0, 1.0, 2.0];
    let ci = mean_interval(&odd, 0.95, 0).unwrap().unwrap();
    assert_eq!(
        ci.warning(),
        Some(Warning::Unbounded {
            below: false,
            above: true
        })
    );
    assert_eq!(
        unseen_mode_bound(0, 0.95),
        Err(EstimateError::TooFew { needed: 1, got: 0 })
    );
}

#[test]
fn overall_statements_are_refused_when_averaging_decides() {
    let profile = |control: f64, candidate: f64| Profile {
        control: vec![control; 3],
        candidate: vec![candidate; 3],
    };
    // Halved here, doubled (and a bit) there: the mean change and the mean log disagree.
    let torn = overall(&[profile(1.0, 0.5), profile(1.0, 1.9)], 0.0, 0).unwrap();
    assert!(
        torn.refusals
            .contains(&OverallRefusal::AggregationsDisagree {
                geometric: Direction::Lower,
                arithmetic: Direction::Higher,
            })
    );
    assert!(
        torn.refusals
            .contains(&OverallRefusal::OneProfileDecides { profile: 0 })
    );
    let clear = overall(&[profile(1.0, 0.9), profile(5.0, 4.0)], 0.0, 0).unwrap();
    assert!(clear.refusals.is_empty());
    assert!(clear.profiles.iter().all(|p| p.insufficient));
    assert_eq!(
        overall(&[profile(1.0, 0.9)], 0.0, 0).unwrap().refusals,
        [OverallRefusal::SingleProfile]
    );
}

#[test]
fn unlike_metrics_have_no_average() {
    let time = MetricKind {
        id: "device_time",
        unit: "ns",
        lower_is_better: true,
    };
    let rate = MetricKind {
        id: "throughput",
        unit: "1/s",
        lower_is_better: false,
    };
    assert_eq!(require_alike(&[time, time]), Ok(()));
    let refusal = require_alike(&[time, time, rate]).unwrap_err();
    assert_eq!(
        (refusal.first.as_str(), refusal.other.as_str()),
        ("device_time", "throughput")
    );
}

#[test]
fn an_untouched_arm_that_moves_is_told() {
    let moved = untouched_arm(Cell { k: 245, n: 312 }, Cell { k: 281, n: 312 }, 0.95).unwrap();
    assert!(matches!(
        moved.warnings[..],
        [Warning::UntouchedArmMoved { .. }]
    ));
    let still = untouched_arm(Cell { k: 280, n: 312 }, Cell { k: 281, n: 312 }, 0.95).unwrap();
    assert!(still.warnings.is_empty());
}
