//! What only a real card can settle about the measuring itself, in figures.
//!
//! ```text
//! cargo run --release -p evenhand-kernels --features cuda --example gpu_checks
//! EVENHAND_LAUNCHES=held cargo run --release ... --example gpu_checks
//! ```
//!
//! `docs/gpu-checks.md` says what each figure must be.

use evenhand_kernels::device::{
    CacheState, Choice, Device, DeviceError, Meter, Prepared, RawSlot, Selector, energy_batch, open,
};
use evenhand_kernels::task::Task;
use evenhand_kernels::tasks;
use std::time::Instant;

const SLOTS: usize = 60;
const LAUNCHES: u64 = 20;

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
        CacheState::ColdByFlush,
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
        let share = ceilings.bytes_per_ns.map_or(f64::NAN, |ceiling| {
            task.bytes_moved as f64 / ns / ceiling * 100.0
        });
        println!(
            "  {:<26} {ns:>9.1} ns, {share:>5.1} % of the copy; spans per slot {}, clock {:.0} MHz",
            arm.cache().to_string(),
            slots[0].spans,
            median(slots.iter().filter_map(|s| s.clock_mhz)),
        );
    }
    Ok(())
}

/// Two arms with the same variant: by how much their medians differ, in percent.
fn same_twice(device: &dyn Device, task: &Task, variant: &str) -> Result<(), DeviceError> {
    let prepare = || device.prepare(task, variant, CacheState::ColdByFlush);
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
    let middle = median(ratios.iter().copied());
    let spread = median(ratios.iter().map(|r| (r - middle).abs()));
    println!(
        "  A/A, pairs of slots: median {:+.3} %, median deviation {:.3} %",
        100.0 * middle,
        100.0 * spread
    );
    Ok(())
}

/// What a slot costs the host, and how long the look after it takes.
fn cost_of_looking(device: &dyn Device, task: &Task) -> Result<(), DeviceError> {
    let mut arm = device.prepare(task, "warp_per_row", CacheState::ColdByFlush)?;
    let mut slots = Vec::new();
    for _ in 0..500 {
        slots.push(arm.run(1)?);
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
    let readings = (0..200).map(|_| {
        let start = Instant::now();
        let _ = arm.energy_counter_mj();
        start.elapsed().as_nanos() as f64
    });
    quantiles("reading of the energy counter", readings.collect());
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
    let mut arm = device.prepare(task, "warp_per_row", CacheState::ColdByFlush)?;
    let slots = (0..300)
        .map(|_| arm.run(LAUNCHES))
        .collect::<Result<Vec<RawSlot>, _>>()?;
    let looks = arm.state_since(slots[0].start_ns);
    let own: Vec<f64> = slots.iter().filter_map(|s| s.clock_mhz).collect();
    let usual = median(own[..9].iter().copied());
    let changed = own
        .iter()
        .filter(|c| (*c / usual - 1.0).abs() > 0.02)
        .count();
    println!(
        "clocks of {} slots: {} missing, {changed} off the usual {usual:.0} MHz by 2 %, from {:.0} to {:.0}",
        slots.len(),
        slots.len() - own.len(),
        own.iter().copied().fold(f64::INFINITY, f64::min),
        own.iter().copied().fold(0.0, f64::max),
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
    let mut steps = Vec::new();
    let mut last = arm.energy_counter_mj();
    while start.elapsed().as_secs() < 3 {
        arm.run(200)?;
        launches += 200;
        let now = arm.energy_counter_mj();
        if now != last {
            steps.push((
                start.elapsed().as_secs_f64(),
                now.zip(last).map(|(a, b)| a.saturating_sub(b)),
            ));
            last = now;
        }
    }
    let between = steps
        .windows(2)
        .map(|pair| 1000.0 * (pair[1].0 - pair[0].0));
    println!(
        "energy counter: {} updates in 3 s, {:.1} ms apart, {:?} mJ each",
        steps.len(),
        median(between),
        steps.last().and_then(|step| step.1)
    );
    let looks = arm.state_since(first.start_ns + 2_000_000_000);
    let power = median(looks.iter().filter_map(|s| s.power_mw).map(f64::from));
    let ns = start.elapsed().as_nanos() as f64 / launches as f64;
    println!(
        "  power {power:.0} mW for {ns:.0} ns is {:.4} mJ",
        power * ns / 1e9
    );
    match energy_batch(&mut *arm, 200)? {
        Some(batch) => println!("  {batch:?}, {:.4} mJ per launch", batch.mj_per_launch()),
        None => println!("  no energy from the counter"),
    }
    Ok(())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
