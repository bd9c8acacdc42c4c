//! Several independent samples, each resampled by itself (Davison & Hinkley
//! 1997): unpaired arms, or strata of unequal spread.
//!
//! ```
//! use bootstrap::{BootstrapDistribution, Stream, moments, strata};
//! let arms: [&[f64]; 2] = [&[5.1, 4.9, 5.4, 5.0, 5.2], &[4.1, 4.4, 4.0, 4.3]];
//! let difference = |s: &[&[f64]]| match (moments::mean(s[0]), moments::mean(s[1])) {
//!     (Ok(a), Ok(b)) => b - a,
//!     _ => f64::NAN,
//! };
//! let replicates = strata::replicates(&arms, 2_000, &mut Stream::new(7, "arms"), difference)?;
//! let a = strata::acceleration(&arms, difference)?;
//! assert!(replicates.bca(0.95, a)?.hi < 0.0);
//! # Ok::<(), bootstrap::Error>(())
//! ```

use crate::Stream;
use crate::acceleration::acceleration_of_strata;
use crate::dice::Dice;
use crate::error::{Error, check_resamples, check_values};
use crate::groups::{check_groups, refill, slices, without};
use crate::replicates::Replicates;

/// The statistic over resamples that keep every stratum at its size.
///
/// # Errors
/// No stratum or an empty one; no resamples; a statistic that gives NaN, or
/// an infinity on the data themselves.
pub fn replicates<T: Copy>(
    strata: &[&[T]],
    resamples: usize,
    stream: &mut Stream,
    statistic: impl Fn(&[&[T]]) -> f64,
) -> Result<Replicates, Error> {
    check_groups(strata)?;
    check_resamples(resamples)?;
    let mut dice = Dice::new(stream);
    let mut buffer = Vec::new();
    let values = (0..resamples).map(|_| {
        refill(&mut buffer, strata, &mut dice);
        statistic(&slices(&buffer, strata))
    });
    let values = values.collect();
    Replicates::new(statistic(strata), values)
}

/// The statistic with each observation left out in turn, by stratum.
///
/// # Errors
/// No stratum; one with fewer than two observations; a statistic that is not
/// finite.
pub fn leave_one_out<T: Copy>(
    strata: &[&[T]],
    statistic: impl Fn(&[&[T]]) -> f64,
) -> Result<Vec<Vec<f64>>, Error> {
    check_groups(strata)?;
    let mut all = Vec::with_capacity(strata.len());
    for (which, stratum) in strata.iter().enumerate() {
        if stratum.len() < 2 {
            return Err(Error::TooFewValues {
                given: stratum.len(),
                needed: 2,
            });
        }
        let values: Vec<f64> = (0..stratum.len())
            .map(|i| {
                let rest = without(stratum, i);
                let mut reduced = strata.to_vec();
                reduced[which] = &rest;
                statistic(&reduced)
            })
            .collect();
        check_values(&values).map_err(|_| Error::Statistic)?;
        all.push(values);
    }
    Ok(all)
}

/// Acceleration for the BCa interval (Davison & Hinkley 1997).
///
/// # Errors
/// As [`leave_one_out`].
pub fn acceleration<T: Copy>(
    strata: &[&[T]],
    statistic: impl Fn(&[&[T]]) -> f64,
) -> Result<f64, Error> {
    acceleration_of_strata(&leave_one_out(strata, statistic)?)
}
