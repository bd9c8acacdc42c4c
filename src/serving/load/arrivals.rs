//! Laws of arrival, and the absolute schedules drawn from them.

use bootstrap::Stream;
use evenhand_harness::estimate::special::{chi_square_cdf, chi_square_quantile};
use std::fmt;
use std::str::FromStr;

/// How open-loop requests are spaced.
///
/// All laws but [`Arrivals::Constant`] and [`Arrivals::Trace`] are renewal
/// processes: gaps are drawn independently, and nothing is rescaled so that the
/// last request lands on a round time.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals {
    /// Equal gaps.
    Constant,
    /// Exponential gaps: independent users.
    Poisson,
    /// Gamma gaps; below shape 1 they come in bursts (CV = 1 / sqrt(shape)).
    Gamma {
        /// Shape, above zero; 1 is Poisson.
        shape: f64,
    },
    /// Times of a recorded trace, nanoseconds after its first request,
    /// increasing; played at the speed that gives the asked rate.
    Trace {
        /// Arrival times.
        times_ns: Vec<u64>,
    },
}

/// Why there is no schedule.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ArrivalsError {
    /// The rate is not a usable number.
    #[error("the rate is {0} requests per second; give a finite number above zero")]
    Rate(f64),
    /// The shape is not a usable number.
    #[error(
        "the gamma shape is {0}; give a number from 0.01 to 1000 (1 is Poisson, below 1 is bursty)"
    )]
    Shape(f64),
    /// The trace is shorter than the run.
    #[error(
        "the trace has {have} requests and {want} are wanted; ask for fewer requests or give a longer trace"
    )]
    TraceTooShort {
        /// Requests in the trace.
        have: usize,
        /// Requests that are wanted.
        want: usize,
    },
    /// All requests of the trace arrive at once.
    #[error(
        "the trace has no time between its requests, so it has no rate; use a closed loop for bursts"
    )]
    TraceWithoutTime,
}

impl Arrivals {
    /// The intended times of `n` requests, nanoseconds after the start. The
    /// first stands one gap after the start, as a renewal process has it.
    ///
    /// # Errors
    /// If rate, shape or trace can't give such a schedule.
    pub fn schedule(&self, seed: u64, rate: f64, n: usize) -> Result<Vec<u64>, ArrivalsError> {
        self.check(rate, n)?;
        let mean_ns = 1e9 / rate;
        if let Self::Trace { times_ns } = self {
            return scaled(&times_ns[..n], mean_ns);
        }
        let mut stream = Stream::new(seed, "arrivals");
        let mut at = 0.0;
        Ok((0..n)
            .map(|_| {
                at += mean_ns * self.gap(&mut stream);
                at.round() as u64
            })
            .collect())
    }

    fn check(&self, rate: f64, n: usize) -> Result<(), ArrivalsError> {
        if !(rate.is_finite() && rate > 0.0) {
            return Err(ArrivalsError::Rate(rate));
        }
        match self {
            Self::Gamma { shape } if !(0.01..=1000.0).contains(shape) => {
                Err(ArrivalsError::Shape(*shape))
            }
            Self::Trace { times_ns } if times_ns.len() < n => Err(ArrivalsError::TraceTooShort {
                have: times_ns.len(),
                want: n,
            }),
            _ => Ok(()),
        }
    }

    /// A gap with mean 1, by inversion: one random word each, whatever the law.
    fn gap(&self, stream: &mut Stream) -> f64 {
        match self.shape() {
            // A gamma variable is half a chi-square one with twice the shape.
            Some(shape) => chi_square_quantile(stream.unit(), 2.0 * shape) / (2.0 * shape),
            None => 1.0,
        }
    }

    /// Shape of the gamma law of the gaps; `None` when they are not random.
    #[must_use]
    pub fn shape(&self) -> Option<f64> {
        match self {
            Self::Poisson => Some(1.0),
            Self::Gamma { shape } => Some(*shape),
            Self::Constant | Self::Trace { .. } => None,
        }
    }

    /// Standard deviation of the gaps over their mean; `None` for a trace,
    /// whose gaps follow no law.
    #[must_use]
    pub fn cv(&self) -> Option<f64> {
        match self {
            Self::Constant => Some(0.0),
            Self::Trace { .. } => None,
            _ => self.shape().map(|shape| 1.0 / shape.sqrt()),
        }
    }

    /// Probability of a gap of at most `gap` mean gaps.
    pub(super) fn gap_cdf(&self, gap: f64) -> Option<f64> {
        let shape = self.shape()?;
        Some(chi_square_cdf(2.0 * shape * gap.max(0.0), 2.0 * shape))
    }
}

