use super::{arg, pick, sources};
use crate::cpu::convert::{
    bf16_to_f32_per_element, bf16_to_f32_shift, f32_to_bf16_branch_free, f32_to_bf16_per_element,
};
use crate::task::{Arg, Buffer, Launch, Task, Variant};
use crate::{Bf16ToF32, F32ToBf16, bf16};

const THREADS: u32 = 256;

/// Narrows `len` `f32` values to bf16.
///
/// | variant | on the GPU | on the host processor |
/// |---|---|---|
/// | `plain` | an element per thread | call per element |
/// | `vector` | eight, 16 bytes per access | on the bits, branch-free |
///
/// # Panics
/// If `len` is zero or not below 2^31.
#[must_use]
pub fn f32_to_bf16(len: usize, seed: u64) -> Task {
    let kernel = F32ToBf16::new(len, seed);
    Task {
        family: "f32_to_bf16",
        shape: format!("len={len}"),
        buffers: vec![
            Buffer::input("x", kernel.input().to_vec()),
            Buffer::output("out", vec![bf16::ZERO; len]),
        ],
        output: 1,
        reference: kernel.reference(),
        tolerance: kernel.tolerance(),
        bytes_moved: kernel.bytes_moved(),
        flops: kernel.flops(),
        variants: vec![
            Variant::launches("plain", [launch("f32_to_bf16_plain", len, 1)], |buffers| {
                let [x, out] = pick(buffers, [0, 1]);
                f32_to_bf16_per_element(x.f32(), out.bf16_mut());
            }),
            Variant::launches(
                "vector",
                [launch("f32_to_bf16_vector", len, 8)],
                |buffers| {
                    let [x, out] = pick(buffers, [0, 1]);
                    f32_to_bf16_branch_free(x.f32(), out.bf16_mut());
                },
            ),
        ],
    }
}

/// Widens `len` bf16 values to `f32`.
///
/// | variant | on the GPU | on the host processor |
/// |---|---|---|
/// | `plain` | an element per thread | call per element |
/// | `vector` | eight, 16 bytes per access | shift of the bits |
///
/// # Panics
/// If `len` is zero or not below 2^31.
#[must_use]
pub fn bf16_to_f32(len: usize, seed: u64) -> Task {
    let kernel = Bf16ToF32::new(len, seed);
    Task {
        family: "bf16_to_f32",
        shape: format!("len={len}"),
        buffers: vec![
            Buffer::input("x", kernel.input().to_vec()),
            Buffer::output("out", vec![0f32; len]),
        ],
        output: 1,
        reference: kernel.reference(),
        tolerance: kernel.tolerance(),
        bytes_moved: kernel.bytes_moved(),
        flops: kernel.flops(),
        variants: vec![
            Variant::launches("plain", [launch("bf16_to_f32_plain", len, 1)], |buffers| {
                let [x, out] = pick(buffers, [0, 1]);
                bf16_to_f32_per_element(x.bf16(), out.f32_mut());
            }),
            Variant::launches(
                "vector",
                [launch("bf16_to_f32_vector", len, 8)],
                |buffers| {
                    let [x, out] = pick(buffers, [0, 1]);
                    bf16_to_f32_shift(x.bf16(), out.f32_mut());
                },
            ),
        ],
    }
}

/// A conversion of buffer 0 into buffer 1.
pub(super) fn launch(entry: &'static str, len: usize, per_thread: usize) -> Launch {
    let blocks = len.div_ceil(per_thread * THREADS as usize);
    let args = vec![Arg::Buffer(0), Arg::Buffer(1), arg(len)];
    Launch::new(&sources::CONVERT, entry, blocks, THREADS, args)
}
