//! Other tools' data, in and out. Holds no statistics.

pub mod criterion;
#[cfg(feature = "cli")]
pub mod pairs;
