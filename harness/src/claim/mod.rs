//! Claims: class, reasons, and a sentence that the class generates.
//!
//! The first matching rule gives the class:
//!
//! | class | rule |
//! |---|---|
//! | `invalid` | a gate refused |
//! | `insufficient` | fewer than 6 units or effective units, no spread, or more than half ties |
//! | `strong` | n >= 8, p <= .01, adjusted p <= .05, CI99 without 0, CI95 beyond margin and noise floor, no cap |
//! | `parity_established` | CI95 inside the margin with n >= 24, or CI99 with n >= 12; no serial correlation |
//! | `moderate` | p <= .05, adjusted p <= .05, CI95 without 0, not capped to directional |
//! | `directional` | p <= .05 and CI95 without 0, but capped or lost to multiplicity: a hint |
//! | `noise_dominated` | everything else |

mod class;
mod declarations;
mod evidence;
mod factorial;
mod family;
mod frontier;
mod groups;
mod imported;
mod judge;
mod number;
mod overall;
mod pairs;
mod quantiles;
mod rates;
mod secondary;
mod slots;
mod stopping;
mod summary;
mod sweep;
mod tails;
mod units;
mod words;

pub use crate::estimate::Cell as CellCount;
pub use class::{Class, Outcome, Shade, Verdict, classify};
pub use evidence::{Bounds, Estimate, Evidence, Outcomes};
pub use factorial::{
    CellRate, CountedDesign, FactorialEffect, FactorialVerdict, judge_counts, untouched_counts,
    untouched_units,
};
pub use frontier::{Relation, Relations, Standing};
pub use groups::{Link, RunGroup, VarianceShares, describe_runs, link_runs};
pub use imported::{Assessment, ControlPairs, Family, Imported, assess};
pub use judge::{ArmSummary, Claim, ExperimentJudgement, Judgement, SessionControl, judge};
pub use number::{p_value, round12, signed_percent};
pub use overall::OverallClaim;
pub use pairs::{Inner, Missing, Pairs};
pub use secondary::SecondaryJudgement;
pub use stopping::{Levels, has_enough_workers};
pub use summary::{PublishedInterval, Summarised, SummaryVerdict, judge_summary};
pub use sweep::{CellPair, CellStanding, SweepJudgement};
pub use tails::{TailArm, TailPair, TailVerdict, judge_tails, quantile_name, run_quantile};
pub use units::{Unit, comparison_units, control_pair_units, effects};
