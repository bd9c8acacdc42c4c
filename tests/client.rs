//! The client of the request path: hostile servers, streams of real engines,
//! metrics with known answers.
#![cfg(feature = "serving")]

mod client {
    mod known_answers;
    mod metrics;
    mod page;
    mod reuse;
    mod sse;
    mod streams;
    mod support;
    mod traps;
}
