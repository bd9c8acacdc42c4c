//! Devices on a machine without a GPU: the host processor, the simulator, and
//! a driver that is absent, broken or made up.

mod arms;
#[cfg(feature = "cuda")]
mod driver;
#[cfg(feature = "cuda")]
mod faults;
#[cfg(feature = "cuda")]
mod made_up;
