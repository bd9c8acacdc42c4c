//! The request path: a client that stamps every read, the metrics derived
//! from its stamps, a server with known answers that proves both, and servers
//! as arms of experiments.
//!
//! | module | for |
//! |---|---|
//! | [`clock`] | the one monotonic clock |
//! | [`client`] | sends requests, stores stamps and bytes |
//! | [`stream`] | parses answers after the clock stopped |
//! | [`metrics`] | values with their formula in the id |
//! | [`null_server`] | answers and delays known exactly |
//! | [`target`] | servers: command lines, addresses, the embedded runtime |
//! | [`load`] | what is sent and when, and the proof that it was so |
//! | [`arm`] | servers as arms of an experiment |
//!
//! [`self_proof`] drives the client against the null server before a run.

pub mod arm;
mod attempt;
pub mod client;
pub mod clock;
mod descriptors;
pub mod load;
pub mod metrics;
pub mod null_server;
mod proof;
pub mod stream;
pub mod target;

pub use attempt::{Attempt, ReadMark, Tokens};
pub use proof::{ClientError, Proof, ProofError, highest_rate, self_proof, self_proof_repeated};
