//! The bootstrap distribution of a mean on a grid, by Fourier transform.

use crate::distribution::BootstrapDistribution;
use crate::error::Error;
use crate::fft::{Complex, Fft};
use crate::interval::Scheme;
use crate::sample::Sample;

/// The distribution of the mean over all `n^n` resamples, on a grid.
///
/// The resample sum is the n-fold convolution of the sample with itself, so
/// its transform is the n-th power of the sample's. No resampling, no seed:
/// this is the limit of infinitely many resamples, up to the grid (against
/// full enumeration the bounds differ by less than 0.001 of the width).
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    sample_mean: f64,
    min: f64,
    max: f64,
    /// Grid step of the mean in the unit of the data, corrected for the
    /// spread that splitting values between grid points adds.
    step: f64,
    /// Distribution function half a step above each point; the mean of the
    /// data lies on the middle point.
    cumulated: Vec<f64>,
}

impl Grid {
    /// The distribution for `x` on `points` grid points, a power of two in
    /// `64..=1 << 24`. [`points_for`](Self::points_for) gives the usual number.
    ///
    /// # Errors
    /// Empty or non-finite data; a number of points that does not serve.
    pub fn of_mean(x: &[f64], points: usize) -> Result<Self, Error> {
        if !points.is_power_of_two() || !(64..=1 << 24).contains(&points) {
            return Err(Error::Grid { points });
        }
        let sample = Sample::of(x)?;
        let n = sample.len();
        let widest = sample
            .deviations
            .iter()
            .fold(0.0, |m: f64, d| m.max(d.abs()));
        let (middle, root) = (points / 2, (n as f64).sqrt());
        let spread = sample.sd() * root;
        // Wide enough for sixteen standard deviations and for one rare large
        // value drawn many times; never wider than the support.
        let width = (16.0 * spread)
            .max(12.0 * spread + 14.0 * widest)
            .min(2.2 * n as f64 * widest);
        let step = width / points as f64;
        if n == 1 || step <= 0.0 || sample.min == sample.max {
            return Ok(Self::point(&sample, points));
        }

        let mut mass = vec![0.0; points];
        let (each, mut squares, mut added) = (1.0 / n as f64, 0.0, 0.0);
        for d in &sample.deviations {
            let place = d / step;
            let floor = libm::floor(place);
            let part = place - floor;
            // Circular: negative deviations sit at the far end.
            let cell = (floor as i64).rem_euclid(points as i64) as usize;
            mass[cell] += each * (1.0 - part);
            mass[(cell + 1) % points] += each * part;
            squares += place * place;
            added += part * (1.0 - part);
        }
        let density = Fft::with(points, |fft| {
            let mut bins = fft.forward(&mass);
            // Below this squared magnitude the n-th power is under 1e-24.
            let negligible = libm::exp(-110.0 / n as f64);
            for bin in &mut bins {
                *bin = if bin.norm() < negligible {
                    Complex::ZERO
                } else {
                    bin.power(n)
                };
            }
            fft.inverse(&bins)
        });

        // From the middle of the circle on, with the rounding below zero cut.
        let mut sum = 0.0;
        let mut cumulated: Vec<f64> = (0..points)
            .map(|k| {
                sum += density[(k + middle) % points].max(0.0);
                sum
            })
            .collect();
        for c in &mut cumulated {
            *c /= sum;
        }
        let correction = (squares / (squares + added)).sqrt();
        Ok(Self {
            sample_mean: sample.mean,
            min: sample.min,
            max: sample.max,
            step: sample.unscale(step * correction / n as f64),
            cumulated,
        })
    }

    /// 4,096 points below 5,000 values, 16,384 from there on.
    #[must_use]
    pub const fn points_for(n: usize) -> usize {
        if n < 5_000 { 4_096 } else { 16_384 }
    }

    /// A distribution without spread.
    fn point(sample: &Sample, points: usize) -> Self {
        let cumulated = (0..points)
            .map(|k| f64::from(u8::from(k >= points / 2)))
            .collect();
        Self {
            sample_mean: sample.mean,
            min: sample.min,
            max: sample.max,
            step: 0.0,
            cumulated,
        }
    }

    /// Distribution function at `place`, measured in steps from the first point.
    fn at(&self, place: f64) -> f64 {
        let shifted = place - 0.5;
        let floor = libm::floor(shifted);
        let before = |k: f64| {
            if k < 0.0 {
                0.0
            } else {
                self.cumulated[(k as usize).min(self.cumulated.len() - 1)]
            }
        };
        let (low, high) = (before(floor), before(floor + 1.0));
        low + (shifted - floor) * (high - low)
    }
}

impl BootstrapDistribution for Grid {
    fn observed(&self) -> f64 {
        self.sample_mean
    }

    fn quantile(&self, p: f64) -> f64 {
        let p = p.clamp(self.tail_floor(), 1.0 - self.tail_floor());
        let above = self
            .cumulated
            .partition_point(|&c| c < p)
            .min(self.cumulated.len() - 1);
        let low = if above == 0 {
            0.0
        } else {
            self.cumulated[above - 1]
        };
        let high = self.cumulated[above];
        let part = if high > low {
            ((p - low) / (high - low)).clamp(0.0, 1.0)
        } else {
            0.5
        };
        let place = above as f64 - 0.5 + part - (self.cumulated.len() / 2) as f64;
        (self.sample_mean + place * self.step).clamp(self.min, self.max)
    }

    fn fraction_below(&self) -> f64 {
        self.at((self.cumulated.len() / 2) as f64)
    }

    /// What rounding in the transform leaves uncertain.
    fn tail_floor(&self) -> f64 {
        1e-12
    }

    fn scheme(&self) -> Scheme {
        Scheme::Fourier {
            points: self.cumulated.len(),
        }
    }
}
