//! What a compilation gives.

use super::code;

/// Code for a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Image {
    /// Machine code of one architecture.
    Cubin(Vec<u8>),
    /// Intermediate text; the driver compiles it when it is loaded.
    Ptx(Vec<u8>),
}

impl Image {
    /// The bytes, for a PTX without a final zero.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Cubin(bytes) | Self::Ptx(bytes) => bytes,
        }
    }

    /// `cubin` or `ptx`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Cubin(_) => "cubin",
            Self::Ptx(_) => "ptx",
        }
    }
}

/// A compiled source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// The code.
    pub image: Image,
    /// What the compiler said: warnings and, for machine code, what `ptxas -v`
    /// prints (registers, spills, shared memory).
    pub log: String,
    /// The options, as given to NVRTC.
    pub options: Vec<String>,
    /// Whether it came from the cache.
    pub cached: bool,
}

impl Compiled {
    /// Hex SHA-256 of the code of a kernel, equal for equal machine code
    /// whatever its name and lines; for PTX of the whole text. `None` when
    /// there is no such kernel.
    #[must_use]
    pub fn code_hash(&self, entry: &str) -> Option<String> {
        match &self.image {
            Image::Cubin(bytes) => code::of_cubin(bytes, entry),
            Image::Ptx(bytes) => Some(code::of_ptx(bytes)),
        }
    }
}
