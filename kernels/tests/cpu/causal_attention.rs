//! Attention, rotary embedding and SwiGLU against `f64`.

use evenhand_kernels::cpu::causal_attention::{KeyValues, attention};
use evenhand_kernels::cpu::rope::RopeTable;
use evenhand_kernels::cpu::swiglu::swiglu;
use evenhand_kernels::{Isa, inputs};

#[test]
fn attention_agrees_with_plain_loops() {
    let (heads, kv_heads, dim, len) = (6, 2, 8, 60);
    let draw = |name, width: usize| inputs::normal(5, name, 1.0, len * width);
    let (q, k, v) = (
        draw("tests/q", heads * dim),
        draw("tests/k", kv_heads * dim),
        draw("tests/v", kv_heads * dim),
    );
    let mut cache = KeyValues::new(kv_heads, dim, len);
    for position in 0..len {
        let at = position * kv_heads * dim;
        let row = at..at + kv_heads * dim;
        cache.store(position, &k[row.clone()], &v[row]);
    }
    for isa in Isa::available() {
        let mut scores = Vec::new();
        let mut whole = vec![f32::NAN; q.len()];
        attention(isa, &cache, heads, 0, &q, &mut scores, &mut whole);
        for position in 0..len {
            let width = heads * dim;
            let query = &q[position * width..][..width];
            let mut alone = vec![f32::NAN; width];
            attention(isa, &cache, heads, position, query, &mut scores, &mut alone);
            assert_eq!(
                alone,
                whole[position * width..][..width],
                "{isa}, {position}"
            );
            for head in 0..heads {
                let shared = head / 3 * dim;
                let weights: Vec<f64> = (0..=position)
                    .map(|past| {
                        let key = &k[past * kv_heads * dim + shared..][..dim];
                        let pairs = query[head * dim..][..dim].iter().zip(key);
                        let dot: f64 = pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                        (dot / (dim as f64).sqrt()).exp()
                    })
                    .collect();
                for i in 0..dim {
                    let values =
                        (0..=position).map(|past| f64::from(v[past * kv_heads * dim + shared + i]));
                    let sum: f64 = values.zip(&weights).map(|(v, w)| v * w).sum();
                    let want = sum / weights.iter().sum::<f64>();
                    let got = f64::from(alone[head * dim + i]);
                    assert!((got - want).abs() < 1e-5, "{isa}: {got} for {want}");
                }
            }
        }
    }
}

#[test]
fn rotation_turns_pairs_of_halves() {
    let table = RopeTable::new(10_000.0, 8, 5000);
    assert_eq!(table.positions(), 5000);
    for position in [0usize, 1, 17, 4999] {
        let mut heads: Vec<f32> = (1..=16).map(|v| v as f32).collect();
        let before = heads.clone();
        table.rotate(position, &mut heads);
        for (head, was) in heads.chunks(8).zip(before.chunks(8)) {
            for i in 0..4 {
                let angle = position as f64 * 10_000f64.powf(-(i as f64) / 4.0);
                let (a, b) = (f64::from(was[i]), f64::from(was[i + 4]));
                let want = [
                    a * angle.cos() - b * angle.sin(),
                    a * angle.sin() + b * angle.cos(),
                ];
                assert!((f64::from(head[i]) - want[0]).abs() < 1e-5);
                assert!((f64::from(head[i + 4]) - want[1]).abs() < 1e-5);
            }
        }
    }
}

#[test]
fn swiglu_agrees_with_its_formula_and_never_overflows() {
    let gates = [-1e4f32, -100.0, -20.0, -1.5, -0.0, 0.3, 7.0, 90.0, 1e4];
    let width = gates.len();
    let mut gate_up = gates.to_vec();
    gate_up.extend([2.0; 9]);
    let mut out = vec![f32::NAN; width];
    swiglu(&gate_up, width, &mut out);
    for (got, gate) in out.iter().zip(gates) {
        let gate = f64::from(gate);
        let want = 2.0 * gate / (1.0 + (-gate).exp());
        let error = (f64::from(*got) - want).abs();
        assert!(
            error <= 1e-6 * want.abs() + 1e-34,
            "silu({gate}) * 2 is {got}"
        );
    }
}
