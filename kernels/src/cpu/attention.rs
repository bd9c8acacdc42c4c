//! Decode attention: the query of one token against a cache of keys and
//! values, `out = softmax(q K^T / sqrt(head_dim)) V` for every head.
//!
//! Heads are grouped: `heads / kv_heads` query heads in a row share a key and
//! value head. Queries and outputs are `[heads, head_dim]`; keys and values are
//! `[length, kv_heads, head_dim]`, so that a new token appends.
//!
//! | variant | sweeps over the cache |
//! |---|---|
//! | [`attention_two_pass`] | keys, softmax of all scores, values; once per query head |
//! | [`attention_online`] | blocks of keys and values together, with a running softmax; once per key and value head |

use super::lanes;
use super::matvec::{Weight, dot};
use crate::tolerance::UNIT_ROUNDOFF;
use crate::{Tolerance, inputs, reference};

/// Sizes of an attention over a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttentionShape {
    /// Query heads; a multiple of `kv_heads`.
    pub heads: usize,
    /// Key and value heads.
    pub kv_heads: usize,
    /// Elements of a head.
    pub head_dim: usize,
    /// Tokens in the cache, the present one included.
    pub length: usize,
}

impl AttentionShape {
    /// Query heads that share a key and value head.
    #[must_use]
    pub fn group(&self) -> usize {
        self.heads / self.kv_heads
    }

    /// The factor of the scores, `1 / sqrt(head_dim)`.
    #[must_use]
    pub fn scale(&self) -> f32 {
        1.0 / (self.head_dim as f32).sqrt()
    }

    /// Where the row of a position and a key and value head starts.
    pub(crate) fn row(&self, position: usize, kv_head: usize) -> usize {
        (position * self.kv_heads + kv_head) * self.head_dim
    }

    pub(crate) fn check(&self) {
        assert!(
            self.kv_heads > 0 && self.head_dim > 0 && self.length > 0,
            "an attention of {self:?} is empty"
        );
        assert!(
            self.heads > 0 && self.heads.is_multiple_of(self.kv_heads),
            "{} heads are not groups over {} key and value heads",
            self.heads,
            self.kv_heads
        );
    }

    fn check_buffers<W>(&self, q: &[f32], keys: &[W], values: &[W], out: &[f32]) {
        self.check();
        let query = self.heads * self.head_dim;
        let cache = self.length * self.kv_heads * self.head_dim;
        assert!(
            q.len() == query && out.len() == query,
            "queries and outputs of {self:?} are {query} elements"
        );
        assert!(
            keys.len() == cache && values.len() == cache,
            "keys and values of {self:?} are {cache} elements"
        );
    }
}

/// All scores of a head first, their softmax, then the sum of the values.
///
/// `scores` has room for `shape.length` and is overwritten.
///
/// # Panics
/// If a buffer does not have the shape.
pub fn attention_two_pass<W: Weight>(
    shape: AttentionShape,
    q: &[f32],
    keys: &[W],
    values: &[W],
    scores: &mut [f32],
    out: &mut [f32],
) {
    shape.check_buffers(q, keys, values, out);
    assert_eq!(scores.len(), shape.length, "one score per position");
    let dim = shape.head_dim;
    for (head, (q, out)) in q.chunks(dim).zip(out.chunks_mut(dim)).enumerate() {
        let row = |position| shape.row(position, head / shape.group());
        for (position, score) in scores.iter_mut().enumerate() {
            *score = shape.scale() * dot(&keys[row(position)..][..dim], q);
        }
        let max = lanes::max(scores);
        let mut sum = 0.0;
        for score in scores.iter_mut() {
            *score = (*score - max).exp();
            sum += *score;
        }
        out.fill(0.0);
        for (position, weight) in scores.iter().enumerate() {
            add_scaled(out, weight / sum, &values[row(position)..][..dim]);
        }
    }
}

/// Positions per block of [`attention_online`]: the keys and values of a block
/// stay in the cache of the processor while a group of heads reads them.
const BLOCK: usize = 32;

