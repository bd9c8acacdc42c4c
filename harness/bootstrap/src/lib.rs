//! Seeded, bit-reproducible bootstrap resampling.
//!
//! Pure functions of numbers and a seed: no clock, no I/O, no platform
//! dependence. The same inputs give the same bits everywhere.

mod stream;

pub use stream::Stream;
