//! The gated activation of the Llama family: `silu(gate) * up`,
//! `silu(x) = x / (1 + exp(-x))` (Shazeer, arXiv:2002.05202).

use super::softmax::exp_nonpositive;

/// `out = silu(gate) * up` for every row of `gate_up`, which holds `width`
/// gates and then `width` linear values.
///
/// # Panics
/// If `gate_up` is not whole rows of `2 * width`, or `out` not as many of
/// `width`.
pub fn swiglu(gate_up: &[f32], width: usize, out: &mut [f32]) {
    assert!(
        width > 0 && gate_up.len().is_multiple_of(2 * width) && out.len() * 2 == gate_up.len(),
        "{} gates and values and {} outputs are not rows of 2x{width} and {width}",
        gate_up.len(),
        out.len()
    );
    for (row, out) in gate_up
        .chunks_exact(2 * width)
        .zip(out.chunks_exact_mut(width))
    {
        let (gate, up) = row.split_at(width);
        for ((out, &gate), &up) in out.iter_mut().zip(gate).zip(up) {
            *out = gate * sigmoid(gate) * up;
        }
    }
}

/// Never overflows: the exponent is not positive.
fn sigmoid(x: f32) -> f32 {
    let e = exp_nonpositive(-x.abs());
    let numerator = if x < 0.0 { e } else { 1.0 };
    numerator / (1.0 + e)
}
