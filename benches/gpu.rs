//! Kernels of inference runtimes as tasks: on an NVIDIA GPU where there is one
//! (cold cache, device time), else their Rust counterparts, labelled `cpu`.
//!
//! ```text
//! cargo bench --bench gpu -- --quick
//! cargo bench --bench gpu -- --device cuda:0 rms_norm
//! ```

use evenhand::device::TaskSuite;
use evenhand::prelude::*;
use evenhand_kernels::{AttentionShape, tasks};

fn rms_norm(suite: &mut Suite) {
    for (rows, hidden) in [(1, 4096), (64, 1024)] {
        suite
            .task(&format!("rms_norm/{rows}x{hidden}"), move |seed| {
                tasks::rms_norm(rows, hidden, seed)
            })
            .margin(percent(1.0));
    }
}

fn projections(suite: &mut Suite) {
    suite
        .task("matvec/bf16/1024x1024", |seed| {
            tasks::matvec_bf16(1024, 1024, seed)
        })
        .margin(percent(2.0));
    suite
        .task("ffn/bf16/704x1024", |seed| tasks::ffn_bf16(704, 1024, seed))
        .margin(percent(2.0));
}

fn attention(suite: &mut Suite) {
    let shape = AttentionShape {
        heads: 8,
        kv_heads: 2,
        head_dim: 64,
        length: 512,
    };
    suite
        .task("attention/heads=8/length=512", move |seed| {
            tasks::attention(shape, seed)
        })
        .margin(percent(2.0));
}

fn sampling(suite: &mut Suite) {
    let sizes = tasks::Sampling {
        vocabulary: 32_000,
        k: 40,
        temperature: 0.8,
    };
    suite
        .task("sampling/32000/k=40", move |seed| {
            tasks::sampling(sizes, seed)
        })
        .margin(percent(2.0));
}

evenhand::main!(rms_norm, projections, attention, sampling);
