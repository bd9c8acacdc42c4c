//! What only a real card can settle about the measuring itself, in figures.
//!
//! ```text
//! cargo run --release -p evenhand-kernels --features cuda --example gpu_checks
//! EVENHAND_LAUNCHES=held cargo run --release ... --example gpu_checks
//! ```
//!
//! `docs/gpu-checks.md` says what was seen, and on which card.

use evenhand_kernels::device::{
    CacheState, Choice, Device, DeviceError, Meter, Prepared, RawSlot, Selector, energy_batch, open,
};
use evenhand_kernels::task::Task;
use evenhand_kernels::tasks;
use std::time::Instant;

const SLOTS: usize = 60;
const LAUNCHES: u64 = 20;
const LAUNCHES_OF_ENERGY: u64 = 200;

fn main() -> Result<(), DeviceError> {
    let device = open(&Choice::Cuda(Selector::First))?;
    println!("{}", device.identity().label);
    for (name, value) in &device.identity().facts {
        println!("  {name} {value}");
    }
    println!("  {:?}", device.ceilings()?);
    for task in [
        tasks::rms_norm(2048, 4096, 1),
        tasks::rms_norm(64, 1024, 1),
        tasks::matvec_bf16(4096, 4096, 1),
        tasks::matvec_bf16(1024, 1024, 1),
    ] {
        let fastest = task.variants.last().expect("a task has variants").name;
        caches(&*device, &task, fastest)?;
        same_twice(&*device, &task, fastest)?;
    }
    let task = tasks::matvec_bf16(4096, 4096, 1);
    cost_of_looking(&*device, &task)?;
    clocks(&*device, &task)?;
    energy(&*device, &task)
}

/// The same variant from every state of the cache, slots in turns.
fn caches(device: &dyn Device, task: &Task, variant: &str) -> Result<(), DeviceError> {
    println!("{}, {variant}", task.label());
    let ceilings = device.ceilings()?;
    let states = [
        CacheState::ColdByWriting,
        CacheState::ColdByReading,
        CacheState::ColdByRotation,
        CacheState::Hot,
    ];
    let mut arms = states
        .iter()
        .map(|&state| Ok((device.prepare(task, variant, state)?, Vec::new())))
        .collect::<Result<Vec<_>, DeviceError>>()?;
    for _ in 0..SLOTS {
        for (arm, slots) in &mut arms {
            slots.push(arm.run(LAUNCHES)?);
        }
    }
    for (arm, slots) in &arms {
        let ns = median(slots.iter().map(|s| s.timed_ns / LAUNCHES as f64));
        let rate = ns.map(|ns| task.bytes_moved as f64 / ns);
        let share = rate
            .zip(ceilings.bytes_per_ns)
            .map(|(rate, ceiling)| 100.0 * rate / ceiling);
        println!(
            "  {:<26} {:>9} ns, {:>5} % of the copy; spans per slot {}, clock {} MHz",
            arm.cache().to_string(),
            shown(ns),
            shown(share),
            slots[0].spans,
            shown(median(slots.iter().filter_map(|s| s.clock_mhz))),
        );
    }
    Ok(())
}

/// Two arms with the same variant: by how much their medians differ, in percent.
fn same_twice(device: &dyn Device, task: &Task, variant: &str) -> Result<(), DeviceError> {
    let prepare = || device.prepare(task, variant, CacheState::default());
    let (mut a, mut b) = (prepare()?, prepare()?);
    let mut ratios = Vec::new();
    for block in 0..SLOTS {
        let ns = |arm: &mut dyn Prepared| arm.run(LAUNCHES).map(|slot| slot.timed_ns);
        let [first, second]: [&mut dyn Prepared; 2] = if block % 2 == 0 {
            [&mut *a, &mut *b]
        } else {
            [&mut *b, &mut *a]
        };
        let (first, second) = (ns(first)?, ns(second)?);
        let log = (second / first).ln();
        ratios.push(if block % 2 == 0 { log } else { -log });
    }
    let Some(middle) = median(ratios.iter().copied()) else {
        return Ok(());
    };
    let spread = median(ratios.iter().map(|r| (r - middle).abs())).unwrap_or_default();
    println!(
        "  A/A, pairs of slots: median {:+.3} %, median deviation {:.3} %",
        100.0 * middle,
        100.0 * spread
    );
    Ok(())
}

