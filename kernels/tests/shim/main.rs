//! The CUDA C++ text of this crate, run on the host processor.
//!
//! A host compiler builds the `.cu` files against a small header; the threads
//! of a block are fibers in an order drawn from a seed, and every memory access
//! is checked. See "What the shim catches" in the book. Without a C++ compiler
//! the tests say so and pass.

mod block;
mod compile;
mod decode_mutants;
mod device;
mod memory;
mod mutants;
mod proofs;
mod text;
