//! A server as the subject of a harness arm.

use super::block::{drive, one};
use super::load::{Load, Mode};
use super::metrics::metrics;
use super::proved;
use super::ramp::WarmUp;
use super::rows::{RequestRow, Rows};
use super::server::{Server, Servers};
use super::values::counted;
use crate::serving::client::{Client, Options, Request};
use crate::serving::target::Target;
use crate::serving::{Attempt, ClientError, descriptors};
use evenhand_harness::plan::{Margin, MarginScale};
use evenhand_harness::suite::{ArmError, Bencher, Output, Place, SlotValue, Subject, Warmth};
use rustix::time::{ClockId, clock_gettime};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

/// Prompts of slots that nobody counts come from here on.
const UNCOUNTED: u64 = 1 << 31;
/// The prompt whose answer is verified.
const PROBE: u64 = UNCOUNTED - 1;

/// A server and how it is asked.
pub(super) struct Served {
    /// With a ramp of its own, which warming up lengthens.
    pub(super) load: Load,
    margin: Margin,
    warm_up: WarmUp,
    pub(super) target: Target,
    pub(super) seed: u64,
    runtime: tokio::runtime::Runtime,
    pub(super) running: Option<Server>,
    /// Where arms find servers that they share.
    shared: Option<Rc<Servers>>,
    logs: PathBuf,
    /// Where logs are when nothing is recorded; after `running`, which writes there.
    _scratch: Option<Scratch>,
    starts: u32,
    rows: Option<Rows>,
    place: Option<Place>,
    /// Slots that were not counted so far.
    uncounted: u64,
    pub(super) secondary: Vec<Option<f64>>,
    pub(super) samples: Vec<Vec<Option<f64>>>,
    pub(super) primary: String,
    pub(super) client_error: ClientError,
}

