//! From what was seen to a value, its marks and the values beside it.

use super::resolution::MIN_STEPS;
use super::{Ceilings, History, Marks, RawSlot, State};
use crate::device::{CacheState, DeviceError};

/// Slots from which the usual clock is taken.
const CLOCK_SLOTS: usize = 9;
/// A clock that is off the usual one by more than this has changed.
const CLOCK_CHANGED: f64 = 0.02;
/// Below this share of the usual clock the hardware slowed itself down.
const CLOCK_THROTTLED: f64 = 0.75;
/// Free memory may fall by this much: the driver's own pools, bytes.
const MEMORY_SLACK: u64 = 8 << 20;
/// Work after the last span up to this is the cost of looking, nanoseconds.
const TRAILING_SLACK_NS: f64 = 50_000.0;
/// The same as a share of the timed part.
const TRAILING_SHARE: f64 = 0.05;

/// Judges the slots of one arm.
#[derive(Clone, Debug)]
pub struct Meter {
    /// Bytes that a launch cannot avoid to move.
    bytes: u64,
    /// Operations of a launch.
    flops: u64,
    timer_step_ns: f64,
    cache: CacheState,
    ceilings: Ceilings,
    clocks: Vec<f64>,
    usual_clock: Option<f64>,
    free_memory: Option<u64>,
}

/// What a slot is worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Time of a launch, nanoseconds.
    pub ns: f64,
    /// Clock cycles of a multiprocessor per launch: time times clock.
    pub sm_cycles: Option<f64>,
    /// Energy of a launch, millijoules, with everything that the slot did
    /// around it.
    pub energy_mj: Option<f64>,
    /// Share of the measured memory ceiling.
    pub memory_share: Option<f64>,
    /// Share of the measured rate of arithmetic, which may be above 1.
    pub arithmetic_share: Option<f64>,
    /// What is wrong.
    pub marks: Marks,
}

impl Meter {
    /// A meter for launches that move `bytes` and compute `flops`.
    #[must_use]
    pub fn new(
        (bytes, flops): (u64, u64),
        timer_step_ns: f64,
        cache: CacheState,
        ceilings: Ceilings,
    ) -> Self {
        Self {
            bytes,
            flops,
            timer_step_ns,
            cache,
            ceilings,
            clocks: Vec::with_capacity(CLOCK_SLOTS),
            usual_clock: None,
            free_memory: None,
        }
    }

    /// Judges a slot; `states` are the looks at the device around it.
    ///
    /// # Errors
    /// If the slot is faster than the device can be.
    pub fn judge(&mut self, slot: &RawSlot, states: &[State]) -> Result<Measured, DeviceError> {
        let ns = slot.timed_ns / slot.launches.max(1) as f64;
        let cold = self.cache.is_cold();
        if ns > 0.0 {
            self.ceilings.check(self.bytes, self.flops, ns, cold)?;
        }
        let history = History(states);
        let (start, end) = (slot.start_ns, slot.start_ns + slot.host_ns);
        let (clock_changed, clock_fell) = self.clock(slot.clock_mhz);
        let marks = Marks {
            throttled: clock_fell || history.throttled(start, end),
            clock_changed,
            memory_grew: self.memory_grew(slot.free_memory),
            foreign_work: history.foreign(start, end),
            too_short: slot.shortest_ns < MIN_STEPS * self.timer_step_ns,
            hidden_work: slot
                .trailing_ns
                .is_some_and(|t| t > TRAILING_SLACK_NS.max(TRAILING_SHARE * slot.timed_ns)),
        };
        Ok(Measured {
            ns,
            sm_cycles: slot.clock_mhz.map(|mhz| ns * mhz / 1000.0),
            energy_mj: history
                .energy_mj(start, end)
                .map(|mj| mj / slot.launches.max(1) as f64),
            memory_share: (ns > 0.0)
                .then(|| self.ceilings.memory_share(self.bytes, ns, cold))
                .flatten(),
            arithmetic_share: (ns > 0.0)
                .then(|| self.ceilings.arithmetic_share(self.flops, ns))
                .flatten(),
            marks,
        })
    }

    /// Whether the clock changed, and whether it fell like under throttling.
    /// The usual clock is the median of the first slots, most of them warm-up.
    fn clock(&mut self, clock_mhz: Option<f64>) -> (bool, bool) {
        let Some(now) = clock_mhz else {
            return (false, false);
        };
        let usual = match self.usual_clock {
            Some(usual) => usual,
            None => {
                self.clocks.push(now);
                let mut sorted = self.clocks.clone();
                sorted.sort_by(f64::total_cmp);
                let median = sorted[sorted.len() / 2];
                if self.clocks.len() == CLOCK_SLOTS {
                    self.usual_clock = Some(median);
                }
                median
            }
        };
        (
            (now / usual - 1.0).abs() > CLOCK_CHANGED,
            now < CLOCK_THROTTLED * usual,
        )
    }

    /// Whether free memory fell since the first slot: what a kernel allocates
    /// lazily is there by then.
    fn memory_grew(&mut self, free: Option<u64>) -> bool {
        let Some(free) = free else {
            return false;
        };
        let first = *self.free_memory.get_or_insert(free);
        free + MEMORY_SLACK < first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot() -> RawSlot {
        RawSlot {
            launches: 10,
            timed_ns: 1_000_000.0,
            spans: 10,
            shortest_ns: 99_000.0,
            start_ns: 0,
            host_ns: 2_000_000,
            clock_mhz: Some(1800.0),
            trailing_ns: Some(2_000.0),
            free_memory: Some(1 << 30),
        }
    }

    fn meter() -> Meter {
        Meter::new(
            (0, 0),
            500.0,
            CacheState::ColdByWriting,
            Ceilings::default(),
        )
    }

    fn marks(slots: &[RawSlot]) -> Marks {
        let mut meter = meter();
        let judged = slots.iter().map(|s| meter.judge(s, &[]).unwrap().marks);
        judged.last().unwrap()
    }

    #[test]
    fn a_quiet_slot_has_a_value_and_no_mark() {
        let measured = meter().judge(&slot(), &[]).unwrap();
        assert_eq!(measured.ns, 100_000.0);
        assert_eq!(measured.sm_cycles, Some(180_000.0));
        assert_eq!(measured.energy_mj, None);
        assert_eq!(measured.marks, Marks::default());
    }

    #[test]
    fn every_fault_has_its_mark() {
        let changed = |change: fn(&mut RawSlot)| {
            let mut last = slot();
            change(&mut last);
            marks(&[slot(), slot(), last])
        };
        let clock = changed(|s| s.clock_mhz = Some(1750.0));
        assert!(clock.clock_changed && !clock.throttled);
        assert!(changed(|s| s.clock_mhz = Some(1200.0)).throttled);
        assert!(changed(|s| s.free_memory = Some(1 << 29)).memory_grew);
        assert!(!changed(|s| s.free_memory = Some((1 << 30) - 4096)).memory_grew);
        assert!(changed(|s| s.shortest_ns = 9_999.0).too_short);
        assert!(changed(|s| s.trailing_ns = Some(60_000.0)).hidden_work);
        let unseen = changed(|s| {
            (s.clock_mhz, s.trailing_ns, s.free_memory) = (None, None, None);
        });
        assert_eq!(unseen, Marks::default());
    }

    #[test]
    fn one_odd_first_slot_does_not_become_the_usual_clock() {
        let mut cold = slot();
        cold.clock_mhz = Some(900.0);
        let mut slots = vec![cold];
        slots.extend(std::iter::repeat_n(slot(), 20));
        assert!(!marks(&slots).clock_changed);
    }
}
