//! The published bounds, on few replications: the rules as shipped hold them,
//! and deliberately broken rules don't.
#![cfg(feature = "cli")]

#[path = "simulation/broken.rs"]
mod broken;
#[path = "simulation/shipped.rs"]
mod shipped;

use evenhand::simulate::runner::{Cell, Effort, Study, run};

/// Runs studies on all cores under a fixed seed.
fn simulate(studies: &[Study], replications: u64) -> Vec<Cell> {
    let effort = Effort {
        replications,
        threads: std::thread::available_parallelism().map_or(1, Into::into),
        seed: 20,
    };
    run(studies, effort, &|_| ())
}
