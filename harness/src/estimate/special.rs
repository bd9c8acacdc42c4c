//! Distribution functions with the same bits on every platform.
//!
//! `ln`, `exp` and the gamma function come from `libm`, never from the
//! platform. Tails are computed directly, not as one minus the other side, so
//! small p-values keep their relative accuracy (about 1e-12).
//!
//! Arguments outside a function's domain give NaN here, as in `libm`; the
//! estimators check their inputs before they call.

use libm::{exp, lgamma, log, log1p};

const LN_SQRT_2PI: f64 = 0.918_938_533_204_672_8;

/// `ln Gamma(x + 1)` minus Stirling's main terms.
///
/// Loader, "Fast and Accurate Computation of Binomial Probabilities" (2000).
fn stirling_error(x: f64) -> f64 {
    if x < 16.0 {
        return lgamma(x + 1.0) - (x + 0.5) * log(x) + x - LN_SQRT_2PI;
    }
    let z = 1.0 / (x * x);
    let tail = 1.0 / 1188.0 - z * (691.0 / 360_360.0 - z / 156.0);
    (1.0 / 12.0 - z * (1.0 / 360.0 - z * (1.0 / 1260.0 - z * (1.0 / 1680.0 - z * tail)))) / x
}

/// Loader's deviance `x ln(x / m) + m - x`, without cancellation near `x = m`;
/// the caller knows the gap `x - m` better than a subtraction would.
fn deviance(x: f64, m: f64, gap: f64) -> f64 {
    if gap.abs() >= 0.1 * (x + m) {
        return x * log(x / m) - gap;
    }
    let v = gap / (x + m);
    let mut sum = gap * v;
    let mut power = 2.0 * x * v;
    for j in 1..1000 {
        power *= v * v;
        let next = sum + power / f64::from(2 * j + 1);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

/// `x^a y^b / B(a, b)` for `x + y = 1`, by Loader's saddle point.
fn beta_kernel(a: f64, b: f64, x: f64, y: f64) -> f64 {
    if x <= 0.0 || y <= 0.0 {
        return 0.0;
    }
    let n = a + b;
    let correction = stirling_error(n) - stirling_error(a) - stirling_error(b);
    let gap = a * y - b * x;
    let exponent = correction - deviance(a, n * x, gap) - deviance(b, n * y, -gap);
    let scale = (a / n * b) / std::f64::consts::TAU;
    exp(exponent) * scale.sqrt()
}

/// Regularised incomplete beta `I_x(a, b)` with `y = 1 - x` given apart, so
/// that neither end loses digits.
///
/// Continued fraction (DLMF 8.17.22) by Lentz's method.
fn beta_pair(a: f64, b: f64, x: f64, y: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if y <= 0.0 {
        return 1.0;
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_pair_fraction(b, a, y, x);
    }
    beta_pair_fraction(a, b, x, y)
}

/// The even part of that fraction, in the form of Boost's `ibeta_fraction2`:
/// `a y - b x` in place of `a - (a + b) x` survives large parameters.
fn beta_pair_fraction(a: f64, b: f64, x: f64, y: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let guard = |v: f64| if v.abs() < TINY { TINY } else { v };
    let gap = a * y - b * x;
    let term = |m: f64| {
        let near = a + 2.0 * m - 1.0;
        let over = (m * (a + m - 1.0) / near) * ((a + b + m - 1.0) / near) * (b - m) * x * x;
        let tail = (a + m) * (gap + 1.0 + m * (2.0 - x)) / (a + 2.0 * m + 1.0);
        (over, m + m * (b - m) * x / near + tail)
    };
    let mut fraction = guard(a * (gap + 1.0) / (a + 1.0));
    let mut c = fraction;
    let mut d = 0.0;
    for m in 1..100_000 {
        let (over, base) = term(f64::from(m));
        d = 1.0 / guard(base + over * d);
        c = guard(base + over / c);
        let step = c * d;
        fraction *= step;
        if (step - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    (beta_kernel(a, b, x, y) / fraction).min(1.0)
}

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

/// Which tail of a distribution a probability belongs to.
#[derive(Clone, Copy, PartialEq)]
enum Tail {
    Lower,
    Upper,
}

/// Finds `u` where the log of a tail reaches `ln(target)`.
///
/// `tail(u)` gives the probability and its density in `u`; the logarithm of
/// the tail must be concave in `u` (true here: `u` is a log or a logit), so
/// Newton's steps converge from one side and the bracket only catches starts
/// where the tail underflows.
fn invert(target: f64, start: f64, side: Tail, tail: impl Fn(f64) -> (f64, f64)) -> f64 {
    let direction = if side == Tail::Lower { 1.0 } else { -1.0 };
    let goal = log(target);
    let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
    let mut u = start;
    let mut stride = 1.0;
    for _ in 0..300 {
        let (probability, density) = tail(u);
        let excess = direction * (log(probability) - goal);
        if excess < 0.0 {
            low = u;
        } else {
            high = u;
        }
        let newton = u - direction * (log(probability) - goal) * probability / density;
        let next = if newton > low && newton < high {
            newton
        } else if low.is_finite() && high.is_finite() {
            0.5 * (low + high)
        } else {
            stride *= 2.0;
            if excess < 0.0 { u + stride } else { u - stride }
        };
        if (next - u).abs() <= 2.0 * f64::EPSILON * u.abs().max(1.0) {
            return next;
        }
        u = next;
    }
    u
}

/// Odds `x / (1 - x)` at which the chosen tail of Beta(a, b) holds `target`.
fn beta_odds(target: f64, side: Tail, a: f64, b: f64) -> f64 {
    let tail = |u: f64| {
        let (x, y) = (1.0 / (1.0 + exp(-u)), 1.0 / (1.0 + exp(u)));
        let p = match side {
            Tail::Lower => beta_pair(a, b, x, y),
            Tail::Upper => beta_pair(b, a, y, x),
        };
        (p, beta_kernel(a, b, x, y))
    };
    exp(invert(target, log(a / b), side, tail))
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

/// `x^a e^-x / Gamma(a)`, by Loader's saddle point.
fn gamma_kernel(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    exp(-stirling_error(a) - deviance(a, x, a - x)) * (a / std::f64::consts::TAU).sqrt()
}

/// Lower or upper regularised incomplete gamma (DLMF 8.11.4 and 8.9.2).
fn gamma_tail(a: f64, x: f64, side: Tail) -> f64 {
    if x <= 0.0 {
        return if side == Tail::Lower { 0.0 } else { 1.0 };
    }
    if x.is_infinite() {
        return if side == Tail::Lower { 1.0 } else { 0.0 };
    }
    let below_mean = x < a + 1.0;
    let part = if below_mean {
        gamma_series(a, x)
    } else {
        gamma_fraction(a, x)
    };
    if below_mean == (side == Tail::Lower) {
        part
    } else {
        1.0 - part
    }
}

fn gamma_series(a: f64, x: f64) -> f64 {
    let mut term = 1.0 / a;
    let mut sum = term;
    let mut k = a;
    for _ in 0..100_000 {
        k += 1.0;
        term *= x / k;
        sum += term;
        if term <= sum * f64::EPSILON {
            break;
        }
    }
    (gamma_kernel(a, x) * sum).min(1.0)
}

fn gamma_fraction(a: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let guard = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / guard(b);
    let mut fraction = d;
    for i in 1..100_000 {
        let i = f64::from(i);
        let an = i * (a - i);
        b += 2.0;
        d = 1.0 / guard(an * d + b);
        c = guard(b + an / c);
        let step = d * c;
        fraction *= step;
        if (step - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    (gamma_kernel(a, x) * fraction).min(1.0)
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
