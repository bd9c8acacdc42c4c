//! Ranks: a location shift without the mean.
//!
//! The right tools for "shifted by", and wrong as a statement on the mean:
//! under skew they miss it in most cases. Their results carry names of their
//! own and never a claim class.

use bootstrap::normal;

use super::error::{EstimateError, Result, Warning, check, check_open_unit};
use super::special::normal_two_sided;

/// Largest sample whose signed-rank distribution is computed exactly.
const EXACT_SIGNED_RANK: usize = 200;
/// Largest product of sample sizes whose U distribution is computed exactly.
const EXACT_U: usize = 2_500;

/// How a rank p-value was computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RankMethod {
    /// The exact null distribution of the ranks.
    Exact,
    /// Normal approximation with tie correction and continuity correction:
    /// the values are tied, or too many.
    Normal,
}

/// Wilcoxon's signed-rank test.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedRank {
    /// The smaller of the rank sums of positive and of negative values.
    pub w: f64,
    /// Two-sided p-value; 1 if every value is zero.
    pub p: f64,
    /// Values that took part: zeros are left out.
    pub n: usize,
    /// Exact or approximate.
    pub method: RankMethod,
    /// Ties and zeros, if any.
    pub warnings: Vec<Warning>,
}

/// Wilcoxon signed-rank test of symmetry about zero (Biometrics Bull. 1, 1945).
///
/// Zeros are dropped. Without ties and up to 200 values the p-value is exact.
///
/// # Errors
/// `TooFew` without values, `NonFinite`.
pub fn wilcoxon(d: &[f64]) -> Result<SignedRank> {
    check(d, 1)?;
    let nonzero: Vec<f64> = d.iter().copied().filter(|v| *v != 0.0).collect();
    let zeros = d.len() - nonzero.len();
    let n = nonzero.len();
    let sizes: Vec<f64> = nonzero.iter().map(|v| v.abs()).collect();
    let ranks = midranks(&sizes);
    let positive: f64 = ranks
        .iter()
        .zip(&nonzero)
        .filter(|(_, v)| **v > 0.0)
        .map(|(r, _)| r)
        .sum();
    let all = (n * (n + 1)) as f64 / 2.0;
    let w = positive.min(all - positive);
    let mut warnings = Vec::new();
    let tied = tied_values(&sizes);
    if tied + zeros > 0 {
        warnings.push(Warning::Ties { tied, zeros });
    }
    let (p, method) = if n == 0 {
        (1.0, RankMethod::Exact)
    } else if tied == 0 && n <= EXACT_SIGNED_RANK {
        let below: f64 = signed_rank_pmf(n).iter().take(w as usize + 1).sum();
        ((2.0 * below).min(1.0), RankMethod::Exact)
    } else {
        let (count, ties) = (n as f64, tie_term(&sizes));
        let variance = (count * (count + 1.0) * (2.0 * count + 1.0) - 0.5 * ties) / 24.0;
        (normal_p(w, 0.5 * all, variance), RankMethod::Normal)
    };
    Ok(SignedRank {
        w,
        p,
        n,
        method,
        warnings,
    })
}

/// The Hodges-Lehmann shift and its exact interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HodgesLehmann {
    /// Median of the Walsh averages: the `hl_delta`, not a mean.
    pub shift: f64,
    /// `k`-th smallest Walsh average; `None` when `n` can not bound it.
    pub lo: Option<f64>,
    /// `k`-th largest Walsh average; `None` likewise.
    pub hi: Option<f64>,
    /// Rank of the limits among the Walsh averages; 0 without limits.
    pub k: usize,
}

/// Hodges-Lehmann estimate with the interval that inverts Wilcoxon's test
/// (Ann. Math. Statist. 34, 1963). Quadratic in `n`, at most 5,000 values.
///
/// # Errors
/// `TooFew` without values, `NonFinite`, `OutOfRange` for the level or more
/// than 5,000 values.
pub fn hodges_lehmann(d: &[f64], level: f64) -> Result<HodgesLehmann> {
    check(d, 1)?;
    check_open_unit("level", level)?;
    let n = d.len();
    if n > 5_000 {
        return Err(EstimateError::OutOfRange {
            name: "n",
            value: n as f64,
        });
    }
    let mut walsh = Vec::with_capacity(n * (n + 1) / 2);
    for (i, a) in d.iter().enumerate() {
        // Halves first: the sum of two large values may overflow.
        walsh.extend(d[i..].iter().map(|b| 0.5 * a + 0.5 * b));
    }
    walsh.sort_unstable_by(f64::total_cmp);
    let m = walsh.len();
    let shift = 0.5 * walsh[(m - 1) / 2] + 0.5 * walsh[m / 2];
    let k = signed_rank_tail_count(n, 0.5 * (1.0 - level));
    let (lo, hi) = if k == 0 {
        (None, None)
    } else {
        (Some(walsh[k - 1]), Some(walsh[m - k]))
    };
    Ok(HodgesLehmann { shift, lo, hi, k })
}

