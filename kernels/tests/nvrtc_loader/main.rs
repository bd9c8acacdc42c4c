//! NVRTC: where it is looked for, and what it makes of the sources.
#![cfg(feature = "cuda")]

mod compile;
mod search;
