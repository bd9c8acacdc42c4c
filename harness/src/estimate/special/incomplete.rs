//! Incomplete beta and gamma functions, and how to invert them.

use libm::{exp, lgamma, log};

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
pub(super) fn beta_kernel(a: f64, b: f64, x: f64, y: f64) -> f64 {
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
pub(super) fn beta_pair(a: f64, b: f64, x: f64, y: f64) -> f64 {
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

/// Which tail of a distribution a probability belongs to.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Tail {
    Lower,
    Upper,
}

/// Finds `u` where the log of a tail reaches `ln(target)`.
///
/// `tail(u)` gives the probability and its density in `u`; the logarithm of
/// the tail must be concave in `u` (true here: `u` is a log or a logit), so
/// Newton's steps converge from one side and the bracket only catches starts
/// where the tail underflows.
pub(super) fn invert(target: f64, start: f64, side: Tail, tail: impl Fn(f64) -> (f64, f64)) -> f64 {
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
pub(super) fn beta_odds(target: f64, side: Tail, a: f64, b: f64) -> f64 {
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

/// `x^a e^-x / Gamma(a)`, by Loader's saddle point.
pub(super) fn gamma_kernel(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    exp(-stirling_error(a) - deviance(a, x, a - x)) * (a / std::f64::consts::TAU).sqrt()
}

/// Lower or upper regularised incomplete gamma (DLMF 8.11.4 and 8.9.2).
pub(super) fn gamma_tail(a: f64, x: f64, side: Tail) -> f64 {
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
