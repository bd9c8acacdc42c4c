//! A stream that is held back until everything is queued: for drivers that
//! cannot put events into a graph.

use super::super::DeviceError;
use super::context::Context;
use super::driver::{HOLD_FUNCTION, check, has};
use super::memory::{Event, PinnedMemory};
use super::module::Function;
use cudarc::driver::sys;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// Queueing behind a hold takes less than this, or a call waits for the device.
const LONGEST: Duration = Duration::from_secs(5);
/// Calls that are queued behind a hold at most: a full queue makes the next
/// call wait for the device, which waits for the host.
pub(super) const MOST_QUEUED: u64 = 256;

/// Holds the stream back with a word that device and host share.
pub(super) struct Hold {
    context: Rc<Context>,
    word: PinnedMemory,
    address: sys::CUdeviceptr,
    /// Waits on the device where the driver has no such call.
    spin: Function,
    waits: bool,
    limit: Duration,
}

impl Hold {
    pub fn new(context: &Rc<Context>, spin: Function) -> Result<Self, DeviceError> {
        let word = PinnedMemory::new(context, size_of::<u32>())?;
        let mut address = 0;
        // SAFETY: page-locked memory that is mapped; the pointer is valid for one write.
        check("cuMemHostGetDevicePointer_v2", unsafe {
            sys::cuMemHostGetDevicePointer_v2(&mut address, word.address, 0)
        })?;
        Ok(Self {
            context: Rc::clone(context),
            word,
            address,
            spin,
            waits: has(&[HOLD_FUNCTION]),
            limit: LONGEST.min(context.limit),
        })
    }

    fn word(&self) -> &AtomicU32 {
        // SAFETY: four aligned bytes that live as long as this value; the device only reads them.
        unsafe { AtomicU32::from_ptr(self.word.address.cast()) }
    }

    /// Runs spans of `[before, event, work, event]` and gives their lengths,
    /// nanoseconds.
    ///
    /// A side thread lets the stream go when queueing takes too long: some call
    /// waits for the device then, and no span of this run is told.
    pub fn run(
        &self,
        spans: usize,
        mut before: impl FnMut(usize) -> Result<(), DeviceError>,
        mut work: impl FnMut(usize) -> Result<(), DeviceError>,
    ) -> Result<Vec<f64>, DeviceError> {
        let events = (0..spans)
            .map(|_| Ok((Event::new(&self.context)?, Event::new(&self.context)?)))
            .collect::<Result<Vec<_>, DeviceError>>()?;
        let done = Event::new(&self.context)?;
        let (word, late, limit) = (self.word(), AtomicBool::new(false), self.limit);
        word.store(0, Ordering::SeqCst);
        let queued = std::thread::scope(|scope| {
            let (queued_all, waiting) = channel::<()>();
            let late = &late;
            scope.spawn(move || {
                if waiting.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                    late.store(true, Ordering::SeqCst);
                    word.store(1, Ordering::SeqCst);
                }
            });
            let queued = self.queue_hold().and_then(|()| {
                events
                    .iter()
                    .enumerate()
                    .try_for_each(|(span, (from, to))| {
                        before(span)?;
                        from.record()?;
                        work(span)?;
                        to.record()
                    })?;
                done.record()
            });
            // However the queueing went, the stream goes on.
            word.store(1, Ordering::SeqCst);
            drop(queued_all);
            queued
        });
        queued?;
        done.wait()?;
        if late.load(Ordering::SeqCst) {
            return Err(DeviceError::HeldTooLong { limit });
        }
        events.iter().map(|(from, to)| to.ns_since(from)).collect()
    }

    fn queue_hold(&self) -> Result<(), DeviceError> {
        if self.waits {
            let at_least = sys::CUstreamWaitValue_flags_enum::CU_STREAM_WAIT_VALUE_GEQ as u32;
            // SAFETY: a live stream, and a mapped word that outlives what is queued.
            return check(HOLD_FUNCTION, unsafe {
                sys::cuStreamWaitValue32_v2(self.context.stream, self.address, 1, at_least)
            });
        }
        // The kernel gives up by itself, too: nothing of ours may run for ever.
        let limit_ns = 2 * self.limit.as_nanos() as u64;
        let one = [1, 1, 1];
        self.spin
            .launch(&self.context, one, one, 0, &[self.address, limit_ns])
    }
}
