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
    between_ranks(x, index, part, p)
}

/// Interpolates between the order statistics `index` and the next.
fn between_ranks(x: &mut [f64], index: usize, part: f64, p: f64) -> f64 {
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

/// Two quantiles in the tails, `p <= q`, of many values in no order: only the
/// tails are copied, as far as bounds guessed from every 64th value reach.
/// `None` where the values are few or the guess was wrong.
pub(crate) fn tails(x: &[f64], p: f64, q: f64) -> Option<(f64, f64)> {
    const EVERY: usize = 64;
    let mut guess: Vec<f64> = x.iter().copied().step_by(EVERY).collect();
    let known = guess.len();
    // Six standard deviations of a rank, at most half of the guess each.
    let reach = |p: f64| {
        let rank = p * known as f64;
        (rank + 6.0 * (rank * (1.0 - p)).sqrt() + 6.0) as usize
    };
    let (below, above) = (reach(p), reach(1.0 - q));
    if 2 * below.max(above) + 2 > known {
        return None;
    }
    let (_, &mut upto, rest) = guess.select_nth_unstable_by(below, f64::total_cmp);
    let (_, &mut from, _) = rest.select_nth_unstable_by(known - 2 - below - above, f64::total_cmp);
    let mut lower: Vec<f64> = x.iter().copied().filter(|&v| v <= upto).collect();
    let mut upper: Vec<f64> = x.iter().copied().filter(|&v| v >= from).collect();
    let outside = x.len() - upper.len();
    let ((low, low_part), (high, high_part)) = (place(x.len(), p), place(x.len(), q));
    if low + 2 > lower.len() || high < outside || high + 1 >= x.len() {
        return None;
    }
    Some((
        between_ranks(&mut lower, low, low_part, p),
        between_ranks(&mut upper, high - outside, high_part, q),
    ))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stream;

    #[test]
    fn tails_are_what_a_selection_of_all_gives() {
        let stream = &mut Stream::new(1, "tails");
        let drawn: Vec<f64> = (0..20_000).map(|_| stream.unit() - 0.5).collect();
        let ticks: Vec<f64> = drawn.iter().map(|v| (v * 8.0).round() / 8.0).collect();
        let unbounded: Vec<f64> = drawn
            .iter()
            .map(|&v| if v.abs() > 0.48 { v / 0.0 } else { v })
            .collect();
        let mut ascending = drawn.clone();
        ascending.sort_unstable_by(f64::total_cmp);
        for x in [drawn, ticks, unbounded, ascending, vec![-0.0; 9_000]] {
            for (p, q) in [(0.025, 0.975), (0.005, 0.995), (0.0, 0.9), (0.1, 0.99999)] {
                let (low, high) = tails(&x, p, q).expect("read off the tails");
                let (l, h) = select_two(&mut x.clone(), p, q);
                assert_eq!((low.to_bits(), high.to_bits()), (l.to_bits(), h.to_bits()));
            }
        }
    }

    #[test]
    fn tails_are_refused_where_a_guess_does_not_serve() {
        let mut misleading = vec![0.0; 20_000];
        // Every value that is looked at lies below all the others.
        for v in misleading.iter_mut().step_by(64) {
            *v = -1.0;
        }
        for (x, p, q) in [
            (&misleading[..], 0.1, 0.9),
            (&misleading[..], 0.4, 0.6),
            (&misleading[..], 0.1, 1.0),
            (&misleading[..100], 0.025, 0.975),
            (&misleading[..1], 0.0, 1.0),
        ] {
            assert_eq!(tails(x, p, q), None, "{p} {q}");
        }
    }
}
