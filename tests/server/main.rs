//! The server of the embedded runtime over real sockets.

mod client;
mod ends;
mod faults;
mod load;
mod protocol;
mod refusals;
mod tools;
