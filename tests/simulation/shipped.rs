//! The rules as shipped.

use super::simulate;
use evenhand::simulate::runner::{Effort, run};
use evenhand::simulate::{bounds, suite};

#[test]
fn the_shipped_rules_hold_every_bound() {
    let cells = simulate(&suite::short(), 120);
    if let Err(breaches) = bounds::check(&cells) {
        let lines: Vec<String> = breaches.iter().map(ToString::to_string).collect();
        panic!("{}", lines.join("\n"));
    }
}

#[test]
fn counts_depend_on_the_seed_and_not_on_the_threads() {
    let studies = &suite::short()[..2];
    let with = |seed, threads| {
        let effort = Effort {
            replications: 60,
            threads,
            seed,
        };
        run(studies, effort, &|_| ())
    };
    assert_eq!(with(1, 1), with(1, 3));
    assert_ne!(with(1, 1), with(2, 1));
}
