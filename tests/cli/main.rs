//! The `cargo evenhand` command end to end, on small real sessions.

mod bundle;
mod documents;
mod golden;
mod measuring;
mod support;
mod usage;