/// Most query heads per key and value head in [`attention_online`].
pub const LARGEST_GROUP: usize = 128;

/// One sweep over the cache: every block updates a running maximum, sum and
/// output of each head of the group (Dao et al., arXiv:2205.14135, section 3.1).
///
/// # Panics
/// If a buffer does not have the shape, or a group has more than
/// [`LARGEST_GROUP`] heads.
pub fn attention_online<W: Weight>(
    shape: AttentionShape,
    q: &[f32],
    keys: &[W],
    values: &[W],
    out: &mut [f32],
) {
    shape.check_buffers(q, keys, values, out);
    let (dim, group) = (shape.head_dim, shape.group());
    assert!(
        group <= LARGEST_GROUP,
        "a group of {group} heads, at most {LARGEST_GROUP} are supported"
    );
    out.fill(0.0);
    let groups = q.chunks(group * dim).zip(out.chunks_mut(group * dim));
    for (kv_head, (q, out)) in groups.enumerate() {
        let mut maxima = [f32::MIN; LARGEST_GROUP];
        let mut sums = [0.0; LARGEST_GROUP];
        for start in (0..shape.length).step_by(BLOCK) {
            let positions = start..(start + BLOCK).min(shape.length);
            let state = maxima.iter_mut().zip(&mut sums);
            for ((q, out), (max, sum)) in q.chunks(dim).zip(out.chunks_mut(dim)).zip(state) {
                let mut scores = [0.0; BLOCK];
                let scores = &mut scores[..positions.len()];
                for (score, position) in scores.iter_mut().zip(positions.clone()) {
                    let key = &keys[shape.row(position, kv_head)..][..dim];
                    *score = shape.scale() * dot(key, q);
                }
                let block_max = lanes::max(scores);
                if block_max > *max {
                    let keep = (*max - block_max).exp();
                    *max = block_max;
                    *sum *= keep;
                    for out in out.iter_mut() {
                        *out *= keep;
                    }
                }
                for (score, position) in scores.iter().zip(positions.clone()) {
                    let weight = (score - *max).exp();
                    *sum += weight;
                    let value = &values[shape.row(position, kv_head)..][..dim];
                    add_scaled(out, weight, value);
                }
            }
        }
        for (out, sum) in out.chunks_mut(dim).zip(sums) {
            for out in out {
                *out /= sum;
            }
        }
    }
}

fn add_scaled<W: Weight>(out: &mut [f32], factor: f32, row: &[W]) {
    for (out, value) in out.iter_mut().zip(row) {
        *out += factor * value.widen();
    }
}

/// The tolerance of every variant for this input: absolute, the sum of
///
/// - `(8 + 2 range + 4 sqrt(length)) u` times the largest `sum_j p_j |v_j|`:
///   the weighted sum, and exponentials whose arguments `range`, the widest
///   spread of the scores of a head, bounds;
/// - `2 (4 + 4 sqrt(head_dim)) u` times the largest score without cancelling,
///   the largest `|v|` and the largest `sqrt(sum_j p_j^2)` of a head: the
///   rounding error of a score is a relative error of its weight, once in the
///   weighted sum and once in the sum of the weights. Those of different
///   positions are independent and average out as the positions do.
///
/// # Panics
/// If a buffer does not have the shape.
#[must_use]
pub fn attention_tolerance<W: Weight>(
    shape: AttentionShape,
    q: &[f32],
    keys: &[W],
    values: &[W],
) -> Tolerance {
    let bounds = reference::attention_bounds(shape, q, keys, values);
    let sum_units = 8.0 + 2.0 * bounds.score_range + 4.0 * (shape.length as f64).sqrt();
    let score_units = 2.0 * (4.0 + 4.0 * (shape.head_dim as f64).sqrt()) * bounds.score_magnitude;
    let absolute = sum_units * bounds.value_magnitude
        + score_units * bounds.weight_norm * bounds.largest_value;
    Tolerance {
        relative: 0.0,
        absolute: absolute * UNIT_ROUNDOFF,
    }
}

