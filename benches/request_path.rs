//! The request path of the embedded runtime, cold and warm: what a user waits
//! for, with nothing but cargo.
//!
//! Every worker restarts its servers, so this takes longer than kernels do:
//! `cargo bench --bench request_path` took 6 min 7 s on two shared cores. Name
//! an experiment to measure it alone.

use evenhand::prelude::*;
use evenhand::runtime::Options;
use evenhand::serving::arm::{Mode, RequestPaths};
use evenhand::serving::load::Arrivals;

/// The tiny preset with one change.
fn tiny(change: impl FnOnce(&mut Options)) -> Options {
    let mut options = Options::default();
    change(&mut options);
    options
}

/// A fresh process and its first request.
fn cold(suite: &mut Suite) {
    suite
        .request_path("cold/tiny")
        .mode(Mode::Cold)
        .words(16, 32)
        .max_tokens(8)
        .control("plain", tiny(|_| {}))
        .candidate("no_statistics", tiny(|o| o.engine.statistics = false))
        .margin(percent(5.0))
        .blocks(2);
}

/// Two switches of the engine, one request at a time. Both give the same text.
fn warm(suite: &mut Suite) {
    suite
        .request_path("warm/tiny/kv_cache")
        .words(16, 32)
        .max_tokens(8)
        .metric("full@sent")
        .control("kv_on", tiny(|_| {}))
        .candidate("kv_off", tiny(|o| o.engine.kv_cache = false))
        .margin(percent(5.0))
        .blocks(6)
        .verify(outputs_equal());
    suite
        .request_path("warm/tiny/statistics")
        .words(16, 32)
        .max_tokens(8)
        .metric("full@sent")
        .control("with", tiny(|_| {}))
        .candidate("without", tiny(|o| o.engine.statistics = false))
        .margin(percent(5.0))
        .blocks(6)
        .verify(outputs_equal());
    // The same server twice: whatever is claimed here is false.
    suite
        .request_path("warm/tiny/same")
        .words(16, 32)
        .max_tokens(8)
        .control("one", tiny(|_| {}))
        .candidate("other", tiny(|_| {}))
        .margin(percent(5.0))
        .blocks(6);
}

/// Four users without pause, and requests that come by themselves.
fn loaded(suite: &mut Suite) {
    suite
        .request_path("loaded/tiny/4_users")
        .mode(Mode::Mixed)
        .users(4)
        .requests(16)
        .prompts("8-16*3,48*1".parse().expect("a mixture"))
        .max_tokens(8)
        .control("batch_16", tiny(|_| {}))
        .candidate("batch_1", tiny(|o| o.engine.batch = 1))
        .margin(percent(5.0))
        .blocks(2);
    suite
        .request_path("loaded/tiny/poisson")
        .rate(40.0, Arrivals::Poisson)
        .requests(10)
        .words(16, 16)
        .max_tokens(8)
        .control("batch_16", tiny(|_| {}))
        .candidate("batch_1", tiny(|o| o.engine.batch = 1))
        .margin(percent(5.0))
        .blocks(2);
}

evenhand::main!(cold, warm, loaded);
