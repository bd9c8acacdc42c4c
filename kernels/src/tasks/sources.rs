use crate::task::{Header, Source};

/// A file of `kernels/cuda/` with the headers that it includes.
macro_rules! source {
    ($file:literal $(, $header:ident)*) => {
        Source {
            file: $file,
            text: include_str!(concat!("../../cuda/", $file)),
            headers: &[$(&$header),*],
        }
    };
}

static REDUCE: Header = Header {
    file: "reduce.cuh",
    text: include_str!("../../cuda/reduce.cuh"),
};

pub(super) static RMS_NORM: Source = source!("rms_norm.cu", REDUCE);

/// All CUDA C++ text of this crate.
#[must_use]
pub fn all() -> Vec<&'static Source> {
    vec![&RMS_NORM]
}
