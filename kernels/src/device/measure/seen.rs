//! What the looks during an arm's slots come to.

use super::{State, ThrottleReasons};

/// The looks that fell into the slots of one arm.
///
/// Power is what the driver tells, on recent cards a mean over the last second:
/// arms that take turns faster than that share it.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Whether the device can be looked at.
    watched: bool,
    looks: u64,
    power_w: Range,
    temperature_c: Range,
    sm_mhz: Range,
    memory_mhz: Range,
    memory_used: Range,
    others: Range,
    reasons: Option<ThrottleReasons>,
}

/// Smallest, largest and mean of the values that were told.
#[derive(Clone, Copy, Debug, Default)]
struct Range {
    told: u64,
    min: f64,
    max: f64,
    sum: f64,
}

impl Range {
    fn add(&mut self, value: Option<f64>) {
        let Some(value) = value else { return };
        if self.told == 0 {
            (self.min, self.max) = (value, value);
        }
        self.told += 1;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.sum += value;
    }

    fn min(self) -> Option<f64> {
        (self.told > 0).then_some(self.min)
    }

    fn max(self) -> Option<f64> {
        (self.told > 0).then_some(self.max)
    }

    fn mean(self) -> Option<f64> {
        (self.told > 0).then(|| self.sum / self.told as f64)
    }
}

impl Seen {
    /// Takes the looks at a slot from `start` to `end`, nanoseconds; `states`
    /// may hold others.
    pub fn add(&mut self, states: &[State], start: u64, end: u64) {
        self.watched |= !states.is_empty();
        let within = |s: &&State| start < s.at_ns && s.at_ns <= end;
        for state in states.iter().filter(within) {
            self.looks += 1;
            self.power_w
                .add(state.power_mw.map(|mw| f64::from(mw) / 1000.0));
            self.temperature_c.add(state.temperature_c.map(f64::from));
            self.sm_mhz.add(state.sm_mhz.map(f64::from));
            self.memory_mhz.add(state.memory_mhz.map(f64::from));
            self.memory_used.add(state.memory_used.map(|b| b as f64));
            self.others.add(state.others.map(f64::from));
            if let Some(more) = state.reasons {
                self.reasons = Some(self.reasons.unwrap_or_default().and(more));
            }
        }
    }

    /// What was seen, by names that tell the unit: `looks`, `power_w.min`,
    /// `power_w.mean`, `power_w.max`, `temperature_c.max`, `sm_clock_mhz.min`
    /// and so on. What was not told is not there; nothing is, where the device
    /// cannot be looked at.
    #[must_use]
    pub fn facts(&self) -> Vec<(String, String)> {
        let looks = self.watched.then_some(self.looks as f64);
        let numbers = [
            ("looks", looks, 0),
            ("power_w.min", self.power_w.min(), 3),
            ("power_w.mean", self.power_w.mean(), 3),
            ("power_w.max", self.power_w.max(), 3),
            ("temperature_c.max", self.temperature_c.max(), 0),
            ("sm_clock_mhz.min", self.sm_mhz.min(), 0),
            ("sm_clock_mhz.max", self.sm_mhz.max(), 0),
            ("memory_clock_mhz.min", self.memory_mhz.min(), 0),
            ("memory_clock_mhz.max", self.memory_mhz.max(), 0),
            ("memory_used_bytes.max", self.memory_used.max(), 0),
            ("other_processes.max", self.others.max(), 0),
        ];
        let mut facts: Vec<(String, String)> = numbers
            .into_iter()
            .filter_map(|(name, value, digits)| {
                Some((name.to_owned(), format!("{:.digits$}", value?)))
            })
            .collect();
        if let Some(reasons) = self.reasons {
            facts.push(("throttle_reasons".to_owned(), reasons.to_string()));
        }
        facts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(at_ns: u64, power_mw: u32, sm_mhz: u32, reasons: ThrottleReasons) -> State {
        State {
            at_ns,
            power_mw: Some(power_mw),
            sm_mhz: Some(sm_mhz),
            others: Some(0),
            memory_used: Some(1 << 40),
            reasons: Some(reasons),
            ..State::default()
        }
    }

    #[test]
    fn looks_outside_of_slots_do_not_count() {
        let (idle, cap) = (ThrottleReasons::GPU_IDLE, ThrottleReasons::SW_POWER_CAP);
        let looks = [
            look(5, 60_000, 300, idle),
            look(15, 250_000, 1980, ThrottleReasons::default()),
            look(25, 60_000, 300, idle),
            look(35, 350_500, 1700, cap),
        ];
        let mut seen = Seen::default();
        seen.add(&looks[..3], 10, 20);
        seen.add(&looks, 30, 40);
        let facts = seen.facts();
        let of = |name: &str| {
            let found = facts.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.as_str())
        };
        assert_eq!(of("looks"), Some("2"));
        assert_eq!(of("power_w.min"), Some("250.000"));
        assert_eq!(of("power_w.mean"), Some("300.250"));
        assert_eq!(of("power_w.max"), Some("350.500"));
        assert_eq!(of("sm_clock_mhz.min"), Some("1700"));
        assert_eq!(of("sm_clock_mhz.max"), Some("1980"));
        assert_eq!(of("memory_used_bytes.max"), Some("1099511627776"));
        assert_eq!(of("other_processes.max"), Some("0"));
        assert_eq!(of("throttle_reasons"), Some("sw_power_cap"));
        // The driver did not tell these.
        assert_eq!(of("temperature_c.max"), None);
        assert_eq!(of("memory_clock_mhz.max"), None);
    }

    #[test]
    fn nothing_seen_is_not_zero() {
        let mut seen = Seen::default();
        seen.add(&[], 0, 100);
        assert_eq!(seen.facts(), []);
        seen.add(&[look(500, 1, 1, ThrottleReasons::default())], 0, 100);
        assert_eq!(seen.facts(), [("looks".to_owned(), "0".to_owned())]);
    }
}
