//! Outputs of arms, for verification.

use serde::{Deserialize, Serialize};

/// What an arm computed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Output {
    /// Single-precision numbers.
    F32(#[serde(with = "bits")] Vec<f32>),
    /// Double-precision numbers.
    F64(#[serde(with = "bits")] Vec<f64>),
    /// Integers.
    Integers(Vec<i128>),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Text.
    Text(String),
}

impl Output {
    /// Number of elements (bytes for text).
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::F32(v) => v.len(),
            Self::F64(v) => v.len(),
            Self::Integers(v) => v.len(),
            Self::Bytes(v) => v.len(),
            Self::Text(v) => v.len(),
        }
    }

    /// Whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

macro_rules! integers {
    ($($t:ty),*) => {$(
        impl From<$t> for Output {
            fn from(x: $t) -> Self { Self::Integers(vec![x as i128]) }
        }
        impl From<Vec<$t>> for Output {
            fn from(v: Vec<$t>) -> Self { Self::Integers(v.into_iter().map(|x| x as i128).collect()) }
        }
    )*};
}
integers!(i8, u16, i16, u32, i32, u64, i64, usize, isize);

impl From<bool> for Output {
    fn from(x: bool) -> Self {
        Self::Integers(vec![i128::from(x)])
    }
}
impl From<f32> for Output {
    fn from(x: f32) -> Self {
        Self::F32(vec![x])
    }
}
impl From<Vec<f32>> for Output {
    fn from(v: Vec<f32>) -> Self {
        Self::F32(v)
    }
}
impl From<f64> for Output {
    fn from(x: f64) -> Self {
        Self::F64(vec![x])
    }
}
impl From<Vec<f64>> for Output {
    fn from(v: Vec<f64>) -> Self {
        Self::F64(v)
    }
}
impl From<u8> for Output {
    fn from(x: u8) -> Self {
        Self::Bytes(vec![x])
    }
}
impl From<Vec<u8>> for Output {
    fn from(v: Vec<u8>) -> Self {
        Self::Bytes(v)
    }
}
impl From<String> for Output {
    fn from(s: String) -> Self {
        Self::Text(s)
    }
}
impl From<&str> for Output {
    fn from(s: &str) -> Self {
        Self::Text(s.to_owned())
    }
}

/// Floating-point numbers by their bits: JSON has no NaN.
mod bits {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) trait Bits: Copy {
        fn to(self) -> u64;
        fn from(bits: u64) -> Self;
    }

    impl Bits for f32 {
        fn to(self) -> u64 {
            u64::from(self.to_bits())
        }
        fn from(bits: u64) -> Self {
            // Written by `to`, so nothing is lost.
            Self::from_bits(bits as u32)
        }
    }

    impl Bits for f64 {
        fn to(self) -> u64 {
            self.to_bits()
        }
        fn from(bits: u64) -> Self {
            Self::from_bits(bits)
        }
    }

    pub(super) fn serialize<T: Bits, S: Serializer>(
        values: &[T],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(|v| v.to()))
    }

    pub(super) fn deserialize<'de, T: Bits, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<T>, D::Error> {
        let bits = Vec::<u64>::deserialize(deserializer)?;
        Ok(bits.into_iter().map(T::from).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_travel_bit_by_bit() {
        for output in [
            Output::F32(vec![f32::NAN, -0.0, f32::INFINITY, 1.5]),
            Output::F64(vec![f64::NAN, -0.0, f64::MIN_POSITIVE]),
            Output::from(vec![-1i64, i64::MAX]),
            Output::from(u64::MAX),
            Output::Bytes(vec![0, 255]),
            Output::from("a\u{1e}\n"),
        ] {
            let json = serde_json::to_string(&output).unwrap();
            let back: Output = serde_json::from_str(&json).unwrap();
            // NaN differs from itself; its bits do not.
            assert_eq!(serde_json::to_string(&back).unwrap(), json);
            assert_eq!(format!("{back:?}"), format!("{output:?}"));
        }
    }
}
