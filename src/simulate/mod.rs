//! The rules, simulated: how often a claim is false, how often an interval
//! covers, what size of effect is found.
//!
//! A replication draws a real plan and its real schedule, generates slot times
//! with a known truth, and hands both to the public [`claim::judge`]: what is
//! simulated is the classifier as shipped, with its gates and caps. The rules
//! of other tools ([`rivals`]) judge the same machine.
//!
//! Pure: everything follows from a seed; no clock, no files.
//!
//! | module | what it holds |
//! |---|---|
//! | [`noise`] | shapes of noise with mean 0 and standard deviation 1 |
//! | [`world`] | a machine with known faults: drift, states, interference |
//! | [`session`] | plan, schedule and observations of one replication |
//! | [`pipeline`] | from observations to verdicts: ours, and deliberately broken ones |
//! | [`rivals`] | the published rules of other tools |
//! | [`scenarios`] | the worlds that the tables are made of |
//! | [`tally`] | counts with their Monte-Carlo error |
//! | [`suite`] | false claims, coverage, power, parity |
//! | [`families`], [`sequential`] | many comparisons; many looks |
//! | [`bounds`] | what must hold |
//! | [`tables`] | the results in words |
//!
//! [`claim::judge`]: crate::harness::claim::judge

pub mod bounds;
pub mod families;
pub mod noise;
pub mod pipeline;
pub mod rivals;
pub mod runner;
pub mod scenarios;
pub mod sequential;
pub mod session;
pub mod suite;
pub mod tables;
pub mod tally;
pub mod world;
