//! A graph of timed spans: the host queues it at once, so that no launch cost
//! stands between two events.

use super::super::DeviceError;
use super::context::Context;
use super::driver::check;
use super::memory::Event;
use cudarc::driver::sys;
use std::rc::Rc;

/// `[before, event, work, event]`, several times.
pub(super) struct SpanGraph {
    context: Rc<Context>,
    executable: sys::CUgraphExec,
    events: Vec<(Event, Event)>,
}

impl SpanGraph {
    /// Captures `spans` spans; `before` and `work` queue on the stream and are
    /// given the index of their span.
    pub fn capture(
        context: &Rc<Context>,
        spans: usize,
        mut before: impl FnMut(usize) -> Result<(), DeviceError>,
        mut work: impl FnMut(usize) -> Result<(), DeviceError>,
    ) -> Result<Self, DeviceError> {
        let events = (0..spans)
            .map(|_| Ok((Event::new(context)?, Event::new(context)?)))
            .collect::<Result<Vec<_>, DeviceError>>()?;
        let mode = sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
        // SAFETY: a live stream that is not captured.
        check("cuStreamBeginCapture_v2", unsafe {
            sys::cuStreamBeginCapture_v2(context.stream, mode)
        })?;
        let queued = events
            .iter()
            .enumerate()
            .try_for_each(|(span, (from, to))| {
                before(span)?;
                from.record_in_graph()?;
                work(span)?;
                to.record_in_graph()
            });
        let mut graph = std::ptr::null_mut();
        // The capture ends however the work went; the first error is the cause.
        // SAFETY: the stream is captured, the pointer is valid for one write.
        let ended = check("cuStreamEndCapture", unsafe {
            sys::cuStreamEndCapture(context.stream, &mut graph)
        });
        queued.and(ended)?;
        let mut executable = std::ptr::null_mut();
        // SAFETY: a captured graph; it is not needed after it was instantiated.
        let made = unsafe {
            let made = sys::cuGraphInstantiateWithFlags(&mut executable, graph, 0);
            let _ = sys::cuGraphDestroy(graph);
            made
        };
        check("cuGraphInstantiateWithFlags", made)?;
        let graph = Self {
            context: Rc::clone(context),
            executable,
            events,
        };
        // SAFETY: a live graph on a stream of its context.
        check("cuGraphUpload", unsafe {
            sys::cuGraphUpload(graph.executable, context.stream)
        })?;
        Ok(graph)
    }

    /// Queues one run.
    pub fn launch(&self) -> Result<(), DeviceError> {
        // SAFETY: a live graph on a stream of its context.
        check("cuGraphLaunch", unsafe {
            sys::cuGraphLaunch(self.executable, self.context.stream)
        })
    }

    /// The spans of the last run, nanoseconds; it has ended.
    pub fn spans_ns(&self) -> impl Iterator<Item = Result<f64, DeviceError>> {
        self.events.iter().map(|(from, to)| to.ns_since(from))
    }
}

impl Drop for SpanGraph {
    fn drop(&mut self) {
        if !self.context.is_lost() {
            // SAFETY: instantiated by this value and destroyed once.
            let _ = unsafe { sys::cuGraphExecDestroy(self.executable) };
        }
    }
}
