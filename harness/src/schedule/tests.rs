use super::*;
use crate::plan::{Estimand, Margin, Metric, ReplicationUnit};

pub(crate) fn experiment(arms: usize, blocks: u32) -> ExperimentPlan {
    ExperimentPlan {
        id: "probe".into(),
        arms: (0..arms).map(|i| format!("arm{i}")).collect(),
        metric: Metric::wall_time(),
        margin: Margin::DEFAULT,
        estimand: Estimand::PairedLogRatio,
        secondary: Vec::new(),
        device: None,
        sweep: None,
        cold: false,
        separate: false,
        unit: ReplicationUnit::Worker,
        design: Design::for_arms(arms),
        workers: 12,
        blocks: if arms > 1 {
            whole_designs(arms, blocks)
        } else {
            0
        },
        aa_blocks: control_pair_blocks(arms, blocks),
        iterations: 1,
        throughput: vec![],
        verified: false,
        same_code: None,
        pilot_ns: vec![],
        schedule_digest: String::new(),
    }
}

#[test]
fn a_block_is_balanced_and_control_pairs_take_a_third() {
    for arms in 1..=6 {
        let plan = experiment(arms, 50);
        let schedule = worker_schedule(Seed(1), "t", &plan, 0);
        let mut slots = [0, 0];
        for block in &schedule.blocks {
            let mut count = vec![0; plan.instances()];
            block.slots.iter().for_each(|&i| count[i] += 1);
            match block.kind {
                BlockKind::ControlPair => {
                    assert_eq!((count[0], count[arms]), (2, 2));
                    slots[1] += 4;
                }
                BlockKind::Comparison => {
                    assert!(count[..arms].iter().all(|&c| c == count[0]), "{count:?}");
                    assert_eq!(count[arms], 0, "the shadow never enters a comparison");
                    slots[0] += block.slots.len();
                }
            }
        }
        if arms > 1 {
            assert!(2 * slots[1] <= slots[0], "{slots:?}");
            assert!(slots[1] > 0);
        }
    }
}

#[test]
fn participants_are_primed_when_they_change() {
    for arms in 1..=4 {
        let plan = experiment(arms, 50);
        let schedule = worker_schedule(Seed(1), "t", &plan, 3);
        let place = |i: &usize| schedule.letters.iter().position(|x| x == i);
        let mut before = None;
        for block in &schedule.blocks {
            let changed = before != Some(block.kind);
            before = Some(block.kind);
            if changed {
                assert!(block.primers.is_sorted_by_key(place), "in letter order");
                assert!(block.slots.iter().all(|i| block.primers.contains(i)));
                assert!(block.primers.iter().all(|i| block.slots.contains(i)));
            } else {
                assert!(block.primers.is_empty());
            }
        }
    }
}

#[test]
fn swapping_two_arms_is_a_fair_coin() {
    let plan = experiment(2, 4);
    let first = (0..4000u32)
        .filter(|&w| {
            let s = worker_schedule(Seed(3), "t", &plan, w);
            let place = |i| s.letters.iter().position(|&x| x == i);
            place(0) < place(1)
        })
        .count();
    // 4 standard deviations of a fair coin.
    assert!((1873..=2127).contains(&first), "{first}");
}

#[test]
fn williams_blocks_complete_whole_designs() {
    let plan = experiment(3, 50);
    assert_eq!(plan.blocks, 54);
    let schedule = worker_schedule(Seed(9), "t", &plan, 2);
    let rows: Vec<_> = schedule
        .blocks
        .iter()
        .filter(|b| b.kind == BlockKind::Comparison)
        .collect();
    for pass in rows.chunks(6) {
        let mut follows = [[0; 3]; 3];
        for row in pass {
            row.slots.windows(2).for_each(|w| follows[w[0]][w[1]] += 1);
        }
        for (a, row) in follows.iter().enumerate() {
            for (b, &n) in row.iter().enumerate() {
                assert_eq!(n, if a == b { 0 } else { 2 });
            }
        }
    }
}

#[test]
fn schedules_are_pinned() {
    // A change here breaks the replay of every stored plan.
    let digest = |arms| schedule_digest(Seed(0x5eed), "target", &experiment(arms, 10));
    assert_eq!(
        [digest(1), digest(2), digest(3)].map(|d| d[..16].to_owned()),
        ["c17da554a02e3ef9", "4121543cfdfaa7b1", "81548bf094b83238"]
    );
}
