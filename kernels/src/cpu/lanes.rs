//! Reductions with independent accumulators.

/// Sixteen `f32`: four SSE, two AVX or one AVX-512 register, enough chains to
/// hide the latency of an addition.
pub(crate) const LANES: usize = 16;

/// Adds the lanes pairwise.
///
/// Never inlined: the vectoriser works backwards from what becomes of the
/// accumulators, and shapes a whole loop after this tree if it can see it.
#[inline(never)]
pub(crate) fn sum<const N: usize>(mut lanes: [f32; N]) -> f32 {
    const { assert!(N.is_power_of_two()) };
    let mut width = N / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
        width /= 2;
    }
    lanes[0]
}

/// The largest element, at least `f32::MIN`; NaN is skipped.
pub(crate) fn max(x: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let (chunks, rest) = x.as_chunks::<LANES>();
    let mut lanes = [f32::MIN; LANES];
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = larger(*lane, value);
        }
    }
    lanes.iter().chain(rest).copied().fold(f32::MIN, larger)
}

pub(crate) fn sum_of_squares(x: &[f32]) -> f32 {
    let (chunks, rest) = x.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane += value * value;
        }
    }
    for (lane, &value) in lanes.iter_mut().zip(rest) {
        *lane += value * value;
    }
    sum(lanes)
}
