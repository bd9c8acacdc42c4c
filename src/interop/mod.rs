//! Other tools' formats.

pub mod criterion;
