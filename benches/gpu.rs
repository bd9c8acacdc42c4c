//! Kernels of inference runtimes as tasks: on an NVIDIA GPU where there is one
//! (cold cache, device time), else their Rust counterparts, labelled `cpu`.
//!
//! ```text
//! cargo bench --bench gpu -- --quick
//! cargo bench --bench gpu -- --device cuda:0 rms_norm
//! ```

use evenhand::device::{TaskSuite, expected};
use evenhand::prelude::*;
use evenhand_kernels::tasks::Sampling;
use evenhand_kernels::{AttentionShape, tasks};

/// Shapes of a model on a card; on the host processor those that it gets done.
fn sized<T>(card: T, host: T) -> T {
    if expected().gpu { card } else { host }
}

fn rms_norm(suite: &mut Suite) {
    for (rows, hidden) in [(1, 4096), sized((2048, 4096), (64, 1024))] {
        suite
            .task(&format!("rms_norm/{rows}x{hidden}"), move |seed| {
                tasks::rms_norm(rows, hidden, seed)
            })
            .margin(percent(1.0));
    }
}

fn projections(suite: &mut Suite) {
    let (rows, cols) = sized((4096, 4096), (1024, 1024));
    suite
        .task(&format!("matvec/bf16/{rows}x{cols}"), move |seed| {
            tasks::matvec_bf16(rows, cols, seed)
        })
        .margin(percent(2.0));
    let (rows, cols) = sized((5632, 2048), (704, 1024));
    suite
        .task(&format!("ffn/bf16/{rows}x{cols}"), move |seed| {
            tasks::ffn_bf16(rows, cols, seed)
        })
        .margin(percent(2.0));
}

fn attention(suite: &mut Suite) {
    let on_card = AttentionShape {
        heads: 32,
        kv_heads: 8,
        head_dim: 128,
        length: 4096,
    };
    let on_host = AttentionShape {
        heads: 8,
        kv_heads: 2,
        head_dim: 64,
        length: 512,
    };
    let shape = sized(on_card, on_host);
    let id = format!("attention/heads={}/length={}", shape.heads, shape.length);
    suite
        .task(&id, move |seed| tasks::attention(shape, seed))
        .margin(percent(2.0));
}

fn sampling(suite: &mut Suite) {
    let (vocabulary, k) = sized((128_256, 50), (32_000, 40));
    let sizes = Sampling {
        vocabulary,
        k,
        temperature: 0.8,
    };
    suite
        .task(&format!("sampling/{vocabulary}/k={k}"), move |seed| {
            tasks::sampling(sizes, seed)
        })
        .margin(percent(2.0));
}

/// What only a card is asked: element-wise kernels at the speed of its memory,
/// and copies to it.
fn on_a_card(suite: &mut Suite) {
    if !expected().gpu {
        return;
    }
    let sizes = Sampling {
        vocabulary: 128_256,
        k: 50,
        temperature: 0.8,
    };
    suite
        .task("softmax/f32/1024x4096", |seed| {
            tasks::softmax(1024, 4096, seed)
        })
        .margin(percent(1.0));
    suite
        .task("softmax/bf16/1024x4096", |seed| {
            tasks::softmax_bf16(1024, 4096, seed)
        })
        .margin(percent(1.0));
    suite
        .task("rms_norm/bf16/2048x4096", |seed| {
            tasks::rms_norm_bf16(2048, 4096, seed)
        })
        .margin(percent(1.0));
    suite
        .task("add_rms_norm/2048x4096", |seed| {
            tasks::add_rms_norm(2048, 4096, seed)
        })
        .margin(percent(1.0));
    suite
        .task("f32_to_bf16/8Mi", |seed| tasks::f32_to_bf16(8 << 20, seed))
        .margin(percent(1.0));
    suite
        .task("bf16_to_f32/8Mi", |seed| tasks::bf16_to_f32(8 << 20, seed))
        .margin(percent(1.0));
    suite
        .task("uncertainty/128256/k=50", move |seed| {
            tasks::uncertainty_toggle(sizes, seed)
        })
        .margin(percent(2.0));
    suite
        .task("upload_as_bf16/4Mi", |seed| {
            tasks::upload_as_bf16(4 << 20, seed)
        })
        .margin(percent(5.0));
}

evenhand::main!(rms_norm, projections, attention, sampling, on_a_card);
