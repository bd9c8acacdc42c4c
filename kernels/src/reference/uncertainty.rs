/// How sure a model is of a token: statistics of the softmax of all logits at
/// temperature 1, in nats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uncertainty {
    /// Logarithm of the probability of the token; at most 0.
    pub log_probability: f64,
    /// `-sum p ln p` over the vocabulary, from 0 to the logarithm of its size.
    pub entropy: f64,
}

/// The uncertainty about `token`. Logits of `-inf` have probability 0 and add
/// nothing to the entropy.
///
/// # Panics
/// If there is no such token.
#[must_use]
pub fn uncertainty(logits: &[f32], token: usize) -> Uncertainty {
    let logits: Vec<f64> = logits.iter().map(|&logit| logit.into()).collect();
    let max = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let log_sum = logits.iter().map(|l| (l - max).exp()).sum::<f64>().ln() + max;
    let entropy = logits
        .iter()
        .map(|l| l - log_sum)
        .filter(|log_p| *log_p > f64::NEG_INFINITY)
        .map(|log_p| -log_p.exp() * log_p)
        .sum();
    Uncertainty {
        log_probability: logits[token] - log_sum,
        entropy,
    }
}
