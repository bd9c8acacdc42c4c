//! Estimates: pure functions of numbers.
