//! Top-k sampling: select the `k` largest logits, softmax over them at a
//! temperature, pick one with a given uniform number.
//!
//! | variant | selection |
//! |---|---|
//! | [`top_k_full_sort`] | sort all logits, keep `k` |
//! | [`top_k_select`] | partition around the `k`-th, sort `k` |
//! | [`top_k_heap`] | one sweep with a heap of the best `k` so far |
//!
//! Equal logits rank by token, the lower first, so all variants select the same
//! tokens in the same order, and what follows is the same to the last bit.
//! Order is that of [`f32::total_cmp`]: `-0.0` ranks below `0.0`, a positive NaN
//! above everything. Sampling expects logits without NaN.

use crate::tolerance::UNIT_ROUNDOFF;
use crate::{Tolerance, inputs, reference};
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// A token and its logit. Orders by rank: the larger logit comes first, the
/// lower token among equals.
#[derive(Clone, Copy, Debug)]
pub struct TokenLogit {
    /// Index into the vocabulary.
    pub token: u32,
    /// Its logit.
    pub logit: f32,
}

impl Ord for TokenLogit {
    fn cmp(&self, other: &Self) -> Ordering {
        other
            .logit
            .total_cmp(&self.logit)
            .then(self.token.cmp(&other.token))
    }
}

impl PartialOrd for TokenLogit {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for TokenLogit {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for TokenLogit {}

fn ranked(logits: &[f32]) -> impl Iterator<Item = TokenLogit> {
    logits
        .iter()
        .zip(0..)
        .map(|(&logit, token)| TokenLogit { token, logit })
}

/// Sorts all logits in `top`, which keeps the first `k`.
///
/// `top` is overwritten; with room for `logits.len()` nothing is allocated.
pub fn top_k_full_sort(logits: &[f32], k: usize, top: &mut Vec<TokenLogit>) {
    top.clear();
    top.extend(ranked(logits));
    top.sort_unstable();
    top.truncate(k);
}

/// Moves the best `k` to the front of `top` (quickselect) and sorts only those.
///
/// `top` is overwritten; with room for `logits.len()` nothing is allocated.
pub fn top_k_select(logits: &[f32], k: usize, top: &mut Vec<TokenLogit>) {
    top.clear();
    top.extend(ranked(logits));
    if k < top.len() {
        top.select_nth_unstable(k);
        top.truncate(k);
    }
    top.sort_unstable();
}

/// Sweeps the logits once with a heap of the best `k`, the worst of them on
/// top.
///
/// `top` is overwritten; with room for `k` nothing is allocated.
pub fn top_k_heap(logits: &[f32], k: usize, top: &mut Vec<TokenLogit>) {
    let mut rest = ranked(logits);
    let mut buffer = std::mem::take(top);
    buffer.clear();
    buffer.extend(rest.by_ref().take(k));
    // Both conversions keep the buffer.
    let mut heap = BinaryHeap::from(buffer);
    for next in rest {
        match heap.peek_mut() {
            Some(mut worst) if next < *worst => *worst = next,
            _ => {}
        }
    }
    *top = heap.into_sorted_vec();
}

/// Softmax over the selected logits at a temperature.
///
/// # Panics
/// If `top` is empty, `out` has another length, or the temperature is not
/// positive.
pub fn temperature_softmax(top: &[TokenLogit], temperature: f32, out: &mut [f32]) {
    assert!(
        temperature > 0.0,
        "a temperature is positive, not {temperature}"
    );
    assert_eq!(
        top.len(),
        out.len(),
        "selection and output differ in length"
    );
    let largest = top
        .first()
        .expect("a selection of at least one token")
        .logit;
    let mut sum = 0.0;
    for (out, top) in out.iter_mut().zip(top) {
        *out = ((top.logit - largest) / temperature).exp();
        sum += *out;
    }
    for out in out {
        *out /= sum;
    }
}

/// The position whose share of the cumulated probabilities contains `uniform`,
/// a number in `[0, 1)`.
///
/// # Panics
/// If there are no probabilities.
#[must_use]
pub fn sample(probabilities: &[f32], uniform: f32) -> usize {
    assert!(!probabilities.is_empty(), "nothing to sample from");
    let mut cumulated = 0.0;
    for (position, probability) in probabilities.iter().enumerate() {
        cumulated += probability;
        if uniform < cumulated {
            return position;
        }
    }
    // The sum may fall short of 1 by rounding; a token of probability zero
    // must not profit from it.
    probabilities.iter().rposition(|&p| p > 0.0).unwrap_or(0)
}

/// The tolerance of the probabilities: relative
/// `(8 + 2 range / temperature + 4 sqrt(k)) u`, with `range` from the largest
/// to the smallest selected logit. The selection itself is exact.
#[must_use]
pub fn temperature_softmax_tolerance(top: &[TokenLogit], temperature: f32) -> Tolerance {
    let range = match top {
        [first, .., last] => f64::from(first.logit) - f64::from(last.logit),
        _ => 0.0,
    };
    let exponent = (range / f64::from(temperature)).min(104.0);
    let units = 8.0 + 2.0 * exponent + 4.0 * (top.len() as f64).sqrt();
    Tolerance {
        relative: units * UNIT_ROUNDOFF,
        absolute: f32::MIN_POSITIVE.into(),
    }
}

/// Seeded logits over a vocabulary, standard deviation 3, and a uniform number
/// to sample with.
#[derive(Clone, Debug)]
pub struct TopKSampling {
    logits: Vec<f32>,
    k: usize,
    temperature: f32,
    uniform: f32,
    top: Vec<TokenLogit>,
    probabilities: Vec<f32>,
    token: u32,
}

impl TopKSampling {
    /// Draws the input.
    ///
    /// # Panics
    /// Unless `1 <= k <= vocabulary` and the temperature is positive.
    #[must_use]
    pub fn new(vocabulary: usize, k: usize, temperature: f32, seed: u64) -> Self {
        assert!(
            (1..=vocabulary).contains(&k),
            "cannot select {k} of {vocabulary}"
        );
        assert!(
            temperature > 0.0,
            "a temperature is positive, not {temperature}"
        );
        let mut kernel = Self {
            logits: inputs::normal(seed, "inputs/top_k/logits", 3.0, vocabulary),
            k,
            temperature,
            uniform: inputs::uniform(seed, "inputs/top_k/uniform"),
            top: Vec::with_capacity(vocabulary),
            probabilities: vec![f32::NAN; k],
            token: u32::MAX,
        };
        // Every arm starts with its memory touched.
        kernel.full_sort();
        kernel.poison();
        kernel
    }

