//! A scalar real Fourier transform with the same bits on every platform.

use std::f64::consts::TAU;
use std::sync::OnceLock;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Complex {
    pub re: f64,
    pub im: f64,
}

impl Complex {
    pub const ZERO: Self = Self { re: 0.0, im: 0.0 };

    #[inline(always)]
    pub fn plus(self, o: Self) -> Self {
        Self {
            re: self.re + o.re,
            im: self.im + o.im,
        }
    }

    #[inline(always)]
    pub fn minus(self, o: Self) -> Self {
        Self {
            re: self.re - o.re,
            im: self.im - o.im,
        }
    }

    #[inline(always)]
    pub fn times(self, o: Self) -> Self {
        Self {
            re: self.re * o.re - self.im * o.im,
            im: self.re * o.im + self.im * o.re,
        }
    }

    #[inline(always)]
    pub fn conjugate(self) -> Self {
        Self {
            re: self.re,
            im: -self.im,
        }
    }

    /// Multiplied by -i.
    #[inline(always)]
    fn turned(self) -> Self {
        Self {
            re: self.im,
            im: -self.re,
        }
    }

    #[inline(always)]
    fn half(self) -> Self {
        Self {
            re: 0.5 * self.re,
            im: 0.5 * self.im,
        }
    }

    /// Squared magnitude.
    #[inline(always)]
    pub fn norm(self) -> f64 {
        self.re * self.re + self.im * self.im
    }

    /// `self^n` by repeated squaring, `n >= 1`.
    #[inline]
    pub fn power(self, n: usize) -> Self {
        let mut result = self;
        for bit in (0..n.ilog2()).rev() {
            result = result.times(result);
            if n >> bit & 1 == 1 {
                result = result.times(self);
            }
        }
        result
    }
}

/// Transforms of one size, a power of two of at least 8 real points.
#[derive(Debug)]
pub(crate) struct Fft {
    points: usize,
    /// `exp(-2 pi i k / points)` for `k < points / 2`.
    twiddles: Vec<Complex>,
}

impl Fft {
    fn new(points: usize) -> Self {
        let circle = |k: usize| {
            let angle = TAU * (k as f64 / points as f64);
            Complex {
                re: libm::cos(angle),
                im: -libm::sin(angle),
            }
        };
        Self {
            points,
            twiddles: (0..points / 2).map(circle).collect(),
        }
    }

    /// Runs `work` with the transform of this size; tables of the usual sizes
    /// are computed once.
    pub fn with<R>(points: usize, work: impl FnOnce(&Self) -> R) -> R {
        static SMALL: OnceLock<Fft> = OnceLock::new();
        static LARGE: OnceLock<Fft> = OnceLock::new();
        match points {
            4_096 => work(SMALL.get_or_init(|| Self::new(points))),
            16_384 => work(LARGE.get_or_init(|| Self::new(points))),
            _ => work(&Self::new(points)),
        }
    }

    /// Bins `0 ..= points / 2` of real values: the even and odd points are
    /// transformed as one complex series of half the length, then separated.
    pub fn forward(&self, x: &[f64]) -> Vec<Complex> {
        let half = self.points / 2;
        let packed: Vec<Complex> = x
            .as_chunks()
            .0
            .iter()
            .map(|&[re, im]| Complex { re, im })
            .collect();
        let z = self.complex(packed);
        (0..=half)
            .map(|k| {
                let (a, b) = (z[k % half], z[(half - k) % half].conjugate());
                let (even, odd) = (a.plus(b).half(), a.minus(b).half().turned());
                if k == half {
                    even.minus(odd)
                } else {
                    even.plus(self.twiddles[k].times(odd))
                }
            })
            .collect()
    }

    /// Real values from bins `0 ..= points / 2`; the inverse of
    /// [`forward`](Self::forward).
    pub fn inverse(&self, bins: &[Complex]) -> Vec<f64> {
        let half = self.points / 2;
        // Conjugates before and after make a forward transform the inverse.
        let packed: Vec<Complex> = (0..half)
            .map(|k| {
                let (a, b) = (bins[k], bins[half - k].conjugate());
                let (even, odd) = (a.plus(b), a.minus(b).times(self.twiddles[k].conjugate()));
                even.minus(odd.turned()).conjugate()
            })
            .collect();
        let scale = 1.0 / self.points as f64;
        self.complex(packed)
            .iter()
            .flat_map(|z| [scale * z.re, -scale * z.im])
            .collect()
    }

    /// Stockham autosort, radix 4 with one radix-2 pass where needed (Van
    /// Loan, Computational Frameworks for the FFT, 1992).
    fn complex(&self, mut x: Vec<Complex>) -> Vec<Complex> {
        let mut y = vec![Complex::ZERO; x.len()];
        let (mut length, mut stride) = (x.len(), 1);
        while length > 2 {
            let quarter = length / 4;
            // Twiddles of this length lie this far apart in the table.
            let step = self.points / length;
            for p in 0..quarter {
                let w1 = self.twiddles[p * step];
                let w2 = self.twiddles[2 * p * step];
                let w3 = w1.times(w2);
                let out = &mut y[4 * p * stride..][..4 * stride];
                let (o0, out) = out.split_at_mut(stride);
                let (o1, out) = out.split_at_mut(stride);
                let (o2, o3) = out.split_at_mut(stride);
                let row = |r: usize| &x[(p + r * quarter) * stride..][..stride];
                let (a, b, c, d) = (row(0), row(1), row(2), row(3));
                for q in 0..stride {
                    let (ac, bd) = (a[q].plus(c[q]), b[q].plus(d[q]));
                    let (a_c, b_d) = (a[q].minus(c[q]), b[q].minus(d[q]).turned());
                    o0[q] = ac.plus(bd);
                    o1[q] = a_c.plus(b_d).times(w1);
                    o2[q] = ac.minus(bd).times(w2);
                    o3[q] = a_c.minus(b_d).times(w3);
                }
            }
            std::mem::swap(&mut x, &mut y);
            length /= 4;
            stride *= 4;
        }
        if length == 2 {
            for q in 0..stride {
                let (a, b) = (x[q], x[q + stride]);
                y[q] = a.plus(b);
                y[q + stride] = a.minus(b);
            }
            std::mem::swap(&mut x, &mut y);
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stream;

    #[test]
    fn agrees_with_the_definition_and_inverts() {
        for points in [8, 16, 64, 128, 4096] {
            let mut stream = Stream::new(1, "fft");
            let x: Vec<f64> = (0..points).map(|_| stream.unit() - 0.5).collect();
            Fft::with(points, |fft| {
                let bins = fft.forward(&x);
                for k in [0, 1, 3, points / 4, points / 2 - 1, points / 2] {
                    let mut sum = Complex::ZERO;
                    for (j, v) in x.iter().enumerate() {
                        let angle = -TAU * ((j * k % points) as f64 / points as f64);
                        sum.re += v * libm::cos(angle);
                        sum.im += v * libm::sin(angle);
                    }
                    assert!(
                        sum.minus(bins[k]).norm() < 1e-22,
                        "{points} {k} {sum:?} {:?}",
                        bins[k]
                    );
                }
                for (a, b) in fft.inverse(&bins).iter().zip(&x) {
                    assert!((a - b).abs() < 1e-14, "{points}");
                }
            });
        }
    }

    #[test]
    fn powers() {
        let z = Complex { re: 0.6, im: 0.8 };
        let mut slow = z;
        for n in 1..40 {
            assert!(slow.minus(z.power(n)).norm() < 1e-28);
            slow = slow.times(z);
        }
    }
}
