//! The steps of a variant, bound to addresses.

use super::super::DeviceError;
use super::context::Context;
use super::driver::check;
use super::memory::{DeviceMemory, PinnedMemory};
use super::module::Function;
use crate::cpu::convert::{bf16_to_f32_shift, f32_to_bf16_branch_free};
use crate::task::{Arg, Buffer, Data, HostMemory, Launch, Step};
use cudarc::driver::sys;
use half::bf16;
use std::ffi::c_void;
use std::rc::Rc;

/// A launch with everything but its buffers' addresses.
pub(super) struct BoundLaunch {
    pub function: Function,
    pub launch: Launch,
}

impl BoundLaunch {
    /// Queues the launch on these buffers.
    pub fn queue(&self, context: &Context, set: &[DeviceMemory]) -> Result<(), DeviceError> {
        let arguments: Vec<u64> = self
            .launch
            .args
            .iter()
            .map(|arg| match *arg {
                Arg::Buffer(index) => set[index].address,
                Arg::U32(value) => value.into(),
                Arg::I32(value) => u64::from(value as u32),
                Arg::F32(value) => value.to_bits().into(),
                Arg::U64(value) => value,
            })
            .collect();
        let Launch {
            grid,
            block,
            shared_bytes,
            ..
        } = self.launch;
        self.function
            .launch(context, grid, block, shared_bytes, &arguments)
    }
}

/// A step that is ready to run.
pub(super) enum BoundStep {
    Launch(BoundLaunch),
    Convert { from: usize, to: usize },
    Upload { buffer: usize },
}

/// The host's side of a buffer.
pub(super) struct HostSide {
    data: Data,
    /// Where it lies when it is page-locked; `data` then gives type and length.
    pinned: Option<PinnedMemory>,
}

impl HostSide {
    /// The host sides of all buffers; those that are uploaded from pinned
    /// memory lie there.
    pub fn of(
        context: &Rc<Context>,
        buffers: &[Buffer],
        steps: &[Step],
    ) -> Result<Vec<Self>, DeviceError> {
        let is_pinned = |index: usize| {
            steps.iter().any(|step| {
                matches!(step, Step::Upload { buffer, memory: HostMemory::Pinned }
                    if *buffer == index)
            })
        };
        buffers
            .iter()
            .enumerate()
            .map(|(index, buffer)| {
                let mut side = Self {
                    data: buffer.data.clone(),
                    pinned: None,
                };
                if is_pinned(index) {
                    let pinned = PinnedMemory::new(context, side.data.byte_len())?;
                    // SAFETY: both are as long as the data, and do not overlap.
                    unsafe {
                        std::ptr::copy_nonoverlapping(
                            super::memory::address_of(&side.data).cast::<u8>(),
                            pinned.address.cast::<u8>(),
                            side.data.byte_len(),
                        );
                    }
                    side.pinned = Some(pinned);
                }
                Ok(side)
            })
            .collect()
    }

    fn address(&self) -> *const c_void {
        match &self.pinned {
            Some(pinned) => pinned.address,
            None => super::memory::address_of(&self.data),
        }
    }

    fn f32(&self) -> Option<&[f32]> {
        match (&self.data, &self.pinned) {
            (Data::F32(values), None) => Some(values),
            // SAFETY: filled with as many numbers when it was made; nothing else writes to it
            // while the slice lives.
            (Data::F32(values), Some(pinned)) => {
                Some(unsafe { std::slice::from_raw_parts(pinned.address.cast(), values.len()) })
            }
            _ => None,
        }
    }

    fn bf16(&self) -> Option<&[bf16]> {
        match (&self.data, &self.pinned) {
            (Data::Bf16(values), None) => Some(values),
            // SAFETY: as above.
            (Data::Bf16(values), Some(pinned)) => {
                Some(unsafe { std::slice::from_raw_parts(pinned.address.cast(), values.len()) })
            }
            _ => None,
        }
    }

    fn f32_mut(&mut self) -> Option<&mut [f32]> {
        match (&mut self.data, &self.pinned) {
            (Data::F32(values), None) => Some(values),
            // SAFETY: as above, and the borrow is exclusive.
            (Data::F32(values), Some(pinned)) => {
                Some(unsafe { std::slice::from_raw_parts_mut(pinned.address.cast(), values.len()) })
            }
            _ => None,
        }
    }

    fn bf16_mut(&mut self) -> Option<&mut [bf16]> {
        match (&mut self.data, &self.pinned) {
            (Data::Bf16(values), None) => Some(values),
            // SAFETY: as above, and the borrow is exclusive.
            (Data::Bf16(values), Some(pinned)) => {
                Some(unsafe { std::slice::from_raw_parts_mut(pinned.address.cast(), values.len()) })
            }
            _ => None,
        }
    }
}

/// Converts on the host; the task decides between which types.
fn convert(sides: &mut [HostSide], from: usize, to: usize) -> Result<(), DeviceError> {
    let pair = sides.get_disjoint_mut([from, to]);
    let [from, to] =
        pair.map_err(|_| DeviceError::Unsupported("a conversion needs two buffers".to_owned()))?;
    if let (Some(wide), Some(narrow)) = (from.f32(), to.bf16_mut()) {
        f32_to_bf16_branch_free(wide, narrow);
        return Ok(());
    }
    if let (Some(narrow), Some(wide)) = (from.bf16(), to.f32_mut()) {
        bf16_to_f32_shift(narrow, wide);
        return Ok(());
    }
    Err(DeviceError::Unsupported(
        "a conversion goes between f32 and bf16".to_owned(),
    ))
}

/// Runs every step in order. Kernels and copies are queued; conversions happen
/// here, after the copies before them have read their source.
pub(super) fn run(
    context: &Rc<Context>,
    steps: &[BoundStep],
    sides: &mut [HostSide],
    set: &[DeviceMemory],
    idle: &super::memory::Event,
) -> Result<(), DeviceError> {
    let mut copying = false;
    for step in steps {
        match step {
            BoundStep::Launch(launch) => launch.queue(context, set)?,
            BoundStep::Convert { from, to } => {
                if copying {
                    idle.record()?;
                    idle.wait()?;
                    copying = false;
                }
                convert(sides, *from, *to)?;
            }
            BoundStep::Upload { buffer } => {
                let (memory, side) = (&set[*buffer], &sides[*buffer]);
                // SAFETY: both are as long as the buffer; the host side lives until the stream
                // is idle, which the caller waits for.
                check("cuMemcpyHtoDAsync_v2", unsafe {
                    sys::cuMemcpyHtoDAsync_v2(
                        memory.address,
                        side.address(),
                        memory.bytes,
                        context.stream,
                    )
                })?;
                copying = true;
            }
        }
    }
    Ok(())
}
