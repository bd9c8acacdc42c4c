//! The `cargo evenhand` command end to end, on small real sessions.

mod bundle;
mod documents;
#[cfg(feature = "runtime")]
mod export_model;
mod golden;
mod measuring;
mod support;
#[cfg(feature = "cuda")]
mod tasks;
mod usage;
