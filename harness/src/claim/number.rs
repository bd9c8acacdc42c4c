//! Numbers: rounded for files, and with the digits they carry for people.

/// Rounds to 12 significant digits, so that the last bits of a platform's
/// arithmetic never show.
#[must_use]
pub fn round12(x: f64) -> f64 {
    if x == 0.0 || !x.is_finite() {
        return if x.is_finite() { 0.0 } else { x };
    }
    format!("{x:.11e}")
        .parse()
        .expect("a formatted number can be read")
}

/// A fraction as a percentage with a sign, with no more decimals than an
/// uncertainty of `half_width` (a fraction too) carries: two digits of it.
#[must_use]
pub fn signed_percent(fraction: f64, half_width: Option<f64>) -> String {
    let decimals = percent_decimals(half_width);
    let text = format!("{:+.decimals$}", 100.0 * fraction);
    // "-0.0" claims a direction that is not there.
    let is_zero = text
        .trim_start_matches(['+', '-'])
        .bytes()
        .all(|b| b == b'0' || b == b'.');
    let text = if is_zero { &text[1..] } else { &text };
    format!("{} %", text.replace('-', "\u{2212}"))
}

/// A fraction as a percentage without a sign.
pub(super) fn plain_percent(fraction: f64, half_width: Option<f64>) -> String {
    let decimals = percent_decimals(half_width);
    format!("{:.decimals$} %", 100.0 * fraction.abs())
}

/// Decimals of a percentage that show two digits of its uncertainty.
fn percent_decimals(half_width: Option<f64>) -> usize {
    match half_width {
        Some(h) if h > 0.0 && h.is_finite() => {
            let magnitude = libm::floor(libm::log10(100.0 * h)) as i32;
            (1 - magnitude).clamp(0, 4) as usize
        }
        _ => 1,
    }
}

/// A margin as people write it: no trailing zeros.
pub(super) fn margin_percent(fraction: f64) -> String {
    format!("{} %", round12(100.0 * fraction))
}

/// p with two digits, never zero.
#[must_use]
pub fn p_value(p: f64) -> String {
    if p >= 0.01 {
        format!("{p:.2}")
    } else if p >= 0.0001 {
        format!("{p:.4}")
    } else {
        format!("{p:.0e}")
    }
}

/// An absolute value in a metric's unit with the digits its uncertainty carries.
pub(super) fn quantity(value: f64, half_width: Option<f64>, unit: &str) -> String {
    let decimals = match half_width {
        Some(h) if h > 0.0 && h.is_finite() => {
            (1 - libm::floor(libm::log10(h)) as i32).clamp(0, 9) as usize
        }
        _ => 3,
    };
    format!("{value:+.decimals$} {unit}").replace('-', "\u{2212}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_follow_the_uncertainty() {
        assert_eq!(signed_percent(-0.123_456, Some(0.0123)), "\u{2212}12.3 %");
        assert_eq!(
            signed_percent(-0.123_456, Some(0.000_42)),
            "\u{2212}12.346 %"
        );
        assert_eq!(signed_percent(0.123_456, Some(0.2)), "+12 %");
        assert_eq!(signed_percent(-0.000_01, Some(0.01)), "0.0 %");
        assert_eq!(plain_percent(-0.02, Some(0.002)), "2.00 %");
    }

    #[test]
    fn rounding_keeps_twelve_digits() {
        assert_eq!(round12(0.1 + 0.2), 0.3);
        assert_eq!(round12(-0.0).to_bits(), 0.0f64.to_bits());
        assert_eq!(round12(123_456_789_012_345.0), 123_456_789_012_000.0);
    }
}
