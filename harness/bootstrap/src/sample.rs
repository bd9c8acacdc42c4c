//! A sample in the form that resampling the mean works on.

use crate::error::{Error, check_values};

/// Deviations from the mean, scaled by a power of two when the data are so
/// large or small that sums, squares or cubes would leave the range of `f64`.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// Mean in the unit of the data.
    pub mean: f64,
    pub min: f64,
    pub max: f64,
    /// `(x - mean) * 2^-exponent`.
    pub deviations: Vec<f64>,
    /// Sum of the deviations: zero up to rounding, and what a resample that
    /// repeats the sample gives.
    pub sum: f64,
    /// Sums closer than this are equal: rounding of n additions.
    pub tie: f64,
    exponent: i32,
}

impl Sample {
    pub fn of(x: &[f64]) -> Result<Self, Error> {
        check_values(x)?;
        let (mut min, mut max) = (x[0], x[0]);
        for &v in x {
            min = min.min(v);
            max = max.max(v);
        }
        // The spread decides as well as the size: its squares must survive.
        let size = max.abs().max(min.abs());
        let spread = max - min;
        let exponent = if size > LARGE || (spread > 0.0 && spread < SMALL) {
            let reference = if size > LARGE { size } else { spread };
            libm::frexp(reference).1.clamp(-1000, 1020)
        } else {
            0
        };
        let scaled = |v: f64| {
            if exponent == 0 {
                v
            } else {
                libm::scalbn(v, -exponent)
            }
        };
        let n = x.len() as f64;
        let rough = x.iter().map(|&v| scaled(v)).sum::<f64>() / n;
        let centre = rough + x.iter().map(|&v| scaled(v) - rough).sum::<f64>() / n;
        let centre = centre.clamp(scaled(min), scaled(max));
        let deviations: Vec<f64> = x.iter().map(|&v| scaled(v) - centre).collect();
        let sum = deviations.iter().sum();
        let widest = deviations.iter().fold(0.0, |m: f64, d| m.max(d.abs()));
        Ok(Self {
            mean: if exponent == 0 {
                centre
            } else {
                libm::scalbn(centre, exponent)
            },
            min,
            max,
            deviations,
            sum,
            tie: 8.0 * f64::EPSILON * n * widest,
            exponent,
        })
    }

    pub fn len(&self) -> usize {
        self.deviations.len()
    }

    /// A length (sd, standard error) in the unit of the data.
    pub fn unscale(&self, length: f64) -> f64 {
        if self.exponent == 0 {
            length
        } else {
            libm::scalbn(length, self.exponent)
        }
    }

    /// The mean of a resample with this sum of deviations. No mean lies
    /// outside the data, whatever the rounding.
    pub fn mean_of(&self, sum: f64) -> f64 {
        (self.mean + self.unscale(sum / self.len() as f64)).clamp(self.min, self.max)
    }

    /// Scaled standard deviation, divisor `n - 1`; 0 for a single value.
    pub fn sd(&self) -> f64 {
        let n = self.len() as f64;
        if n < 2.0 || self.min == self.max {
            return 0.0;
        }
        let squares: f64 = self.deviations.iter().map(|d| d * d).sum();
        ((squares - self.sum * self.sum / n).max(0.0) / (n - 1.0)).sqrt()
    }
}

/// Above this, sums of squares and cubes may overflow.
const LARGE: f64 = 1e75;
/// Below this, squares and cubes may lose their bits.
const SMALL: f64 = 1e-75;
