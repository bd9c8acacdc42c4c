//! The two projections that open a gated feed-forward block: `gate = Wg x` and
//! `up = Wu x`, both matrices row-major and of one shape.
//!
//! | variant | order of work |
//! |---|---|
//! | [`ffn_separate`] | all rows of `Wg`, then all rows of `Wu` |
//! | [`ffn_batched`] | two rows of each at a time, one load of `x` for all four |

use super::matvec::{Weight, check_shape, dot, dot_rows, matvec_blocked, matvec_tolerance};
use crate::{Tolerance, inputs, reference};

/// [`matvec_blocked`] for each matrix. `out` holds `gate`, then `up`.
///
/// # Panics
/// If `gate` and `up` are not both `out.len() / 2` rows of `x.len()`.
pub fn ffn_separate<W: Weight>(gate: &[W], up: &[W], x: &[f32], out: &mut [f32]) {
    let (out_gate, out_up) = halves(out);
    matvec_blocked(gate, x, out_gate);
    matvec_blocked(up, x, out_up);
}

/// Both matrices in one sweep over the rows. `out` holds `gate`, then `up`.
///
/// # Panics
/// If `gate` and `up` are not both `out.len() / 2` rows of `x.len()`.
pub fn ffn_batched<W: Weight>(gate: &[W], up: &[W], x: &[f32], out: &mut [f32]) {
    let (out_gate, out_up) = halves(out);
    check_shape(gate, x, out_gate);
    check_shape(up, x, out_up);
    let cols = x.len();
    let (gate_pairs, gate_rest) = out_gate.as_chunks_mut::<2>();
    let (up_pairs, up_rest) = out_up.as_chunks_mut::<2>();
    let rows = gate.chunks_exact(2 * cols).zip(up.chunks_exact(2 * cols));
    for ((gate, up), (out_gate, out_up)) in rows.zip(gate_pairs.iter_mut().zip(up_pairs)) {
        let (gate0, gate1) = gate.split_at(cols);
        let (up0, up1) = up.split_at(cols);
        let [g0, g1, u0, u1] = dot_rows([gate0, gate1, up0, up1], x);
        *out_gate = [g0, g1];
        *out_up = [u0, u1];
    }
    if let ([out_gate], [out_up]) = (gate_rest, up_rest) {
        *out_gate = dot(&gate[gate.len() - cols..], x);
        *out_up = dot(&up[up.len() - cols..], x);
    }
}

fn halves(out: &mut [f32]) -> (&mut [f32], &mut [f32]) {
    assert!(
        out.len().is_multiple_of(2),
        "{} elements are not two projections",
        out.len()
    );
    out.split_at_mut(out.len() / 2)
}

/// The tolerance of both variants: the larger [`matvec_tolerance`] of the two
/// products.
#[must_use]
pub fn ffn_tolerance<W: Weight>(gate: &[W], up: &[W], x: &[f32]) -> Tolerance {
    let [gate, up] = [gate, up].map(|w| matvec_tolerance(w, x));
    if gate.absolute > up.absolute {
        gate
    } else {
        up
    }
}

/// Seeded weights of both projections, `rows` by `cols` each, and an
/// activation, all as in [`MatVec`](super::matvec::MatVec).
#[derive(Clone, Debug)]
pub struct FfnProjections<W> {
    gate: Vec<W>,
    up: Vec<W>,
    x: Vec<f32>,
    out: Vec<f32>,
}

impl<W: Weight> FfnProjections<W> {
    /// Draws the input.
    ///
    /// # Panics
    /// If a dimension is zero.
    #[must_use]
    pub fn new(rows: usize, cols: usize, seed: u64) -> Self {
        assert!(rows > 0 && cols > 0, "a matrix of {rows}x{cols} is empty");
        let std_dev = 1.0 / (cols as f32).sqrt();
        let weights = |label| -> Vec<W> {
            let weights = inputs::normal(seed, label, std_dev, rows * cols);
            weights.into_iter().map(W::nearest).collect()
        };
        Self {
            gate: weights("inputs/ffn/gate"),
            up: weights("inputs/ffn/up"),
            x: inputs::normal(seed, "inputs/ffn/x", 1.0, cols),
            out: vec![f32::NAN; 2 * rows],
        }
    }

    /// Runs [`ffn_separate`].
    pub fn separate(&mut self) {
        ffn_separate(&self.gate, &self.up, &self.x, &mut self.out);
    }

    /// Runs [`ffn_batched`].
    pub fn batched(&mut self) {
        ffn_batched(&self.gate, &self.up, &self.x, &mut self.out);
    }

    /// The weights of the gate, row-major.
    #[must_use]
    pub fn gate(&self) -> &[W] {
        &self.gate
    }

    /// The weights of the up projection, row-major.
    #[must_use]
    pub fn up(&self) -> &[W] {
        &self.up
    }

    /// The activation.
    #[must_use]
    pub fn input(&self) -> &[f32] {
        &self.x
    }

    /// Gate, then up, of the last run; NaN before it.
    #[must_use]
    pub fn output(&self) -> &[f32] {
        &self.out
    }

    /// The `f64` products of the weights as stored, gate, then up.
    #[must_use]
    pub fn reference(&self) -> Vec<f64> {
        let mut products = reference::matvec(&self.gate, &self.x);
        products.extend(reference::matvec(&self.up, &self.x));
        products
    }

    /// [`ffn_tolerance`] of this input.
    #[must_use]
    pub fn tolerance(&self) -> Tolerance {
        ffn_tolerance(&self.gate, &self.up, &self.x)
    }

    /// Bytes that a call must move: both matrices and the activation in once,
    /// both products out, `size_of::<W>() * 2 * rows * cols + 4 * (cols + 2 * rows)`.
    #[must_use]
    pub fn bytes_moved(&self) -> u64 {
        let weights = 2 * size_of_val(&*self.gate);
        (weights + size_of_val(&*self.x) + size_of_val(&*self.out)) as u64
    }

    /// Operations of a call: one multiplication and one addition per weight,
    /// `4 * rows * cols`.
    #[must_use]
    pub fn flops(&self) -> u64 {
        4 * self.gate.len() as u64
    }

    /// Fills the output with NaN, so that a stale one cannot pass.
    pub fn poison(&mut self) {
        self.out.fill(f32::NAN);
    }
}
