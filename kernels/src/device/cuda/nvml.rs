//! A side thread that looks at the card through NVML.

use super::super::energy::least_ns;
use super::super::{EnergyUpdate, State, ThrottleReasons};
use nvml_wrapper::Nvml;
use nvml_wrapper::enum_wrappers::device::{Clock, TemperatureSensor};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(66);
/// Nothing waits longer for a look than this.
const LONGEST_LOOK: Duration = Duration::from_millis(250);
/// Parts of a pause, at whose ends the thread sees whether it still waits.
const PART: Duration = Duration::from_millis(8);
/// Pause between two readings of the energy counter that wait for its update;
/// a reading takes longer than this.
const ENERGY_PAUSE: Duration = Duration::from_micros(500);
/// Looks that are kept: more than ten seconds of them.
const KEPT: usize = 256;
/// Looks before a slot that its judge may ask for, nanoseconds.
const BEFORE_NS: u64 = 1_000_000_000;

static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The clock that slots and looks share, nanoseconds.
pub(super) fn now_ns() -> u64 {
    ORIGIN.elapsed().as_nanos() as u64
}

/// The looks so far. The thread ends with this value.
pub(super) struct Watch {
    /// The card, where NVML knows it.
    card: Option<(Arc<Nvml>, String)>,
    shared: Arc<Shared>,
    facts: Vec<(String, String)>,
}

/// What the side thread and the slots' thread share.
#[derive(Default)]
struct Shared {
    looks: Mutex<VecDeque<State>>,
    /// Updates of the energy counter, while nothing else is looked at.
    energy: Mutex<Vec<EnergyUpdate>>,
    /// Turns so far, see [`Turn`].
    turns: AtomicU64,
    /// Held while something is timed that a look would disturb.
    quiet: Mutex<()>,
    look_wanted: AtomicBool,
    stop: AtomicBool,
}

impl Shared {
    fn watch(&self, nvml: &Nvml, uuid: &str) {
        while !self.stop.load(Ordering::Relaxed) {
            let turn = self.turn();
            if turn.is_energy() {
                self.look_at_energy(nvml, uuid, turn);
                continue;
            }
            let wanted = Wanted::new(&self.look_wanted);
            let quiet = locked(&self.quiet);
            let state = look(nvml, uuid);
            drop(quiet);
            drop(wanted);
            if let Some(state) = state {
                let mut looks = locked(&self.looks);
                if looks.len() == KEPT {
                    looks.pop_front();
                }
                looks.push_back(state);
            }
            self.sleep(PAUSE, turn);
        }
    }

    /// Two updates of the counter one after the other, then one after each least
    /// length of a batch, until the watch ends.
    fn look_at_energy(&self, nvml: &Nvml, uuid: &str, turn: Turn) {
        let update = || self.update(nvml, uuid, turn);
        let (Some(before), Some(first)) = (update(), update()) else {
            return;
        };
        let batch = least_ns(first - before);
        let until_shortly_before = batch - (first - before) / 4;
        let pause = Duration::from_nanos(until_shortly_before);
        self.sleep(pause, turn);
        while update().is_some() {
            self.sleep(pause, turn);
        }
    }

    /// Waits for the next update of the counter and gives when it was seen;
    /// `None` when the turn ends.
    fn update(&self, nvml: &Nvml, uuid: &str, turn: Turn) -> Option<u64> {
        let known = counter_mj(nvml, uuid);
        loop {
            let now = counter_mj(nvml, uuid);
            let mut updates = locked(&self.energy);
            if !self.goes_on(turn) {
                return None;
            }
            if let Some(total_mj) = now.filter(|_| now != known) {
                let at_ns = now_ns();
                updates.push(EnergyUpdate { at_ns, total_mj });
                return Some(at_ns);
            }
            drop(updates);
            std::thread::sleep(ENERGY_PAUSE);
        }
    }

    fn turn(&self) -> Turn {
        Turn(self.turns.load(Ordering::SeqCst))
    }

    fn goes_on(&self, turn: Turn) -> bool {
        self.turn() == turn && !self.stop.load(Ordering::Relaxed)
    }

    /// Sleeps in parts while the turn goes on.
    fn sleep(&self, time: Duration, turn: Turn) {
        let start = Instant::now();
        while start.elapsed() < time && self.goes_on(turn) {
            std::thread::sleep(time.min(PART));
        }
    }
}

/// A look that is due or under way.
struct Wanted<'a>(&'a AtomicBool);

impl<'a> Wanted<'a> {
    fn new(wanted: &'a AtomicBool) -> Self {
        wanted.store(true, Ordering::SeqCst);
        Self(wanted)
    }
}

impl Drop for Wanted<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// What the thread looks at: by turns at everything, and at the energy alone.
#[derive(Clone, Copy, PartialEq)]
struct Turn(u64);

