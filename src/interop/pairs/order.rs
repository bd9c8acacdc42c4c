//! A recorded order: reading it, and what it says about how it was made.

use super::cell::short;
use jiff::Timestamp;

/// What the first arms of the units, in run order, look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// The same arm always ran first.
    Same,
    /// The arms took turns at being first.
    Turns,
    /// Neither.
    Irregular,
}

/// A coin gives such a pattern once in 128 when there are as many units.
const TELLING: usize = 8;

impl Pattern {
    pub fn of(control_first: &[bool]) -> Self {
        if control_first.windows(2).all(|w| w[0] == w[1]) {
            Self::Same
        } else if control_first.windows(2).all(|w| w[0] != w[1]) {
            Self::Turns
        } else {
            Self::Irregular
        }
    }

    /// Whether a coin is out of the question.
    pub fn contradicts_a_coin(self, units: usize) -> bool {
        self != Self::Irregular && units >= TELLING
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::Same => "the same arm ran first in every pair",
            Self::Turns => "the arms took turns at running first",
            Self::Irregular => {
                "the recorded order looks irregular, but nobody said that a coin drew it"
            }
        }
    }
}

/// A position or a time stamp in seconds, as a number or RFC 3339.
pub(super) fn position(text: &str) -> Result<f64, String> {
    if text.is_empty() {
        return Ok(f64::NAN);
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => seconds(text).ok_or_else(|| {
            format!(
                "`{}` is no order; give a position, a number of seconds, or a time like \
                 2026-01-31T12:00:00Z",
                short(text)
            )
        }),
    }
}

/// Seconds since 1970 of an RFC 3339 time.
fn seconds(text: &str) -> Option<f64> {
    let time: Timestamp = text.parse().ok()?;
    Some(time.as_second() as f64 + f64::from(time.subsec_nanosecond()) * 1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_seen() {
        assert_eq!(Pattern::of(&[true; 4]), Pattern::Same);
        assert_eq!(Pattern::of(&[true, false, true, false]), Pattern::Turns);
        assert_eq!(Pattern::of(&[true, true, false, true]), Pattern::Irregular);
        assert!(!Pattern::Same.contradicts_a_coin(7));
        assert!(Pattern::Turns.contradicts_a_coin(8));
    }

    #[test]
    fn times_are_seconds() {
        assert_eq!(position("1970-01-02T00:00:01Z"), Ok(86_401.0));
        assert_eq!(position("2000-03-01T00:00:00.5Z"), Ok(951_868_800.5));
        assert_eq!(position("17.5"), Ok(17.5));
        assert!(position("").unwrap().is_nan());
        assert!(position("noon").is_err());
        assert!(position("inf").is_err());
    }
}
