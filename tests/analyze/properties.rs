//! What must not change a claim, and what must not break a reader.

use evenhand::interop::pairs::{CsvOptions, Declared, Document, pair, read_csv, read_json};
use evenhand_harness::claim::{Claim, Outcome, assess};
use proptest::prelude::*;

fn declared(control: &str) -> Declared {
    Declared {
        control: Some(control.to_owned()),
        metrics: vec![evenhand::interop::pairs::DeclaredMetric {
            direction: Some(evenhand_harness::plan::Direction::Lower),
            ..Default::default()
        }],
        margin: Some("1%".parse().expect("a margin")),
        unit: Some(evenhand_harness::plan::ReplicationUnit::Worker),
        order: Some(evenhand::interop::pairs::OrderText::Randomised),
        ..Declared::default()
    }
}

fn judged(text: &str, control: &str) -> Claim {
    let declared = declared(control);
    let table = read_csv(text.as_bytes(), &CsvOptions::default(), &declared).expect("readable");
    let set = pair(&table, &declared).expect("pairs");
    let imported: Vec<_> = set.comparisons.into_iter().map(|c| c.imported).collect();
    assess(&imported, &set.controls, set.seed).claims.remove(0)
}

fn rows(values: &[(f64, f64)], scale: f64) -> Vec<String> {
    let row = |(i, (a, b)): (usize, &(f64, f64))| {
        [
            format!("{i},a,{:e}\n", a * scale),
            format!("{i},b,{:e}\n", b * scale),
        ]
    };
    values.iter().enumerate().flat_map(row).collect()
}

fn csv(rows: &[String]) -> String {
    format!("unit,arm,value\n{}", rows.concat())
}

fn values() -> impl Strategy<Value = Vec<(f64, f64)>> {
    let value = prop_oneof![4 => 90.0..110.0f64, 1 => Just(100.0f64)];
    let shift = prop_oneof![Just(1.0f64), Just(0.93f64), Just(1.02f64)];
    (prop::collection::vec((value.clone(), value), 1..14), shift)
        .prop_map(|(pairs, shift)| pairs.into_iter().map(|(a, b)| (a, b * shift)).collect())
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs()))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn swapping_labels_flips_the_sign(values in values()) {
        let text = csv(&rows(&values, 1.0));
        let (ab, ba) = (judged(&text, "a"), judged(&text, "b"));
        prop_assert!(close(ab.estimate.effect, -ba.estimate.effect));
        prop_assert_eq!(ab.estimate.p, ba.estimate.p);
        prop_assert_eq!((ab.estimate.lower, ab.estimate.higher), (ba.estimate.higher, ba.estimate.lower));
        let flipped = ba.outcome.map(|o| match o {
            Outcome::Improvement => Outcome::Regression,
            Outcome::Regression => Outcome::Improvement,
        });
        // From 11 units the interval rests on drawn resamples, and those of
        // mirrored units are other draws: an end at zero may fall to either side.
        if values.len() <= 10 {
            prop_assert_eq!(ab.class, ba.class);
            prop_assert_eq!(ab.shade, ba.shade);
            prop_assert_eq!(ab.outcome, flipped);
        }
    }

    #[test]
    fn the_order_of_rows_does_not_matter(values in values(), seed in any::<u64>()) {
        let mut shuffled = rows(&values, 1.0);
        let plain = judged(&csv(&shuffled), "a");
        let mut state = seed;
        for i in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(i, (state >> 33) as usize % (i + 1));
        }
        prop_assert_eq!(judged(&csv(&shuffled), "a"), plain);
    }

    #[test]
    fn the_scale_does_not_matter_for_ratios(values in values(), scale in 1e-6..1e6f64) {
        let (plain, scaled) = (
            judged(&csv(&rows(&values, 1.0)), "a"),
            judged(&csv(&rows(&values, scale)), "a"),
        );
        prop_assert_eq!(plain.class, scaled.class);
        prop_assert!(close(plain.estimate.effect, scaled.estimate.effect));
        prop_assert_eq!(plain.estimate.p, scaled.estimate.p);
    }

    #[test]
    fn no_bytes_break_the_readers(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        survive(&bytes);
    }

    #[test]
    fn no_almost_right_text_breaks_the_readers(
        text in r#"(unit,arm,value(,order|,block|,state|,iterations)?\n)?([0-9a-c]{0,2},[ab]?,(-?[0-9]{1,3}(\.[0-9])?|nan|inf|NA|1e[0-9]{1,3})?(,[0-9a-z]{0,3})?\n){0,12}"#
    ) {
        survive(text.as_bytes());
    }

    #[test]
    fn no_almost_right_document_breaks_the_readers(
        values in prop::collection::vec(
            prop_oneof![
                Just("null".to_owned()), Just("0".to_owned()), Just("1e308".to_owned()),
                Just("-1e308".to_owned()), Just("5e-324".to_owned()),
                (-1e3..1e3f64).prop_map(|x| format!("{x}")),
            ], 0..24),
        head in r#"("unit":"(worker|request|x)",)?("margin":("1%"|0.5|"2ms"|-1),)?("estimand":"(ratio|difference)",)?("outcomes":(true|false),)?("order":"(coin|fixed)",)?"#,
    ) {
        let rows: Vec<String> = values
            .iter()
            .enumerate()
            .map(|(i, v)| format!(r#"{{"unit":{},"arm":"{}","value":{v}}}"#, i / 2, ["a", "b"][i % 2]))
            .collect();
        survive(format!(
            r#"{{"schema":"evenhand.pairs/1.0","metric":{{"id":"t","unit":"ms","direction":"lower"}},{head}"observations":[{}]}}"#,
            rows.join(",")
        ).as_bytes());
    }
}

/// Reads and judges whatever it is; an error is a good answer, a panic is not.
fn survive(bytes: &[u8]) {
    let declared = declared("a");
    let tables = [
        read_csv(bytes, &CsvOptions::default(), &declared).ok(),
        match read_json(bytes) {
            Ok(Document::Pairs(table)) => Some(*table),
            _ => None,
        },
    ];
    for table in tables.into_iter().flatten() {
        if let Ok(set) = pair(&table, &declared) {
            let imported: Vec<_> = set.comparisons.into_iter().map(|c| c.imported).collect();
            let assessment = assess(&imported, &set.controls, set.seed);
            // Nothing that is not a number may be written.
            let text = serde_json::to_string(&assessment.claims).expect("a JSON form");
            let back: Result<Vec<Claim>, _> = serde_json::from_str(&text);
            assert_eq!(back.expect("claims read back"), assessment.claims);
        }
    }
}
