use super::probabilities;
use crate::cpu::attention::AttentionShape;
use crate::cpu::matvec::Weight;

/// Attention of one query token over a cache, `[heads, head_dim]`.
#[must_use]
pub fn attention<W: Weight>(
    shape: AttentionShape,
    q: &[f32],
    keys: &[W],
    values: &[W],
) -> Vec<f64> {
    let mut out = Vec::with_capacity(q.len());
    for head in 0..shape.heads {
        let weights = probabilities(&scores(shape, q, keys, head, |product| product));
        out.extend(mix(shape, &weights, values, head, |value| value));
    }
    out
}

/// What the rounding errors of [`attention`] scale with; the largest of any
/// head.
#[derive(Clone, Copy, Debug, Default)]
pub struct AttentionBounds {
    /// Largest minus smallest score of a head.
    pub score_range: f64,
    /// `|q| . |k| / sqrt(head_dim)`, however much the terms cancel.
    pub score_magnitude: f64,
    /// `sum_j p_j |v_j|`, likewise.
    pub value_magnitude: f64,
    /// `|v|` of any value.
    pub largest_value: f64,
    /// `sqrt(sum_j p_j^2)`: 1 if one position takes all, `1 / sqrt(length)` if
    /// all count the same.
    pub weight_norm: f64,
}

/// The bounds for this input.
#[must_use]
pub fn attention_bounds<W: Weight>(
    shape: AttentionShape,
    q: &[f32],
    keys: &[W],
    values: &[W],
) -> AttentionBounds {
    let largest = |values: Vec<f64>, so_far| values.into_iter().fold(so_far, f64::max);
    let mut bounds = AttentionBounds {
        largest_value: largest(values.iter().map(|v| v.widen().abs().into()).collect(), 0.0),
        ..AttentionBounds::default()
    };
    for head in 0..shape.heads {
        let exact = scores(shape, q, keys, head, |product| product);
        let highest = exact.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let lowest = exact.iter().copied().fold(f64::INFINITY, f64::min);
        bounds.score_range = bounds.score_range.max(highest - lowest);
        let magnitudes = scores(shape, q, keys, head, f64::abs);
        bounds.score_magnitude = largest(magnitudes, bounds.score_magnitude);
        let weights = probabilities(&exact);
        let squares: f64 = weights.iter().map(|weight| weight * weight).sum();
        bounds.weight_norm = bounds.weight_norm.max(squares.sqrt());
        let mixed = mix(shape, &weights, values, head, f64::abs);
        bounds.value_magnitude = largest(mixed, bounds.value_magnitude);
    }
    bounds
}

fn scores<W: Weight>(
    shape: AttentionShape,
    q: &[f32],
    keys: &[W],
    head: usize,
    term: impl Fn(f64) -> f64,
) -> Vec<f64> {
    let q = &q[head * shape.head_dim..][..shape.head_dim];
    let score = |position| {
        let key = &keys[shape.row(position, head / shape.group())..];
        let products = q.iter().zip(key);
        let sum: f64 = products
            .map(|(&q, k)| term(f64::from(q) * f64::from(k.widen())))
            .sum();
        sum / (shape.head_dim as f64).sqrt()
    };
    (0..shape.length).map(score).collect()
}

fn mix<W: Weight>(
    shape: AttentionShape,
    weights: &[f64],
    values: &[W],
    head: usize,
    term: impl Fn(f64) -> f64,
) -> Vec<f64> {
    let mut out = vec![0.0; shape.head_dim];
    for (position, weight) in weights.iter().enumerate() {
        let value = &values[shape.row(position, head / shape.group())..];
        for (out, v) in out.iter_mut().zip(value) {
            *out += weight * term(v.widen().into());
        }
    }
    out
}
