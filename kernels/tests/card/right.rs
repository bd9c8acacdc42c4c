//! Every kernel gives what its reference says, before and after slots that are
//! plausible.

use super::card;
use evenhand_kernels::AttentionShape;
use evenhand_kernels::cuda::parse_resources;
use evenhand_kernels::device::{
    CacheState, Device, DeviceError, Meter, Prepared, Timing, energy_batch,
};
use evenhand_kernels::nvrtc::{Arch, Compiler, Search};
use evenhand_kernels::task::{Step, Task};
use evenhand_kernels::tasks::{self, Sampling};
use std::io::Write as _;

const CACHES: [CacheState; 4] = [
    CacheState::ColdByWriting,
    CacheState::ColdByReading,
    CacheState::ColdByRotation,
    CacheState::Hot,
];

/// Shapes of the size that models have.
fn all_large(seed: u64) -> Vec<Task> {
    let sizes = Sampling {
        vocabulary: 128_256,
        k: 50,
        temperature: 0.8,
    };
    let shape = AttentionShape {
        heads: 32,
        kv_heads: 8,
        head_dim: 128,
        length: 4096,
    };
    vec![
        tasks::softmax(256, 4096, seed),
        tasks::softmax_bf16(256, 4096, seed),
        tasks::rms_norm(256, 4096, seed),
        tasks::rms_norm_bf16(256, 4096, seed),
        tasks::add_rms_norm(256, 4096, seed),
        tasks::f32_to_bf16(1 << 20, seed),
        tasks::bf16_to_f32(1 << 20, seed),
        tasks::upload_as_bf16(1 << 20, seed),
        tasks::matvec_bf16(2048, 2048, seed),
        tasks::ffn_f32(1408, 2048, seed),
        tasks::ffn_bf16(1408, 2048, seed),
        tasks::attention(shape, seed),
        tasks::sampling(sizes, seed),
        tasks::sampling_uncertainty(sizes, seed),
        tasks::uncertainty_toggle(sizes, seed),
    ]
}

#[test]
fn every_variant_is_right_in_every_state_of_the_cache() {
    let Some((_alone, device)) = card("every_variant_is_right") else {
        return;
    };
    let ceilings = device.ceilings().unwrap();
    let mut arms = 0;
    for task in tasks::all_small(3).into_iter().chain(all_large(3)) {
        for variant in &task.variants {
            for cache in CACHES {
                let here = format!("{}, {}, {cache}", task.label(), variant.name);
                let mut arm = match device.prepare(&task, variant.name, cache) {
                    Ok(arm) => arm,
                    // So small that rotation would need too many sets.
                    Err(DeviceError::Unsupported(reason)) if reason.contains("rotation") => {
                        continue;
                    }
                    Err(error) => panic!("{here}: {error}"),
                };
                let right = |arm: &mut dyn Prepared| {
                    for set in [0, arm.sets() - 1] {
                        let output = arm.checked_output(set).unwrap();
                        if let Err(mismatch) = task.check_output(&output) {
                            panic!("{here}, set {set}: {mismatch}");
                        }
                    }
                };
                right(&mut *arm);
                let work = (task.bytes_moved, task.flops);
                let mut meter = Meter::new(work, arm.timer_step_ns(), cache, ceilings);
                for _ in 0..3 {
                    let slot = arm.run(7).unwrap();
                    let measured = meter.judge(&slot, &arm.state_since(slot.start_ns));
                    let measured = measured.unwrap_or_else(|e| panic!("{here}: {e}"));
                    assert_eq!(slot.launches, 7);
                    assert!(measured.ns > 0.0, "{here}");
                    assert!(slot.timed_ns < slot.host_ns as f64, "{here}: {slot:?}");
                    let on_device = arm.timing() == Timing::DeviceEvents;
                    assert_eq!(slot.clock_mhz.is_some(), on_device, "{here}: {slot:?}");
                    assert!(!measured.marks.memory_grew, "{here}: {slot:?}");
                }
                right(&mut *arm);
                arms += 1;
            }
        }
    }
    println!("{arms} arms");
}

