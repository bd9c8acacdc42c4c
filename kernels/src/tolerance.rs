use std::fmt;

/// Unit roundoff of `f32`: the relative error of one correctly rounded
/// operation.
pub(crate) const UNIT_ROUNDOFF: f64 = 1.0 / (1u64 << 24) as f64;

/// How far an output may lie from its `f64` reference:
/// `|got - want| <= absolute + relative * |want|`.
///
/// Each kernel states its own, in units of the roundoff `u = 2^-24` of `f32`.
/// Sums of `n` terms are granted `4 sqrt(n) u`: rounding errors behave like a
/// random walk (Higham and Mary, SIAM J. Sci. Comput. 41(5), 2019), and the
/// worst case `n u` would let real mistakes pass. Two variants that both hold
/// the tolerance differ by at most twice of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// The part that scales with the reference value.
    pub relative: f64,
    /// The part that does not.
    pub absolute: f64,
}

impl Tolerance {
    /// Equality.
    pub const EXACT: Self = Self {
        relative: 0.0,
        absolute: 0.0,
    };

    /// The tolerance of a result of this tolerance that is then rounded to
    /// bf16, unit roundoff `2^-8`.
    #[must_use]
    pub fn stored_as_bf16(self) -> Self {
        const ROUNDOFF: f64 = 1.0 / 256.0;
        Self {
            relative: self.relative + ROUNDOFF * (1.0 + self.relative),
            absolute: self.absolute * (1.0 + ROUNDOFF),
        }
    }

    /// Whether `got` is close enough to `want`. NaN is close to nothing, an
    /// infinity to itself alone.
    #[must_use]
    pub fn accepts(self, got: f64, want: f64) -> bool {
        got == want
            || want.is_finite() && (got - want).abs() <= self.absolute + self.relative * want.abs()
    }

    /// Compares a whole output with its reference.
    ///
    /// # Errors
    /// The first element outside the tolerance, or the first index that only
    /// one of the two has.
    pub fn check<T: Copy + Into<f64>>(self, got: &[T], want: &[f64]) -> Result<(), Mismatch> {
        let value = |index: usize| got.get(index).map_or(f64::NAN, |&value| value.into());
        let longest = got.len().max(want.len());
        for index in 0..longest {
            let (got, want) = (value(index), want.get(index).copied().unwrap_or(f64::NAN));
            if !self.accepts(got, want) {
                return Err(Mismatch { index, got, want });
            }
        }
        Ok(())
    }
}

/// An element outside its tolerance. A missing element reads as NaN.
#[derive(Clone, Copy, Debug)]
pub struct Mismatch {
    /// Where.
    pub index: usize,
    /// What the kernel computed.
    pub got: f64,
    /// What the reference says.
    pub want: f64,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "element {} is {:e}, the reference says {:e}",
            self.index, self.got, self.want
        )
    }
}

impl std::error::Error for Mismatch {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_infinite_reference_accepts_only_itself() {
        let tolerance = Tolerance::EXACT.stored_as_bf16();
        assert!(tolerance.accepts(f64::INFINITY, f64::INFINITY));
        assert!(!tolerance.accepts(1.0, f64::INFINITY));
        assert!(!tolerance.accepts(f64::NEG_INFINITY, f64::INFINITY));
        assert!(!tolerance.accepts(f64::INFINITY, 1.0));
    }
}
