//! From logits to a token.

use super::request::Logprob;
use bootstrap::Stream;

/// How tokens are picked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// 0 picks the likeliest token, the lowest id among equals; else logits are
    /// divided by it.
    pub temperature: f64,
    /// Draw from the likeliest tokens that together reach this probability.
    pub top_p: f64,
    /// Draw from this many likeliest tokens; 0: from all.
    pub top_k: usize,
    /// Names the random numbers; `None`: every request has its own.
    pub seed: Option<u64>,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            temperature: 1.0,
            top_p: 1.0,
            top_k: 0,
            seed: None,
        }
    }
}

/// Picks the tokens of one request: random numbers of its own, so that the
/// text does not depend on what else is in the batch.
#[derive(Debug)]
pub struct Sampler {
    sampling: Sampling,
    stream: Stream,
    candidates: Vec<(u32, f32)>,
    weights: Vec<f64>,
}

impl Sampler {
    /// A sampler under a seed that is used when the request names none.
    #[must_use]
    pub fn new(sampling: Sampling, otherwise: u64) -> Self {
        Self {
            sampling,
            stream: Stream::new(sampling.seed.unwrap_or(otherwise), "sampling"),
            candidates: Vec::new(),
            weights: Vec::new(),
        }
    }

    /// A token among the allowed ones; `None` when there is none. The logits
    /// are finite.
    pub fn pick(&mut self, logits: &[f32], allowed: Option<&[bool]>) -> Option<u32> {
        let ids = (0..logits.len() as u32)
            .filter(|&id| allowed.is_none_or(|allowed| allowed[id as usize]));
        if self.sampling.temperature == 0.0 || self.sampling.top_k == 1 {
            return ids.reduce(|best, id| {
                if logits[id as usize] > logits[best as usize] {
                    id
                } else {
                    best
                }
            });
        }
        self.candidates.clear();
        self.candidates
            .extend(ids.map(|id| (id, logits[id as usize])));
        self.keep_likeliest();
        let &(_, highest) = self.candidates.first()?;
        self.weights.clear();
        let temperature = self.sampling.temperature;
        self.weights.extend(
            self.candidates
                .iter()
                .map(|&(_, logit)| ((f64::from(logit) - f64::from(highest)) / temperature).exp()),
        );
        let kept = nucleus(&self.weights, self.sampling.top_p);
        let total: f64 = self.weights[..kept].iter().sum();
        let mut left = self.stream.unit() * total;
        for (&(id, _), weight) in self.candidates.iter().zip(&self.weights[..kept]) {
            left -= weight;
            if left < 0.0 {
                return Some(id);
            }
        }
        // Rounding left a rest: the last candidate with any weight.
        (0..kept)
            .rev()
            .find(|&i| self.weights[i] > 0.0)
            .map(|i| self.candidates[i].0)
    }

    /// Sorts by logit, then id, and cuts at `top_k`.
    fn keep_likeliest(&mut self) {
        let likelier = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        let k = self.sampling.top_k;
        if k > 0 && k < self.candidates.len() {
            self.candidates.select_nth_unstable_by(k - 1, likelier);
            self.candidates.truncate(k);
        }
        self.candidates.sort_unstable_by(likelier);
    }
}

/// How many of the descending weights it takes to reach `top_p` of their sum.
fn nucleus(weights: &[f64], top_p: f64) -> usize {
    if top_p >= 1.0 {
        return weights.len();
    }
    let wanted = top_p * weights.iter().sum::<f64>();
    let mut sum = 0.0;
    for (i, weight) in weights.iter().enumerate() {
        sum += weight;
        if sum >= wanted {
            return i + 1;
        }
    }
    weights.len()
}

/// Natural logarithm of the softmax's denominator.
fn log_sum_exp(logits: &[f32]) -> f64 {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let highest = f64::from(highest);
    let sum: f64 = logits
        .iter()
        .map(|&logit| (f64::from(logit) - highest).exp())
        .sum();
    highest + sum.ln()
}

/// Entropy of softmax(logits) in nats: `log Z - sum p_i logit_i`.
#[must_use]
pub fn entropy(logits: &[f32]) -> f64 {
    let log_z = log_sum_exp(logits);
    let entropy: f64 = logits
        .iter()
        .map(|&logit| {
            let log_p = f64::from(logit) - log_z;
            -log_p * log_p.exp()
        })
        .sum();
    entropy.max(0.0)
}

