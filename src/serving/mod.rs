//! The request path: a client that stamps every read, the metrics derived
//! from its stamps, and a server with known answers that proves both.
//!
//! | module | for |
//! |---|---|
//! | [`clock`] | the one monotonic clock |
//! | [`client`] | sends requests, stores stamps and bytes |
//! | [`stream`] | parses answers after the clock stopped |
//! | [`metrics`] | values with their formula in the id |
//! | [`null_server`] | answers and delays known exactly |
//!
//! [`self_proof`] drives the client against the null server before a run.

mod attempt;
pub mod client;
pub mod clock;
pub mod metrics;
pub mod null_server;
mod proof;
pub mod stream;

pub use attempt::{Attempt, ReadMark, Tokens};
pub use proof::{ClientError, Proof, ProofError, highest_rate, self_proof};
