use super::rms_norm::weights;
use super::{arg, pick, sources};
use crate::cpu::add_rms_norm::{add_rms_norm_fused, add_then_rms_norm};
use crate::task::{Arg, Buffer, Launch, Task, Variant};
use crate::tolerance::UNIT_ROUNDOFF;
use crate::{RmsNorm, Tolerance, inputs, reference};

const THREADS: u32 = 256;

/// The residual addition and the RMSNorm after it, `rows` by `hidden` in
/// `f32`: one launch or two?
///
/// The output holds the sums, which the next block adds to, then their norms.
///
/// | variant | on the GPU | on the host processor |
/// |---|---|---|
/// | `separate` | two launches | all sums, then all norms |
/// | `fused` | one launch | row by row |
///
/// # Panics
/// If a dimension is zero or not below 2^31.
#[must_use]
pub fn add_rms_norm(rows: usize, hidden: usize, seed: u64) -> Task {
    let kernel = RmsNorm::new(rows, hidden, seed);
    let count = rows * hidden;
    let residual = inputs::normal(seed, "inputs/add_rms_norm/residual", 1.0, count);
    let weight = weights(hidden, seed);
    let launch =
        |entry, blocks, args| Launch::new(&sources::ADD_RMS_NORM, entry, blocks, THREADS, args);
    let shape = [arg(rows), arg(hidden), Arg::F32(RmsNorm::EPSILON)];
    let add = launch(
        "add_residual",
        count.div_ceil(THREADS as usize),
        [0, 1, 3]
            .into_iter()
            .map(Arg::Buffer)
            .chain([arg(count)])
            .collect(),
    );
    let norm = launch(
        "norm_after_add",
        rows,
        [2, 3].into_iter().map(Arg::Buffer).chain(shape).collect(),
    );
    let fused = launch(
        "add_rms_norm",
        rows,
        [0, 1, 2, 3]
            .into_iter()
            .map(Arg::Buffer)
            .chain(shape)
            .collect(),
    );
    Task {
        family: "add_rms_norm",
        shape: format!("rows={rows} hidden={hidden}"),
        reference: expected(kernel.input(), &residual, &weight),
        buffers: vec![
            Buffer::input("x", kernel.input().to_vec()),
            Buffer::input("residual", residual),
            Buffer::input("weight", weight),
            Buffer::output("out", vec![0f32; 2 * count]),
        ],
        output: 3,
        tolerance: tolerance(&kernel),
        bytes_moved: 4 * (4 * count + hidden) as u64,
        flops: 5 * count as u64,
        variants: vec![
            Variant::launches("separate", [add, norm], |buffers| {
                let [x, residual, weight, out] = pick(buffers, [0, 1, 2, 3]);
                let (x, residual, weight) = (x.f32(), residual.f32(), weight.f32());
                add_then_rms_norm(x, residual, weight, RmsNorm::EPSILON, out.f32_mut());
            }),
            Variant::launches("fused", [fused], |buffers| {
                let [x, residual, weight, out] = pick(buffers, [0, 1, 2, 3]);
                let (x, residual, weight) = (x.f32(), residual.f32(), weight.f32());
                add_rms_norm_fused(x, residual, weight, RmsNorm::EPSILON, out.f32_mut());
            }),
        ],
    }
}

/// That of the norm and one more rounding, of the sum.
fn tolerance(norm: &RmsNorm) -> Tolerance {
    let norm = norm.tolerance();
    Tolerance {
        relative: norm.relative + 2.0 * UNIT_ROUNDOFF,
        ..norm
    }
}

fn expected(x: &[f32], residual: &[f32], weight: &[f32]) -> Vec<f64> {
    let sums: Vec<f64> = x
        .iter()
        .zip(residual)
        .map(|(&x, &residual)| f64::from(x) + f64::from(residual))
        .collect();
    let norms = reference::rms_norm_f64(&sums, weight, RmsNorm::EPSILON);
    sums.into_iter().chain(norms).collect()
}
