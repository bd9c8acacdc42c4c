//! What must hold for all data, and simulations that a broken rule fails.

mod invariance;
mod references;
mod robustness;
mod simulation;

use bootstrap::{Stream, normal};
use proptest::prelude::*;

/// Effects of a usual size, with ties and zeros among them.
fn units(size: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<f64>> {
    let unit = prop_oneof![
        6 => -10.0..10.0f64,
        1 => Just(0.0),
        1 => (-4i32..4).prop_map(|tick| f64::from(tick) * 0.25),
    ];
    prop::collection::vec(unit, size)
}

/// `got` and `want` agree to `rel` of the larger one, or both are infinite.
fn near(got: f64, want: f64, rel: f64) -> bool {
    got == want || (got - want).abs() <= rel * got.abs().max(want.abs()).max(1e-9)
}

/// A standard normal number.
fn gauss(stream: &mut Stream) -> f64 {
    normal::quantile(stream.unit().max(1e-16))
}
