//! The host processor as a device.

use super::{CacheState, Device, DeviceError, Identity, Prepared, RawSlot, Timing};
use crate::task::{Buffer, CpuKernel, Data, Role, Task};
use std::time::Instant;

/// Runs the Rust counterparts of variants on one thread and times them with
/// the monotonic clock. Its caches are always hot, its label is always `cpu`.
#[derive(Debug)]
pub struct CpuDevice {
    identity: Identity,
    timer_step_ns: f64,
}

impl CpuDevice {
    /// The host processor.
    #[must_use]
    pub fn new() -> Self {
        Self {
            identity: Identity {
                label: "cpu".to_owned(),
                facts: Vec::new(),
            },
            timer_step_ns: monotonic_step_ns(),
        }
    }
}

impl Default for CpuDevice {
    fn default() -> Self {
        Self::new()
    }
}

/// Smallest step of the monotonic clock that is seen, nanoseconds.
pub(super) fn monotonic_step_ns() -> f64 {
    let mut smallest = f64::INFINITY;
    for _ in 0..200 {
        let start = Instant::now();
        let mut step = 0;
        // A clock that stands still for so long is coarser than any we know.
        for _ in 0..1_000_000 {
            step = start.elapsed().as_nanos();
            if step > 0 {
                break;
            }
        }
        if step > 0 {
            smallest = smallest.min(step as f64);
        }
    }
    if smallest.is_finite() { smallest } else { 1e6 }
}

impl Device for CpuDevice {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn prepare(
        &self,
        task: &Task,
        variant: &str,
        _cache: CacheState,
    ) -> Result<Box<dyn Prepared>, DeviceError> {
        let (kernel, inputs) = host_form(task, variant)?;
        Ok(Box::new(OnHost {
            kernel,
            buffers: task.fresh_buffers(),
            output: task.output,
            inputs,
            timer_step_ns: self.timer_step_ns,
            origin: Instant::now(),
        }))
    }
}

/// The Rust counterpart of a variant, and the digests of the task's inputs.
pub(super) fn host_form(task: &Task, variant: &str) -> Result<(CpuKernel, Vec<u64>), DeviceError> {
    let found = task
        .variant(variant)
        .ok_or_else(|| DeviceError::NoVariant {
            variant: variant.to_owned(),
            known: task.variants.iter().map(|v| v.name).collect(),
        })?;
    let kernel = found.cpu.clone().ok_or_else(|| DeviceError::NoCpuForm {
        variant: variant.to_owned(),
    })?;
    Ok((kernel, digests(&task.buffers)))
}

/// A digest of every buffer's bits (FNV-1a over elements).
pub(super) fn digests(buffers: &[Buffer]) -> Vec<u64> {
    buffers.iter().map(|buffer| digest(&buffer.data)).collect()
}

pub(super) fn digest(data: &Data) -> u64 {
    let mix = |hash: u64, bits: u64| (hash ^ bits).wrapping_mul(0x0000_0100_0000_01B3);
    let start = 0xCBF2_9CE4_8422_2325;
    match data {
        Data::F32(v) => v.iter().fold(start, |h, x| mix(h, x.to_bits().into())),
        Data::Bf16(v) => v.iter().fold(start, |h, x| mix(h, x.to_bits().into())),
        Data::U32(v) => v.iter().fold(start, |h, x| mix(h, (*x).into())),
    }
}

/// Runs a variant once on poisoned outputs and gives the output; refuses when
/// an input changed since the start.
pub(super) fn checked_run(
    kernel: &CpuKernel,
    buffers: &mut [Buffer],
    output: usize,
    inputs: &[u64],
) -> Result<Data, DeviceError> {
    Task::poison(buffers);
    kernel.run(buffers);
    for (buffer, &before) in buffers.iter().zip(inputs) {
        if buffer.role == Role::Input && digest(&buffer.data) != before {
            return Err(DeviceError::InputChanged {
                buffer: buffer.name,
            });
        }
    }
    Ok(buffers[output].data.clone())
}

struct OnHost {
    kernel: CpuKernel,
    buffers: Vec<Buffer>,
    output: usize,
    inputs: Vec<u64>,
    timer_step_ns: f64,
    origin: Instant,
}

impl Prepared for OnHost {
    fn run(&mut self, launches: u64) -> Result<RawSlot, DeviceError> {
        let start_ns = self.origin.elapsed().as_nanos() as u64;
        let start = Instant::now();
        for _ in 0..launches {
            self.kernel.run(std::hint::black_box(&mut self.buffers));
        }
        let ns = start.elapsed().as_nanos() as u64;
        Ok(RawSlot {
            launches,
            timed_ns: ns as f64,
            spans: 1,
            shortest_ns: ns as f64,
            start_ns,
            host_ns: ns,
            clock_mhz: None,
            trailing_ns: None,
            free_memory: None,
        })
    }

    fn checked_output(&mut self, set: usize) -> Result<Data, DeviceError> {
        assert_eq!(set, 0, "the host processor has one set of buffers");
        checked_run(&self.kernel, &mut self.buffers, self.output, &self.inputs)
    }

    fn timing(&self) -> Timing {
        Timing::Host
    }

    fn timer_step_ns(&self) -> f64 {
        self.timer_step_ns
    }

    fn cache(&self) -> CacheState {
        CacheState::Hot
    }

    fn facts(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}
