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

static ROW_DOT: Header = Header {
    file: "row_dot.cuh",
    text: include_str!("../../cuda/row_dot.cuh"),
};

static VECTORS: Header = Header {
    file: "vectors.cuh",
    text: include_str!("../../cuda/vectors.cuh"),
};

pub(super) static ADD_RMS_NORM: Source = source!("add_rms_norm.cu", REDUCE);
pub(super) static ATTENTION: Source = source!("attention.cu", VECTORS);
pub(super) static CONVERT: Source = source!("convert.cu", VECTORS);
pub(super) static FFN: Source = source!("ffn.cu", REDUCE, VECTORS, ROW_DOT);
pub(super) static MATVEC: Source = source!("matvec.cu", REDUCE, VECTORS, ROW_DOT);
pub(super) static SAMPLING: Source = source!("sampling.cu");
pub(super) static SOFTMAX: Source = source!("softmax.cu", REDUCE, VECTORS);
pub(super) static RMS_NORM: Source = source!("rms_norm.cu", REDUCE, VECTORS);

/// All CUDA C++ text of this crate.
#[must_use]
pub fn all() -> Vec<&'static Source> {
    vec![
        &ADD_RMS_NORM,
        &ATTENTION,
        &CONVERT,
        &FFN,
        &MATVEC,
        &RMS_NORM,
        &SAMPLING,
        &SOFTMAX,
    ]
}
