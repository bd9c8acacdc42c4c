//! The request path: a client that stamps every read, the metrics derived
//! from its stamps, and a server with known answers that proves both.
//!
//! | module | for |
//! |---|---|
//! | [`clock`] | the one monotonic clock |
//! | [`client`] | sends requests, stores stamps and bytes |
//! | [`stream`] | parses answers after the clock stopped |
//! | [`metrics`] | values with their formula in the id |

mod attempt;
pub mod client;
pub mod clock;
pub mod metrics;
pub mod stream;

pub use attempt::{Attempt, ReadMark, Tokens};
