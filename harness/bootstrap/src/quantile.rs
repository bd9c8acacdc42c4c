//! Sample quantiles of type 7.

use crate::error::{Error, check_values};

/// Sample quantile of type 7 (Hyndman & Fan 1996): linear between the order
/// statistics, with `p = 0` the minimum and `p = 1` the maximum. What numpy,
/// R and SciPy call the default.
///
/// # Errors
/// Empty or non-finite data; `p` outside `[0, 1]`.
///
/// ```
/// assert_eq!(bootstrap::quantile(&[3.0, 1.0, 2.0, 4.0], 0.5), Ok(2.5));
/// ```
pub fn quantile(x: &[f64], p: f64) -> Result<f64, Error> {
    check_values(x)?;
    check_probability(p)?;
    Ok(select(&mut x.to_vec(), p))
}

/// The same of data that are already sorted ascending, without a copy.
///
/// # Errors
/// Empty data; `p` outside `[0, 1]`; a chosen value that is not finite.
pub fn quantile_sorted(x: &[f64], p: f64) -> Result<f64, Error> {
    if x.is_empty() {
        return Err(Error::Empty);
    }
    check_probability(p)?;
    let (index, _) = place(x.len(), p);
    for index in [index, (index + 1).min(x.len() - 1)] {
        if !x[index].is_finite() {
            return Err(Error::NotFinite { index });
        }
    }
    Ok(sorted(x, p))
}

pub(crate) fn check_probability(p: f64) -> Result<(), Error> {
    if (0.0..=1.0).contains(&p) {
        Ok(())
    } else {
        Err(Error::Probability { p })
    }
}

/// Index of the lower order statistic and the weight of the upper one.
pub(crate) fn place(n: usize, p: f64) -> (usize, f64) {
    let h = (n - 1) as f64 * p;
    let index = (h as usize).min(n - 1);
    (index, h - index as f64)
}

/// Type 7 of sorted, non-empty values that may hold infinities.
pub(crate) fn sorted(x: &[f64], p: f64) -> f64 {
    let (index, part) = place(x.len(), p);
    let upper = x[(index + 1).min(x.len() - 1)];
    between(x[index], upper, part, p)
}

/// Type 7 by selection; reorders the values, which may hold infinities.
pub(crate) fn select(x: &mut [f64], p: f64) -> f64 {
    let (index, part) = place(x.len(), p);
    let (_, &mut lower, above) = x.select_nth_unstable_by(index, f64::total_cmp);
    let upper = if part > 0.0 {
        least(above, lower)
    } else {
        lower
    };
    between(lower, upper, part, p)
}

/// Two quantiles, `p <= q`, for little more than the price of one.
pub(crate) fn select_two(x: &mut [f64], p: f64, q: f64) -> (f64, f64) {
    let n = x.len();
    let ((low, low_part), (high, high_part)) = (place(n, p), place(n, q));
    if high <= low + 1 {
        let first = select(x, p);
        return (first, select(x, q));
    }
    let (_, &mut lower, above) = x.select_nth_unstable_by(low, f64::total_cmp);
    let (middle, &mut upper, rest) = above.select_nth_unstable_by(high - low - 1, f64::total_cmp);
    let next = |part: f64, values: &[f64], this: f64| {
        if part > 0.0 {
            least(values, this)
        } else {
            this
        }
    };
    (
        between(lower, next(low_part, middle, lower), low_part, p),
        between(upper, next(high_part, rest, upper), high_part, q),
    )
}

fn least(values: &[f64], otherwise: f64) -> f64 {
    values.iter().copied().reduce(f64::min).unwrap_or(otherwise)
}

/// Interpolation that keeps infinities honest: an infinite neighbour with any
/// weight makes the quantile infinite, and between -inf and +inf the outer
/// one is taken.
pub(crate) fn between(lower: f64, upper: f64, part: f64, p: f64) -> f64 {
    if part <= 0.0 || lower == upper {
        return lower;
    }
    match (lower.is_finite(), upper.is_finite()) {
        (true, true) => {
            let step = upper - lower;
            if step.is_finite() {
                (lower + part * step).min(upper)
            } else {
                lower * (1.0 - part) + upper * part
            }
        }
        (false, true) => lower,
        (true, false) => upper,
        (false, false) => {
            if p < 0.5 {
                lower
            } else {
                upper
            }
        }
    }
}
