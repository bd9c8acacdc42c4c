//! Foreign pairs: read, paired, judged, and every claim reads back.
#![no_main]

use evenhand::interop::pairs::{
    CsvOptions, Declared, DeclaredMetric, Document, pair, read_csv, read_json,
};
use evenhand_harness::claim::{Claim, assess, judge_summary};
use evenhand_harness::plan::Direction;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let declared = Declared {
        control: Some("a".to_owned()),
        metrics: vec![DeclaredMetric {
            direction: Some(Direction::Lower),
            ..DeclaredMetric::default()
        }],
        ..Declared::default()
    };
    let csv = read_csv(bytes, &CsvOptions::default(), &declared).ok();
    let json = match read_json(bytes) {
        Ok(Document::Pairs(table)) => Some(*table),
        Ok(Document::Summaries(summaries)) => {
            for summary in &summaries.comparisons {
                let _ = judge_summary(summary);
            }
            None
        }
        Err(_) => None,
    };
    for table in [csv, json].into_iter().flatten() {
        if let Ok(set) = pair(&table, &declared) {
            let imported: Vec<_> = set.comparisons.into_iter().map(|c| c.imported).collect();
            let claims = assess(&imported, &set.controls, set.seed).claims;
            let text = serde_json::to_string(&claims).expect("claims have a JSON form");
            let back: Vec<Claim> = serde_json::from_str(&text).expect("claims read back");
            assert_eq!(back, claims);
        }
    }
});