impl Turn {
    fn is_energy(self) -> bool {
        self.0 % 2 == 1
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn counter_mj(nvml: &Nvml, uuid: &str) -> Option<u64> {
    let device = nvml.device_by_uuid(uuid).ok()?;
    device.total_energy_consumption().ok()
}

impl Watch {
    /// Starts to look at the card with this UUID (NVML counts in another order
    /// than CUDA). Without NVML there are no looks, and a fact says why.
    pub fn start(uuid: &str) -> Self {
        let mut watch = Self {
            card: None,
            shared: Arc::default(),
            facts: Vec::new(),
        };
        let nvml = match Nvml::init() {
            Ok(nvml) => Arc::new(nvml),
            Err(error) => {
                watch.fact("nvml", format!("absent: {error}"));
                return watch;
            }
        };
        match nvml.device_by_uuid(uuid) {
            Ok(device) => {
                let _ = now_ns();
                if let Ok(version) = nvml.sys_driver_version() {
                    watch.fact("driver", version);
                }
                if let Ok(ecc) = device.is_ecc_enabled() {
                    watch.fact("ecc", ecc.currently_enabled.to_string());
                }
                if let Ok(on) = device.is_in_persistent_mode() {
                    watch.fact("persistence_mode", on.to_string());
                }
                if let Ok(limit) = device.enforced_power_limit() {
                    watch.fact("power_limit_mw", limit.to_string());
                }
            }
            Err(error) => {
                watch.fact("nvml", format!("does not know {uuid}: {error}"));
                return watch;
            }
        }
        let card = (Arc::clone(&nvml), uuid.to_owned());
        let (shared, uuid) = (Arc::clone(&watch.shared), uuid.to_owned());
        let started = std::thread::Builder::new()
            .name("nvml".to_owned())
            .spawn(move || shared.watch(&nvml, &uuid));
        match started {
            Ok(_) => watch.card = Some(card),
            Err(error) => watch.fact("nvml", format!("no thread: {error}")),
        }
        watch
    }

    fn fact(&mut self, name: &str, value: String) {
        self.facts.push((name.to_owned(), value));
    }

    /// What does not change while it is measured.
    pub fn facts(&self) -> Vec<(String, String)> {
        self.facts.clone()
    }

    /// Looks at the energy counter alone from now on; false where there is none.
    pub fn begin_energy(&self) -> bool {
        let known = self.card.as_ref();
        if known
            .and_then(|(nvml, uuid)| counter_mj(nvml, uuid))
            .is_none()
        {
            return false;
        }
        let mut updates = locked(&self.shared.energy);
        updates.clear();
        if !self.shared.turn().is_energy() {
            self.shared.turns.fetch_add(1, Ordering::SeqCst);
        }
        true
    }

    /// The updates that were seen since then.
    pub fn energy_updates(&self) -> Vec<EnergyUpdate> {
        locked(&self.shared.energy).clone()
    }

    /// Nothing is looked at while the guard lives: a look takes milliseconds,
    /// in which calls of the driver wait. One that is due comes before. `None`
    /// when NVML does not answer for long.
    pub fn quiet(&self) -> Option<MutexGuard<'_, ()>> {
        let start = Instant::now();
        while start.elapsed() < LONGEST_LOOK {
            if !self.shared.look_wanted.load(Ordering::SeqCst) {
                match self.shared.quiet.try_lock() {
                    Ok(guard) => return Some(guard),
                    Err(TryLockError::Poisoned(guard)) => return Some(guard.into_inner()),
                    Err(TryLockError::WouldBlock) => {}
                }
            }
            std::thread::yield_now();
        }
        None
    }

    /// Looks at everything again.
    pub fn end_energy(&self) {
        if self.shared.turn().is_energy() {
            self.shared.turns.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// The looks from a second before `start_ns` on.
    pub fn since(&self, start_ns: u64) -> Vec<State> {
        let looks = locked(&self.shared.looks);
        let from = start_ns.saturating_sub(BEFORE_NS);
        looks.iter().filter(|s| s.at_ns >= from).copied().collect()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

/// One look; what the driver does not tell stays empty.
fn look(nvml: &Nvml, uuid: &str) -> Option<State> {
    let device = nvml.device_by_uuid(uuid).ok()?;
    Some(State {
        at_ns: now_ns(),
        power_mw: device.power_usage().ok(),
        energy_mj: device.total_energy_consumption().ok(),
        temperature_c: device.temperature(TemperatureSensor::Gpu).ok(),
        sm_mhz: device.clock_info(Clock::SM).ok(),
        memory_mhz: device.clock_info(Clock::Memory).ok(),
        reasons: device
            .current_throttle_reasons()
            .ok()
            .map(|reasons| ThrottleReasons(reasons.bits())),
        // One of them is this process; its number may be another one outside a container.
        others: device
            .running_compute_processes()
            .ok()
            .map(|processes| processes.len().saturating_sub(1) as u32),
        memory_used: device.memory_info().ok().map(|memory| memory.used),
    })
}

/// Whether NVML can be used: the driver's version, or why not.
///
/// # Errors
/// The reason, in words.
pub fn nvml_state() -> Result<String, String> {
    let nvml = Nvml::init().map_err(|error| error.to_string())?;
    let version = nvml.sys_driver_version().map_err(|e| e.to_string())?;
    Ok(format!("driver {version}"))
}
