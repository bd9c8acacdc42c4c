use super::{int, pick, sources};
use crate::cpu::matvec::{matvec_blocked, matvec_row_wise};
use crate::task::{Arg, Buffer, Launch, Task, Variant};
use crate::{MatVec, bf16};

/// Threads per block: eight rows where a warp takes one.
pub(super) const THREADS: u32 = 256;

/// Blocks that give every row a warp.
pub(super) fn warp_blocks(rows: usize) -> usize {
    rows.div_ceil(THREADS as usize / 32)
}

/// Matrix-vector product of decode, `rows` by `cols` bf16 weights.
///
/// | variant | rows on the GPU | on the host processor |
/// |---|---|---|
/// | `thread_per_row` | one thread each | one at a time |
/// | `warp_per_row` | one warp each, 16 bytes per load | four at a time |
///
/// # Panics
/// If a dimension is zero or not below 2^31.
#[must_use]
pub fn matvec_bf16(rows: usize, cols: usize, seed: u64) -> Task {
    let kernel = MatVec::<bf16>::new(rows, cols, seed);
    let launch = |entry, blocks| {
        let mut args: Vec<Arg> = [0, 1, 2].map(Arg::Buffer).into();
        args.extend([int(rows), int(cols)]);
        Launch::new(&sources::MATVEC, entry, blocks, THREADS, args)
    };
    let thread_blocks = rows.div_ceil(THREADS as usize);
    Task {
        family: "matvec_bf16",
        shape: format!("rows={rows} cols={cols}"),
        buffers: vec![
            Buffer::input("w", kernel.weights().to_vec()),
            Buffer::input("x", kernel.input().to_vec()),
            Buffer::output("out", vec![0f32; rows]),
        ],
        output: 2,
        reference: kernel.reference(),
        tolerance: kernel.tolerance(),
        bytes_moved: kernel.bytes_moved(),
        flops: kernel.flops(),
        variants: vec![
            Variant::launches(
                "thread_per_row",
                [launch("matvec_bf16_thread_per_row", thread_blocks)],
                |buffers| {
                    let [w, x, out] = pick(buffers, [0, 1, 2]);
                    matvec_row_wise(w.bf16(), x.f32(), out.f32_mut());
                },
            ),
            Variant::launches(
                "warp_per_row",
                [launch("matvec_bf16_warp_per_row", warp_blocks(rows))],
                |buffers| {
                    let [w, x, out] = pick(buffers, [0, 1, 2]);
                    matvec_blocked(w.bf16(), x.f32(), out.f32_mut());
                },
            ),
        ],
    }
}
