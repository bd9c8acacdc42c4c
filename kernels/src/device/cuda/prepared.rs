//! A variant on the card: slots, and the output to verify.

use super::super::{
    CacheState, DeviceError, EnergyUpdate, Prepared, RawSlot, State, Timing, batch_for, next_spans,
};
use super::device::Opened;
use super::graph::SpanGraph;
use super::held::MOST_QUEUED;
use super::launches::Launches;
use super::memory::{DeviceMemory, Event};
use super::nvml::now_ns;
use super::placed::Placed;
use super::steps::{BoundStep, HostSide, run};
use crate::device::cpu::digest;
use crate::task::{Buffer, Data, Role};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Spans of one graph at most.
const GRAPH_SPANS: u64 = 32;

/// Launches on the host's clock that are longer than this are looked at while
/// they run: a look takes milliseconds.
const LOOKED_AT_NS: f64 = 50e6;
/// Work of others may have ended unseen when the look for it comes later.
const AT_ONCE: Duration = Duration::from_micros(50);

pub(super) struct OnCard {
    pub opened: Rc<Opened>,
    pub steps: Vec<BoundStep>,
    /// Types, lengths, roles and names; the data lies on the card.
    pub buffers: Vec<Buffer>,
    pub output: usize,
    pub inputs: Vec<u64>,
    /// Buffers whose device side the steps themselves fill.
    pub uploads: Vec<usize>,
    pub sides: Vec<HostSide>,
    pub placed: Rc<Placed>,
    /// What a flush goes over.
    pub flush: Option<Rc<DeviceMemory>>,
    pub cache: CacheState,
    pub involves_host: bool,
    pub facts: Vec<(String, String)>,
    pub done: Event,
    /// Launches in a span.
    pub batch: u64,
    /// By spans, launches in a span, and the set that is next.
    pub graphs: BTreeMap<(u64, u64, usize), SpanGraph>,
    pub next_set: usize,
    /// The last launch on the host's clock, nanoseconds.
    pub last_ns: f64,
}

/// What the spans of a slot come to.
#[derive(Clone, Copy)]
struct Spans {
    sum: f64,
    count: u64,
    shortest: f64,
}

impl Spans {
    const NONE: Self = Self {
        sum: 0.0,
        count: 0,
        shortest: f64::INFINITY,
    };

    fn add(&mut self, ns: f64) {
        self.sum += ns;
        self.count += 1;
        self.shortest = self.shortest.min(ns);
    }
}

impl OnCard {
    /// Decides how many launches a span must hold, from a first span.
    pub fn choose_batch(&mut self) -> Result<(), DeviceError> {
        if self.involves_host || self.cache.is_flushed() {
            return Ok(());
        }
        for _ in 0..2 {
            let mut spans = Spans::NONE;
            self.run_graph(1, 16, &mut spans)?;
            let step = self.opened.instruments.timer_step_ns;
            self.batch = batch_for(spans.sum / 16.0, step);
        }
        Ok(())
    }

    /// Runs a graph of `spans` spans with `batch` launches each.
    fn run_graph(&mut self, spans: u64, batch: u64, into: &mut Spans) -> Result<(), DeviceError> {
        if let Launches::Held(hold) = &self.opened.instruments.launches {
            let mut set = self.next_set;
            let timed = hold.run(
                spans as usize,
                |span| self.queue_before(span),
                |_| self.queue_work(batch, &mut set),
            )?;
            for ns in timed {
                into.add(ns);
            }
            self.next_set = set;
            return Ok(());
        }
        let key = (spans, batch, self.next_set);
        if !self.graphs.contains_key(&key) {
            let graph = self.capture(spans, batch)?;
            self.graphs.insert(key, graph);
        }
        let graph = &self.graphs[&key];
        graph.launch()?;
        self.done.record()?;
        self.done.wait()?;
        for span in graph.spans_ns() {
            into.add(span?);
        }
        self.next_set = (self.next_set + (spans * batch) as usize) % self.placed.sets.len();
        Ok(())
    }

