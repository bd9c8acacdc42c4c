//! Verification: an arm with a wrong output gets no number.

use super::Output;

/// How far two numbers may lie apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tolerance {
    /// Units in the last place of the output's own precision.
    Ulps(u64),
    /// Fraction of the larger magnitude.
    Relative(f64),
    /// Absolute difference.
    Absolute(f64),
    /// An absolute difference and a fraction of the expected value together.
    Within {
        /// The part that does not scale.
        absolute: f64,
        /// The fraction of the expected value's magnitude.
        relative: f64,
    },
}

/// At most `n` units in the last place.
#[must_use]
pub fn ulps(n: u64) -> Tolerance {
    Tolerance::Ulps(n)
}

/// At most a fraction of the larger magnitude.
#[must_use]
pub fn relative(fraction: f64) -> Tolerance {
    Tolerance::Relative(fraction)
}

/// At most an absolute difference.
#[must_use]
pub fn absolute(difference: f64) -> Tolerance {
    Tolerance::Absolute(difference)
}

/// At most `absolute + relative * |expected|`.
#[must_use]
pub fn within(absolute: f64, relative: f64) -> Tolerance {
    Tolerance::Within { absolute, relative }
}

/// The first place where an output is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Mismatch(pub String);

/// Makes the expected output from the worker's input seed.
type Reference = Box<dyn Fn(u64) -> Output>;

/// How outputs are judged.
pub struct Verify {
    tolerance: Option<Tolerance>,
    reference: Option<Reference>,
}

/// Every arm's output must equal the control's.
#[must_use]
pub fn outputs_equal() -> Verify {
    Verify {
        tolerance: None,
        reference: None,
    }
}

/// Every arm's output must agree with the control's within a tolerance.
#[must_use]
pub fn outputs_agree(tolerance: Tolerance) -> Verify {
    Verify {
        tolerance: Some(tolerance),
        reference: None,
    }
}

/// Every arm's output, the control's too, must agree with a reference computed
/// from the worker's input seed.
#[must_use]
pub fn matches_reference<T: Into<Output>>(
    tolerance: Tolerance,
    reference: impl Fn(u64) -> T + 'static,
) -> Verify {
    Verify {
        tolerance: Some(tolerance),
        reference: Some(Box::new(move |seed| reference(seed).into())),
    }
}

impl Verify {
    /// The expected output, when it does not come from the control.
    #[must_use]
    pub fn reference(&self, input_seed: u64) -> Option<Output> {
        self.reference.as_ref().map(|make| make(input_seed))
    }

    /// Compares an output with the expected one.
    ///
    /// # Errors
    /// Names the first element that is off.
    pub fn check(&self, expected: &Output, found: &Output) -> Result<(), Mismatch> {
        if expected.len() != found.len() {
            return Err(Mismatch(format!(
                "{} elements where {} were expected",
                found.len(),
                expected.len()
            )));
        }
        match (expected, found, self.tolerance) {
            (Output::F32(a), Output::F32(b), Some(t)) => compare(a, b, |x, y| t.f32(x, y)),
            (Output::F64(a), Output::F64(b), Some(t)) => compare(a, b, |x, y| t.f64(x, y)),
            // A reference may be computed in higher precision than the arm.
            (Output::F64(a), Output::F32(b), Some(t)) => {
                let narrowed: Vec<f32> = a.iter().map(|&x| x as f32).collect();
                compare(&narrowed, b, |x, y| t.f32(x, y))
            }
            // Bits, so that equal NaNs count as equal and -0.0 is not 0.0.
            (Output::F32(a), Output::F32(b), None) => {
                compare(a, b, |x, y| x.to_bits() == y.to_bits())
            }
            (Output::F64(a), Output::F64(b), None) => {
                compare(a, b, |x, y| x.to_bits() == y.to_bits())
            }
            (Output::Integers(a), Output::Integers(b), _) => compare(a, b, |x, y| x == y),
            (Output::Bytes(a), Output::Bytes(b), _) => compare(a, b, |x, y| x == y),
            (Output::Text(a), Output::Text(b), _) if a == b => Ok(()),
            (Output::Text(a), Output::Text(b), _) => {
                Err(Mismatch(format!("text {b:?} where {a:?} was expected")))
            }
            _ => Err(Mismatch("the output has another type than expected".into())),
        }
    }
}

