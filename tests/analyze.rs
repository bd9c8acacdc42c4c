//! `cargo evenhand analyze` from outside: real published data, every way a file
//! can be wrong, and what must not change a claim.
//!
//! `EVENHAND_UPDATE=1` rewrites the goldens.

#[path = "analyze/command.rs"]
mod command;
#[path = "analyze/factorial.rs"]
mod factorial;
#[path = "analyze/families.rs"]
mod families;
#[path = "analyze/page.rs"]
mod page;
#[path = "analyze/properties.rs"]
mod properties;
#[path = "analyze/published.rs"]
mod published;
#[path = "analyze/reading.rs"]
mod reading;
#[path = "analyze/samples.rs"]
mod samples;
#[path = "analyze/verdicts.rs"]
mod verdicts;
