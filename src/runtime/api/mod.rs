//! The OpenAI-compatible protocol: JSON in, requests to the engine; events of
//! the engine in, JSON out. Nothing here knows of sockets.

mod calls;
mod error;
mod fields;
mod reply;
mod request;
mod tools;

pub use error::ApiError;
pub use reply::Reply;
pub use request::{Asked, Endpoint, read};
