//! The same kernels in `f64`, written for reading rather than for speed.

mod attention;
mod uncertainty;

pub use attention::{AttentionBounds, attention, attention_bounds};
pub use uncertainty::{Uncertainty, uncertainty};

use crate::cpu::matvec::Weight;
use crate::cpu::top_k::TokenLogit;
use half::bf16;

/// Softmax of every row of `cols` elements.
#[must_use]
pub fn softmax(x: &[f32], cols: usize) -> Vec<f64> {
    x.chunks_exact(cols)
        .flat_map(|row| {
            let row: Vec<f64> = row.iter().map(|&v| f64::from(v)).collect();
            probabilities(&row)
        })
        .collect()
}

/// RMSNorm of every row of `weight.len()` elements.
#[must_use]
pub fn rms_norm(x: &[f32], weight: &[f32], epsilon: f32) -> Vec<f64> {
    let x: Vec<f64> = x.iter().copied().map(f64::from).collect();
    rms_norm_f64(&x, weight, epsilon)
}

/// [`rms_norm`] of activations that are results themselves.
#[must_use]
pub fn rms_norm_f64(x: &[f64], weight: &[f32], epsilon: f32) -> Vec<f64> {
    x.chunks_exact(weight.len())
        .flat_map(|row| {
            let squares: f64 = row.iter().map(|v| v.powi(2)).sum();
            let rms = (squares / row.len() as f64 + f64::from(epsilon)).sqrt();
            row.iter()
                .zip(weight)
                .map(move |(&v, &w)| v / rms * f64::from(w))
        })
        .collect()
}

/// The bf16 nearest to `x`, ties to even, from the definition of the format:
/// 8 significant bits, exponents from -126 to 127, gradual underflow.
#[must_use]
pub fn round_to_bf16(x: f32) -> f64 {
    if x == 0.0 || !x.is_finite() {
        return x.into();
    }
    // f64 has room for every f32, denormals included, as a normal number.
    let value = f64::from(x);
    let exponent = ((value.to_bits() >> 52) & 0x7FF) as i32 - 1023;
    let spacing = 2f64.powi(exponent.max(-126) - 7);
    let rounded = (value / spacing).round_ties_even() * spacing;
    if rounded.abs() > bf16::MAX.to_f64() {
        f64::INFINITY.copysign(value)
    } else {
        rounded
    }
}

/// The product of a row-major matrix with a vector.
#[must_use]
pub fn matvec<W: Weight>(w: &[W], x: &[f32]) -> Vec<f64> {
    products(w, x).map(|row| row.sum()).collect()
}

/// For every row the sum of the absolute products: the scale on which the
/// rounding errors of [`matvec`] live, however much its terms cancel.
#[must_use]
pub fn matvec_magnitude<W: Weight>(w: &[W], x: &[f32]) -> Vec<f64> {
    products(w, x).map(|row| row.map(f64::abs).sum()).collect()
}

fn products<W: Weight>(w: &[W], x: &[f32]) -> impl Iterator<Item = impl Iterator<Item = f64>> {
    w.chunks_exact(x.len()).map(move |row| {
        row.iter()
            .zip(x)
            .map(|(&w, &x)| f64::from(w.widen()) * f64::from(x))
    })
}

/// The `k` largest logits, largest first, the lower token first among equals.
#[must_use]
pub fn top_k(logits: &[f32], k: usize) -> Vec<TokenLogit> {
    let mut taken = vec![false; logits.len()];
    let mut top = Vec::with_capacity(k);
    for _ in 0..k.min(logits.len()) {
        let free = (0..logits.len()).filter(|&token| !taken[token]);
        // `max_by` keeps the last of equals, hence the reversed walk.
        let best = free.rev().max_by(|&a, &b| logits[a].total_cmp(&logits[b]));
        let token = best.expect("k is at most the number of logits");
        taken[token] = true;
        top.push(TokenLogit {
            token: token as u32,
            logit: logits[token],
        });
    }
    top
}

/// Probabilities of the selected tokens at a temperature.
#[must_use]
pub fn temperature_softmax(top: &[TokenLogit], temperature: f32) -> Vec<f64> {
    let scaled: Vec<f64> = top
        .iter()
        .map(|t| f64::from(t.logit) / f64::from(temperature))
        .collect();
    probabilities(&scaled)
}

fn probabilities(x: &[f64]) -> Vec<f64> {
    let max = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let terms: Vec<f64> = x.iter().map(|v| (v - max).exp()).collect();
    let sum: f64 = terms.iter().sum();
    terms.into_iter().map(|term| term / sum).collect()
}
