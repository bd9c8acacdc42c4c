//! The schedule of a seed, written out. A change here breaks the replay of
//! every stored plan: it needs a new major version of the plan's schema.

use evenhand_harness::plan::{
    Design, Estimand, ExperimentPlan, Margin, Metric, ReplicationUnit, Seed,
};
use evenhand_harness::schedule::{
    BlockKind, control_pair_blocks, round_order, whole_designs, worker_schedule,
};
use std::fmt::Write;

fn experiment(arms: &[&str], blocks: u32) -> ExperimentPlan {
    ExperimentPlan {
        id: "golden".into(),
        arms: arms.iter().map(|&a| a.to_owned()).collect(),
        metric: Metric::wall_time(),
        margin: Margin::DEFAULT,
        estimand: Estimand::PairedLogRatio,
        secondary: Vec::new(),
        device: None,
        sweep: None,
        cold: false,
        separate: false,
        unit: ReplicationUnit::Worker,
        design: Design::for_arms(arms.len()),
        workers: 12,
        blocks: if arms.len() > 1 {
            whole_designs(arms.len(), blocks)
        } else {
            0
        },
        aa_blocks: control_pair_blocks(arms.len(), blocks),
        iterations: 1,
        throughput: vec![],
        verified: false,
        same_code: None,
        pilot_ns: vec![],
        schedule_digest: String::new(),
    }
}

#[test]
fn the_same_seed_gives_the_same_schedule_everywhere() {
    let mut text = String::new();
    for seed in [Seed(0), Seed(0x5eed)] {
        for arms in [
            &["a"][..],
            &["a", "b"],
            &["a", "b", "c"],
            &["a", "b", "c", "d"],
        ] {
            let plan = experiment(arms, 6);
            for worker in [0, 1, 11] {
                let s = worker_schedule(seed, "target", &plan, worker);
                let letters: Vec<String> =
                    s.letters.iter().map(|&i| plan.instance_name(i)).collect();
                writeln!(
                    text,
                    "seed {seed} arms {} worker {worker}: letters {}, inputs {:016x}, pads {} {}",
                    arms.len(),
                    letters.join(" "),
                    s.input_seed,
                    s.environment_pad,
                    s.heap_pad
                )
                .unwrap();
                for block in &s.blocks {
                    let slots: Vec<String> =
                        block.slots.iter().map(|&i| plan.instance_name(i)).collect();
                    let kind = match block.kind {
                        BlockKind::Comparison => "A/B",
                        BlockKind::ControlPair => "A/A",
                    };
                    let primers: Vec<String> = block
                        .primers
                        .iter()
                        .map(|&i| format!("({})", plan.instance_name(i)))
                        .collect();
                    let all = [primers, slots].concat();
                    writeln!(text, "  {kind} {}", all.join(" ")).unwrap();
                }
            }
        }
        for round in 0..3 {
            writeln!(
                text,
                "seed {seed} round {round}: {:?}",
                round_order(seed, "target", 5, round)
            )
            .unwrap();
        }
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/schedule.txt");
    if std::env::var_os("EVENHAND_UPDATE").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(path).unwrap());
}
