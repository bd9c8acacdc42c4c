//! Swapping labels, permuting units, shifting and scaling.

use super::super::*;
use super::{near, units};
use proptest::prelude::*;

fn negated(d: &[f64]) -> Vec<f64> {
    d.iter().map(|v| -v).collect()
}

fn rotated(d: &[f64], by: usize) -> Vec<f64> {
    let mut d = d.to_vec();
    let by = by % d.len();
    d.rotate_left(by);
    d.reverse();
    d
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn swapping_the_arms_keeps_p(d in units(1..30), seed: u64) {
        prop_assert_eq!(sign_flip(&d, seed)?.p, sign_flip(&negated(&d), seed)?.p);
        prop_assert!(near(wilcoxon(&d)?.p, wilcoxon(&negated(&d))?.p, 1e-12));
        let (ours, theirs) = (wins_losses_ties(&d, 0.1)?, wins_losses_ties(&negated(&d), 0.1)?);
        prop_assert_eq!((ours.wins, ours.losses), (theirs.losses, theirs.wins));
    }

    #[test]
    fn swapping_the_arms_negates_log_ratios(
        pairs in prop::collection::vec((1e-3..1e3f64, 1e-3..1e3f64), 1..20)
    ) {
        let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let (forth, back) = (paired_log_ratios(&a, &b)?, paired_log_ratios(&b, &a)?);
        prop_assert!(forth.iter().zip(&back).all(|(x, y)| *x == 0.0 - y));
    }

    #[test]
    fn a_scale_changes_no_p_value(d in units(2..16), power in -20i32..20) {
        // Powers of two scale exactly.
        let factor = f64::from(power).exp2();
        let scaled: Vec<f64> = d.iter().map(|v| v * factor).collect();
        prop_assert_eq!(sign_flip(&d, 1)?.p, sign_flip(&scaled, 1)?.p);
        prop_assert_eq!(wilcoxon(&d)?.p, wilcoxon(&scaled)?.p);
        let (ours, theirs) = (sign_flip_interval(&d, 0.9, 1)?, sign_flip_interval(&scaled, 0.9, 1)?);
        prop_assert_eq!(ours.lo.map(|v| v * factor), theirs.lo);
        let (ours, theirs) = (e_process(&d)?, e_process(&scaled)?);
        prop_assert!(ours.iter().zip(&theirs).all(|(a, b)| near(*a, *b, 1e-12)));
    }

    #[test]
    fn adjusted_p_values_are_ordered(ps in prop::collection::vec(0.0..1.0f64, 1..12)) {
        let (holm, bh) = (holm(&ps)?, benjamini_hochberg_for_dashboards(&ps)?);
        for i in 0..ps.len() {
            prop_assert!(ps[i] <= bh[i] && bh[i] <= holm[i] && holm[i] <= 1.0);
        }
    }

    #[test]
    fn max_t_adjusts_upwards(
        rows in prop::collection::vec(prop::collection::vec(-5.0..5.0f64, 7), 1..5)
    ) {
        let joint = max_t(&rows, 3)?;
        for (i, row) in rows.iter().enumerate() {
            prop_assert_eq!(joint.raw[i], sign_flip(row, 0)?.p);
            prop_assert!(joint.raw[i] <= joint.adjusted[i]);
            prop_assert!(joint.adjusted[i] <= joint.single_step[i]);
        }
    }
}

proptest! {
    // Enumeration and resampling take their time without optimisation.
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn swapping_the_arms_mirrors_intervals(d in units(6..10)) {
        let (ours, theirs) = (mean_interval(&d, 0.95, 0)?, mean_interval(&negated(&d), 0.95, 0)?);
        let (ours, theirs) = (ours.unwrap(), theirs.unwrap());
        prop_assert!(near(ours.lo, -theirs.hi, 1e-9), "{ours:?} {theirs:?}");
        prop_assert!(near(ours.hi, -theirs.lo, 1e-9), "{ours:?} {theirs:?}");
        let (ours, theirs) = (hodges_lehmann(&d, 0.95)?, hodges_lehmann(&negated(&d), 0.95)?);
        prop_assert_eq!(ours.lo.map(|v| v + 0.0), theirs.hi.map(|v| 0.0 - v));
    }

    #[test]
    fn the_order_of_units_does_not_matter(d in units(6..45), by: usize, seed: u64) {
        let other = rotated(&d, by);
        prop_assert_eq!(sign_flip(&d, seed)?, sign_flip(&other, seed)?);
        let (ours, theirs) =
            (mean_interval(&d, 0.95, seed)?.unwrap(), mean_interval(&other, 0.95, seed)?.unwrap());
        prop_assert!(near(ours.lo, theirs.lo, 1e-9) && near(ours.hi, theirs.hi, 1e-9));
        prop_assert_eq!(wilcoxon(&d)?, wilcoxon(&other)?);
        prop_assert_eq!(precision_stop(&d, 1.0, 0.95)?, precision_stop(&other, 1.0, 0.95)?);
    }

    #[test]
    fn a_shift_moves_the_interval(d in units(6..40), shift in -100.0..100.0f64, seed: u64) {
        let moved: Vec<f64> = d.iter().map(|v| v + shift).collect();
        let ours = mean_interval(&d, 0.95, seed)?.unwrap();
        let theirs = mean_interval(&moved, 0.95, seed)?.unwrap();
        prop_assume!(ours.hi - ours.lo > 1e-6 && ours.is_bounded());
        prop_assert!((ours.lo + shift - theirs.lo).abs() < 1e-8, "{ours:?} {theirs:?}");
        prop_assert!((ours.hi + shift - theirs.hi).abs() < 1e-8, "{ours:?} {theirs:?}");
    }

    #[test]
    fn wider_levels_contain_narrower_ones(d in units(6..30), seed: u64) {
        let (narrow, wide) = (mean_interval(&d, 0.95, seed)?.unwrap(), mean_interval(&d, 0.99, seed)?.unwrap());
        prop_assert!(wide.lo <= narrow.lo && narrow.hi <= wide.hi);
        prop_assert!(narrow.lo <= narrow.mean && narrow.mean <= narrow.hi);
        let (narrow, wide) = (serial_interval(&d, 0.95, seed)?.unwrap(), serial_interval(&d, 0.99, seed)?.unwrap());
        prop_assert!(wide.lo <= narrow.lo && narrow.hi <= wide.hi);
    }
}
