//! Evenhand's core: plan → schedule → run → record → estimate → gate → claim.
//!
//! | room | what it holds |
//! |---|---|
//! | [`run`] | processes, schedule execution, telemetry, files: the only room with I/O |
//! | [`suite`] | what a bench target declares: experiments, arms, verification |
//! | [`timer`] | the monotonic clock |
//! | [`record`] | the document that a session leaves behind |
//! | [`claim`], [`gate`] | pure functions from plan and observations to worded claims |
//! | [`plan`], [`schedule`], [`observation`] | pure data |
//! | [`estimate`] | pure functions of numbers |
//!
//! Arrows point downwards only; `tests/architecture.rs` of the workspace checks it.

pub mod claim;
pub mod estimate;
pub mod gate;
pub mod observation;
pub mod plan;
pub mod record;
pub mod run;
pub mod schedule;
pub mod suite;
pub mod timer;
