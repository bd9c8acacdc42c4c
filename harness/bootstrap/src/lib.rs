//! Seeded, bit-reproducible bootstrap resampling.
//!
//! Pure functions of numbers and a seed: no clock, no environment, no I/O.
//! The same inputs give the same bits on every platform, because logarithms,
//! exponentials and error functions come from `libm`, sums have one order,
//! and all random numbers come from named [`Stream`]s whose mapping is fixed.
//!
//! # Which module
//!
//! | question | module |
//! |---|---|
//! | a mean, 2 to 10 values | [`exact`]: all resamples, no randomness |
//! | a mean, any n, seeded | [`mean`] |
//! | a mean, many values | [`fourier`]: no randomness, no resampling |
//! | a quantile | [`order_statistics`]: one or two words per resample |
//! | anything else | [`statistic`]: a closure over resampled observations |
//! | several metrics of the same units | [`JointResamples`]: shared rows |
//! | several independent samples | [`strata`] |
//! | observations inside runs, runs inside processes | [`clusters`] |
//!
//! Each gives a [`BootstrapDistribution`], and every distribution gives
//! `percentile`, `basic` and `bca` intervals. [`Studentised`] gives the
//! bootstrap-t.
//!
//! # Example
//!
//! ```
//! use bootstrap::{BootstrapDistribution, Stream, acceleration_of_mean, exact, fourier, mean};
//!
//! // Log ratios of eight independently restarted pairs.
//! let x = [-0.021, -0.034, -0.018, -0.027, -0.041, -0.012, -0.029, -0.024];
//!
//! // One line per interval.
//! let mut stream = Stream::new(42, "bootstrap/softmax");
//! let seeded = mean::bootstrap_t(&x, 0.95, 9_999, &mut stream)?;
//! let ideal = exact::bootstrap_t(&x, 0.95)?;
//! assert!((seeded.hi - ideal.hi).abs() < 0.001);
//! assert!(seeded.hi < 0.0);
//!
//! // Or keep the distribution and read several intervals off it.
//! let means = mean::replicates(&x, 9_999, &mut stream)?.sorted();
//! let a = acceleration_of_mean(&x)?;
//! let (ci95, ci99) = (means.bca(0.95, a)?, means.bca(0.99, a)?);
//! assert!(ci99.lo <= ci95.lo && ci95.hi <= ci99.hi);
//!
//! // Without a seed at all.
//! assert!((fourier::bca(&x, 0.95)?.lo - ci95.lo).abs() < 0.001);
//! # Ok::<(), bootstrap::Error>(())
//! ```
//!
//! # Promises
//!
//! - No panic on data and no NaN out: what cannot be answered is an
//!   [`Error`]. ([`normal::quantile`] of something that is no probability is
//!   the one NaN.)
//! - Bounds may be infinite. A bootstrap-t interval of three values is: one
//!   of its resamples in nine has no spread, and dropping those would be
//!   claiming to know better. Print such a bound as "unbounded".
//! - Huge, tiny and denormal data neither overflow nor vanish on the way.
//! - Means are never outside the range of their data.
//! - A seed and a label give the same numbers for ever; tests pin them.
//!
//! # What the intervals are worth
//!
//! Percentile, basic and BCa intervals of a mean are too short for few
//! values: with 8 normal values a nominal 95 % percentile interval covers
//! about 88 %. Bootstrap-t holds its level there. That is a property of the
//! methods, not of the number of resamples.
#![deny(missing_docs)]

mod acceleration;
mod alias;
mod atoms;
pub mod clusters;
mod dice;
mod distribution;
mod error;
pub mod exact;
mod fft;
pub mod fourier;
mod grid;
mod groups;
mod interval;
mod joint;
pub mod mean;
pub mod moments;
pub mod normal;
pub mod order_statistics;
mod parts;
mod quantile;
mod replicates;
mod sample;
pub mod statistic;
pub mod strata;
mod stream;
mod studentised;
mod tuples;

pub use acceleration::{acceleration_of_jackknife, acceleration_of_mean, acceleration_of_strata};
pub use atoms::Atoms;
pub use distribution::BootstrapDistribution;
pub use error::Error;
pub use grid::Grid;
pub use interval::{Interval, Method, Scheme};
pub use joint::JointResamples;
pub use moments::Moments;
pub use quantile::{quantile, quantile_sorted};
pub use replicates::Replicates;
pub use stream::Stream;
pub use studentised::Studentised;