/// What a slot costs the host, and how long the look after it takes.
fn cost_of_looking(device: &dyn Device, task: &Task) -> Result<(), DeviceError> {
    let mut arm = device.prepare(task, "warp_per_row", CacheState::default())?;
    let mut slots = Vec::new();
    let mut calls = Vec::new();
    for _ in 0..500 {
        let start = Instant::now();
        slots.push(arm.run(1)?);
        calls.push(start.elapsed().as_nanos() as f64);
    }
    let quantiles = |name: &str, values: Vec<f64>| {
        let mut sorted = values;
        sorted.sort_by(f64::total_cmp);
        let at = |q: usize| sorted[(sorted.len() - 1) * q / 100] / 1000.0;
        println!(
            "  {name}: p50 {:.1} p99 {:.1} max {:.1} us",
            at(50),
            at(99),
            at(100)
        );
    };
    println!("slots of one launch");
    quantiles(
        "host time",
        slots.iter().map(|s| s.host_ns as f64).collect(),
    );
    let trailing = slots.iter().filter_map(|s| s.trailing_ns).collect();
    quantiles("look after the last event", trailing);
    quantiles("call", calls);
    let mut meter = Meter::new((0, 0), arm.timer_step_ns(), arm.cache(), device.ceilings()?);
    let mut marks = Vec::new();
    for slot in &slots {
        let marked = meter.judge(slot, &arm.state_since(slot.start_ns))?.marks;
        if marked != Default::default() {
            marks.push(marked);
        }
    }
    println!(
        "  {} of {} slots are marked {:?}",
        marks.len(),
        slots.len(),
        marks.first()
    );
    Ok(())
}

/// The clock between readings on the card, against what NVML tells.
fn clocks(device: &dyn Device, task: &Task) -> Result<(), DeviceError> {
    let mut arm = device.prepare(task, "warp_per_row", CacheState::default())?;
    let slots = (0..300)
        .map(|_| arm.run(LAUNCHES))
        .collect::<Result<Vec<RawSlot>, _>>()?;
    let looks = arm.state_since(slots[0].start_ns);
    let own: Vec<f64> = slots.iter().filter_map(|s| s.clock_mhz).collect();
    let Some(usual) = median(own.iter().take(9).copied()) else {
        println!("clocks: none");
        return Ok(());
    };
    let changed = own.iter().filter(|c| (*c / usual - 1.0).abs() > 0.02);
    println!(
        "clocks of {} slots: {} missing, {} off the usual {usual:.0} MHz by 2 %, from {:.0} to {:.0}",
        slots.len(),
        slots.len() - own.len(),
        changed.count(),
        own.iter().copied().fold(usual, f64::min),
        own.iter().copied().fold(usual, f64::max),
    );
    for look in &looks {
        println!("  {look:?}");
    }
    Ok(())
}

/// Energy of a launch from the counter, and power times time.
fn energy(device: &dyn Device, task: &Task) -> Result<(), DeviceError> {
    let mut arm = device.prepare(task, "warp_per_row", CacheState::Hot)?;
    let start = Instant::now();
    let first = arm.run(1)?;
    let mut launches = 0;
    while start.elapsed().as_secs_f64() < 2.5 {
        launches += arm.run(LAUNCHES_OF_ENERGY)?.launches;
    }
    let ns = start.elapsed().as_nanos() as f64 / launches as f64;
    // The power that is told is a mean over the last second.
    let looks = arm.state_since(first.start_ns + 2_500_000_000);
    if let Some(power) = median(looks.iter().filter_map(|s| s.power_mw).map(f64::from)) {
        println!(
            "energy: {power:.0} mW for {ns:.0} ns is {:.4} mJ",
            power * ns / 1e9
        );
    }
    for _ in 0..3 {
        match energy_batch(&mut *arm, LAUNCHES_OF_ENERGY)? {
            Some(batch) => println!("  {batch:?}, {:.4} mJ per launch", batch.mj_per_launch()),
            None => println!("  no energy from the counter"),
        }
    }
    Ok(())
}

/// `None` of nothing.
fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

fn shown(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.1}"))
}
