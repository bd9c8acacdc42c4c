//! One set of resamples shared by all metrics of a comparison.

use crate::Stream;
use crate::dice::Dice;
use crate::distribution::{BootstrapDistribution, tail};
use crate::error::{Error, check_resamples, check_values};
use crate::interval::{Interval, Method};
use crate::mean::{Studentise, wrap};
use crate::replicates::Replicates;
use crate::sample::Sample;
use crate::studentised::Studentised;

/// B resamples of n units as rows of indices.
///
/// A unit carries all its metrics: reading every metric through the same rows
/// keeps their joint distribution, so ratios, differences, 2x2 contrasts and
/// the largest of several pivots are bootstrapped as they were measured. The
/// random numbers are paid once. Holds `4 n B` bytes; for statistics that
/// need no stored rows see [`for_each`](Self::for_each).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JointResamples {
    n: usize,
    indices: Vec<u32>,
}

impl JointResamples {
    /// Draws `resamples` rows of n indices.
    ///
    /// # Errors
    /// `n` zero or above `u32::MAX`; no resamples.
    pub fn draw(n: usize, resamples: usize, stream: &mut Stream) -> Result<Self, Error> {
        check_units(n)?;
        check_resamples(resamples)?;
        let mut indices = vec![0; n * resamples];
        let mut dice = Dice::new(stream);
        for row in indices.chunks_exact_mut(n) {
            dice.fill(row, n as u64);
        }
        Ok(Self { n, indices })
    }

    /// Takes rows drawn elsewhere; each holds n indices below n.
    ///
    /// # Errors
    /// No rows; a row of another length; an index out of range.
    pub fn from_rows<R: AsRef<[usize]>>(n: usize, rows: &[R]) -> Result<Self, Error> {
        check_units(n)?;
        check_resamples(rows.len())?;
        let mut indices = Vec::with_capacity(n * rows.len());
        for row in rows {
            let row = row.as_ref();
            if row.len() != n {
                return Err(Error::Lengths {
                    left: row.len(),
                    right: n,
                });
            }
            for &index in row {
                if index >= n {
                    return Err(Error::Index { index, n });
                }
                indices.push(index as u32);
            }
        }
        Ok(Self { n, indices })
    }

    /// Calls `visit` with each row that [`draw`](Self::draw) would store, and
    /// stores none.
    ///
    /// # Errors
    /// As [`draw`](Self::draw).
    pub fn for_each(
        n: usize,
        resamples: usize,
        stream: &mut Stream,
        mut visit: impl FnMut(&[u32]),
    ) -> Result<(), Error> {
        check_units(n)?;
        check_resamples(resamples)?;
        let mut dice = Dice::new(stream);
        let mut row = vec![0; n];
        for _ in 0..resamples {
            dice.fill(&mut row, n as u64);
            visit(&row);
        }
        Ok(())
    }

    /// Number of units, n.
    #[must_use]
    pub fn units(&self) -> usize {
        self.n
    }

    /// Number of resamples, B.
    #[must_use]
    pub fn resamples(&self) -> usize {
        self.indices.len() / self.n
    }

