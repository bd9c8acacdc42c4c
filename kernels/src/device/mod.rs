//! Where a task runs and how it is timed.
//!
//! | device | what it times | for |
//! |---|---|---|
//! | [`CudaDevice`] | device events around kernels on an NVIDIA GPU | measuring |
//! | [`CpuDevice`] | the Rust counterparts on the host processor | machines without a GPU |
//! | [`SimDevice`] | nothing: a virtual clock with a known truth | tests of the measuring itself |
//!
//! A device prepares a variant of a [`Task`]; the result runs slots and says
//! what was seen ([`RawSlot`]). What that is worth (value, marks, ceilings) is
//! decided by [`Meter`], the same code for all three.
//!
//! ```
//! use evenhand_kernels::device::{CacheState, CpuDevice, Device};
//! use evenhand_kernels::tasks;
//!
//! let device = CpuDevice::new();
//! let task = tasks::rms_norm(4, 256, 7);
//! let mut arm = device.prepare(&task, task.variants[0].name, CacheState::Hot)?;
//! let slot = arm.run(10)?;
//! assert!(slot.timed_ns > 0.0);
//! task.check_output(&arm.checked_output(0)?)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod choice;
mod cpu;
#[cfg(feature = "cuda")]
#[allow(unsafe_code)] // the driver's C functions
mod cuda;
mod energy;
mod error;
mod measure;
mod probe;
mod simulated;

pub use choice::{Choice, DEVICE_VARIABLE, Selector, open};
pub use cpu::CpuDevice;
#[cfg(feature = "cuda")]
pub use cuda::{CudaDevice, GRAPH_DRIVER_FUNCTIONS, REQUIRED_DRIVER_FUNCTIONS, nvml_state};
pub use energy::{EnergyBatch, EnergyUpdate, energy_batch};
pub use error::DeviceError;
pub use measure::{
    CacheState, Ceilings, History, MIN_STEPS, Marks, Measured, Meter, RawSlot, Seen, State,
    ThrottleReasons, Timing, batch_for, clock_steps, next_spans,
};
pub use probe::{Card, Probe, probe};
pub use simulated::{SimDevice, Truth};

use crate::task::{Data, Task};

/// What a device is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// What stands beside every number: `cpu`, `simulated`, or the card's name.
    pub label: String,
    /// What else is known, by name (`uuid`, `driver`, `l2_bytes`, ...).
    pub facts: Vec<(String, String)>,
}

/// A place where tasks run.
pub trait Device {
    /// What it is.
    fn identity(&self) -> &Identity;

    /// Allocates the buffers of a task and makes a variant ready to run.
    ///
    /// # Errors
    /// If there is no such variant, it has no form for this device, or the
    /// device fails.
    fn prepare(
        &self,
        task: &Task,
        variant: &str,
        cache: CacheState,
    ) -> Result<Box<dyn Prepared>, DeviceError>;

    /// Times this device's own ceilings once; none where they have no meaning.
    ///
    /// # Errors
    /// If the device fails.
    fn ceilings(&self) -> Result<Ceilings, DeviceError> {
        Ok(Ceilings::default())
    }
}

/// A variant that is ready to run.
pub trait Prepared {
    /// One slot of `launches` executions of the variant.
    ///
    /// # Errors
    /// If the device fails, or does not answer within its limit.
    fn run(&mut self, launches: u64) -> Result<RawSlot, DeviceError>;

    /// How many sets of buffers are timed: more than one where launches go
    /// around them. All hold the same inputs.
    fn sets(&self) -> usize {
        1
    }

    /// Poisons what is written in a set of the buffers that are timed (from
    /// 0), runs once on it, and reads the output.
    ///
    /// # Errors
    /// If the device fails, or an input of the set no longer holds what was
    /// drawn.
    ///
    /// # Panics
    /// If there is no such set.
    fn checked_output(&mut self, set: usize) -> Result<Data, DeviceError>;

    /// What the spans of a slot are.
    fn timing(&self) -> Timing;

    /// Smallest step of that timer, nanoseconds, as measured on this machine.
    fn timer_step_ns(&self) -> f64;

    /// The cache before a launch.
    fn cache(&self) -> CacheState;

    /// What is known about the code: `code_hash`, `registers`, `spill_bytes`,
    /// `shared_bytes`, `occupancy`.
    fn facts(&self) -> Vec<(String, String)>;

    /// What was seen of the device since it was opened: power, clocks, others.
    /// None where nothing can be seen.
    fn state_since(&self, start_ns: u64) -> Vec<State> {
        let _ = start_ns;
        Vec::new()
    }

    /// Begins to look at the device's energy counter beside the slots: for two
    /// updates, and then for those after the least length of a batch. False
    /// where there is no counter.
    fn watch_energy(&mut self) -> bool {
        false
    }

    /// The updates of the counter that were seen since then, oldest first.
    fn energy_updates(&mut self) -> Vec<EnergyUpdate> {
        Vec::new()
    }

    /// Ends that watch.
    fn end_watch(&mut self) {}
}
