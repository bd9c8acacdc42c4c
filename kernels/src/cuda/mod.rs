//! What a compiler says about the CUDA C++ text of this crate, and what it may
//! say. Nothing here needs a compiler or a GPU.

mod budget;
mod resources;

pub use budget::{BUDGETS, Budget};
pub use resources::{KernelResources, ResourcesError, parse_resources};