    fn capture(&self, spans: u64, batch: u64) -> Result<SpanGraph, DeviceError> {
        let context = &self.opened.context;
        let mut set = self.next_set;
        SpanGraph::capture(
            context,
            spans as usize,
            |span| self.queue_before(span),
            |_| self.queue_work(batch, &mut set),
        )
    }

    fn queue_before(&self, span: usize) -> Result<(), DeviceError> {
        match &self.flush {
            Some(memory) if self.cache == CacheState::ColdByReading => {
                self.opened.instruments.queue_reading_of(memory)
            }
            // Another value each time, so that no write can be saved.
            Some(memory) => memory.set(span as u8),
            None => Ok(()),
        }
    }

    fn queue_work(&self, batch: u64, set: &mut usize) -> Result<(), DeviceError> {
        for _ in 0..batch {
            for step in &self.steps {
                if let BoundStep::Launch(launch) = step {
                    launch.queue(&self.opened.context, &self.placed.sets[*set])?;
                }
            }
            *set = (*set + 1) % self.placed.sets.len();
        }
        Ok(())
    }

    /// Launches in a span, and spans, that one hold or graph may have.
    fn at_once(&self, left: u64) -> (u64, u64) {
        match self.opened.instruments.launches {
            Launches::Graph => next_spans(left, self.batch, GRAPH_SPANS),
            Launches::Held(_) => {
                let steps = (self.steps.len() as u64).max(1);
                // The last span may hold nearly two batches, and has calls around it.
                let longest = (MOST_QUEUED / 2 / steps).saturating_sub(2).max(1);
                let batch = self.batch.min(longest);
                let span = batch * steps + 3;
                let count = (MOST_QUEUED / span).clamp(1, GRAPH_SPANS);
                next_spans(left, batch, count)
            }
        }
    }

    /// Kernels alone: graphs of spans between two readings of the clock, the
    /// second of which may still run.
    fn run_kernels(&mut self, launches: u64) -> Result<Spans, DeviceError> {
        let mut spans = Spans::NONE;
        self.opened.instruments.queue_reading(0)?;
        let mut left = launches;
        while left > 0 {
            let (batch, count) = self.at_once(left);
            self.run_graph(count, batch, &mut spans)?;
            left -= count * batch;
        }
        self.opened.instruments.queue_reading(1)?;
        self.done.record()?;
        Ok(spans)
    }

    /// Host and card together: the wall time from the first call to the end.
    fn run_steps(&mut self, launches: u64) -> Result<Spans, DeviceError> {
        let mut spans = Spans::NONE;
        for launch in 0..launches {
            if self.flush.is_some() {
                self.queue_before(launch as usize)?;
                self.done.record()?;
                self.done.wait()?;
            }
            let opened = Rc::clone(&self.opened);
            // A long launch has room for a look, and would leave none between launches.
            let quiet = (self.last_ns < LOOKED_AT_NS).then(|| opened.watch.quiet());
            let start = Instant::now();
            self.run_once()?;
            self.last_ns = start.elapsed().as_nanos() as f64;
            spans.add(self.last_ns);
            drop(quiet);
        }
        Ok(spans)
    }

    /// Every step once on the next set, until the card is done.
    fn run_once(&mut self) -> Result<(), DeviceError> {
        let set = self.next_set;
        self.next_set = (set + 1) % self.placed.sets.len();
        run(
            &self.opened.context,
            &self.steps,
            &mut self.sides,
            &self.placed.sets[set],
            &self.done,
        )?;
        self.done.record()?;
        self.done.wait()
    }

