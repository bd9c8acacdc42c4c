//! Records: read, checked, and judged again.
#![no_main]

use evenhand_harness::record::Record;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(record) = serde_json::from_slice::<Record>(bytes)
        && record.check().is_ok()
    {
        let _ = record.claims_hold();
    }
});
