//! Memory and events that free themselves.

use super::super::DeviceError;
use super::context::Context;
use super::driver::check;
use crate::task::Data;
use cudarc::driver::sys;
use std::ffi::c_void;
use std::rc::Rc;

/// Memory on the device.
pub(super) struct DeviceMemory {
    context: Rc<Context>,
    pub address: sys::CUdeviceptr,
    pub bytes: usize,
}

impl DeviceMemory {
    pub fn new(context: &Rc<Context>, bytes: usize) -> Result<Self, DeviceError> {
        let mut address = 0;
        // A kernel may be given an empty buffer; the driver refuses to allocate none.
        // SAFETY: the pointer is valid for one write.
        check("cuMemAlloc_v2", unsafe {
            sys::cuMemAlloc_v2(&mut address, bytes.max(1))
        })?;
        Ok(Self {
            context: Rc::clone(context),
            address,
            bytes,
        })
    }

    pub fn holding(context: &Rc<Context>, data: &Data) -> Result<Self, DeviceError> {
        let memory = Self::new(context, data.byte_len())?;
        memory.fill_from(data)?;
        Ok(memory)
    }

    pub fn fill_from(&self, data: &Data) -> Result<(), DeviceError> {
        let bytes = self.bytes.min(data.byte_len());
        // SAFETY: source and target hold that many bytes; the call returns when they are copied.
        check("cuMemcpyHtoD_v2", unsafe {
            sys::cuMemcpyHtoD_v2(self.address, address_of(data), bytes)
        })
    }

    /// Reads into `data`, which decides type and length.
    pub fn read(&self, data: &mut Data) -> Result<(), DeviceError> {
        let bytes = self.bytes.min(data.byte_len());
        let target = match data {
            Data::F32(v) => v.as_mut_ptr().cast::<c_void>(),
            Data::Bf16(v) => v.as_mut_ptr().cast(),
            Data::U32(v) => v.as_mut_ptr().cast(),
        };
        // SAFETY: source and target hold that many bytes, and any bits are valid elements.
        check("cuMemcpyDtoH_v2", unsafe {
            sys::cuMemcpyDtoH_v2(target, self.address, bytes)
        })
    }

    /// Queues a fill with one byte.
    pub fn set(&self, byte: u8) -> Result<(), DeviceError> {
        // SAFETY: the memory is this long.
        check("cuMemsetD8Async", unsafe {
            sys::cuMemsetD8Async(self.address, byte, self.bytes, self.context.stream)
        })
    }
}

pub(super) fn address_of(data: &Data) -> *const c_void {
    match data {
        Data::F32(v) => v.as_ptr().cast(),
        Data::Bf16(v) => v.as_ptr().cast(),
        Data::U32(v) => v.as_ptr().cast(),
    }
}

impl Drop for DeviceMemory {
    fn drop(&mut self) {
        if !self.context.is_lost() {
            // SAFETY: allocated by this value and freed once. A failure was seen before.
            let _ = unsafe { sys::cuMemFree_v2(self.address) };
        }
    }
}

/// Page-locked memory on the host, not write-combined.
pub(super) struct PinnedMemory {
    context: Rc<Context>,
    pub address: *mut c_void,
}

impl PinnedMemory {
    pub fn new(context: &Rc<Context>, bytes: usize) -> Result<Self, DeviceError> {
        let mut address = std::ptr::null_mut();
        const MAPPED: u32 = sys::CU_MEMHOSTALLOC_DEVICEMAP;
        // SAFETY: the pointer is valid for one write.
        check("cuMemHostAlloc", unsafe {
            sys::cuMemHostAlloc(&mut address, bytes.max(1), MAPPED)
        })?;
        Ok(Self {
            context: Rc::clone(context),
            address,
        })
    }
}

impl Drop for PinnedMemory {
    fn drop(&mut self) {
        if !self.context.is_lost() {
            // SAFETY: allocated by this value and freed once.
            let _ = unsafe { sys::cuMemFreeHost(self.address) };
        }
    }
}

/// An event that takes the time.
pub(super) struct Event {
    context: Rc<Context>,
    pub raw: sys::CUevent,
}

impl Event {
    pub fn new(context: &Rc<Context>) -> Result<Self, DeviceError> {
        let mut raw = std::ptr::null_mut();
        const TIMING: u32 = 0;
        // SAFETY: the pointer is valid for one write.
        check("cuEventCreate", unsafe {
            sys::cuEventCreate(&mut raw, TIMING)
        })?;
        Ok(Self {
            context: Rc::clone(context),
            raw,
        })
    }

    /// Queues the event on the stream.
    pub fn record(&self) -> Result<(), DeviceError> {
        // SAFETY: event and stream are of the same context.
        check("cuEventRecord", unsafe {
            sys::cuEventRecord(self.raw, self.context.stream)
        })
    }

    /// The same while the stream is captured: a node of the graph that can be
    /// asked for its time after every run.
    pub fn record_in_graph(&self) -> Result<(), DeviceError> {
        let external = sys::CUevent_record_flags_enum::CU_EVENT_RECORD_EXTERNAL as u32;
        // SAFETY: event and stream are of the same context.
        check("cuEventRecordWithFlags", unsafe {
            sys::cuEventRecordWithFlags(self.raw, self.context.stream, external)
        })
    }

    pub fn wait(&self) -> Result<(), DeviceError> {
        self.context.wait(self.raw)
    }

    /// Time from `earlier` to this event; both have happened.
    pub fn ns_since(&self, earlier: &Self) -> Result<f64, DeviceError> {
        let mut ms = 0.0;
        // SAFETY: two live events, a pointer that is valid for one write.
        check("cuEventElapsedTime_v2", unsafe {
            sys::cuEventElapsedTime_v2(&mut ms, earlier.raw, self.raw)
        })?;
        Ok(f64::from(ms) * 1e6)
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        if !self.context.is_lost() {
            // SAFETY: created by this value and destroyed once.
            let _ = unsafe { sys::cuEventDestroy_v2(self.raw) };
        }
    }
}