/// Number of values whose lower tail probability is at most `tail`.
fn signed_rank_tail_count(n: usize, tail: f64) -> usize {
    if n > EXACT_SIGNED_RANK {
        let count = n as f64;
        let sd = (count * (count + 1.0) * (2.0 * count + 1.0) / 24.0).sqrt();
        let at = 0.25 * count * (count + 1.0) + normal::quantile(tail) * sd;
        return libm::floor(at + 0.5).max(0.0) as usize;
    }
    let mut below = 0.0;
    let reaches = |mass: &f64| {
        below += mass;
        below > tail * (1.0 + 1e-12)
    };
    let pmf = signed_rank_pmf(n);
    pmf.iter().position(reaches).unwrap_or(pmf.len() / 2)
}

/// Probabilities of the rank sums `0..=n(n+1)/2`.
fn signed_rank_pmf(n: usize) -> Vec<f64> {
    let mut pmf = vec![0.0; n * (n + 1) / 2 + 1];
    pmf[0] = 1.0;
    let mut top = 0;
    for rank in 1..=n {
        top += rank;
        for sum in (0..=top).rev() {
            let with = if sum >= rank { pmf[sum - rank] } else { 0.0 };
            pmf[sum] = 0.5 * (pmf[sum] + with);
        }
    }
    pmf
}

/// Mann and Whitney's test of two independent samples.
#[derive(Clone, Debug, PartialEq)]
pub struct MannWhitney {
    /// Pairs in which the first sample's value is larger; ties count half.
    pub u: f64,
    /// Two-sided p-value.
    pub p: f64,
    /// Exact or approximate.
    pub method: RankMethod,
    /// Ties, if any.
    pub warnings: Vec<Warning>,
}

/// Mann-Whitney U (Ann. Math. Statist. 18, 1947), for unpaired data only.
///
/// Exact without ties while the product of the sizes is at most 2,500.
///
/// # Errors
/// `TooFew` if a sample is empty, `NonFinite`.
pub fn mann_whitney(a: &[f64], b: &[f64]) -> Result<MannWhitney> {
    check(a, 1)?;
    check(b, 1)?;
    let pooled: Vec<f64> = a.iter().chain(b).copied().collect();
    let ranks = midranks(&pooled);
    let (m, n) = (a.len(), b.len());
    let u = ranks[..m].iter().sum::<f64>() - (m * (m + 1)) as f64 / 2.0;
    let smaller = u.min((m * n) as f64 - u);
    let tied = tied_values(&pooled);
    let warnings = if tied > 0 {
        vec![Warning::Ties { tied, zeros: 0 }]
    } else {
        Vec::new()
    };
    let (p, method) = if tied == 0 && m * n <= EXACT_U {
        let below: f64 = u_pmf(m, n).iter().take(smaller as usize + 1).sum();
        ((2.0 * below).min(1.0), RankMethod::Exact)
    } else {
        let total = (m + n) as f64;
        let ties = tie_term(&pooled) / (total * (total - 1.0));
        let variance = (m * n) as f64 / 12.0 * (total + 1.0 - ties);
        (
            normal_p(smaller, 0.5 * (m * n) as f64, variance),
            RankMethod::Normal,
        )
    };
    Ok(MannWhitney {
        u,
        p,
        method,
        warnings,
    })
}

/// Probabilities of `U = 0..=m n`, from smaller samples to larger ones.
fn u_pmf(m: usize, n: usize) -> Vec<f64> {
    // row[j] is the distribution for i and j values.
    let mut row: Vec<Vec<f64>> = vec![vec![1.0]; n + 1];
    for i in 1..=m {
        let mut next: Vec<Vec<f64>> = vec![vec![1.0]];
        for j in 1..=n {
            let largest_first = i as f64 / (i + j) as f64;
            let mut pmf = vec![0.0; i * j + 1];
            for (u, mass) in row[j].iter().enumerate() {
                pmf[u + j] += largest_first * mass;
            }
            for (u, mass) in next[j - 1].iter().enumerate() {
                pmf[u] += (1.0 - largest_first) * mass;
            }
            next.push(pmf);
        }
        row = next;
    }
    row.swap_remove(n)
}

/// Two-sided normal p-value of a lower statistic, half a step towards its mean.
fn normal_p(statistic: f64, mean: f64, variance: f64) -> f64 {
    if variance <= 0.0 {
        return 1.0;
    }
    normal_two_sided((mean - statistic - 0.5).max(0.0) / variance.sqrt())
}

/// Ranks from 1, ties sharing their average.
pub(crate) fn midranks(values: &[f64]) -> Vec<f64> {
    let mut ranks = vec![0.0; values.len()];
    for group in tie_groups(values) {
        let (start, members) = group;
        let rank = start as f64 + 0.5 * (members.len() + 1) as f64;
        members.iter().for_each(|&i| ranks[i] = rank);
    }
    ranks
}

/// Positions of equal values, ascending, with the number of smaller ones.
fn tie_groups(values: &[f64]) -> Vec<(usize, Vec<usize>)> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut start = 0;
    let mut groups = Vec::new();
    for chunk in order.chunk_by(|&a, &b| values[a] == values[b]) {
        groups.push((start, chunk.to_vec()));
        start += chunk.len();
    }
    groups
}

fn tied_values(values: &[f64]) -> usize {
    tie_groups(values)
        .iter()
        .map(|(_, g)| g.len())
        .filter(|&size| size > 1)
        .sum()
}

/// Sum of `t^3 - t` over groups of equal values.
fn tie_term(values: &[f64]) -> f64 {
    tie_groups(values)
        .iter()
        .map(|(_, g)| g.len() as f64)
        .map(|t| t * t * t - t)
        .sum()
}
