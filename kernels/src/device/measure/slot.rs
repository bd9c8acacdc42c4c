//! What a device reports about a slot.

use std::fmt;
use std::str::FromStr;

/// The caches of the device before a timed launch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheState {
    /// The second-level cache was overwritten before every launch (at least
    /// twice its size, no line persisting). Every launch is timed alone, and
    /// with it the writing back of the changed lines that the flush left.
    ColdByWriting,
    /// The same by reading that much: no changed lines are left to be written
    /// back during the launch.
    #[default]
    ColdByReading,
    /// Launches go around sets of buffers that together are at least five
    /// times the second-level cache. Launches may be timed in batches.
    ColdByRotation,
    /// Launches follow each other on the same buffers.
    Hot,
}

impl CacheState {
    /// Whether inputs have to come from memory.
    #[must_use]
    pub fn is_cold(self) -> bool {
        self != Self::Hot
    }

    /// Whether something is done before every launch, so that each is timed
    /// alone.
    #[must_use]
    pub fn is_flushed(self) -> bool {
        matches!(self, Self::ColdByWriting | Self::ColdByReading)
    }

    /// What is done to make the cache cold, in the word that [`FromStr`] reads:
    /// `write`, `read`, `rotate` or `none`.
    #[must_use]
    pub fn flush_word(self) -> &'static str {
        match self {
            Self::ColdByWriting => "write",
            Self::ColdByReading => "read",
            Self::ColdByRotation => "rotate",
            Self::Hot => "none",
        }
    }
}

impl FromStr for CacheState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [
            Self::ColdByWriting,
            Self::ColdByReading,
            Self::ColdByRotation,
            Self::Hot,
        ]
        .into_iter()
        .find(|state| state.flush_word() == text)
        .ok_or_else(|| {
            format!("`{text}` is no way to make a cache cold: give write, read, rotate or none")
        })
    }
}

impl fmt::Display for CacheState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ColdByWriting => "cold (flushed by writing)",
            Self::ColdByReading => "cold (flushed by reading)",
            Self::ColdByRotation => "cold (rotated)",
            Self::Hot => "hot",
        })
    }
}

/// What the spans of a slot are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// Between two events of the device, around kernels alone.
    DeviceEvents,
    /// On the host's monotonic clock, from the first call to the end of the
    /// device's work.
    Host,
    /// On the clock of a simulator.
    Simulated,
}

impl Timing {
    /// Id of the metric: `device_time`, `wall_time` or `simulated_time`.
    #[must_use]
    pub fn metric_id(self) -> &'static str {
        match self {
            Self::DeviceEvents => "device_time",
            Self::Host => "wall_time",
            Self::Simulated => "simulated_time",
        }
    }
}

/// What was seen of a slot. A part that the device cannot see is `None`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RawSlot {
    /// Launches of the variant.
    pub launches: u64,
    /// Sum of the timed spans, nanoseconds.
    pub timed_ns: f64,
    /// Number of spans.
    pub spans: u64,
    /// The shortest span, nanoseconds.
    pub shortest_ns: f64,
    /// Start on the host's clock, nanoseconds since an origin that the states
    /// of the device share.
    pub start_ns: u64,
    /// Host time of the whole slot, nanoseconds, with flushes and launches.
    pub host_ns: u64,
    /// Mean clock of the multiprocessors over the slot, MHz.
    pub clock_mhz: Option<f64>,
    /// How long the device worked on after the last timed span, nanoseconds.
    pub trailing_ns: Option<f64>,
    /// Free memory of the device after the slot, bytes.
    pub free_memory: Option<u64>,
}

/// What is wrong with a slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// The hardware slowed itself down.
    pub throttled: bool,
    /// The clock left its usual value.
    pub clock_changed: bool,
    /// Free memory fell below what it was after the first slot.
    pub memory_grew: bool,
    /// Another process used the device.
    pub foreign_work: bool,
    /// A span is too short for the timer.
    pub too_short: bool,
    /// The device worked on after the last timed span.
    pub hidden_work: bool,
}
