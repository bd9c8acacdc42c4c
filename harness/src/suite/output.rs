//! Outputs of arms, for verification.

/// What an arm computed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Output {
    /// Single-precision numbers.
    F32(Vec<f32>),
    /// Double-precision numbers.
    F64(Vec<f64>),
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
