//! Hierarchical data: observations inside clusters (Davison & Hinkley
//! 1997).
//!
//! Observations of one cluster share whatever the cluster brought along, so
//! the cluster is the unit. [`replicates`] resamples clusters and keeps their
//! members (strategy 1 there: the right variance between clusters);
//! [`two_level`] also resamples the members (strategy 2: adds the variance
//! within once more, and is narrow all the same when clusters are few).
//!
//! ```
//! use bootstrap::{BootstrapDistribution, Stream, clusters, moments};
//! let runs: [&[f64]; 6] = [&[1.0, 1.1], &[1.4, 1.3], &[0.9], &[1.2, 1.2], &[1.0, 0.9], &[1.3]];
//! let mean_of_means = |c: &[&[f64]]| {
//!     c.iter().map(|run| moments::mean(run).unwrap_or(f64::NAN)).sum::<f64>() / c.len() as f64
//! };
//! let replicates = clusters::replicates(&runs, 2_000, &mut Stream::new(7, "runs"), mean_of_means)?;
//! assert!(replicates.percentile(0.95)?.contains(1.1));
//! # Ok::<(), bootstrap::Error>(())
//! ```

use crate::Stream;
use crate::acceleration::acceleration_of_jackknife;
use crate::dice::Dice;
use crate::error::{Error, check_resamples};
use crate::groups::{check_groups, refill, slices};
use crate::replicates::Replicates;
use crate::statistic;

/// The statistic over resamples of whole clusters.
///
/// # Errors
/// No cluster or an empty one; no resamples; a statistic that gives NaN, or
/// an infinity on the data themselves.
pub fn replicates<T: Copy>(
    clusters: &[&[T]],
    resamples: usize,
    stream: &mut Stream,
    statistic: impl Fn(&[&[T]]) -> f64,
) -> Result<Replicates, Error> {
    check_groups(clusters)?;
    statistic::replicates(clusters, resamples, stream, statistic)
}

/// The statistic over resamples of clusters, with the members of each drawn
/// cluster resampled in turn.
///
/// # Errors
/// As [`replicates`].
pub fn two_level<T: Copy>(
    clusters: &[&[T]],
    resamples: usize,
    stream: &mut Stream,
    statistic: impl Fn(&[&[T]]) -> f64,
) -> Result<Replicates, Error> {
    check_groups(clusters)?;
    check_resamples(resamples)?;
    let mut dice = Dice::new(stream);
    let mut drawn = vec![0; clusters.len()];
    let (mut chosen, mut buffer) = (Vec::new(), Vec::new());
    let values = (0..resamples).map(|_| {
        dice.fill(&mut drawn, clusters.len() as u64);
        chosen.clear();
        chosen.extend(drawn.iter().map(|&c| clusters[c as usize]));
        refill(&mut buffer, &chosen, &mut dice);
        statistic(&slices(&buffer, &chosen))
    });
    let values = values.collect();
    Replicates::new(statistic(clusters), values)
}

/// Acceleration for the BCa interval: the jackknife over clusters.
///
/// # Errors
/// Fewer than two clusters, or an empty one; a statistic that is not finite.
pub fn acceleration<T: Copy>(
    clusters: &[&[T]],
    statistic: impl Fn(&[&[T]]) -> f64,
) -> Result<f64, Error> {
    check_groups(clusters)?;
    acceleration_of_jackknife(&statistic::leave_one_out(clusters, statistic)?)
}
