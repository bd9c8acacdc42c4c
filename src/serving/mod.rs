//! The request path: what a user of an inference server waits for.
//!
//! | module | for |
//! |---|---|
//! | [`load`] | what is sent and when, and the proof that it was so |

pub mod load;
