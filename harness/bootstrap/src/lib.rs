//! Seeded, bit-reproducible bootstrap resampling.
#![deny(missing_docs)]

mod acceleration;
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