impl Served {
    pub(super) fn build(
        bencher: &Bencher,
        load: &Load,
        margin: Margin,
        target: Target,
        shared: Option<Rc<Servers>>,
    ) -> Result<Self, ArmError> {
        load.check().map_err(|e| ArmError::new(e.to_string()))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| ArmError::new(format!("the client's runtime: {e}")))?;
        descriptors::make_room(load.most_connections());
        let declared = metrics(load).map_err(ArmError::new)?;
        let rows = bencher
            .notes("requests")
            .map(Rows::create)
            .transpose()
            .map_err(ArmError::new)?;
        let (logs, scratch) = match bencher.notes("servers") {
            Some(logs) => (logs, None),
            None => {
                let scratch = Scratch::new();
                (scratch.0.join("server"), Some(scratch))
            }
        };
        let mut served = Self {
            load: load.clone(),
            margin,
            warm_up: WarmUp::new(load),
            seed: bencher.seed(),
            runtime,
            running: None,
            shared,
            logs,
            _scratch: scratch,
            starts: 0,
            rows,
            place: None,
            uncounted: 0,
            secondary: vec![None; declared.secondary.len()],
            samples: Vec::new(),
            primary: declared.primary.id,
            client_error: proved::before(load)?,
            target,
        };
        if load.mode != Mode::Cold {
            served.start()?;
        }
        Ok(served)
    }

    fn start(&mut self) -> Result<(), ArmError> {
        if let Some(before) = self.running.take()
            && !before.stop()
        {
            return Err(ArmError::new(format!(
                "target `{}`: processes of it are still there after they were killed",
                self.target.name
            )));
        }
        let logs = self.logs.with_extension(format!("{}.log", self.starts));
        self.starts += 1;
        let start = || self.target.start(&logs);
        let server = match &self.shared {
            Some(servers) => servers.of(&self.target, start),
            None => start().map(Server::alone),
        };
        self.running = Some(server.map_err(|e| ArmError::new(e.to_string()))?);
        Ok(())
    }

    fn client(&self) -> Result<Arc<Client>, ArmError> {
        let running = self
            .running
            .as_ref()
            .ok_or_else(|| ArmError::new("no server is running"))?;
        let options = Options {
            connections: self.load.connections,
            ..Options::default()
        };
        Ok(Arc::new(Client::new(running.address(), options)))
    }

    /// Prompts of a slot: what counts in a block's n-th slot is the same in all arms.
    fn indices(&mut self, place: Option<Place>) -> Vec<u64> {
        match place.and_then(|p| Some((p.block?, p.turn))) {
            Some((block, turn)) => self
                .load
                .indices(u64::from(block) * 8 + u64::from(turn % 8)),
            None => {
                self.uncounted += 1;
                let slot = self.load.indices(self.uncounted).into_iter();
                slot.map(|index| UNCOUNTED + index).collect()
            }
        }
    }

    fn requests(&self, indices: &[u64]) -> Result<Vec<Request>, ArmError> {
        indices
            .iter()
            .map(|&i| self.load.request(&self.target, self.seed, i))
            .collect::<Result<_, _>>()
            .map_err(|e| ArmError::new(e.to_string()))
    }

    /// Asks, in the way of the mode.
    fn ask(&mut self, indices: &[u64]) -> Result<Vec<Attempt>, ArmError> {
        if self.load.mode == Mode::Cold {
            self.start()?;
        }
        let requests = self.requests(indices)?;
        let client = self.client()?;
        if self.load.in_blocks() {
            // The first prompt that counts stands for the slot, in every arm.
            let slot = indices[self.load.counted().start as usize];
            let seed = self.seed ^ slot.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let schedule = self.load.schedule(seed);
            let schedule = schedule.map_err(|e| ArmError::new(e.to_string()))?;
            return drive(&self.runtime, &client, &self.load, requests, schedule)
                .map_err(ArmError::new);
        }
        let capture = self.runtime.block_on(one(&client, &requests[0]));
        Ok(vec![Attempt::from_capture(&capture)])
    }

    /// Looks whether a slot that nobody counts had a ramp that is long enough.
    fn warm(&mut self, attempts: &[Attempt]) {
        let latencies = self.latencies(&attempts[counted(&self.load, attempts.len())]);
        let matters = match self.margin.scale {
            MarginScale::Relative => self.margin.value,
            MarginScale::Absolute => {
                let mean = latencies.iter().sum::<f64>() / latencies.len().max(1) as f64;
                self.margin.value / mean
            }
        };
        self.warm_up.saw(&mut self.load, latencies, matters);
    }

    /// A server that is gone ends the experiment with its last words.
    fn check_alive(&mut self) -> Result<(), ArmError> {
        match self.running.as_ref().and_then(Server::ended) {
            None => Ok(()),
            Some(words) => Err(ArmError::new(format!(
                "target `{}` ended while it was measured: {words}",
                self.target.name
            ))),
        }
    }

    fn keep(
        &mut self,
        place: Option<Place>,
        indices: &[u64],
        attempts: &[Attempt],
    ) -> Result<(), ArmError> {
        let Some(rows) = &mut self.rows else {
            return Ok(());
        };
        let cold = self.load.mode == Mode::Cold;
        let running = self.running.as_ref().filter(|_| cold);
        let start = running.map(|r| [r.spawned_ns(), r.ready_ns()]);
        let counted = counted(&self.load, attempts.len());
        let lines: Vec<RequestRow> = attempts
            .iter()
            .enumerate()
            .zip(indices)
            .map(|((i, attempt), &index)| RequestRow {
                definitions: RequestRow::DEFINITIONS,
                block: place.and_then(|p| p.block),
                turn: place.map_or(0, |p| p.turn),
                index,
                counts: counted.contains(&i),
                work: self.load.digest(&self.target, self.seed, index),
                start,
                attempt: attempt.clone(),
            })
            .collect();
        rows.append(&lines).map_err(ArmError::new)
    }
}

/// Why the server will never answer this kind of request: a client error that
/// neither load nor time explains.
fn refused(attempt: &Attempt) -> Option<String> {
    const PASSING: [u16; 3] = [408, 425, 429];
    let status = attempt.status?;
    let failure = attempt.failure.as_ref()?;
    ((400..500).contains(&status) && !PASSING.contains(&status)).then(|| failure.to_string())
}

impl Subject for Served {
    fn begin(&mut self, place: Place) {
        self.place = Some(place);
    }

