//! Rules that are broken on purpose: the bounds must catch every one.

use super::simulate;
use evenhand::simulate::bounds::{self, Breach};
use evenhand::simulate::families::{Kinship, family};
use evenhand::simulate::noise::Shape;
use evenhand::simulate::pipeline::{
    BLOCKS_AS_UNITS, NO_COIN, NO_HOLM, PERCENTILE_DECIDES, PERCENTILE_INTERVAL, Pipeline,
    refuses_fixed_letters,
};
use evenhand::simulate::runner::{Study, Table};
use evenhand::simulate::scenarios::EQUAL_ARMS;
use evenhand::simulate::sequential::{self, Stop};
use evenhand::simulate::session::{Layout, Session};
use evenhand::simulate::suite::ours;
use evenhand::simulate::tally::Event;

/// One pipeline on one scenario with equal arms, 8 workers.
fn on(scenario: &str, pipeline: Pipeline) -> Study {
    let scenario = EQUAL_ARMS
        .into_iter()
        .find(|s| s.name == scenario)
        .expect("the scenario is in the suite");
    ours(Table::FalseClaims, scenario, layout(), pipeline)
}

fn layout() -> Layout {
    Layout {
        blocks: 8,
        ..Layout::with_workers(8)
    }
}

#[track_caller]
fn breaches(study: Study, replications: u64) -> Vec<Breach> {
    let cells = simulate(&[study], replications);
    bounds::check(&cells).expect_err("a broken rule holds every bound")
}

#[track_caller]
fn assert_caught(study: Study, replications: u64, event: Event) {
    let found = breaches(study, replications);
    assert!(found.iter().any(|b| b.event == event), "{found:?}");
}

#[test]
fn a_percentile_interval_misses_too_often() {
    let study = on("states: normal", PERCENTILE_INTERVAL);
    assert_caught(study, 500, Event::Miss);
}

#[test]
fn a_percentile_interval_that_decides_claims_too_often() {
    let study = on("states: normal", PERCENTILE_DECIDES);
    assert_caught(study, 500, Event::ModerateOrBetter);
}

#[test]
fn without_the_coin_the_order_of_building_is_claimed() {
    let study = on("later built is 2 % slower", NO_COIN);
    assert_caught(study, 60, Event::OnePercent);
}

#[test]
fn judge_refuses_a_session_without_the_coin() {
    let world = EQUAL_ARMS[0].world;
    let session = Session::draw_scheduled(&world, &layout(), 1, NO_COIN.schedule);
    assert!(refuses_fixed_letters(&session));
    assert!(!refuses_fixed_letters(&Session::draw(&world, &layout(), 1)));
}

#[test]
fn blocks_as_units_claim_what_is_the_process() {
    // Where the states are plainer the lag-1 gate sees them.
    let study = on("control's states 5 times as wide", BLOCKS_AS_UNITS);
    assert_caught(study, 100, Event::ModerateOrBetter);
}

#[test]
fn without_adjustment_families_claim_too_often() {
    let study = family(8, 20, Kinship::Independent, NO_HOLM);
    assert_caught(study, 200, Event::ModerateOrBetter);
}

#[test]
fn stopping_when_significant_claims_too_often() {
    let study = Study {
        bound: true,
        ..sequential::study(Stop::UntilSignificant, Shape::Normal, 0.0)
    };
    assert_caught(study, 400, Event::Claimed);
}

#[test]
fn a_false_label_claims_too_often() {
    for scenario in EQUAL_ARMS.into_iter().filter(|s| !s.honest) {
        let pipeline = evenhand::simulate::pipeline::SHIPPED;
        let study = Study {
            bound: true,
            ..ours(Table::FalseClaims, scenario, layout(), pipeline)
        };
        assert_caught(study, 120, Event::ModerateOrBetter);
    }
}
