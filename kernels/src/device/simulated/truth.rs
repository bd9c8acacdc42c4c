//! How a simulated device behaves.

use super::super::{Ceilings, DeviceError};
use std::collections::BTreeMap;

/// What is true of a simulated device.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    /// True time of a launch by variant, nanoseconds.
    pub launch_ns: BTreeMap<String, f64>,
    /// True time of a launch of every other variant.
    pub default_ns: f64,
    /// Standard deviation of a launch, as a fraction.
    pub noise: f64,
    /// Standard deviation of what an arm keeps as long as it lives (placement
    /// of its memory), as a fraction.
    pub placement: f64,
    /// Slow-down per virtual second, as a fraction.
    pub drift_per_s: f64,
    /// Step of the timer, nanoseconds; 0 for a perfect one.
    pub timer_step_ns: f64,
    /// From this virtual second on the clock falls to `throttle_clock`, and the
    /// driver names the power limit.
    pub throttle_from_s: Option<f64>,
    /// Share of the usual clock while throttled.
    pub throttle_clock: f64,
    /// Every second slot is slower by this fraction.
    pub slot_bias: f64,
    /// Usual clock, MHz.
    pub clock_mhz: f64,
    /// Work that a variant leaves running after its last span, nanoseconds.
    pub hidden_ns: BTreeMap<String, f64>,
    /// Bytes that a slot of a variant leaves allocated.
    pub leak_bytes: BTreeMap<String, u64>,
    /// Other processes on the device.
    pub others: u32,
    /// Ceilings that the device claims to have.
    pub ceilings: Ceilings,
    /// Power while a variant runs, watts.
    pub power_w: BTreeMap<String, f64>,
    /// Power while any other variant runs, watts.
    pub default_power_w: f64,
    /// Power between launches, watts.
    pub idle_w: f64,
    /// Step of the energy counter, nanoseconds; `None` for a device without.
    pub energy_step_ns: Option<f64>,
    /// Whether the device can be looked at.
    pub telemetry: bool,
    /// Temperature, degrees Celsius; `None` where the driver does not tell.
    pub temperature_c: Option<u32>,
    /// Variants that cannot be made ready, and why.
    pub refuses: BTreeMap<String, DeviceError>,
    /// Variants whose launches fail, and how.
    pub fails: BTreeMap<String, DeviceError>,
}

impl Truth {
    /// A quiet device on which every launch takes `launch_ns`, give or take
    /// 1 %, at 300 W, timed with a step of 500 ns. Between launches it takes
    /// 60 W; its energy counter moves ten times a second.
    #[must_use]
    pub fn quiet(launch_ns: f64) -> Self {
        Self {
            launch_ns: BTreeMap::new(),
            default_ns: launch_ns,
            noise: 0.01,
            placement: 0.002,
            drift_per_s: 0.0,
            timer_step_ns: 500.0,
            throttle_from_s: None,
            throttle_clock: 0.6,
            slot_bias: 0.0,
            clock_mhz: 1800.0,
            hidden_ns: BTreeMap::new(),
            leak_bytes: BTreeMap::new(),
            others: 0,
            ceilings: Ceilings::default(),
            power_w: BTreeMap::new(),
            default_power_w: 300.0,
            idle_w: 60.0,
            energy_step_ns: Some(1e8),
            telemetry: true,
            temperature_c: Some(55),
            refuses: BTreeMap::new(),
            fails: BTreeMap::new(),
        }
    }

    /// The same with another true time of one variant.
    #[must_use]
    pub fn with(mut self, variant: &str, launch_ns: f64) -> Self {
        self.launch_ns.insert(variant.to_owned(), launch_ns);
        self
    }
}