    fn slot(&mut self, iterations: u64) -> Result<SlotValue, ArmError> {
        if iterations != 1 {
            return Err(ArmError::new("a slot of the request path is one iteration"));
        }
        let place = self.place.take();
        let indices = self.indices(place);
        let (start, cpu) = (Instant::now(), cpu_ns());
        let attempts = self.ask(&indices)?;
        let host_ns = start.elapsed().as_nanos() as u64;
        let share = (cpu_ns() - cpu) as f64 / host_ns.max(1) as f64;
        self.keep(place, &indices, &attempts)?;
        if let Some(failure) = attempts.iter().find_map(refused) {
            return Err(ArmError::new(format!(
                "target `{}` refuses the request, so it will refuse all of them: {failure}; the \
                 target file names `model` and `api`",
                self.target.name
            )));
        }
        let (value, flags) = self.evaluate(&indices, &attempts, share)?;
        self.check_alive()?;
        if place.is_none_or(|p| p.block.is_none()) {
            self.warm(&attempts);
            if let Some(rate) = proved::rate(&self.load, &attempts) {
                self.client_error = proved::for_rate(&self.load, rate)?;
            }
        }
        if self.load.mode == Mode::Cold
            && let Some(running) = self.running.take()
        {
            running.stop();
        }
        Ok(SlotValue {
            value,
            host_ns,
            flags,
        })
    }

    fn secondary(&self) -> &[Option<f64>] {
        &self.secondary
    }

    fn samples(&self) -> &[Vec<Option<f64>>] {
        &self.samples
    }

    fn warmth(&self) -> Warmth {
        self.warm_up.warmth()
    }

    fn output(&mut self) -> Result<Option<Output>, ArmError> {
        if self.running.is_none() {
            self.start()?;
        }
        let request = self
            .load
            .request(&self.target, self.seed, PROBE)
            .map_err(|e| ArmError::new(e.to_string()))?;
        let client = self.client()?;
        let capture = self.runtime.block_on(one(&client, &request));
        let attempt = Attempt::from_capture(&capture);
        if self.load.mode == Mode::Cold {
            // Nothing of it may run beside the cold starts of the others.
            self.running = None;
        }
        match attempt.failure {
            None => Ok(Some(Output::Text(attempt.answer.text))),
            Some(failure) => Err(ArmError::new(format!(
                "target `{}`: the request whose answer is verified failed: {failure}",
                self.target.name
            ))),
        }
    }

    fn facts(&self) -> Vec<(String, String)> {
        let target = &self.target;
        let mut facts = vec![
            ("target".to_owned(), target.name.clone()),
            ("model".to_owned(), target.model.clone()),
            ("endpoint".to_owned(), target.api.path().to_owned()),
            ("restarted".to_owned(), target.restarts().to_string()),
            ("max_tokens".to_owned(), self.load.max_tokens.to_string()),
            ("temperature".to_owned(), self.load.temperature.to_string()),
            ("users".to_owned(), self.load.concurrency.to_string()),
            (
                "page_cache".to_owned(),
                format!("{:?}", target.page_cache).to_lowercase(),
            ),
        ];
        if self.load.in_blocks() {
            facts.push(("ramp".to_owned(), self.load.ramp().to_string()));
        }
        if self.shared.is_some() {
            facts.push((
                "server".to_owned(),
                "shared by the cells of its setting".to_owned(),
            ));
        }
        if let Some(engine) = &target.engine {
            facts.push(("engine".to_owned(), engine.clone()));
        }
        if let Some(startup) = self.running.as_ref().and_then(Server::startup_ns) {
            facts.push(("startup_ns".to_owned(), startup.to_string()));
        }
        facts.extend(proved::facts(&self.client_error));
        let declared = target.facts.iter();
        facts.extend(declared.map(|(k, v)| (format!("target.{k}"), v.clone())));
        facts
    }

    /// The warm-up may have shown a rate that needed another proof.
    fn facts_at_end(&mut self) -> Result<Vec<(String, String)>, ArmError> {
        Ok(proved::facts(&self.client_error).into())
    }
}

/// CPU time of this thread, which is the client's.
fn cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}

/// A folder for logs where nothing is recorded, removed in the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("evenhand-server-{}-{n}", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // It is not there when no server was started.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
