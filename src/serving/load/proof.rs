//! Whether requests arrived as declared.

use super::Arrivals;
use evenhand_harness::estimate::special::chi_square_quantile;

/// A proof that fails is wrong this rarely, per check, when all is well.
const ALPHA: f64 = 0.001;
/// Random gaps are almost never equal to the nanosecond.
const REPEATED_SHARE: f64 = 0.02;
/// Constant gaps may be off by this fraction.
const CONSTANT_TOLERANCE: f64 = 0.05;
/// Too few gaps prove nothing.
const FEWEST_GAPS: usize = 8;

/// What the arrival times of a run say about the declared law.
///
/// Rate and law are declared, nothing is fitted, so the Kolmogorov-Smirnov
/// statistic has its standard null distribution (Stephens, JRSS B 32, 1970).
#[derive(Clone, Debug, PartialEq)]
pub struct ArrivalProof {
    /// Gaps looked at.
    pub gaps: usize,
    /// Requests per second.
    pub rate: f64,
    /// Standard deviation of the gaps over their mean.
    pub cv: f64,
    /// Gaps whose exact length occurs more than once.
    pub repeated: usize,
    /// Kolmogorov-Smirnov distance to the declared law and its p; `None` for
    /// constant arrivals and traces.
    pub distance: Option<(f64, f64)>,
    /// What is not as declared.
    pub faults: Vec<ArrivalFault>,
}

/// What is wrong with arrivals.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ArrivalFault {
    /// Too few to tell.
    #[error("{0} gaps are too few to check the law of arrival; {FEWEST_GAPS} are needed")]
    TooFew(usize),
    /// The rate is not the declared one.
    #[error("requests came at {seen:.4} per second where {declared:.4} were declared")]
    Rate {
        /// Requests per second that were seen.
        seen: f64,
        /// Requests per second that were declared.
        declared: f64,
    },
    /// The gaps do not follow the declared law.
    #[error("the gaps do not follow the declared law: distance {distance:.3}, p = {p:.1e}")]
    Law {
        /// Kolmogorov-Smirnov distance.
        distance: f64,
        /// Its p.
        p: f64,
    },
    /// The same gaps come again and again.
    #[error(
        "{repeated} of {gaps} gaps occur more than once to the nanosecond: the generator repeats itself"
    )]
    Repeated {
        /// Gaps that are not unique.
        repeated: usize,
        /// All gaps.
        gaps: usize,
    },
    /// Constant gaps that are not constant.
    #[error("gaps vary by a factor of {cv:.3} around their mean where constant ones were declared")]
    NotConstant {
        /// Standard deviation over mean.
        cv: f64,
    },
}

impl ArrivalProof {
    /// Looks at arrival times in nanoseconds, in order, against a law at a rate
    /// (requests per second).
    #[must_use]
    pub fn of(times_ns: &[u64], law: &Arrivals, rate: f64) -> Self {
        let gaps: Vec<u64> = times_ns
            .windows(2)
            .map(|w| w[1].saturating_sub(w[0]))
            .collect();
        let n = gaps.len();
        let mean = gaps.iter().map(|&g| g as f64).sum::<f64>() / n.max(1) as f64;
        if n < FEWEST_GAPS || mean <= 0.0 {
            return Self {
                gaps: n,
                rate: 0.0,
                cv: 0.0,
                repeated: 0,
                distance: None,
                faults: vec![ArrivalFault::TooFew(n)],
            };
        }
        let squares: f64 = gaps.iter().map(|&g| (g as f64 - mean).powi(2)).sum();
        let cv = (squares / (n - 1) as f64).sqrt() / mean;
        let mut proof = Self {
            gaps: n,
            rate: 1e9 / mean,
            cv,
            repeated: repeated(&gaps),
            distance: distance(&gaps, law, rate),
            faults: Vec::new(),
        };
        proof.faults = proof.judge(law, rate);
        proof
    }

    /// Whether the arrivals are as declared.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.faults.is_empty()
    }

    fn judge(&self, law: &Arrivals, declared: f64) -> Vec<ArrivalFault> {
        let mut faults = Vec::new();
        // The sum of n gamma gaps is gamma with n times the shape.
        let tolerated = match law.shape() {
            Some(shape) => {
                let df = 2.0 * shape * self.gaps as f64;
                let relative = |p| chi_square_quantile(p, df) / df;
                (relative(0.5 * ALPHA), relative(1.0 - 0.5 * ALPHA))
            }
            None => (1.0 - CONSTANT_TOLERANCE, 1.0 + CONSTANT_TOLERANCE),
        };
        let mean_gap = declared / self.rate;
        if !(tolerated.0..=tolerated.1).contains(&mean_gap) {
            faults.push(ArrivalFault::Rate {
                seen: self.rate,
                declared,
            });
        }
        if let Some((distance, p)) = self.distance
            && p < ALPHA
        {
            faults.push(ArrivalFault::Law { distance, p });
        }
        if law.shape().is_some() && self.repeated as f64 > REPEATED_SHARE * self.gaps as f64 {
            faults.push(ArrivalFault::Repeated {
                repeated: self.repeated,
                gaps: self.gaps,
            });
        }
        if *law == Arrivals::Constant && self.cv > CONSTANT_TOLERANCE {
            faults.push(ArrivalFault::NotConstant { cv: self.cv });
        }
        faults
    }
}

