use super::matvec::{THREADS, warp_blocks};
use super::{int, pick, sources};
use crate::cpu::ffn::{FfnProjections, ffn_batched, ffn_separate};
use crate::task::{Arg, Buffer, Data, Launch, Task, Variant};
use crate::{Weight, bf16};

/// Gate and up projection of a feed-forward block, `rows` by `cols` `f32`
/// weights each. Both variants compute a row by one warp.
///
/// | variant | launches | on the host processor |
/// |---|---|---|
/// | `separate` | one per matrix | one matrix after the other |
/// | `batched` | one for both | two rows of each at a time |
///
/// # Panics
/// If a dimension is zero or not below 2^31.
#[must_use]
pub fn ffn_f32(rows: usize, cols: usize, seed: u64) -> Task {
    ffn(
        Format {
            family: "ffn_f32",
            project: "ffn_project_f32",
            project_batched: "ffn_project_batched_f32",
            weights: Data::f32,
        },
        rows,
        cols,
        seed,
    )
}

/// As [`ffn_f32`], with bf16 weights.
///
/// # Panics
/// If a dimension is zero or not below 2^31.
#[must_use]
pub fn ffn_bf16(rows: usize, cols: usize, seed: u64) -> Task {
    ffn(
        Format {
            family: "ffn_bf16",
            project: "ffn_project_bf16",
            project_batched: "ffn_project_batched_bf16",
            weights: Data::bf16 as fn(&Data) -> &[bf16],
        },
        rows,
        cols,
        seed,
    )
}

/// What depends on the format of the weights.
struct Format<W> {
    family: &'static str,
    project: &'static str,
    project_batched: &'static str,
    weights: fn(&Data) -> &[W],
}

const GATE: usize = 0;
const UP: usize = 1;
const X: usize = 2;
const OUT: usize = 3;

fn ffn<W: Weight + 'static>(format: Format<W>, rows: usize, cols: usize, seed: u64) -> Task
where
    Vec<W>: Into<Data>,
{
    let kernel = FfnProjections::<W>::new(rows, cols, seed);
    let separate = |matrix, first_row| {
        let mut args: Vec<Arg> = [matrix, X, OUT].map(Arg::Buffer).into();
        args.extend([int(rows), int(cols), int(first_row)]);
        let blocks = warp_blocks(rows);
        Launch::new(&sources::FFN, format.project, blocks, THREADS, args)
    };
    let batched = {
        let mut args: Vec<Arg> = [GATE, UP, X, OUT].map(Arg::Buffer).into();
        args.extend([int(rows), int(cols)]);
        let blocks = warp_blocks(rows);
        let mut launch = Launch::new(&sources::FFN, format.project_batched, blocks, THREADS, args);
        launch.grid[1] = 2;
        launch
    };
    let weights = format.weights;
    Task {
        family: format.family,
        shape: format!("rows={rows} cols={cols}"),
        buffers: vec![
            Buffer::input("gate", kernel.gate().to_vec()),
            Buffer::input("up", kernel.up().to_vec()),
            Buffer::input("x", kernel.input().to_vec()),
            Buffer::output("out", vec![0f32; 2 * rows]),
        ],
        output: OUT,
        reference: kernel.reference(),
        tolerance: kernel.tolerance(),
        bytes_moved: kernel.bytes_moved(),
        flops: kernel.flops(),
        variants: vec![
            Variant::launches(
                "separate",
                [separate(GATE, 0), separate(UP, rows)],
                move |buffers| {
                    let [gate, up, x, out] = pick(buffers, [GATE, UP, X, OUT]);
                    ffn_separate(weights(gate), weights(up), x.f32(), out.f32_mut());
                },
            ),
            Variant::launches("batched", [batched], move |buffers| {
                let [gate, up, x, out] = pick(buffers, [GATE, UP, X, OUT]);
                ffn_batched(weights(gate), weights(up), x.f32(), out.f32_mut());
            }),
        ],
    }
}
