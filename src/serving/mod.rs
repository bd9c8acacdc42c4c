//! The request path: a client that stamps every read, the metrics derived
//! from its stamps, and a server with known answers that proves both.

pub mod client;
pub mod clock;
