//! Families: many comparisons, one error rate.

use super::error::{EstimateError, Result};

/// Holm's adjusted p-values, in the order given (Scand. J. Statist. 6, 1979).
///
/// Valid under any dependence. A family error rate of alpha is kept by
/// claiming what has an adjusted p at or below alpha.
///
/// # Errors
/// `OutOfRange` for anything outside `[0, 1]`.
///
/// ```
/// use evenhand_harness::estimate::holm;
/// assert_eq!(holm(&[0.01, 0.5, 0.02])?, [0.03, 0.5, 0.04]);
/// # Ok::<(), evenhand_harness::estimate::EstimateError>(())
/// ```
pub fn holm(ps: &[f64]) -> Result<Vec<f64>> {
    let order = ascending(ps)?;
    let mut adjusted = vec![0.0; ps.len()];
    let mut running: f64 = 0.0;
    for (rank, &i) in order.iter().enumerate() {
        running = running.max(((ps.len() - rank) as f64 * ps[i]).min(1.0));
        adjusted[i] = running;
    }
    Ok(adjusted)
}

/// Benjamini and Hochberg's adjusted p-values (JRSS B 57, 1995), for
/// dashboards only.
///
/// It bounds the expected *share* of false findings, not the chance of any:
/// next to one real effect 7-9 % of families get a false one too. Claims use
/// [`holm`] or [`max_t`](super::max_t).
///
/// # Errors
/// `OutOfRange` for anything outside `[0, 1]`.
pub fn benjamini_hochberg_for_dashboards(ps: &[f64]) -> Result<Vec<f64>> {
    let order = ascending(ps)?;
    let mut adjusted = vec![0.0; ps.len()];
    let mut running: f64 = 1.0;
    for (rank, &i) in order.iter().enumerate().rev() {
        // The factor first: it is at least 1, so no p-value shrinks by rounding.
        running = running.min(ps[i] * (ps.len() as f64 / (rank + 1) as f64));
        adjusted[i] = running;
    }
    Ok(adjusted)
}

fn ascending(ps: &[f64]) -> Result<Vec<usize>> {
    if let Some(&value) = ps.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        return Err(EstimateError::OutOfRange { name: "p", value });
    }
    let mut order: Vec<usize> = (0..ps.len()).collect();
    order.sort_by(|&a, &b| ps[a].total_cmp(&ps[b]));
    Ok(order)
}