    /// The first of these inputs that no longer holds what was drawn.
    fn changed_input(
        &self,
        set: usize,
        of: impl Fn(&usize) -> bool,
    ) -> Result<Option<&'static str>, DeviceError> {
        for index in (0..self.buffers.len()).filter(of) {
            let buffer = &self.buffers[index];
            if buffer.role == Role::Input && digest(&self.read(set, index)?) != self.inputs[index] {
                return Ok(Some(buffer.name));
            }
        }
        Ok(None)
    }

    fn read(&self, set: usize, index: usize) -> Result<Data, DeviceError> {
        let mut data = self.buffers[index].data.clone();
        self.placed.sets[set][index].read(&mut data)?;
        Ok(data)
    }
}

impl Prepared for OnCard {
    fn run(&mut self, launches: u64) -> Result<RawSlot, DeviceError> {
        self.opened.context.still_there()?;
        let start_ns = now_ns();
        let spans = if self.involves_host {
            self.run_steps(launches)?
        } else {
            self.run_kernels(launches)?
        };
        // A look at the card beside this one would be taken for work that goes on.
        let asked = Instant::now();
        let quiet = self.opened.watch.quiet();
        let at_once = quiet.is_some() && asked.elapsed() < AT_ONCE;
        self.done.wait()?;
        let trailing = self.opened.context.drain()?;
        drop(quiet);
        let clock_mhz = if self.involves_host {
            None
        } else {
            self.opened.instruments.clock_mhz()?
        };
        let host_ns = now_ns() - start_ns;
        Ok(RawSlot {
            launches,
            timed_ns: spans.sum,
            spans: spans.count,
            shortest_ns: spans.shortest,
            start_ns,
            host_ns,
            clock_mhz,
            trailing_ns: at_once.then_some(trailing),
            free_memory: Some(self.opened.context.free_memory()?),
        })
    }

    fn sets(&self) -> usize {
        self.placed.sets.len()
    }

    fn checked_output(&mut self, set: usize) -> Result<Data, DeviceError> {
        self.opened.context.still_there()?;
        let resident = |index: &usize| !self.uploads.contains(index);
        let damaged = self.changed_input(set, resident)?;
        let alone = Rc::strong_count(&self.placed) == 1;
        for (index, memory) in self.placed.sets[set].iter().enumerate() {
            let buffer = &self.buffers[index];
            if buffer.role != Role::Input || self.uploads.contains(&index) {
                memory.set(0xFF)?;
            } else if damaged.is_some() {
                // So that this run tells whether it was this arm.
                memory.fill_from(&buffer.data)?;
            }
        }
        if damaged.is_some() {
            // Copies from the host may still be under way, and on another stream.
            self.opened.context.drain()?;
        }
        self.next_set = set;
        self.run_once()?;
        if let Some(buffer) = self.changed_input(set, |_| true)? {
            return Err(DeviceError::InputChanged { buffer });
        }
        match damaged {
            Some(buffer) if alone => Err(DeviceError::InputChanged { buffer }),
            Some(buffer) => Err(DeviceError::SharedInputChanged { buffer }),
            None => self.read(set, self.output),
        }
    }

    fn timing(&self) -> Timing {
        if self.involves_host {
            Timing::Host
        } else {
            Timing::DeviceEvents
        }
    }

    fn timer_step_ns(&self) -> f64 {
        if self.involves_host {
            self.opened.host_step_ns
        } else {
            self.opened.instruments.timer_step_ns
        }
    }

    fn cache(&self) -> CacheState {
        self.cache
    }

    fn facts(&self) -> Vec<(String, String)> {
        self.facts.clone()
    }

    fn state_since(&self, start_ns: u64) -> Vec<State> {
        self.opened.watch.since(start_ns)
    }

    fn watch_energy(&mut self) -> bool {
        self.opened.watch.begin_energy()
    }

    fn energy_updates(&mut self) -> Vec<EnergyUpdate> {
        self.opened.watch.energy_updates()
    }

    fn end_watch(&mut self) {
        self.opened.watch.end_energy();
    }
}
