//! What a bench target declares: experiments, their arms, and how outputs are
//! verified.
//!
//! ```
//! use evenhand_harness::suite::{Suite, percent, outputs_equal};
//!
//! let mut suite = Suite::default();
//! suite
//!     .experiment("sum/1000")
//!     .margin(percent(1.0))
//!     .control("loop", |b| {
//!         let data: Vec<u64> = (0..1000).collect();
//!         b.iter_returning(move || { let mut s = 0; for x in &data { s += x } s });
//!     })
//!     .candidate("iterator", |b| {
//!         let data: Vec<u64> = (0..1000).collect();
//!         b.iter_returning(move || data.iter().sum::<u64>());
//!     })
//!     .verify(outputs_equal());
//! assert_eq!(suite.experiments().len(), 1);
//! ```

mod bencher;
mod experiment;
mod output;
mod subject;
mod verify;

pub use bencher::{Bencher, BuildError, StateBencher, build_arm};
pub(crate) use experiment::Sizes;
pub use experiment::{ArmFactory, ArmRole, Experiment, Suite, percent};
pub use output::Output;
pub use subject::{ArmError, CODE_HASH, Place, SlotValue, Subject, Warmth};
pub use verify::{
    Mismatch, Tolerance, Verify, absolute, matches_reference, outputs_agree, outputs_equal,
    relative, ulps, within,
};