fn compare<T: Copy + std::fmt::Debug>(
    expected: &[T],
    found: &[T],
    agrees: impl Fn(T, T) -> bool,
) -> Result<(), Mismatch> {
    let wrong = |(&e, &f): (&T, &T)| !agrees(e, f);
    match expected.iter().zip(found).position(wrong) {
        None => Ok(()),
        Some(i) => {
            let count = expected.iter().zip(found).filter(|&p| wrong(p)).count();
            Err(Mismatch(format!(
                "element {i} is {:?} where {:?} was expected; {count} of {} elements are off",
                found[i],
                expected[i],
                expected.len()
            )))
        }
    }
}

impl Tolerance {
    fn f32(self, a: f32, b: f32) -> bool {
        match self {
            // Magnitude-ordered integers make the distance in ulps a difference.
            Self::Ulps(n) => {
                let order = |x: f32| {
                    let bits = i64::from(x.to_bits() & 0x7fff_ffff);
                    if x.is_sign_negative() { -bits } else { bits }
                };
                a == b || both_finite(a.into(), b.into()) && order(a).abs_diff(order(b)) <= n
            }
            _ => self.f64(a.into(), b.into()),
        }
    }

    fn f64(self, a: f64, b: f64) -> bool {
        if a == b {
            return true;
        }
        if !both_finite(a, b) {
            return false;
        }
        match self {
            Self::Ulps(n) => {
                let order = |x: f64| {
                    let bits = i128::from(x.to_bits() & (u64::MAX >> 1));
                    if x.is_sign_negative() { -bits } else { bits }
                };
                order(a).abs_diff(order(b)) <= u128::from(n)
            }
            Self::Relative(r) => (a - b).abs() <= r * a.abs().max(b.abs()),
            Self::Absolute(d) => (a - b).abs() <= d,
            // The expected value stands first.
            Self::Within { absolute, relative } => (a - b).abs() <= absolute + relative * a.abs(),
        }
    }
}

fn both_finite(a: f64, b: f64) -> bool {
    a.is_finite() && b.is_finite()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ulps_cross_zero_and_refuse_nan() {
        let v = outputs_agree(ulps(1));
        let tiny = f32::from_bits(1);
        assert!(v.check(&vec![0.0f32].into(), &vec![tiny].into()).is_ok());
        assert!(v.check(&vec![-tiny].into(), &vec![tiny].into()).is_err());
        assert!(
            v.check(&vec![1.0f32].into(), &vec![f32::NAN].into())
                .is_err()
        );
        assert!(
            v.check(&vec![f32::MAX].into(), &vec![f32::INFINITY].into())
                .is_err()
        );
    }

    #[test]
    fn names_the_first_wrong_element_and_counts_them() {
        let v = outputs_agree(relative(1e-6));
        let error = v.check(&vec![1.0f64, 2.0, 3.0].into(), &vec![1.0, 2.1, 3.1].into());
        let text = error.unwrap_err().to_string();
        assert!(text.contains("element 1 is 2.1 where 2.0"), "{text}");
        assert!(text.contains("2 of 3"), "{text}");
    }

    #[test]
    fn within_scales_with_what_was_expected() {
        let v = outputs_agree(within(0.5, 0.1));
        let off = |expected: f64, found: f64| v.check(&expected.into(), &found.into()).is_err();
        assert!(!off(10.0, 11.5) && !off(0.0, -0.5));
        assert!(off(10.0, 11.6) && off(0.0, 0.6) && off(1.0, f64::NAN));
    }

    #[test]
    fn a_stale_or_empty_output_is_wrong() {
        let v = outputs_equal();
        assert!(
            v.check(&vec![1u32].into(), &Vec::<u32>::new().into())
                .is_err()
        );
        assert!(v.check(&vec![1u32].into(), &vec![1.0f32].into()).is_err());
    }

    #[test]
    fn equality_is_of_bits() {
        let v = outputs_equal();
        assert!(v.check(&0.0f64.into(), &(-0.0f64).into()).is_err());
        assert!(v.check(&f64::NAN.into(), &f64::NAN.into()).is_ok());
    }
}
