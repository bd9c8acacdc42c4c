//! Shapes of noise, each with mean 0 and standard deviation 1.

use bootstrap::{Stream, normal};

/// How noise is distributed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Gaussian.
    Normal,
    /// Student's t with 3 degrees of freedom: heavy on both sides.
    StudentT3,
    /// Log-normal, sigma 0.5: a moderate right tail.
    LogNormalHalf,
    /// Log-normal, sigma 1: a long right tail.
    LogNormalOne,
    /// Gamma with shape 2.
    Gamma2,
    /// One draw in ten comes from a mode 5 standard deviations slower.
    Bimodal,
    /// One draw in a hundred has ten times the spread.
    Contaminated,
}

impl Shape {
    /// Every shape.
    pub const ALL: [Self; 7] = [
        Self::Normal,
        Self::StudentT3,
        Self::LogNormalHalf,
        Self::LogNormalOne,
        Self::Gamma2,
        Self::Bimodal,
        Self::Contaminated,
    ];

    /// As it stands in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::StudentT3 => "Student t3",
            Self::LogNormalHalf => "log-normal .5",
            Self::LogNormalOne => "log-normal 1",
            Self::Gamma2 => "gamma 2",
            Self::Bimodal => "bimodal",
            Self::Contaminated => "contaminated",
        }
    }

    /// One draw.
    pub fn draw(self, stream: &mut Stream) -> f64 {
        match self {
            Self::Normal => gauss(stream),
            Self::StudentT3 => {
                let squares: f64 = (0..3).map(|_| gauss(stream).powi(2)).sum();
                // The variance of t3 is 3.
                gauss(stream) / (squares / 3.0).sqrt() / 3f64.sqrt()
            }
            Self::LogNormalHalf => log_normal(0.5, stream),
            Self::LogNormalOne => log_normal(1.0, stream),
            Self::Gamma2 => {
                let product = (1.0 - stream.unit()) * (1.0 - stream.unit());
                (-product.ln() - 2.0) / 2f64.sqrt()
            }
            Self::Bimodal => {
                let slow = if stream.unit() < 0.1 { 5.0 } else { 0.0 };
                // Mean .1 x 5, variance 1 + .1 x .9 x 25.
                (gauss(stream) + slow - 0.5) / 3.25f64.sqrt()
            }
            Self::Contaminated => {
                let spread = if stream.unit() < 0.01 { 10.0 } else { 1.0 };
                gauss(stream) * spread / 1.99f64.sqrt()
            }
        }
    }
}

/// A standard normal number, by inversion.
pub fn gauss(stream: &mut Stream) -> f64 {
    // The middle of the cell, so that neither 0 nor 1 can come.
    normal::quantile(stream.unit() + 0.5 / (1u64 << 53) as f64)
}

fn log_normal(sigma: f64, stream: &mut Stream) -> f64 {
    let square = sigma * sigma;
    let mean = (0.5 * square).exp();
    let sd = mean * (square.exp() - 1.0).sqrt();
    ((sigma * gauss(stream)).exp() - mean) / sd
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_have_mean_zero_and_sd_one() {
        for shape in Shape::ALL {
            let mut stream = Stream::new(1, shape.name());
            let x: Vec<f64> = (0..40_000).map(|_| shape.draw(&mut stream)).collect();
            let moments = bootstrap::Moments::of(&x).expect("numbers");
            let tolerance = match shape {
                // The fourth moment is infinite or large.
                Shape::StudentT3 | Shape::LogNormalOne => 0.25,
                _ => 0.05,
            };
            assert!(moments.mean.abs() < 0.03, "{shape:?}: {}", moments.mean);
            let sd = bootstrap::moments::sd(&x).expect("numbers");
            assert!((sd - 1.0).abs() < tolerance, "{shape:?}: {sd}");
        }
    }
}
