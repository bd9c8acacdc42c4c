//! Rotary position embedding (Su et al., arXiv:2104.09864), halves paired:
//! element `i` of a head turns with element `i + head_dim / 2`, by the angle
//! `position * theta^(-2 i / head_dim)`. The layout of Hugging Face weights.

/// Cosines and sines for every position.
#[derive(Clone, Debug)]
pub struct RopeTable {
    half: usize,
    cosines: Vec<f32>,
    sines: Vec<f32>,
}

impl RopeTable {
    /// Angles in `f64`, rounded once: far positions are as exact as near ones.
    ///
    /// # Panics
    /// If `head_dim` is odd or zero.
    #[must_use]
    pub fn new(theta: f64, head_dim: usize, positions: usize) -> Self {
        assert!(
            head_dim > 0 && head_dim.is_multiple_of(2),
            "a head of {head_dim} has no halves"
        );
        let half = head_dim / 2;
        let frequencies: Vec<f64> = (0..half)
            .map(|i| theta.powf(-2.0 * i as f64 / head_dim as f64))
            .collect();
        let angles = (0..positions).flat_map(|p| frequencies.iter().map(move |f| p as f64 * f));
        let (cosines, sines) = angles.map(|a| (a.cos() as f32, a.sin() as f32)).unzip();
        Self {
            half,
            cosines,
            sines,
        }
    }

    /// Positions in the table.
    #[must_use]
    pub fn positions(&self) -> usize {
        self.cosines.len() / self.half
    }

    /// Turns all heads of a token at `position`, in place.
    ///
    /// # Panics
    /// If the position is not in the table, or `heads` is not whole heads.
    pub fn rotate(&self, position: usize, heads: &mut [f32]) {
        assert!(heads.len().is_multiple_of(2 * self.half), "not whole heads");
        let cosines = &self.cosines[position * self.half..][..self.half];
        let sines = &self.sines[position * self.half..][..self.half];
        for head in heads.chunks_exact_mut(2 * self.half) {
            let (first, second) = head.split_at_mut(self.half);
            for (((a, b), cos), sin) in first.iter_mut().zip(second).zip(cosines).zip(sines) {
                (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
            }
        }
    }
}