/// A seeded query and cache, all of standard deviation 1: scores then have
/// standard deviation 1, as with normalised queries and keys.
#[derive(Clone, Debug)]
pub struct DecodeAttention<W> {
    shape: AttentionShape,
    q: Vec<f32>,
    keys: Vec<W>,
    values: Vec<W>,
    scores: Vec<f32>,
    out: Vec<f32>,
}

impl<W: Weight> DecodeAttention<W> {
    /// Draws the input.
    ///
    /// # Panics
    /// If a size is zero or `heads` is no multiple of `kv_heads`.
    #[must_use]
    pub fn new(shape: AttentionShape, seed: u64) -> Self {
        shape.check();
        let cache = |label| -> Vec<W> {
            let len = shape.length * shape.kv_heads * shape.head_dim;
            let values = inputs::normal(seed, label, 1.0, len);
            values.into_iter().map(W::nearest).collect()
        };
        let query = shape.heads * shape.head_dim;
        Self {
            shape,
            q: inputs::normal(seed, "inputs/attention/q", 1.0, query),
            keys: cache("inputs/attention/keys"),
            values: cache("inputs/attention/values"),
            scores: vec![f32::NAN; shape.length],
            out: vec![f32::NAN; query],
        }
    }

    /// Runs [`attention_two_pass`].
    pub fn two_pass(&mut self) {
        let (q, keys, values) = (&self.q, &self.keys, &self.values);
        attention_two_pass(self.shape, q, keys, values, &mut self.scores, &mut self.out);
    }

    /// Runs [`attention_online`].
    pub fn online(&mut self) {
        attention_online(self.shape, &self.q, &self.keys, &self.values, &mut self.out);
    }

    /// The sizes.
    #[must_use]
    pub fn shape(&self) -> AttentionShape {
        self.shape
    }

    /// The query, `[heads, head_dim]`.
    #[must_use]
    pub fn query(&self) -> &[f32] {
        &self.q
    }

    /// The keys, `[length, kv_heads, head_dim]`.
    #[must_use]
    pub fn keys(&self) -> &[W] {
        &self.keys
    }

    /// The values, `[length, kv_heads, head_dim]`.
    #[must_use]
    pub fn values(&self) -> &[W] {
        &self.values
    }

    /// The attention of the last run, `[heads, head_dim]`; NaN before it.
    #[must_use]
    pub fn output(&self) -> &[f32] {
        &self.out
    }

    /// The `f64` attention over the cache as stored.
    #[must_use]
    pub fn reference(&self) -> Vec<f64> {
        reference::attention(self.shape, &self.q, &self.keys, &self.values)
    }

    /// [`attention_tolerance`] of this input.
    #[must_use]
    pub fn tolerance(&self) -> Tolerance {
        attention_tolerance(self.shape, &self.q, &self.keys, &self.values)
    }

    /// Bytes that a call must move: query, keys and values in once, output out,
    /// `size_of::<W>() * 2 * length * kv_heads * head_dim + 8 * heads * head_dim`.
    #[must_use]
    pub fn bytes_moved(&self) -> u64 {
        let cache = size_of_val(&*self.keys) + size_of_val(&*self.values);
        (cache + size_of_val(&*self.q) + size_of_val(&*self.out)) as u64
    }

    /// Operations of a call: a multiplication and an addition per element of
    /// key and value and query head, four for the softmax of each score
    /// (scale, subtract, exponential, add),
    /// `heads * length * (4 * head_dim + 4)`.
    #[must_use]
    pub fn flops(&self) -> u64 {
        let AttentionShape {
            heads,
            head_dim,
            length,
            ..
        } = self.shape;
        (heads * length * (4 * head_dim + 4)) as u64
    }

    /// Fills the output with NaN, so that a stale one cannot pass.
    pub fn poison(&mut self) {
        self.out.fill(f32::NAN);
    }
}
