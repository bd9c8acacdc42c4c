//! CUDA C++ text to machine code, through NVRTC.
//!
//! NVRTC is a library of NVIDIA's that compiles at run time; it needs neither
//! a GPU nor a driver, and no part of it is linked. [`Search`] says where it
//! is looked for, [`Nvrtc`] is the opened library, [`Compiler`] adds a cache
//! on disk.
//!
//! ```no_run
//! use evenhand_kernels::nvrtc::{Arch, Compiler, Search};
//!
//! let compiler = Compiler::find(&Search::from_environment())?;
//! let source = evenhand_kernels::tasks::sources()[0];
//! let compiled = compiler.compile(source, Arch(90))?;
//! println!("{} bytes, {}", compiled.image.bytes().len(), compiled.log);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cache;
mod code;
mod compiled;
mod compiler;
mod error;
mod library;
mod search;

pub use cache::Cache;
pub use compiled::{Compiled, Image};
pub use compiler::{Arch, Compiler};
pub use error::{CompileError, Message, NvrtcError};
pub use library::Nvrtc;
pub use search::{Found, Origin, Search};