/// Log probability of `picked` and of the `top` likeliest tokens.
#[must_use]
pub fn logprob(logits: &[f32], picked: u32, top: usize) -> Logprob {
    let log_z = log_sum_exp(logits);
    let of = |id: u32| f64::from(logits[id as usize]) - log_z;
    let mut ids: Vec<u32> = (0..logits.len() as u32).collect();
    let likelier = |a: &u32, b: &u32| {
        let (x, y) = (logits[*a as usize], logits[*b as usize]);
        y.total_cmp(&x).then(a.cmp(b))
    };
    let top = top.min(ids.len());
    if top > 0 && top < ids.len() {
        ids.select_nth_unstable_by(top - 1, likelier);
    }
    ids.truncate(top);
    ids.sort_unstable_by(likelier);
    Logprob {
        picked: of(picked),
        top: ids.into_iter().map(|id| (id, of(id))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampler(temperature: f64, top_p: f64, top_k: usize, seed: u64) -> Sampler {
        let sampling = Sampling {
            temperature,
            top_p,
            top_k,
            seed: Some(seed),
        };
        Sampler::new(sampling, 0)
    }

    #[test]
    fn greedy_takes_the_lowest_of_equals_and_respects_the_form() {
        let logits = [1.0, 3.0, 3.0, 2.0];
        let mut greedy = sampler(0.0, 1.0, 0, 1);
        assert_eq!(greedy.pick(&logits, None), Some(1));
        let allowed = [true, false, false, true];
        assert_eq!(greedy.pick(&logits, Some(&allowed)), Some(3));
        assert_eq!(greedy.pick(&logits, Some(&[false; 4])), None);
    }

    #[test]
    fn draws_follow_the_softmax() {
        let logits: Vec<f32> = [0.5_f32, 0.3, 0.2].iter().map(|p| p.ln()).collect();
        let mut sampler = sampler(1.0, 1.0, 0, 3);
        let mut counts = [0_u32; 3];
        for _ in 0..20_000 {
            counts[sampler.pick(&logits, None).unwrap() as usize] += 1;
        }
        // Five standard errors of the largest share are 0.018.
        for (count, p) in counts.iter().zip([0.5, 0.3, 0.2]) {
            assert!(
                (f64::from(*count) / 20_000.0 - p).abs() < 0.018,
                "{counts:?}"
            );
        }
    }

    #[test]
    fn cut_offs_keep_the_likeliest() {
        let logits: Vec<f32> = [0.1_f32, 0.5, 0.3, 0.1].iter().map(|p| p.ln()).collect();
        for seed in 0..200 {
            let by_k = sampler(1.0, 1.0, 2, seed).pick(&logits, None).unwrap();
            let by_p = sampler(1.0, 0.7, 0, seed).pick(&logits, None).unwrap();
            assert!([1, 2].contains(&by_k) && [1, 2].contains(&by_p));
            assert_eq!(sampler(1.0, 0.0, 0, seed).pick(&logits, None), Some(1));
        }
    }

    #[test]
    fn extreme_temperatures_stay_finite() {
        let logits = [-1e30, 1e30, 0.0];
        for temperature in [1e-300, 1e-6, 2.0, 1e300] {
            assert!(
                sampler(temperature, 1.0, 0, 9)
                    .pick(&logits, None)
                    .is_some()
            );
        }
    }

    #[test]
    fn entropy_and_log_probabilities_of_known_distributions() {
        assert!((entropy(&[0.0; 8]) - 8.0_f64.ln()).abs() < 1e-12);
        assert!(entropy(&[1000.0, 0.0, 0.0]).abs() < 1e-12);
        let logits: Vec<f32> = [0.25_f32, 0.5, 0.25].iter().map(|p| p.ln()).collect();
        let found = logprob(&logits, 2, 2);
        assert!((found.picked - 0.25_f64.ln()).abs() < 1e-6);
        assert_eq!(found.top.iter().map(|t| t.0).collect::<Vec<_>>(), [1, 0]);
        assert!((found.top[0].1 - 0.5_f64.ln()).abs() < 1e-6);
    }
}
