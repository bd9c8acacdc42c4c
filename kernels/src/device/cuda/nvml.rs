//! A side thread that looks at the card through NVML.

use super::super::{EnergyUpdate, State, ThrottleReasons};
use nvml_wrapper::Nvml;
use nvml_wrapper::enum_wrappers::device::{Clock, TemperatureSensor};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(66);
/// The same for the energy counter alone; a reading takes longer than this.
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
    energy_alone: AtomicBool,
    stop: AtomicBool,
}

impl Shared {
    fn watch(&self, nvml: &Nvml, uuid: &str) {
        while !self.stop.load(Ordering::Relaxed) {
            if self.energy_alone.load(Ordering::Relaxed) {
                self.look_at_energy(nvml, uuid);
                std::thread::sleep(ENERGY_PAUSE);
                continue;
            }
            if let Some(state) = look(nvml, uuid) {
                let mut looks = locked(&self.looks);
                if looks.len() == KEPT {
                    looks.pop_front();
                }
                looks.push_back(state);
            }
            // In parts: a watch of the energy is not to wait for long.
            let pause = Instant::now();
            while pause.elapsed() < PAUSE && !self.energy_alone.load(Ordering::Relaxed) {
                std::thread::sleep(PAUSE / 8);
            }
        }
    }

    fn look_at_energy(&self, nvml: &Nvml, uuid: &str) {
        let Some(total_mj) = counter_mj(nvml, uuid) else {
            return;
        };
        let mut updates = locked(&self.energy);
        let wanted = self.energy_alone.load(Ordering::Relaxed);
        if wanted && updates.last().is_none_or(|last| last.total_mj != total_mj) {
            let at_ns = now_ns();
            updates.push(EnergyUpdate { at_ns, total_mj });
        }
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
        watch.card = Some((Arc::clone(&nvml), uuid.to_owned()));
        let (shared, uuid) = (Arc::clone(&watch.shared), uuid.to_owned());
        let started = std::thread::Builder::new()
            .name("nvml".to_owned())
            .spawn(move || shared.watch(&nvml, &uuid));
        if let Err(error) = started {
            watch.fact("nvml", format!("no thread: {error}"));
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
        self.shared.energy_alone.store(true, Ordering::Relaxed);
        true
    }

    /// The updates since then.
    pub fn energy_updates(&self) -> Vec<EnergyUpdate> {
        let seen = locked(&self.shared.energy);
        // What the counter told at first was not seen to change.
        seen.iter().skip(1).copied().collect()
    }

    /// Looks at everything again.
    pub fn end_energy(&self) {
        self.shared.energy_alone.store(false, Ordering::Relaxed);
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
