use super::{arg, pick, sources, vectors_fit};
use crate::cpu::row_wise::through_f32;
use crate::cpu::softmax::{
    softmax_online, softmax_online_blocked, softmax_three_pass, softmax_three_pass_lanes,
    softmax_tolerance,
};
use crate::task::{Arg, Buffer, Launch, Task, Variant};
use crate::{RowSoftmax, bf16, reference};

/// Threads per block: a row of thousands keeps them all busy.
const THREADS: u32 = 256;

type Softmax = fn(&[f32], usize, &mut [f32]);

/// Softmax of `rows` rows of `cols` `f32` elements.
///
/// | variant | on the GPU | on the host processor |
/// |---|---|---|
/// | `three_pass` | max; sum; output. Trees in shared memory | three sweeps |
/// | `warp_shuffle` | the same, reductions by shuffles | three sweeps in lanes |
/// | `online` | running max and sum; output | online |
/// | `online_vector` | the same, 16 bytes per access | online in blocks |
///
/// `online_vector` is there if `cols` is a multiple of 4.
///
/// # Panics
/// If a dimension is zero or not below 2^31.
#[must_use]
pub fn softmax(rows: usize, cols: usize, seed: u64) -> Task {
    let kernel = RowSoftmax::new(rows, cols, seed);
    let launches = [
        Launch::new(
            &sources::SOFTMAX,
            "softmax_three_pass_f32",
            rows,
            THREADS,
            args(cols),
        )
        .with_shared_bytes(4 * THREADS),
        launch("softmax_warp_shuffle_f32", rows, cols),
        launch("softmax_online_f32", rows, cols),
        launch("softmax_online_vector_f32", rows, cols),
    ];
    let variant = |(name, softmax): (&'static str, Softmax), launch| {
        Variant::launches(name, [launch], move |buffers| {
            let [x, out] = pick(buffers, [0, 1]);
            softmax(x.f32(), cols, out.f32_mut());
        })
    };
    Task {
        family: "softmax",
        shape: format!("rows={rows} cols={cols}"),
        buffers: vec![
            Buffer::input("x", kernel.input().to_vec()),
            Buffer::output("out", vec![0f32; rows * cols]),
        ],
        output: 1,
        reference: kernel.reference(),
        tolerance: kernel.tolerance(),
        bytes_moved: kernel.bytes_moved(),
        flops: kernel.flops(),
        variants: VARIANTS
            .into_iter()
            .zip(launches)
            .take(contestants::<f32>(cols))
            .map(|(variant_of, launch)| variant(variant_of, launch))
            .collect(),
    }
}

/// The same in bf16, computed in `f32`; variants as in [`softmax`].
/// `online_vector` is there if `cols` is a multiple of 8.
///
/// # Panics
/// If a dimension is zero or not below 2^31.
#[must_use]
pub fn softmax_bf16(rows: usize, cols: usize, seed: u64) -> Task {
    let kernel = RowSoftmax::new(rows, cols, seed);
    let x: Vec<bf16> = kernel.input().iter().copied().map(bf16::from_f32).collect();
    let stored: Vec<f32> = x.iter().map(|x| x.to_f32()).collect();
    let launches = [
        Launch::new(
            &sources::SOFTMAX,
            "softmax_three_pass_bf16",
            rows,
            THREADS,
            args(cols),
        )
        .with_shared_bytes(4 * THREADS),
        launch("softmax_warp_shuffle_bf16", rows, cols),
        launch("softmax_online_bf16", rows, cols),
        launch("softmax_online_vector_bf16", rows, cols),
    ];
    let variant = |(name, softmax): (&'static str, Softmax), launch| {
        Variant::launches(name, [launch], move |buffers| {
            let [x, out] = pick(buffers, [0, 1]);
            through_f32(x.bf16(), cols, out.bf16_mut(), |x, out| {
                softmax(x, cols, out)
            });
        })
    };
    Task {
        family: "softmax_bf16",
        shape: format!("rows={rows} cols={cols}"),
        buffers: vec![
            Buffer::input("x", x),
            Buffer::output("out", vec![bf16::ZERO; rows * cols]),
        ],
        output: 1,
        reference: reference::softmax(&stored, cols),
        tolerance: softmax_tolerance(&stored, cols).stored_as_bf16(),
        bytes_moved: kernel.bytes_moved() / 2,
        flops: kernel.flops(),
        variants: VARIANTS
            .into_iter()
            .zip(launches)
            .take(contestants::<bf16>(cols))
            .map(|(variant_of, launch)| variant(variant_of, launch))
            .collect(),
    }
}

const VARIANTS: [(&str, Softmax); 4] = [
    ("three_pass", softmax_three_pass),
    ("warp_shuffle", softmax_three_pass_lanes),
    ("online", softmax_online),
    ("online_vector", softmax_online_blocked),
];

/// All variants, or all but the last, which needs aligned rows.
fn contestants<T>(cols: usize) -> usize {
    VARIANTS.len() - usize::from(!vectors_fit::<T>(cols))
}

fn launch(entry: &'static str, rows: usize, cols: usize) -> Launch {
    Launch::new(&sources::SOFTMAX, entry, rows, THREADS, args(cols))
}

fn args(cols: usize) -> Vec<Arg> {
    vec![Arg::Buffer(0), Arg::Buffer(1), arg(cols)]
}
