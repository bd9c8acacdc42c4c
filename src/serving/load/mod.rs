//! What is sent and when: pure functions of a seed, and the proof afterwards
//! that it was sent like that.
//!
//! | question | here |
//! |---|---|
//! | When does request i leave? | [`Arrivals`], [`read_trace`] |
//! | Who sends it then? | [`open_loop`] |
//! | Was it so? | [`ArrivalProof`], [`Lag`] |
//! | What does it say? | [`PromptMix`] |

mod arrivals;
mod dispatch;
mod lag;
mod open_loop;
mod prompts;
mod proof;
mod trace;

pub use arrivals::{Arrivals, ArrivalsError};
pub use dispatch::{Pace, pace};
pub use lag::Lag;
pub use open_loop::open_loop;
pub use prompts::{PromptMix, PromptMixError, Share};
pub use proof::{ArrivalFault, ArrivalProof};
pub use trace::{TraceError, TraceRequest, TraceUnit, parse_trace, read_trace};
