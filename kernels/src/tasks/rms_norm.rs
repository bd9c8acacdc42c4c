use super::{arg, pick, sources, vectors_fit};
use crate::cpu::rms_norm::{rms_norm_lanes, rms_norm_scalar, rms_norm_tolerance};
use crate::cpu::row_wise::through_f32;
use crate::task::{Arg, Buffer, Launch, Task, Variant};
use crate::{RmsNorm, bf16, inputs, reference};

/// Threads per block: a row of a hidden size of thousands keeps them all busy.
const THREADS: u32 = 256;

/// RMSNorm of `rows` rows of `hidden` `f32` elements.
///
/// | variant | sum of squares on the GPU | on the host processor |
/// |---|---|---|
/// | `tree` | tree in shared memory | one chain of additions |
/// | `shuffle` | warp shuffles | sixteen lanes |
/// | `vector` | the same, 16 bytes per access | |
///
/// `vector` is there if `hidden` is a multiple of 4.
///
/// # Panics
/// If a dimension is zero or not below 2^31.
#[must_use]
pub fn rms_norm(rows: usize, hidden: usize, seed: u64) -> Task {
    let kernel = RmsNorm::new(rows, hidden, seed);
    let tree = launch("rms_norm_tree_f32", rows, hidden).with_shared_bytes(4 * THREADS);
    let mut variants = vec![
        Variant::launches("tree", [tree], |buffers| {
            let [x, weight, out] = pick(buffers, [0, 1, 2]);
            rms_norm_scalar(x.f32(), weight.f32(), RmsNorm::EPSILON, out.f32_mut());
        }),
        Variant::launches(
            "shuffle",
            [launch("rms_norm_shuffle_f32", rows, hidden)],
            |buffers| {
                let [x, weight, out] = pick(buffers, [0, 1, 2]);
                rms_norm_lanes(x.f32(), weight.f32(), RmsNorm::EPSILON, out.f32_mut());
            },
        ),
    ];
    if vectors_fit::<f32>(hidden) {
        let vector = launch("rms_norm_vector_f32", rows, hidden);
        variants.push(Variant::device_only("vector", [vector.into()]));
    }
    Task {
        family: "rms_norm",
        shape: format!("rows={rows} hidden={hidden}"),
        buffers: vec![
            Buffer::input("x", kernel.input().to_vec()),
            Buffer::input("weight", weights(hidden, seed)),
            Buffer::output("out", vec![0f32; rows * hidden]),
        ],
        output: 2,
        reference: kernel.reference(),
        tolerance: kernel.tolerance(),
        bytes_moved: kernel.bytes_moved(),
        flops: kernel.flops(),
        variants,
    }
}

/// The same in bf16, computed in `f32`.
///
/// | variant | access on the GPU | on the host processor |
/// |---|---|---|
/// | `scalar` | 2 bytes | one chain of additions |
/// | `vector` | 16 bytes | sixteen lanes |
///
/// `vector` is there if `hidden` is a multiple of 8.
///
/// # Panics
/// If a dimension is zero or not below 2^31.
#[must_use]
pub fn rms_norm_bf16(rows: usize, hidden: usize, seed: u64) -> Task {
    let kernel = RmsNorm::new(rows, hidden, seed);
    let x = narrowed(kernel.input());
    let weight = narrowed(&weights(hidden, seed));
    let reference = reference::rms_norm(&widened(&x), &widened(&weight), RmsNorm::EPSILON);
    let mut variants = vec![Variant::launches(
        "scalar",
        [launch("rms_norm_shuffle_bf16", rows, hidden)],
        |buffers| {
            let [x, weight, out] = pick(buffers, [0, 1, 2]);
            let weight = widened(weight.bf16());
            through_f32(x.bf16(), weight.len(), out.bf16_mut(), |x, out| {
                rms_norm_scalar(x, &weight, RmsNorm::EPSILON, out);
            });
        },
    )];
    if vectors_fit::<bf16>(hidden) {
        variants.push(Variant::launches(
            "vector",
            [launch("rms_norm_vector_bf16", rows, hidden)],
            |buffers| {
                let [x, weight, out] = pick(buffers, [0, 1, 2]);
                let weight = widened(weight.bf16());
                through_f32(x.bf16(), weight.len(), out.bf16_mut(), |x, out| {
                    rms_norm_lanes(x, &weight, RmsNorm::EPSILON, out);
                });
            },
        ));
    }
    Task {
        family: "rms_norm_bf16",
        shape: format!("rows={rows} hidden={hidden}"),
        buffers: vec![
            Buffer::input("x", x),
            Buffer::input("weight", weight),
            Buffer::output("out", vec![bf16::ZERO; rows * hidden]),
        ],
        output: 2,
        reference,
        tolerance: rms_norm_tolerance(hidden).stored_as_bf16(),
        bytes_moved: kernel.bytes_moved() / 2,
        flops: kernel.flops(),
        variants,
    }
}

/// Those that [`RmsNorm`] draws.
pub(super) fn weights(hidden: usize, seed: u64) -> Vec<f32> {
    inputs::near_one(seed, "inputs/rms_norm/weight", hidden)
}

fn narrowed(x: &[f32]) -> Vec<bf16> {
    x.iter().copied().map(bf16::from_f32).collect()
}

fn widened(x: &[bf16]) -> Vec<f32> {
    x.iter().map(|x| x.to_f32()).collect()
}

fn launch(entry: &'static str, rows: usize, hidden: usize) -> Launch {
    let mut args: Vec<Arg> = [0, 1, 2].map(Arg::Buffer).into();
    args.extend([arg(hidden), Arg::F32(RmsNorm::EPSILON)]);
    Launch::new(&sources::RMS_NORM, entry, rows, THREADS, args)
}
