//! JSON numbers, byte by byte: `-?(0|[1-9][0-9]*)(\.[0-9]+)?` with at most
//! [`DIGITS`] digits in a row, so that every number keeps its value as `f64`.

/// Most digits before, and after, the point.
const DIGITS: u8 = 15;

/// Where the reading stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// Nothing read.
    Start { whole: bool },
    /// After the sign.
    Sign { whole: bool },
    /// After a leading zero.
    Zero { whole: bool },
    /// So many digits before the point.
    Digits { whole: bool, count: u8 },
    /// After the point, so many digits.
    Fraction { count: u8 },
}

impl Number {
    /// The number with one more byte; `None` when it can't come here.
    pub(super) fn read(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Start { whole }, b'-') => Some(Self::Sign { whole }),
            (Self::Start { whole }, b'0') => Some(Self::Zero { whole }),
            // A whole `-0` reads back as a float.
            (Self::Sign { whole: false }, b'0') => Some(Self::Zero { whole: false }),
            (Self::Start { whole } | Self::Sign { whole }, b'1'..=b'9') => {
                Some(Self::Digits { whole, count: 1 })
            }
            (Self::Digits { whole, count }, b'0'..=b'9') if count < DIGITS => Some(Self::Digits {
                whole,
                count: count + 1,
            }),
            (Self::Zero { whole: false } | Self::Digits { whole: false, .. }, b'.') => {
                Some(Self::Fraction { count: 0 })
            }
            (Self::Fraction { count }, b'0'..=b'9') if count < DIGITS => {
                Some(Self::Fraction { count: count + 1 })
            }
            _ => None,
        }
    }

    /// Bytes of the shortest way to a whole number text; 0: it is one.
    pub(super) fn shortest(self) -> usize {
        match self {
            Self::Start { .. } | Self::Sign { .. } | Self::Fraction { count: 0 } => 1,
            _ => 0,
        }
    }
}
