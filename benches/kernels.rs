//! CPU kernels of inference runtimes, each against the variant that an
//! engineer would try next, over shapes of decoders (hidden sizes 256 to 4096).

use evenhand::prelude::*;
use evenhand_kernels::{
    Bf16ToF32, F32ToBf16, MatVec, RmsNorm, RowSoftmax, TopKSampling, Weight, bf16,
};

fn row_softmax(suite: &mut Suite) {
    for (rows, cols) in [(1, 4096), (64, 1024)] {
        suite
            .experiment(format!("softmax/f32/{rows}x{cols}"))
            .margin(percent(1.0))
            .bytes_moved(8 * rows * cols)
            .elements(rows * cols)
            .control("three_pass", move |b| {
                b.state(RowSoftmax::new(rows, cols, b.seed()))
                    .output(|k| k.output().to_vec())
                    .iter(RowSoftmax::three_pass);
            })
            .candidate("three_pass_lanes", move |b| {
                b.state(RowSoftmax::new(rows, cols, b.seed()))
                    .output(|k| k.output().to_vec())
                    .iter(RowSoftmax::three_pass_lanes);
            })
            .candidate("online", move |b| {
                b.state(RowSoftmax::new(rows, cols, b.seed()))
                    .output(|k| k.output().to_vec())
                    .iter(RowSoftmax::online);
            })
            .candidate("online_blocked", move |b| {
                b.state(RowSoftmax::new(rows, cols, b.seed()))
                    .output(|k| k.output().to_vec())
                    .iter(RowSoftmax::online_blocked);
            })
            .verify(matches_reference(relative(1e-4), move |seed| {
                RowSoftmax::new(rows, cols, seed).reference()
            }));
    }
}

fn rms_norm(suite: &mut Suite) {
    for hidden in [256, 4096] {
        suite
            .experiment(format!("rms_norm/f32/1x{hidden}"))
            .margin(percent(1.0))
            .bytes_moved(4 * (2 * hidden + hidden))
            .elements(hidden)
            .control("scalar", move |b| {
                b.state(RmsNorm::new(1, hidden, b.seed()))
                    .output(|k| k.output().to_vec())
                    .iter(RmsNorm::scalar);
            })
            .candidate("lanes", move |b| {
                b.state(RmsNorm::new(1, hidden, b.seed()))
                    .output(|k| k.output().to_vec())
                    .iter(RmsNorm::lanes);
            })
            .verify(matches_reference(relative(1e-5), move |seed| {
                RmsNorm::new(1, hidden, seed).reference()
            }));
    }
}

fn convert(suite: &mut Suite) {
    const LEN: usize = 65_536;
    suite
        .experiment(format!("convert/f32_to_bf16/{LEN}"))
        .margin(percent(1.0))
        .bytes_moved(6 * LEN)
        .elements(LEN)
        .control("per_element", |b| {
            b.state(F32ToBf16::new(LEN, b.seed()))
                .output(bits)
                .iter(F32ToBf16::per_element);
        })
        .candidate("branch_free", |b| {
            b.state(F32ToBf16::new(LEN, b.seed()))
                .output(bits)
                .iter(F32ToBf16::branch_free);
        })
        .verify(outputs_equal());
    suite
        .experiment(format!("convert/bf16_to_f32/{LEN}"))
        .margin(percent(1.0))
        .bytes_moved(6 * LEN)
        .elements(LEN)
        .control("per_element", |b| {
            b.state(Bf16ToF32::new(LEN, b.seed()))
                .output(|k| k.output().to_vec())
                .iter(Bf16ToF32::per_element);
        })
        .candidate("shift", |b| {
            b.state(Bf16ToF32::new(LEN, b.seed()))
                .output(|k| k.output().to_vec())
                .iter(Bf16ToF32::shift);
        })
        .verify(outputs_equal());
}

fn bits(kernel: &mut F32ToBf16) -> Vec<u16> {
    kernel.output().iter().map(|x| x.to_bits()).collect()
}

/// One token's projection: every weight is read once.
fn mat_vec(suite: &mut Suite) {
    for (rows, cols) in [(256, 256), (1024, 1024)] {
        projection::<f32>(suite, "f32", rows, cols);
        projection::<bf16>(suite, "bf16", rows, cols);
    }
    projection::<bf16>(suite, "bf16", 4096, 1024);
}

fn projection<W: Weight + 'static>(suite: &mut Suite, weights: &str, rows: usize, cols: usize) {
    suite
        .experiment(format!("mat_vec/{weights}/{rows}x{cols}"))
        .margin(percent(2.0))
        .bytes_moved(size_of::<W>() * rows * cols + 4 * (rows + cols))
        .flops(2 * rows * cols)
        .control("row_wise", move |b| {
            b.state(MatVec::<W>::new(rows, cols, b.seed()))
                .output(|k| k.output().to_vec())
                .iter(MatVec::row_wise);
        })
        .candidate("blocked", move |b| {
            b.state(MatVec::<W>::new(rows, cols, b.seed()))
                .output(|k| k.output().to_vec())
                .iter(MatVec::blocked);
        })
        .verify(matches_reference(absolute(1e-3), move |seed| {
            MatVec::<W>::new(rows, cols, seed).reference()
        }));
}

fn top_k_sampling(suite: &mut Suite) {
    const VOCAB: usize = 32_000;
    for k in [40, 1000] {
        suite
            .experiment(format!("top_k/{VOCAB}/k={k}"))
            .margin(percent(1.0))
            .elements(VOCAB)
            .control("select", move |b| {
                b.state(TopKSampling::new(VOCAB, k, 0.8, b.seed()))
                    .output(|s| s.output())
                    .iter(TopKSampling::select);
            })
            .candidate("heap", move |b| {
                b.state(TopKSampling::new(VOCAB, k, 0.8, b.seed()))
                    .output(|s| s.output())
                    .iter(TopKSampling::heap);
            })
            .candidate("full_sort", move |b| {
                b.state(TopKSampling::new(VOCAB, k, 0.8, b.seed()))
                    .output(|s| s.output())
                    .iter(TopKSampling::full_sort);
            })
            .verify(outputs_equal());
    }
}

evenhand::main!(row_softmax, rms_norm, convert, mat_vec, top_k_sampling);