/// How many gaps have a length that another one has, too.
fn repeated(gaps: &[u64]) -> usize {
    let mut sorted = gaps.to_vec();
    sorted.sort_unstable();
    sorted
        .chunk_by(|a, b| a == b)
        .map(<[u64]>::len)
        .filter(|&alike| alike > 1)
        .sum()
}

/// Kolmogorov-Smirnov distance of the gaps to the law, and its p.
fn distance(gaps: &[u64], law: &Arrivals, rate: f64) -> Option<(f64, f64)> {
    let mut sorted = gaps.to_vec();
    sorted.sort_unstable();
    let n = sorted.len() as f64;
    let mut largest = 0.0f64;
    for (i, &gap) in sorted.iter().enumerate() {
        let expected = law.gap_cdf(gap as f64 * rate / 1e9)?;
        let (below, above) = (i as f64 / n, (i + 1) as f64 / n);
        largest = largest.max(above - expected).max(expected - below);
    }
    Some((largest, kolmogorov_p(largest, n)))
}

/// Probability of a distance of at least `d` under the law (Stephens 1970:
/// the limiting distribution at a corrected argument; within 0.001 from n = 8).
fn kolmogorov_p(d: f64, n: f64) -> f64 {
    let root = n.sqrt();
    let x = (root + 0.12 + 0.11 / root) * d;
    // The series alternates slowly for small arguments, where p is 1.
    if x < 0.3 {
        return 1.0;
    }
    let term = |j: i32| {
        let sign = if j % 2 == 1 { 1.0 } else { -1.0 };
        sign * (-2.0 * f64::from(j * j) * x * x).exp()
    };
    (2.0 * (1..=50).map(term).sum::<f64>()).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAWS: [Arrivals; 4] = [
        Arrivals::Constant,
        Arrivals::Poisson,
        Arrivals::Gamma { shape: 0.3 },
        Arrivals::Gamma { shape: 5.0 },
    ];

    #[test]
    fn every_law_accepts_itself_and_refuses_the_others() {
        for made in &LAWS {
            let times = made.schedule(11, 50.0, 500).unwrap();
            for declared in &LAWS {
                let proof = ArrivalProof::of(&times, declared, 50.0);
                assert_eq!(
                    proof.holds(),
                    made == declared,
                    "{made} as {declared}: {proof:?}"
                );
            }
        }
    }

    #[test]
    fn the_test_keeps_its_level() {
        // 400 schedules of the law itself: p is uniform, so about 20 lie below
        // 0.05; 40 would be more than four standard deviations away.
        let law = Arrivals::Gamma { shape: 0.7 };
        let p = |seed| {
            let times = law.schedule(seed, 10.0, 60).unwrap();
            ArrivalProof::of(&times, &law, 10.0).distance.unwrap().1
        };
        let below = (0..400).filter(|&seed| p(seed) < 0.05).count();
        assert!((5..40).contains(&below), "{below}");
    }

    #[test]
    fn kolmogorov_has_its_tabled_points() {
        // Critical values of the limiting distribution: 1.358 (5 %), 1.628 (1 %).
        let at = |x: f64| kolmogorov_p(x / 1e4, 1e8);
        assert!((at(1.3581) - 0.05).abs() < 1e-4, "{}", at(1.3581));
        assert!((at(1.6276) - 0.01).abs() < 1e-4, "{}", at(1.6276));
    }

    #[test]
    fn repeated_gaps_and_wrong_rates_are_found() {
        // Ten workers with one seed between them: every gap ten times.
        let gaps: Vec<u64> = {
            let times = Arrivals::Poisson.schedule(3, 20.0, 31).unwrap();
            times.windows(2).map(|w| w[1] - w[0]).collect()
        };
        let mut at = 0;
        let times: Vec<u64> = std::iter::once(0)
            .chain(gaps.iter().flat_map(|&gap| [gap; 10]).map(|gap| {
                at += gap;
                at
            }))
            .collect();
        let proof = ArrivalProof::of(&times, &Arrivals::Poisson, 20.0);
        assert_eq!(proof.repeated, 300);
        assert!(
            proof
                .faults
                .iter()
                .any(|f| matches!(f, ArrivalFault::Repeated { .. }))
        );

        let fast = Arrivals::Poisson.schedule(3, 26.3, 600).unwrap();
        let proof = ArrivalProof::of(&fast, &Arrivals::Poisson, 20.0);
        assert!(
            proof
                .faults
                .iter()
                .any(|f| matches!(f, ArrivalFault::Rate { .. }))
        );
    }

    #[test]
    fn too_few_and_simultaneous_arrivals_prove_nothing() {
        assert!(!ArrivalProof::of(&[1, 2, 3], &Arrivals::Poisson, 1.0).holds());
        assert!(!ArrivalProof::of(&[5; 100], &Arrivals::Poisson, 1.0).holds());
        assert!(!ArrivalProof::of(&[], &Arrivals::Constant, 1.0).holds());
    }
}
