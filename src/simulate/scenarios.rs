//! The worlds that the tables are made of.

use super::noise::Shape;
use super::world::World;
use crate::harness::plan::ReplicationUnit;

/// A world with a name, and what its plan says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scenario {
    /// As it stands in tables.
    pub name: &'static str,
    /// The world.
    pub world: World,
    /// What the plan says that a unit is.
    pub unit: ReplicationUnit,
    /// Whether the label is true, so that the bounds must hold.
    pub honest: bool,
}

const fn honest(name: &'static str, world: World) -> Scenario {
    Scenario {
        name,
        world,
        unit: ReplicationUnit::Worker,
        honest: true,
    }
}

const fn slots(name: &'static str, slot_shape: Shape) -> Scenario {
    let world = World {
        slot_shape,
        ..World::PLAIN
    };
    honest(name, world)
}

const fn states(name: &'static str, state_shape: Shape) -> Scenario {
    let world = World {
        state_shape,
        ..World::STATES
    };
    honest(name, world)
}

/// Equal arms: every difference claimed is false.
pub const EQUAL_ARMS: [Scenario; 28] = [
    slots("slots: normal", Shape::Normal),
    slots("slots: Student t3", Shape::StudentT3),
    slots("slots: log-normal .5", Shape::LogNormalHalf),
    slots("slots: log-normal 1", Shape::LogNormalOne),
    slots("slots: gamma 2", Shape::Gamma2),
    slots("slots: bimodal", Shape::Bimodal),
    slots("slots: contaminated", Shape::Contaminated),
    honest(
        "slots: 1 % take ten times as long",
        World {
            slot_spikes: 0.01,
            ..World::PLAIN
        },
    ),
    honest(
        "slots: timer step of one sd",
        World {
            quantum: 0.05,
            ..World::PLAIN
        },
    ),
    states("states: normal", Shape::Normal),
    states("states: Student t3", Shape::StudentT3),
    states("states: log-normal 1", Shape::LogNormalOne),
    states("states: bimodal", Shape::Bimodal),
    states("states: contaminated", Shape::Contaminated),
    honest(
        "states: 1 % ten times as slow",
        World {
            state_spikes: 0.01,
            ..World::STATES
        },
    ),
    honest(
        "AR(1) .3 in time",
        World {
            slot_memory: 0.3,
            ..World::PLAIN
        },
    ),
    honest(
        "AR(1) .7 in time",
        World {
            slot_memory: 0.7,
            ..World::PLAIN
        },
    ),
    honest(
        "drift of 20 % over the session",
        World {
            drift: 0.2,
            ..World::PLAIN
        },
    ),
    honest(
        "one step of 20 %",
        World {
            step: 0.2,
            ..World::PLAIN
        },
    ),
    honest(
        "warm-up inside workers",
        World {
            warm_up: 0.2,
            ..World::PLAIN
        },
    ),
    honest(
        "inner slots 5 % slower",
        World {
            slot_position: 0.05,
            ..World::PLAIN
        },
    ),
    honest(
        "interference of period 2",
        World {
            period_two: 0.05,
            ..World::PLAIN
        },
    ),
    honest(
        "later built is 2 % slower",
        World {
            letter: 0.02,
            ..World::PLAIN
        },
    ),
    honest(
        "no shared noise, no states",
        World {
            shared_sd: 0.0,
            state_sd: 0.0,
            ..World::PLAIN
        },
    ),
    honest(
        "control's states 5 times as wide",
        World {
            control_state_factor: 5.0,
            ..World::PLAIN
        },
    ),
    Scenario {
        unit: ReplicationUnit::PairInProcess,
        ..honest("one process, said so", ONE_PROCESS)
    },
    Scenario {
        honest: false,
        ..honest("MISLABELLED: one process, called workers", ONE_PROCESS)
    },
    Scenario {
        honest: false,
        ..honest(
            "MISLABELLED: states with memory .7, called workers",
            World {
                state_memory: 0.7,
                ..World::STATES
            },
        )
    },
];

/// Every "worker" finds the states that the first one drew.
const ONE_PROCESS: World = World {
    state_memory: 1.0,
    ..World::STATES
};

/// Equal mean log times, states of another shape in the candidate: a claimed
/// difference of means is false, though the arms are not the same.
pub const OTHER_SHAPES: [Scenario; 4] = [
    skewed("candidate's states: gamma 2", Shape::Gamma2, 0.02),
    skewed("candidate's states: bimodal", Shape::Bimodal, 0.02),
    skewed(
        "candidate's states: log-normal 1",
        Shape::LogNormalOne,
        0.02,
    ),
    skewed(
        "only the candidate has states: log-normal 1",
        Shape::LogNormalOne,
        0.0,
    ),
];

const fn skewed(name: &'static str, shape: Shape, control_sd: f64) -> Scenario {
    let world = World {
        candidate_state_shape: Some(shape),
        control_state_factor: control_sd / 0.02,
        ..World::STATES
    };
    honest(name, world)
}

/// Shapes for power and parity.
pub const STATE_SHAPES: [Shape; 4] = [
    Shape::Normal,
    Shape::StudentT3,
    Shape::Bimodal,
    Shape::LogNormalOne,
];

/// A machine as good as bare metal gets: units scatter by .5 %.
pub const QUIET: World = World {
    slot_cv: 0.02,
    state_sd: 0.002,
    ..World::PLAIN
};

/// A shared runner: units scatter by 3 %.
pub const NOISY: World = World {
    slot_cv: 0.1,
    state_sd: 0.02,
    ..World::PLAIN
};

/// A world whose units scatter by almost exactly `sqrt(2)` times its state.
#[must_use]
pub fn standard(shape: Shape) -> World {
    World {
        state_shape: shape,
        slot_cv: 0.002,
        state_sd: 0.02,
        ..World::PLAIN
    }
}
