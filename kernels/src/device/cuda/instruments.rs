//! The card's own clocks, and how spans are queued on it.

use super::super::{DeviceError, clock_steps};
use super::context::Context;
use super::launches::Launches;
use super::memory::DeviceMemory;
use super::module::{Function, load};
use crate::nvrtc::{Arch, Compiler};
use crate::task::{Data, Source};
use std::rc::Rc;

static SOURCE: Source = Source {
    file: "instruments.cu",
    text: include_str!("instruments.cu"),
    headers: &[],
};

/// The step that NVIDIA's manual states for events; stands in when spans of
/// many lengths show no difference.
const STATED_STEP_NS: f64 = 500.0;

/// Reads clocks; knows the timer's step and the floor of a span.
pub(super) struct Instruments {
    context: Rc<Context>,
    read_clock: Function,
    read_all: Function,
    readings: [DeviceMemory; 2],
    pub launches: Launches,
    pub timer_step_ns: f64,
    /// Median span around an empty kernel, nanoseconds.
    pub floor_ns: f64,
}

impl Instruments {
    pub fn new(
        context: &Rc<Context>,
        compiler: &Compiler,
        arch: Arch,
    ) -> Result<Self, DeviceError> {
        let compiled = compiler
            .compile(&SOURCE, arch)
            .map_err(|e| DeviceError::Compile(e.to_string()))?;
        let module = load(&compiled)?;
        let (empty, spin) = (
            Function::of(module, "empty")?,
            Function::of(module, "spin")?,
        );
        let one = |function: Function, arguments: &[u64]| {
            function.launch(context, [1, 1, 1], [1, 1, 1], 0, arguments)
        };
        let launches = Launches::choose(context, empty, Function::of(module, "hold")?)?;
        let mut floor = launches.spans(context, 33, |_| one(empty, &[]))?;
        floor.sort_by(f64::total_cmp);
        // Lengths in small unequal steps, so that neighbours differ by less than the timer's step.
        let spun = launches.spans(context, 256, |span| one(spin, &[2_000 + 37 * span as u64]))?;
        Ok(Self {
            launches,
            context: Rc::clone(context),
            read_all: Function::of(module, "read_all")?,
            read_clock: Function::of(module, "read_clock")?,
            readings: [
                DeviceMemory::new(context, 16)?,
                DeviceMemory::new(context, 16)?,
            ],
            timer_step_ns: clock_steps(&spun).unwrap_or(STATED_STEP_NS),
            floor_ns: floor[floor.len() / 2],
        })
    }

    /// Queues a reading of the clocks; `which` is 0 before and 1 after.
    pub fn queue_reading(&self, which: usize) -> Result<(), DeviceError> {
        // Enough blocks that one of them meets multiprocessor 0; where none does, zeros stay and
        // not the reading of an earlier slot.
        let grid = [2 * self.context.multiprocessors, 1, 1];
        self.readings[which].set(0)?;
        let address = self.readings[which].address;
        self.read_clock
            .launch(&self.context, grid, [1, 1, 1], 0, &[address])
    }

    /// Queues a reading of all of this memory, which holds zeros.
    pub fn queue_reading_of(&self, memory: &DeviceMemory) -> Result<(), DeviceError> {
        let grid = [8 * self.context.multiprocessors, 1, 1];
        let arguments = [memory.address, memory.bytes as u64 / 16];
        self.read_all
            .launch(&self.context, grid, [256, 1, 1], 0, &arguments)
    }

    /// Mean clock between the two readings, MHz; `None` when one is missing.
    pub fn clock_mhz(&self) -> Result<Option<f64>, DeviceError> {
        let mut taken = [[0u64; 2]; 2];
        for (words, memory) in taken.iter_mut().zip(&self.readings) {
            let mut data = Data::U32(vec![0; 4]);
            memory.read(&mut data)?;
            let halves = data.u32();
            for (word, half) in words.iter_mut().zip(halves.chunks(2)) {
                *word = u64::from(half[0]) | u64::from(half[1]) << 32;
            }
        }
        let [[time_before, clock_before], [time_after, clock_after]] = taken;
        let rise = |before: u64, after: u64| {
            let rise = after.checked_sub(before)?;
            (before > 0 && rise > 0).then_some(rise as f64)
        };
        let ns = rise(time_before, time_after);
        let cycles = rise(clock_before, clock_after);
        Ok(ns.zip(cycles).map(|(ns, cycles)| cycles * 1e3 / ns))
    }
}