/// A trace at the speed that makes its mean gap `mean_ns`.
fn scaled(times_ns: &[u64], mean_ns: f64) -> Result<Vec<u64>, ArrivalsError> {
    let (Some(&first), Some(&last)) = (times_ns.first(), times_ns.last()) else {
        return Ok(Vec::new());
    };
    if times_ns.len() > 1 && first == last {
        return Err(ArrivalsError::TraceWithoutTime);
    }
    let gaps = (times_ns.len() - 1).max(1) as f64;
    let speed = mean_ns * gaps / (last - first).max(1) as f64;
    let place = |&at: &u64| ((at - first) as f64 * speed).round() as u64;
    Ok(times_ns.iter().map(place).collect())
}

impl fmt::Display for Arrivals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant => f.write_str("constant"),
            Self::Poisson => f.write_str("poisson"),
            Self::Gamma { shape } => write!(f, "gamma:{shape}"),
            Self::Trace { times_ns } => write!(f, "trace of {} requests", times_ns.len()),
        }
    }
}

impl FromStr for Arrivals {
    type Err = String;

    /// `constant`, `poisson`, `gamma:0.5`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "constant" => Ok(Self::Constant),
            None if text == "poisson" => Ok(Self::Poisson),
            Some(("gamma", shape)) => {
                let shape: f64 = shape
                    .parse()
                    .map_err(|_| format!("`{shape}` in `{text}` is no number"))?;
                let law = Self::Gamma { shape };
                law.check(1.0, 0).map_err(|e| e.to_string())?;
                Ok(law)
            }
            _ => Err(format!(
                "`{text}` is no law of arrival: give constant, poisson or gamma:SHAPE"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaps(law: &Arrivals, seed: u64, n: usize) -> Vec<f64> {
        let times = law.schedule(seed, 100.0, n).unwrap();
        let before = std::iter::once(0).chain(times.iter().copied());
        times
            .iter()
            .zip(before)
            .map(|(&t, b)| (t - b) as f64)
            .collect()
    }

    #[test]
    fn mean_and_spread_are_those_of_the_law() {
        for (law, cv) in [
            (Arrivals::Constant, 0.0),
            (Arrivals::Poisson, 1.0),
            (Arrivals::Gamma { shape: 0.25 }, 2.0),
            (Arrivals::Gamma { shape: 4.0 }, 0.5),
        ] {
            let gaps = gaps(&law, 5, 20_000);
            let n = gaps.len() as f64;
            let mean = gaps.iter().sum::<f64>() / n;
            let sd = (gaps.iter().map(|g| (g - mean) * (g - mean)).sum::<f64>() / n).sqrt();
            // Five standard errors of the mean; of the CV, roughly.
            assert!(
                (mean / 1e7 - 1.0).abs() <= 5.0 * cv / n.sqrt() + 1e-9,
                "{law}: {mean}"
            );
            assert!(
                (sd / mean - cv).abs() <= 0.08 * cv + 1e-9,
                "{law}: {}",
                sd / mean
            );
            assert_eq!(law.cv(), Some(cv));
        }
    }

    #[test]
    fn schedules_are_functions_of_the_seed() {
        let law = Arrivals::Poisson;
        let first = law.schedule(1, 10.0, 50).unwrap();
        assert_eq!(first, law.schedule(1, 10.0, 50).unwrap());
        assert_ne!(first, law.schedule(2, 10.0, 50).unwrap());
        // More requests continue the same schedule.
        assert_eq!(first[..], law.schedule(1, 10.0, 80).unwrap()[..50]);
    }

    #[test]
    fn traces_keep_their_shape_and_get_the_rate() {
        let law = Arrivals::Trace {
            times_ns: vec![5, 15, 45, 65],
        };
        assert_eq!(
            law.schedule(0, 1.0, 4).unwrap(),
            [0, 500_000_000, 2_000_000_000, 3_000_000_000]
        );
        let error = law.schedule(0, 1.0, 5).unwrap_err();
        assert_eq!(error, ArrivalsError::TraceTooShort { have: 4, want: 5 });
        let burst = Arrivals::Trace {
            times_ns: vec![7; 3],
        };
        assert_eq!(
            burst.schedule(0, 1.0, 3),
            Err(ArrivalsError::TraceWithoutTime)
        );
    }

    #[test]
    fn laws_are_read_and_refused() {
        assert_eq!("poisson".parse(), Ok(Arrivals::Poisson));
        assert_eq!("gamma:0.5".parse(), Ok(Arrivals::Gamma { shape: 0.5 }));
        for wrong in [
            "gamma",
            "gamma:",
            "gamma:0",
            "gamma:NaN",
            "gamma:-1",
            "uniform",
        ] {
            assert!(wrong.parse::<Arrivals>().is_err(), "{wrong}");
        }
        assert!(Arrivals::Poisson.schedule(0, 0.0, 1).is_err());
        assert!(Arrivals::Poisson.schedule(0, f64::NAN, 1).is_err());
    }
}