#[test]
fn registers_are_those_that_the_compiler_reports() {
    let Some((_alone, device)) = card("registers_are_those_that_the_compiler_reports") else {
        return;
    };
    let compiler = Compiler::find(&Search::from_environment()).unwrap();
    let arch = fact(&device.identity().facts, "architecture");
    let arch = Arch(arch.trim_start_matches("sm_").parse().unwrap());
    for task in tasks::all_small(1) {
        for variant in &task.variants {
            let launches: Vec<_> = variant.iter_launches().collect();
            if launches.is_empty() {
                continue;
            }
            let arm = device
                .prepare(&task, variant.name, CacheState::Hot)
                .unwrap();
            let registers = fact(&arm.facts(), "registers");
            let reported: Vec<String> = launches
                .iter()
                .map(|launch| {
                    let compiled = compiler.compile(launch.source, arch).unwrap();
                    let all = parse_resources(&compiled.log).unwrap();
                    let one = all.iter().find(|one| one.entry == launch.entry);
                    one.unwrap().registers.to_string()
                })
                .collect();
            assert_eq!(registers, reported.join(" "), "{}", task.label());
        }
    }
}

#[test]
fn the_clock_of_a_slot_is_that_of_nvml() {
    let Some((_alone, device)) = card("the_clock_of_a_slot_is_that_of_nvml") else {
        return;
    };
    let task = tasks::matvec_bf16(4096, 4096, 1);
    let mut arm = device
        .prepare(&task, "warp_per_row", CacheState::ColdByWriting)
        .unwrap();
    let (mut off, mut compared) = (0, 0);
    for _ in 0..200 {
        let slot = arm.run(200).unwrap();
        let own = slot.clock_mhz.expect("a clock");
        let end = slot.start_ns + slot.host_ns;
        let within = |at: u64| (slot.start_ns..=end).contains(&at);
        for state in arm.state_since(slot.start_ns) {
            let Some(mhz) = state.sm_mhz.filter(|_| within(state.at_ns)) else {
                continue;
            };
            compared += 1;
            off += usize::from((own / f64::from(mhz) - 1.0).abs() > 0.02);
        }
    }
    println!("{off} of {compared} looks are off by more than 2 %");
    assert!(compared > 0 && off * 10 <= compared, "{off} of {compared}");
}

#[test]
fn energy_is_power_times_time() {
    let Some((_alone, device)) = card("energy_is_power_times_time") else {
        return;
    };
    let task = tasks::matvec_bf16(4096, 4096, 1);
    let mut arm = device
        .prepare(&task, "warp_per_row", CacheState::Hot)
        .unwrap();
    // NVML's power is a mean over a second: it is asked for at the end of two.
    let (mut start, mut now, mut launches) = (None, 0, 0);
    while start.is_none_or(|start| now - start < 2_500_000_000) {
        let slot = arm.run(500).unwrap();
        start.get_or_insert(slot.start_ns);
        now = slot.start_ns + slot.host_ns;
        launches += slot.launches;
    }
    let per_launch_ns = (now - start.unwrap()) as f64 / launches as f64;
    let looks = arm.state_since(now + 500_000_000);
    let power: Vec<f64> = looks
        .iter()
        .filter_map(|s| s.power_mw)
        .map(f64::from)
        .collect();
    let Some(batch) = energy_batch(&mut *arm, 500).unwrap() else {
        let _ = std::io::stderr().write_all(b"skipped: no energy counter\n");
        return;
    };
    let mean = power.iter().sum::<f64>() / power.len() as f64;
    let ratio = batch.mj_per_launch() / (mean * per_launch_ns / 1e9);
    println!(
        "{batch:?}: {:.4} mJ per launch, {ratio:.3} of power times time",
        batch.mj_per_launch()
    );
    assert!((ratio - 1.0).abs() < 0.1, "{ratio}");
}

/// A step of a variant that the host takes part in has no clock of the card.
#[test]
fn host_steps_are_on_the_hosts_clock() {
    let Some((_alone, device)) = card("host_steps_are_on_the_hosts_clock") else {
        return;
    };
    let task = tasks::upload_as_bf16(4096, 1);
    for variant in &task.variants {
        let copies = variant
            .steps
            .iter()
            .any(|s| matches!(s, Step::Upload { .. }));
        let arm = device
            .prepare(&task, variant.name, CacheState::Hot)
            .unwrap();
        assert_eq!(arm.timing() == Timing::Host, copies);
    }
}

fn fact(facts: &[(String, String)], name: &str) -> String {
    let found = facts.iter().find(|(known, _)| known == name);
    found.unwrap_or_else(|| panic!("no fact {name}")).1.clone()
}
