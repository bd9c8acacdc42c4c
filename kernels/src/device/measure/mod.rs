//! What a slot is worth: pure functions of what a device saw.

mod ceilings;
mod meter;
mod resolution;
mod seen;
mod slot;
mod state;
mod throttle;

pub use ceilings::Ceilings;
pub use meter::{Measured, Meter};
pub use resolution::{MIN_STEPS, batch_for, clock_steps, next_spans};
pub use seen::Seen;
pub use slot::{CacheState, Marks, RawSlot, Timing};
pub use state::{History, State};
pub use throttle::ThrottleReasons;
