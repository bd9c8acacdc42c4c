//! What a side thread sees of the device, joined to slots by time.

use super::ThrottleReasons;

/// One look at the device. `None` is what the driver does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct State {
    /// When, on the clock of the slots, nanoseconds.
    pub at_ns: u64,
    /// Power, milliwatts.
    pub power_mw: Option<u32>,
    /// Energy since the driver was loaded, millijoules.
    pub energy_mj: Option<u64>,
    /// Temperature of the chip, degrees Celsius.
    pub temperature_c: Option<u32>,
    /// Clock of the multiprocessors, MHz.
    pub sm_mhz: Option<u32>,
    /// Clock of the memory, MHz.
    pub memory_mhz: Option<u32>,
    /// What keeps the clocks below their highest.
    pub reasons: Option<ThrottleReasons>,
    /// Other processes that compute on the device.
    pub others: Option<u32>,
    /// Memory in use by everyone, bytes.
    pub memory_used: Option<u64>,
}

/// A look older than this says nothing about a slot, nanoseconds.
const STALE_NS: u64 = 1_000_000_000;
/// Energy is told for slots with at least this many looks inside.
const ENERGY_LOOKS: usize = 4;

/// The looks around a slot, in order of time.
#[derive(Clone, Copy, Debug)]
pub struct History<'a>(pub &'a [State]);

impl History<'_> {
    /// Looks that tell about the time from `start` to `end`: those within, and
    /// the last one before while it is fresh.
    fn around(&self, start: u64, end: u64) -> impl Iterator<Item = &State> {
        let before = self
            .0
            .iter()
            .rev()
            .find(|s| s.at_ns <= start && start - s.at_ns <= STALE_NS);
        let within = self
            .0
            .iter()
            .filter(move |s| start < s.at_ns && s.at_ns <= end);
        before.into_iter().chain(within)
    }

    /// Whether power, heat or the board slowed the clocks down at any look.
    #[must_use]
    pub fn throttled(&self, start: u64, end: u64) -> bool {
        self.around(start, end)
            .any(|s| s.reasons.is_some_and(ThrottleReasons::slowed))
    }

    /// Whether another process computed at any look.
    #[must_use]
    pub fn foreign(&self, start: u64, end: u64) -> bool {
        self.around(start, end)
            .any(|s| s.others.is_some_and(|others| others > 0))
    }

    /// Energy from `start` to `end`, millijoules: the counter's rise over the
    /// looks inside, scaled to the whole. `None` when the slot is too short for
    /// the counter, which moves every few tens of milliseconds.
    #[must_use]
    pub fn energy_mj(&self, start: u64, end: u64) -> Option<f64> {
        let inside: Vec<(u64, u64)> = self
            .0
            .iter()
            .filter(|s| start <= s.at_ns && s.at_ns <= end)
            .filter_map(|s| Some((s.at_ns, s.energy_mj?)))
            .collect();
        let (first, last) = (inside.first()?, inside.last()?);
        if inside.len() < ENERGY_LOOKS {
            return None;
        }
        let rise = last.1.checked_sub(first.1)? as f64;
        Some(rise * (end - start) as f64 / (last.0 - first.0).max(1) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(at_ms: u64, throttled: bool, others: u32, energy: u64) -> State {
        State {
            at_ns: at_ms * 1_000_000,
            reasons: Some(if throttled {
                ThrottleReasons::SW_POWER_CAP
            } else {
                ThrottleReasons::default()
            }),
            others: Some(others),
            energy_mj: Some(energy),
            ..State::default()
        }
    }

    #[test]
    fn a_slot_takes_the_looks_inside_and_the_last_fresh_one_before() {
        let looks = [
            look(0, true, 0, 0),
            look(100, false, 1, 10),
            look(5000, false, 0, 20),
        ];
        let history = History(&looks);
        let ms = 1_000_000;
        assert!(history.throttled(10 * ms, 50 * ms));
        assert!(!history.throttled(110 * ms, 120 * ms));
        assert!(history.foreign(110 * ms, 120 * ms));
        // The look at 100 ms is stale at 2 s.
        assert!(!history.foreign(2000 * ms, 2001 * ms));
        assert!(!History(&[]).throttled(0, 1));
    }

    #[test]
    fn energy_needs_looks_inside_the_slot() {
        let looks: Vec<State> = (0..10).map(|k| look(100 * k, false, 0, 50 * k)).collect();
        let history = History(&looks);
        let ms = 1_000_000;
        // 0.5 mJ per millisecond.
        let energy = history.energy_mj(150 * ms, 650 * ms).unwrap();
        assert!((energy - 250.0).abs() < 1e-9, "{energy}");
        assert_eq!(history.energy_mj(150 * ms, 250 * ms), None);
    }
}