    /// The rows, each of n indices.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[u32]> {
        self.indices.chunks_exact(self.n)
    }

    /// Means of one metric.
    ///
    /// # Errors
    /// Not n values; non-finite data.
    pub fn means(&self, metric: &[f64]) -> Result<Replicates, Error> {
        let sample = self.sample(metric)?;
        let d = &sample.deviations;
        let values = self
            .rows()
            .map(|row| sample.mean_of(row.iter().map(|&i| d[i as usize]).sum()))
            .collect();
        Ok(wrap(&sample, values))
    }

    /// Studentised means of one metric.
    ///
    /// # Errors
    /// Not n values, or fewer than two; non-finite data.
    pub fn studentised(&self, metric: &[f64]) -> Result<Studentised<Replicates>, Error> {
        let sample = self.sample(metric)?;
        let studentise = Studentise::new(&sample)?;
        let d = &sample.deviations;
        let pivots = self.rows().map(|row| {
            let (mut sum, mut squares) = (0.0, 0.0);
            for &i in row {
                let d = d[i as usize];
                sum += d;
                squares += d * d;
            }
            studentise.pivot(sum, squares)
        });
        let pivots = Replicates::trusted(0.0, pivots.collect(), 0.0);
        studentise.wrap(pivots)
    }

    /// A function of the means of several metrics: the ratio of means, a 2x2
    /// contrast (Hall 1988, the smooth function model).
    ///
    /// ```
    /// use bootstrap::{BootstrapDistribution, JointResamples, Stream};
    /// let control = [10.2, 9.8, 10.9, 10.1, 9.6, 10.4];
    /// let candidate = [9.9, 9.4, 10.7, 9.9, 9.3, 10.0];
    /// let rows = JointResamples::draw(6, 2_000, &mut Stream::new(7, "ratio"))?;
    /// let ratio = rows.function_of_means(&[&control, &candidate], |m| m[1] / m[0])?;
    /// let a = JointResamples::acceleration_of_means(&[&control, &candidate], |m| m[1] / m[0])?;
    /// assert!(ratio.bca(0.95, a)?.hi < 1.0);
    /// # Ok::<(), bootstrap::Error>(())
    /// ```
    ///
    /// # Errors
    /// No metric; not n values each; non-finite data; a function that gives
    /// NaN.
    pub fn function_of_means(
        &self,
        metrics: &[&[f64]],
        function: impl Fn(&[f64]) -> f64,
    ) -> Result<Replicates, Error> {
        let samples = self.samples(metrics)?;
        let observed: Vec<f64> = samples.iter().map(|s| s.mean).collect();
        let mut means = vec![0.0; samples.len()];
        let values = self.rows().map(|row| {
            for (mean, s) in means.iter_mut().zip(&samples) {
                *mean = s.mean_of(row.iter().map(|&i| s.deviations[i as usize]).sum());
            }
            function(&means)
        });
        Replicates::new(function(&observed), values.collect())
    }

    /// Acceleration of a function of means: the jackknife over units, with
    /// the leave-one-out means in closed form.
    ///
    /// # Errors
    /// No metric; unequal lengths or fewer than two values; non-finite data;
    /// a function that gives NaN or an infinity.
    pub fn acceleration_of_means(
        metrics: &[&[f64]],
        function: impl Fn(&[f64]) -> f64,
    ) -> Result<f64, Error> {
        let n = metrics.first().ok_or(Error::Empty)?.len();
        if n < 2 {
            return Err(Error::TooFewValues {
                given: n,
                needed: 2,
            });
        }
        let samples: Vec<Sample> = metrics
            .iter()
            .map(|m| of_length(m, n))
            .collect::<Result<_, _>>()?;
        let mut means = vec![0.0; samples.len()];
        let left_out: Vec<f64> = (0..n)
            .map(|i| {
                for (mean, s) in means.iter_mut().zip(&samples) {
                    *mean = s.mean - s.unscale(s.deviations[i] / (n - 1) as f64);
                }
                function(&means)
            })
            .collect();
        check_values(&left_out).map_err(|_| Error::Statistic)?;
        crate::acceleration_of_jackknife(&left_out)
    }

    /// Any statistic of a resample given as indices.
    ///
    /// # Errors
    /// A statistic that gives NaN, or an infinity on the data.
    pub fn statistic(&self, statistic: impl Fn(&[u32]) -> f64) -> Result<Replicates, Error> {
        let all: Vec<u32> = (0..self.n as u32).collect();
        Replicates::new(statistic(&all), self.rows().map(&statistic).collect())
    }

    /// The largest `|t*|` over the metrics in each resample: the joint pivot
    /// of simultaneous intervals. Metrics without spread are left out.
    ///
    /// # Errors
    /// No metric; not n values each, or fewer than two; non-finite data.
    pub fn max_pivots(&self, metrics: &[&[f64]]) -> Result<Replicates, Error> {
        if metrics.is_empty() {
            return Err(Error::Empty);
        }
        let mut largest = vec![0.0_f64; self.resamples()];
        for metric in metrics {
            for (max, t) in largest
                .iter_mut()
                .zip(self.studentised(metric)?.pivots().values())
            {
                *max = max.max(t.abs());
            }
        }
        Ok(Replicates::trusted(0.0, largest, 0.0))
    }

    /// Intervals of several means that hold jointly at `level`:
    /// `mean +- c se` with c the quantile of [`max_pivots`](Self::max_pivots)
    /// (Beran 1988; Romano & Wolf 2005). Bounds may be infinite.
    ///
    /// # Errors
    /// As [`max_pivots`](Self::max_pivots); level outside (0, 1); too few
    /// resamples.
    pub fn simultaneous(&self, metrics: &[&[f64]], level: f64) -> Result<Vec<Interval>, Error> {
        let pivots = self.max_pivots(metrics)?;
        tail(&pivots, level)?;
        let (critical, scheme) = (pivots.quantile(level), pivots.scheme());
        let interval = |metric: &&[f64]| {
            let moments = crate::Moments::of(metric)?;
            let (mean, se) = (moments.mean, moments.standard_error());
            let reach = if se == 0.0 { 0.0 } else { critical * se };
            Ok(Interval {
                level,
                lo: mean - reach,
                hi: mean + reach,
                method: Method::MaxT,
                scheme,
            })
        };
        metrics.iter().map(interval).collect()
    }

    fn sample(&self, metric: &[f64]) -> Result<Sample, Error> {
        of_length(metric, self.n)
    }

    fn samples(&self, metrics: &[&[f64]]) -> Result<Vec<Sample>, Error> {
        if metrics.is_empty() {
            return Err(Error::Empty);
        }
        metrics.iter().map(|m| self.sample(m)).collect()
    }
}

fn of_length(metric: &[f64], n: usize) -> Result<Sample, Error> {
    if metric.len() == n {
        Sample::of(metric)
    } else {
        Err(Error::Lengths {
            left: metric.len(),
            right: n,
        })
    }
}

fn check_units(n: usize) -> Result<(), Error> {
    let limit = u32::MAX as usize;
    match n {
        0 => Err(Error::Empty),
        n if n > limit => Err(Error::TooManyValues { given: n, limit }),
        _ => Ok(()),
    }
}
