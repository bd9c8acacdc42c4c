//! Intervals of the mean without randomness, at any n.
//!
//! The choice for large samples: no seed, the same bits everywhere, and far
//! cheaper than resampling. See [`Grid`].

use crate::acceleration::acceleration_of_mean;
use crate::distribution::BootstrapDistribution;
use crate::error::Error;
use crate::grid::Grid;
use crate::interval::Interval;

/// The bootstrap distribution of the mean on the usual grid.
///
/// # Errors
/// Empty or non-finite data.
pub fn replicates(x: &[f64]) -> Result<Grid, Error> {
    Grid::of_mean(x, Grid::points_for(x.len()))
}

/// Percentile interval of the mean.
///
/// # Errors
/// Empty or non-finite data; level outside (0, 1).
pub fn percentile(x: &[f64], level: f64) -> Result<Interval, Error> {
    replicates(x)?.percentile(level)
}

/// Basic interval of the mean.
///
/// # Errors
/// As [`percentile`].
pub fn basic(x: &[f64], level: f64) -> Result<Interval, Error> {
    replicates(x)?.basic(level)
}

/// BCa interval of the mean.
///
/// # Errors
/// As [`percentile`].
///
/// ```
/// let x = [0.7532, 0.9371, 1.0517, 1.5074, 0.9613, 1.0061, 1.2926, 0.3812];
/// let ci = bootstrap::fourier::bca(&x, 0.95)?;
/// assert!(ci.contains(1.0) && ci.width() < 0.5);
/// # Ok::<(), bootstrap::Error>(())
/// ```
pub fn bca(x: &[f64], level: f64) -> Result<Interval, Error> {
    replicates(x)?.bca(level, acceleration_of_mean(x)?)
}
