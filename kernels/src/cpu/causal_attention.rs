//! Causal attention of one sequence over its key-value cache, with grouped
//! queries (Ainslie et al., arXiv:2305.13245): `softmax(Q K^T / sqrt(d)) V`.
//!
//! Keys are stored by position and values by dimension, so both products are
//! the [`linear`](fn@linear) kernel: its batch invariance carries over, and a
//! token's output has the same bits in a prefill as in decode.

use super::Isa;
use super::lanes::{self, LANES};
use super::linear::{Rows, linear};
use super::softmax::exp_nonpositive;

/// Queries whose scores are held at once in a prefill.
const QUERY_BLOCK: usize = 48;

/// Keys and values of one layer of one sequence.
#[derive(Clone, Debug)]
pub struct KeyValues {
    kv_heads: usize,
    head_dim: usize,
    capacity: usize,
    /// Distance of two dimensions in `values`.
    stride: usize,
    /// By head, position, dimension.
    keys: Vec<f32>,
    /// By head, dimension, position.
    values: Vec<f32>,
}

impl KeyValues {
    /// Room for `capacity` positions.
    #[must_use]
    pub fn new(kv_heads: usize, head_dim: usize, capacity: usize) -> Self {
        // Off the powers of two: a position's values go to one cache set else.
        let stride = capacity.next_multiple_of(LANES) + LANES;
        Self {
            kv_heads,
            head_dim,
            capacity,
            stride,
            keys: vec![0.0; kv_heads * capacity * head_dim],
            values: vec![0.0; kv_heads * head_dim * stride],
        }
    }

    /// Positions there is room for.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Stores the key and the value of all heads at `position`.
    ///
    /// # Panics
    /// If there is no such position, or the lengths are not
    /// `kv_heads * head_dim`.
    pub fn store(&mut self, position: usize, key: &[f32], value: &[f32]) {
        let width = self.kv_heads * self.head_dim;
        assert!(
            position < self.capacity,
            "the cache has no position {position}"
        );
        assert!(
            key.len() == width && value.len() == width,
            "not whole heads"
        );
        for (head, key) in key.chunks_exact(self.head_dim).enumerate() {
            let at = (head * self.capacity + position) * self.head_dim;
            self.keys[at..][..self.head_dim].copy_from_slice(key);
        }
        let values = self.values[position..].iter_mut().step_by(self.stride);
        for (to, &value) in values.zip(value) {
            *to = value;
        }
    }

    fn keys(&self, head: usize, len: usize) -> Rows<'_, f32> {
        let from = head * self.capacity * self.head_dim;
        Rows::new(&self.keys[from..], len, self.head_dim)
    }

    fn values(&self, head: usize, len: usize) -> Rows<'_, f32> {
        let from = head * self.head_dim * self.stride;
        Rows::strided(&self.values[from..], self.head_dim, len, self.stride)
    }
}

/// Attention of the queries at positions `first`, `first + 1`, ... over
/// everything stored up to each of them.
///
/// `queries` and `out` hold `heads * head_dim` elements per token; `scores` is
/// scratch memory, kept between calls.
///
/// # Panics
/// If `queries` is not whole tokens of `heads`, `heads` not a multiple of the
/// key-value heads, `out` of another length, or a position beyond the capacity.
pub fn attention(
    isa: Isa,
    cache: &KeyValues,
    heads: usize,
    first: usize,
    queries: &[f32],
    scores: &mut Vec<f32>,
    out: &mut [f32],
) {
    let (dim, width) = (cache.head_dim, heads * cache.head_dim);
    assert!(
        heads > 0 && heads.is_multiple_of(cache.kv_heads),
        "{heads} heads cannot share {} evenly",
        cache.kv_heads
    );
    assert!(queries.len().is_multiple_of(width), "not whole tokens");
    assert_eq!(queries.len(), out.len(), "queries and output differ");
    let tokens = queries.len() / width;
    assert!(
        first + tokens <= cache.capacity,
        "positions beyond the cache"
    );
    let group = heads / cache.kv_heads;
    for from in (0..tokens).step_by(QUERY_BLOCK) {
        let block = (tokens - from).min(QUERY_BLOCK);
        let start = first + from;
        // A single token takes the heads of a group together: they read the
        // same keys. A block takes them one by one.
        let (calls, rows, stride) = if block == 1 {
            (1, group, dim)
        } else {
            (group, block, width)
        };
        for kv_head in 0..cache.kv_heads {
            for call in 0..calls {
                let at = from * width + (kv_head * group + call) * dim;
                let len = start + block;
                scores.resize(rows * len, 0.0);
                let q = Rows::strided(&queries[at..], rows, dim, stride);
                linear(isa, cache.keys(kv_head, len), q, scores, len);
                for (row, scores) in scores.chunks_exact_mut(len).enumerate() {
                    let visible = if block == 1 { len } else { start + row + 1 };
                    let (seen, later) = scores.split_at_mut(visible);
                    softmax(seen, 1.0 / (dim as f32).sqrt());
                    later.fill(0.0);
                }
                let p = Rows::new(scores, rows, len);
                linear(isa, cache.values(kv_head, len), p, &mut out[at..], stride);
            }
        }
    }
}

/// Softmax of `scale * x` in place. Lanes as in [`linear`](fn@linear).
fn softmax(x: &mut [f32], scale: f32) {
    let max = lanes::max(x);
    let mut sums = [0.0; LANES];
    let (chunks, rest) = x.as_chunks_mut::<LANES>();
    for chunk in chunks {
        for (x, sum) in chunk.iter_mut().zip(&mut sums) {
            *x = exp_nonpositive((*x - max) * scale);
            *sum += *x;
        }
    }
    for (x, sum) in rest.iter_mut().zip(&mut sums) {
        *x = exp_nonpositive((*x - max) * scale);
        *sum += *x;
    }
    let inverse = 1.0 / lanes::sum(sums);
    for x in x {
        *x *= inverse;
    }
}
