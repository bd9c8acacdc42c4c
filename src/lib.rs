//! Claim-safe A/B benchmarks for kernels and request paths.
//!
//! A bench target (`harness = false`) declares experiments: arms that do the
//! same work, one of them the control. `cargo bench` measures them in fresh
//! processes, interleaved in balanced blocks, and prints claims that hold.
//!
//! ```no_run
//! use evenhand::prelude::*;
//!
//! fn sums(suite: &mut Suite) {
//!     suite
//!         .experiment("sum/4096")
//!         .margin(percent(1.0))
//!         .elements(4096)
//!         .control("loop", |b| {
//!             let data = evenhand::inputs::uniform_f64(b.seed(), 4096);
//!             b.iter_returning(move || { let mut s = 0.0; for x in &data { s += x } s });
//!         })
//!         .candidate("chunked", |b| {
//!             let data = evenhand::inputs::uniform_f64(b.seed(), 4096);
//!             b.iter_returning(move || data.chunks(8).map(|c| c.iter().sum::<f64>()).sum::<f64>());
//!         })
//!         .verify(outputs_agree(relative(1e-12)));
//! }
//!
//! evenhand::main!(sums);
//! ```
//!
//! | module | for |
//! |---|---|
//! | [`prelude`] | what bench targets use |
//! | [`inputs`] | seeded inputs |
//! | [`executor`] | async arms |
//! | [`device`] | kernels on a GPU or the host processor |
//! | [`protocol`] | the arguments a bench target understands |
//! | [`report`] | words and pictures |
//! | [`interop`] | other tools' formats |
//! | `serving` | the request path: client, metrics, targets, load, arms, null server |
//! | `runtime` | an embedded model server to measure a request path with |
//! | [`harness`] | plan, run, record, estimate, gate, claim |

pub mod device;
pub mod executor;
pub mod inputs;
pub mod interop;
pub mod protocol;
pub mod report;

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "runtime")]
pub mod runtime;
#[cfg(feature = "serving")]
pub mod serving;
#[cfg(feature = "cli")]
pub mod simulate;

pub use evenhand_harness as harness;

/// What bench targets use.
pub mod prelude {
    pub use crate::executor::{AsyncBencher, Executor};
    pub use evenhand_harness::plan::{
        Direction, Estimand, Margin, Metric, SecondaryMetric, SecondaryRole, SlotFlags,
    };
    pub use evenhand_harness::suite::{
        ArmError, Bencher, Output, SlotValue, Subject, Suite, absolute, matches_reference,
        outputs_agree, outputs_equal, percent, relative, ulps,
    };
}

/// Makes the `main` function of a bench target from functions that declare
/// experiments: `evenhand::main!(softmax, rms_norm);`.
#[macro_export]
macro_rules! main {
    ($($declare:path),+ $(,)?) => {
        fn main() -> ::std::process::ExitCode {
            $crate::protocol::main(env!("CARGO_CRATE_NAME"), &[$($declare),+])
        }
    };
}

/// The documents' examples compile.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/src/quick-start.md")]
    struct QuickStart;
}
