use super::{arg, pick, sources};
use crate::cpu::rms_norm::{rms_norm_lanes, rms_norm_scalar};
use crate::task::{Arg, Buffer, Launch, Task, Variant};
use crate::{RmsNorm, inputs};

/// Threads per block: a row of a hidden size of thousands keeps them all busy.
const THREADS: u32 = 256;

/// RMSNorm of `rows` rows of `hidden` `f32` elements.
///
/// | variant | sum of squares | on the host processor |
/// |---|---|---|
/// | `tree` | tree in shared memory | one chain of additions |
/// | `shuffle` | warp shuffles | sixteen lanes |
///
/// # Panics
/// If a dimension is zero or does not fit `u32`.
#[must_use]
pub fn rms_norm(rows: usize, hidden: usize, seed: u64) -> Task {
    let kernel = RmsNorm::new(rows, hidden, seed);
    let args = vec![
        Arg::Buffer(0),
        Arg::Buffer(1),
        Arg::Buffer(2),
        arg(hidden),
        Arg::F32(RmsNorm::EPSILON),
    ];
    let launch = |entry| Launch::new(&sources::RMS_NORM, entry, rows, THREADS, args.clone());
    Task {
        family: "rms_norm",
        shape: format!("rows={rows} hidden={hidden}"),
        buffers: vec![
            Buffer::input("x", kernel.input().to_vec()),
            Buffer::input(
                "weight",
                inputs::near_one(seed, "inputs/rms_norm/weight", hidden),
            ),
            Buffer::output("out", vec![0f32; rows * hidden]),
        ],
        output: 2,
        reference: kernel.reference(),
        tolerance: kernel.tolerance(),
        bytes_moved: kernel.bytes_moved(),
        flops: kernel.flops(),
        variants: vec![
            Variant::launches(
                "tree",
                [launch("rms_norm_tree").with_shared_bytes(4 * THREADS)],
                |buffers| {
                    let [x, weight, out] = pick(buffers, [0, 1, 2]);
                    rms_norm_scalar(x.f32(), weight.f32(), RmsNorm::EPSILON, out.f32_mut());
                },
            ),
            Variant::launches("shuffle", [launch("rms_norm_shuffle")], |buffers| {
                let [x, weight, out] = pick(buffers, [0, 1, 2]);
                rms_norm_lanes(x.f32(), weight.f32(), RmsNorm::EPSILON, out.f32_mut());
            }),
        ],
    }
}
