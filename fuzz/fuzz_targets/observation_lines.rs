//! Observation files: a line that can't be read is an error, never a panic.
#![no_main]

use evenhand_harness::observation::read_worker_lines;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = read_worker_lines(text);
    }
});