    /// Selects with [`top_k_full_sort`] and samples.
    pub fn full_sort(&mut self) {
        self.run(top_k_full_sort);
    }

    /// Selects with [`top_k_select`] and samples.
    pub fn select(&mut self) {
        self.run(top_k_select);
    }

    /// Selects with [`top_k_heap`] and samples.
    pub fn heap(&mut self) {
        self.run(top_k_heap);
    }

    fn run(&mut self, top_k: impl Fn(&[f32], usize, &mut Vec<TokenLogit>)) {
        top_k(&self.logits, self.k, &mut self.top);
        temperature_softmax(&self.top, self.temperature, &mut self.probabilities);
        self.token = self.top[sample(&self.probabilities, self.uniform)].token;
    }

    /// The logits.
    #[must_use]
    pub fn input(&self) -> &[f32] {
        &self.logits
    }

    /// The uniform number that every run samples with.
    #[must_use]
    pub fn uniform(&self) -> f32 {
        self.uniform
    }

    /// The selection of the last run, best first; empty before it.
    #[must_use]
    pub fn top(&self) -> &[TokenLogit] {
        &self.top
    }

    /// The probabilities of the selection; NaN before a run.
    #[must_use]
    pub fn probabilities(&self) -> &[f32] {
        &self.probabilities
    }

    /// The sampled token; `u32::MAX` before a run.
    #[must_use]
    pub fn token(&self) -> u32 {
        self.token
    }

    /// Everything a run decided, as numbers: the sampled token, the selected
    /// tokens, their probabilities. Alike to the last bit in all variants.
    #[must_use]
    pub fn output(&self) -> Vec<f64> {
        std::iter::once(f64::from(self.token))
            .chain(self.top.iter().map(|top| f64::from(top.token)))
            .chain(self.probabilities.iter().map(|&p| f64::from(p)))
            .collect()
    }

    /// The `f64` probabilities of the true selection.
    #[must_use]
    pub fn reference(&self) -> Vec<f64> {
        reference::temperature_softmax(&reference::top_k(&self.logits, self.k), self.temperature)
    }

    /// [`temperature_softmax_tolerance`] of [`Self::probabilities`].
    #[must_use]
    pub fn tolerance(&self) -> Tolerance {
        let top = reference::top_k(&self.logits, self.k);
        temperature_softmax_tolerance(&top, self.temperature)
    }

    /// Bytes that a call must move: each logit in once, token, logit and
    /// probability of the selection out, `4 * vocabulary + 12 * k`.
    #[must_use]
    pub fn bytes_moved(&self) -> u64 {
        (4 * self.logits.len() + 12 * self.k) as u64
    }

    /// Operations of a call: one comparison per logit, five per selected token
    /// for the softmax (subtract, two divisions, exponential, add) and one to
    /// cumulate, `vocabulary + 6 * k`.
    #[must_use]
    pub fn flops(&self) -> u64 {
        (self.logits.len() + 6 * self.k) as u64
    }

    /// Empties the selection and fills the rest with NaN and `u32::MAX`, so
    /// that a stale output cannot pass.
    pub fn poison(&mut self) {
        self.top.clear();
        self.probabilities.fill(f32::NAN);
        self.token = u32::MAX;
    }
}
