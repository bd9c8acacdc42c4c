//! Evenhand's core: plan, schedule, run, record, estimate, gate, claim.

pub mod estimate;
