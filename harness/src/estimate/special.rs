//! Distribution functions with the same bits on every platform.
//!
//! `ln`, `exp` and the gamma function come from `libm`, never from the
//! platform. Tails are computed directly, not as one minus the other side, so
//! small p-values keep their relative accuracy (about 1e-12).
//!
//! Arguments outside a function's domain give NaN here, as in `libm`; the
//! estimators check their inputs before they call.

use libm::{exp, log, log1p};

use incomplete::{Tail, beta_kernel, beta_odds, beta_pair, gamma_kernel, gamma_tail, invert};

mod incomplete;

/// Regularised incomplete beta function `I_x(a, b)`, `a, b > 0`, `0 <= x <= 1`.
///
/// ```
/// use evenhand_harness::estimate::special::beta_inc;
/// assert!((beta_inc(1.0, 1.0, 0.3) - 0.3).abs() < 1e-15);
/// ```
#[must_use]
pub fn beta_inc(a: f64, b: f64, x: f64) -> f64 {
    let inside = a > 0.0 && b > 0.0 && (0.0..=1.0).contains(&x);
    if inside {
        beta_pair(a, b, x, 1.0 - x)
    } else {
        f64::NAN
    }
}

/// Quantile of Beta(a, b) for `0 <= p <= 1`.
#[must_use]
pub fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    if !(a > 0.0 && b > 0.0 && (0.0..=1.0).contains(&p)) {
        return f64::NAN;
    }
    if p == 0.0 || p == 1.0 {
        return p;
    }
    let odds = if p <= 0.5 {
        beta_odds(p, Tail::Lower, a, b)
    } else {
        beta_odds(1.0 - p, Tail::Upper, a, b)
    };
    if odds.is_infinite() {
        1.0
    } else {
        odds / (1.0 + odds)
    }
}

/// Upper tail `P(T > t)` of Student's t with `df > 0` degrees of freedom.
#[must_use]
pub fn student_t_sf(t: f64, df: f64) -> f64 {
    if t.is_nan() || df.is_nan() || df <= 0.0 {
        return f64::NAN;
    }
    let half = 0.5 * student_t_two_sided(t, df);
    if t >= 0.0 { half } else { 1.0 - half }
}

/// `P(|T| > |t|)` of Student's t: the two-sided p-value.
#[must_use]
pub fn student_t_two_sided(t: f64, df: f64) -> f64 {
    if t.is_nan() || df.is_nan() || df <= 0.0 {
        return f64::NAN;
    }
    // Dividing first keeps the square of a large t inside the range.
    let ratio = t / df.sqrt();
    let square = ratio * ratio;
    if square.is_infinite() {
        return 0.0;
    }
    beta_pair(0.5 * df, 0.5, 1.0 / (1.0 + square), square / (1.0 + square))
}

/// Distribution function of Student's t.
///
/// ```
/// use evenhand_harness::estimate::special::student_t_cdf;
/// assert_eq!(student_t_cdf(0.0, 7.0), 0.5);
/// ```
#[must_use]
pub fn student_t_cdf(t: f64, df: f64) -> f64 {
    student_t_sf(-t, df)
}

/// The `t > 0` with `P(T > t) = tail`, for `0 < tail <= 1/2`.
///
/// Taking the tail itself avoids the rounding of `1 - tail`.
#[must_use]
pub fn student_t_upper(tail: f64, df: f64) -> f64 {
    if !(df > 0.0 && tail > 0.0 && tail <= 0.5) {
        return f64::NAN;
    }
    // t^2 / df are the odds of Beta(1/2, df/2).
    let odds = if tail > 0.25 {
        let centre = 1.0 - 2.0 * tail;
        if centre <= 0.0 {
            return 0.0;
        }
        beta_odds(centre, Tail::Lower, 0.5, 0.5 * df)
    } else {
        beta_odds(2.0 * tail, Tail::Upper, 0.5, 0.5 * df)
    };
    (odds * df).sqrt()
}

/// Quantile of Student's t for `0 < p < 1`.
#[must_use]
pub fn student_t_quantile(p: f64, df: f64) -> f64 {
    if p < 0.5 {
        -student_t_upper(p, df)
    } else {
        student_t_upper(1.0 - p, df)
    }
}

