//! NVIDIA GPUs through the driver.
//!
//! Only the driver's plain functions are used, none of the conveniences above
//! them: nothing records events, waits or allocates except what stands here.

mod ceilings;
mod context;
mod device;
mod driver;
mod graph;
mod held;
mod instruments;
mod launches;
mod limits;
mod memory;
mod module;
mod nvml;
mod placed;
mod prepared;
mod steps;

pub use device::CudaDevice;
pub use driver::GRAPHS as GRAPH_DRIVER_FUNCTIONS;
pub use driver::REQUIRED as REQUIRED_DRIVER_FUNCTIONS;
pub(super) use driver::probe;
pub use nvml::nvml_state;
