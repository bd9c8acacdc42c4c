//! The kernel questions of this crate, one function per family.
//!
//! Each draws seeded inputs, computes the `f64` reference and lists the
//! variants that compete.

mod add_rms_norm;
mod attention;
mod convert;
mod ffn;
mod matvec;
mod rms_norm;
mod sampling;
mod softmax;
mod sources;
mod upload;

pub use add_rms_norm::add_rms_norm;
pub use attention::attention;
pub use convert::{bf16_to_f32, f32_to_bf16};
pub use ffn::{ffn_bf16, ffn_f32};
pub use matvec::matvec_bf16;
pub use rms_norm::{rms_norm, rms_norm_bf16};
pub use sampling::{Sampling, sampling, sampling_uncertainty, uncertainty_toggle};
pub use softmax::{softmax, softmax_bf16};
pub use sources::all as sources;
pub use upload::upload_as_bf16;

use crate::cpu::attention::AttentionShape;
use crate::task::{Arg, Buffer, Data, Task};

/// Every family at shapes small enough for a simulator, with rows and columns
/// that are no multiples of any block among them.
#[must_use]
pub fn all_small(seed: u64) -> Vec<Task> {
    vec![
        softmax(1, 1, seed),
        softmax(3, 77, seed),
        softmax(2, 1028, seed),
        softmax_bf16(1, 1, seed),
        softmax_bf16(3, 77, seed),
        softmax_bf16(2, 2056, seed),
        rms_norm(1, 1, seed),
        rms_norm(3, 77, seed),
        rms_norm(2, 1000, seed),
        rms_norm_bf16(1, 1, seed),
        rms_norm_bf16(3, 77, seed),
        rms_norm_bf16(2, 2056, seed),
        add_rms_norm(1, 1, seed),
        add_rms_norm(3, 77, seed),
        add_rms_norm(2, 1000, seed),
        f32_to_bf16(1, seed),
        f32_to_bf16(4099, seed),
        bf16_to_f32(1, seed),
        bf16_to_f32(4099, seed),
        upload_as_bf16(1, seed),
        upload_as_bf16(2051, seed),
        matvec_bf16(1, 1, seed),
        matvec_bf16(9, 77, seed),
        matvec_bf16(33, 1000, seed),
        ffn_f32(1, 1, seed),
        ffn_f32(9, 77, seed),
        ffn_f32(11, 516, seed),
        ffn_bf16(9, 77, seed),
        ffn_bf16(11, 520, seed),
        attention(attention_shape(1, 1, 64, 1), seed),
        attention(attention_shape(6, 2, 64, 77), seed),
        attention(attention_shape(2, 2, 64, 521), seed),
        attention(attention_shape(2, 1, 128, 300), seed),
    ]
    .into_iter()
    .chain(samplings(seed))
    .collect()
}

fn attention_shape(
    heads: usize,
    kv_heads: usize,
    head_dim: usize,
    length: usize,
) -> AttentionShape {
    AttentionShape {
        heads,
        kv_heads,
        head_dim,
        length,
    }
}

fn samplings(seed: u64) -> impl Iterator<Item = Task> {
    // One logit; a part of a tile; two tiles, the second with fewer than k;
    // candidates that need a merge before the draw.
    let sizes = [(1, 1), (77, 77), (1030, 40), (2050, 350)];
    sizes.into_iter().flat_map(move |(vocabulary, k)| {
        let sizes = Sampling {
            vocabulary,
            k,
            temperature: 0.8,
        };
        [sampling, sampling_uncertainty, uncertainty_toggle].map(|task| task(sizes, seed))
    })
}

/// The buffers with these indices, to be borrowed together.
///
/// # Panics
/// If an index is out of range or stands twice.
fn pick<const N: usize>(buffers: &mut [Buffer], indices: [usize; N]) -> [&mut Data; N] {
    let picked = buffers.get_disjoint_mut(indices);
    picked
        .expect("the buffers of another task")
        .map(|buffer| &mut buffer.data)
}

/// Whether rows of this length all start at a multiple of 16 bytes.
fn vectors_fit<T>(len: usize) -> bool {
    len.is_multiple_of(16 / size_of::<T>())
}

/// A dimension as kernels take it.
///
/// # Panics
/// If it is not below 2^31: an index that strides past it must not wrap.
fn arg(dimension: usize) -> Arg {
    Arg::U32(below_2_31(dimension).cast_unsigned())
}

/// A dimension as kernels take it that compute with signed indices.
///
/// # Panics
/// If it is not below 2^31.
fn int(dimension: usize) -> Arg {
    Arg::I32(below_2_31(dimension))
}

fn below_2_31(dimension: usize) -> i32 {
    i32::try_from(dimension).expect("a dimension below 2^31")
}

#[cfg(test)]
mod tests {
    #[test]
    #[should_panic(expected = "below 2^31")]
    fn a_dimension_that_would_wrap_an_index_is_refused() {
        // A loop that strides past 2^32 - 1 starts again at 0.
        let _ = super::arg(u32::MAX as usize);
    }
}