/// Distribution function of F with `d1`, `d2` degrees of freedom.
#[must_use]
pub fn f_cdf(f: f64, d1: f64, d2: f64) -> f64 {
    f_tail(f, d1, d2, Tail::Lower)
}

/// Upper tail of F: the p-value of an analysis of variance.
#[must_use]
pub fn f_sf(f: f64, d1: f64, d2: f64) -> f64 {
    f_tail(f, d1, d2, Tail::Upper)
}

fn f_tail(f: f64, d1: f64, d2: f64, side: Tail) -> f64 {
    if !(d1 > 0.0 && d2 > 0.0) || f.is_nan() {
        return f64::NAN;
    }
    let odds = f.max(0.0) * (d1 / d2);
    let (x, y) = if odds.is_infinite() {
        (1.0, 0.0)
    } else {
        (odds / (1.0 + odds), 1.0 / (1.0 + odds))
    };
    match side {
        Tail::Lower => beta_pair(0.5 * d1, 0.5 * d2, x, y),
        Tail::Upper => beta_pair(0.5 * d2, 0.5 * d1, y, x),
    }
}

/// Quantile of F for `0 < p < 1`.
#[must_use]
pub fn f_quantile(p: f64, d1: f64, d2: f64) -> f64 {
    if !(d1 > 0.0 && d2 > 0.0 && p > 0.0 && p < 1.0) {
        return f64::NAN;
    }
    let odds = if p <= 0.5 {
        beta_odds(p, Tail::Lower, 0.5 * d1, 0.5 * d2)
    } else {
        beta_odds(1.0 - p, Tail::Upper, 0.5 * d1, 0.5 * d2)
    };
    odds * (d2 / d1)
}

/// Distribution function of chi-square with `df > 0` degrees of freedom.
#[must_use]
pub fn chi_square_cdf(x: f64, df: f64) -> f64 {
    let inside = df > 0.0 && !x.is_nan();
    if inside {
        gamma_tail(0.5 * df, 0.5 * x, Tail::Lower)
    } else {
        f64::NAN
    }
}

/// Upper tail of chi-square.
#[must_use]
pub fn chi_square_sf(x: f64, df: f64) -> f64 {
    let inside = df > 0.0 && !x.is_nan();
    if inside {
        gamma_tail(0.5 * df, 0.5 * x, Tail::Upper)
    } else {
        f64::NAN
    }
}

/// Quantile of chi-square for `0 < p < 1`.
#[must_use]
pub fn chi_square_quantile(p: f64, df: f64) -> f64 {
    if !(df > 0.0 && p > 0.0 && p < 1.0) {
        return f64::NAN;
    }
    let a = 0.5 * df;
    let (target, side) = if p <= 0.5 {
        (p, Tail::Lower)
    } else {
        (1.0 - p, Tail::Upper)
    };
    let tail = |u: f64| (gamma_tail(a, exp(u), side), gamma_kernel(a, exp(u)));
    2.0 * exp(invert(target, log(a), side, tail))
}

/// `P(X <= k)` for `X` binomial with `n` trials of probability `0 <= p <= 1`.
#[must_use]
pub fn binomial_cdf(k: u64, n: u64, p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if k >= n {
        return 1.0;
    }
    beta_pair((n - k) as f64, k as f64 + 1.0, 1.0 - p, p)
}

/// `P(X > k)` for `X` binomial, computed as a tail of its own.
#[must_use]
pub fn binomial_sf(k: u64, n: u64, p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if k >= n {
        return 0.0;
    }
    beta_pair(k as f64 + 1.0, (n - k) as f64, p, 1.0 - p)
}

/// `P(X = k)` for `X` binomial.
#[must_use]
pub fn binomial_pmf(k: u64, n: u64, p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if k > n {
        return 0.0;
    }
    if k == 0 {
        return if p == 1.0 {
            f64::from(n == 0)
        } else {
            exp(n as f64 * log1p(-p))
        };
    }
    if k == n {
        return exp(n as f64 * log(p));
    }
    let (k, rest) = (k as f64, (n - k) as f64);
    beta_kernel(k, rest, p, 1.0 - p) * (n as f64) / (k * rest)
}

/// Lower and upper tail of the standard normal around `z`.
pub(crate) fn normal_two_sided(z: f64) -> f64 {
    libm::erfc(z.abs() * std::f64::consts::FRAC_1_SQRT_2)
}

#[cfg(test)]
mod tests;
