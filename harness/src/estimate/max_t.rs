//! Joint sign flips over the metrics of one comparison.

use bootstrap::Stream;

use super::error::{EstimateError, Result, check, finite};
use super::sign_flip::{MONTE_CARLO_DRAWS, SignFlipMethod, byte_table};

const ENUMERATION_MAX: usize = 16;
const TIE: f64 = 1e-9;

/// Sign-flip p-values of several metrics measured on the same units.
#[derive(Clone, Debug, PartialEq)]
pub struct MaxT {
    /// p-value of each metric alone, from the shared sign vectors.
    pub raw: Vec<f64>,
    /// Single-step adjusted p-values: each against the largest statistic of
    /// the whole family.
    pub single_step: Vec<f64>,
    /// Step-down adjusted p-values: the ones to claim with.
    pub adjusted: Vec<f64>,
    /// How the reference distribution was obtained.
    pub method: SignFlipMethod,
}

/// Westfall and Young's maxT step-down (Resampling-Based Multiple Testing,
/// 1993, algorithm 4.1) with the statistic `|sum d| / sqrt(sum d^2)`.
///
/// The signs of one unit flip in all its metrics at once, so the family error
/// rate is exact under the coin whatever the correlation, and correlated
/// metrics cost less than with [`holm`](super::holm). All `2^n` vectors up to
/// 16 units; 99,999 seeded ones above.
///
/// # Errors
/// `TooFew` without metrics or units, `LengthMismatch` if the metrics have
/// different units, `NonFinite`, `Overflow`.
pub fn max_t(metrics: &[Vec<f64>], seed: u64) -> Result<MaxT> {
    let Some(first) = metrics.first() else {
        return Err(EstimateError::TooFew { needed: 1, got: 0 });
    };
    let n = first.len();
    for metric in metrics {
        check(metric, 1)?;
        if metric.len() != n {
            return Err(EstimateError::LengthMismatch {
                left: n,
                right: metric.len(),
            });
        }
    }
    let scaled: Vec<Scaled> = metrics
        .iter()
        .map(|m| Scaled::of(m))
        .collect::<Result<_>>()?;
    let mut order: Vec<usize> = (0..metrics.len()).collect();
    order.sort_by(|&a, &b| scaled[b].observed.total_cmp(&scaled[a].observed));

    let mut hits = Hits::new(metrics.len());
    let mut sizes = vec![0.0; metrics.len()];
    let method = if n <= ENUMERATION_MAX {
        // Opposite vectors have the same sizes: half of them is enough.
        for pattern in 0..1u64 << (n - 1) {
            measure(&scaled, |_| pattern, &mut sizes);
            hits.add(&scaled, &order, &sizes);
        }
        SignFlipMethod::Enumeration
    } else {
        let mut stream = Stream::new(seed, "estimate/max-t");
        let mut words = vec![0; n.div_ceil(64)];
        for _ in 0..MONTE_CARLO_DRAWS {
            words.iter_mut().for_each(|w| *w = stream.next_u64());
            measure(&scaled, |word| words[word], &mut sizes);
            hits.add(&scaled, &order, &sizes);
        }
        SignFlipMethod::MonteCarlo {
            draws: MONTE_CARLO_DRAWS,
        }
    };
    let share = |count: u64| match method {
        SignFlipMethod::MonteCarlo { draws } => (count + 1) as f64 / (draws + 1) as f64,
        _ => count as f64 / (1u64 << (n - 1)) as f64,
    };
    let mut adjusted = vec![0.0; metrics.len()];
    let mut running: f64 = 0.0;
    for &i in &order {
        running = running.max(share(hits.step_down[i]));
        adjusted[i] = running;
    }
    Ok(MaxT {
        raw: hits.raw.iter().map(|&c| share(c)).collect(),
        single_step: hits.single_step.iter().map(|&c| share(c)).collect(),
        adjusted,
        method,
    })
}

/// One metric on the scale of its root sum of squares, as look-up tables.
struct Scaled {
    tables: Vec<[f64; 256]>,
    observed: f64,
    /// What a flipped statistic must reach to count as large as the observed.
    reach: f64,
}

impl Scaled {
    fn of(metric: &[f64]) -> Result<Self> {
        let root = finite(metric.iter().map(|v| v * v).sum::<f64>())?.sqrt();
        let unit = |v: &f64| if root > 0.0 { v / root } else { 0.0 };
        let values: Vec<f64> = metric.iter().map(unit).collect();
        let observed = values.iter().sum::<f64>().abs();
        let reach = observed - TIE * values.iter().map(|v| v.abs()).sum::<f64>();
        Ok(Self {
            tables: values.chunks(8).map(byte_table).collect(),
            observed,
            reach,
        })
    }
}

/// The size of every metric's statistic under one sign vector.
fn measure(scaled: &[Scaled], word: impl Fn(usize) -> u64, sizes: &mut [f64]) {
    for (metric, size) in scaled.iter().zip(sizes) {
        let part =
            |(i, table): (usize, &[f64; 256])| table[usize::from(word(i / 8).to_le_bytes()[i % 8])];
        *size = metric
            .tables
            .iter()
            .enumerate()
            .map(part)
            .sum::<f64>()
            .abs();
    }
}

struct Hits {
    raw: Vec<u64>,
    single_step: Vec<u64>,
    step_down: Vec<u64>,
}

impl Hits {
    fn new(metrics: usize) -> Self {
        let zeros = vec![0; metrics];
        Self {
            raw: zeros.clone(),
            single_step: zeros.clone(),
            step_down: zeros,
        }
    }

    fn add(&mut self, scaled: &[Scaled], order: &[usize], sizes: &[f64]) {
        let largest = sizes.iter().copied().fold(0.0, f64::max);
        let mut largest_below: f64 = 0.0;
        // From the weakest metric up: each against itself and what is weaker.
        for &i in order.iter().rev() {
            largest_below = largest_below.max(sizes[i]);
            let reach = scaled[i].reach;
            self.raw[i] += u64::from(sizes[i] >= reach);
            self.single_step[i] += u64::from(largest >= reach);
            self.step_down[i] += u64::from(largest_below >= reach);
        }
    }
}
