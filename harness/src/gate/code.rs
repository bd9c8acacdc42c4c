//! The table of reason codes: part of the public format.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a reason does to a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing; it is good to know.
    Note,
    /// It says why the class is not higher.
    Explains,
    /// At most `moderate`.
    CapModerate,
    /// At most `directional`.
    CapDirectional,
    /// No interval: `insufficient`.
    Insufficient,
    /// Nothing may be said: `invalid`.
    Invalid,
}

impl Severity {
    /// The severity as it stands in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Explains => "explains",
            Self::CapModerate => "cap_moderate",
            Self::CapDirectional => "cap_directional",
            Self::Insufficient => "insufficient",
            Self::Invalid => "invalid",
        }
    }
}

/// A reason code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Code {
    /// An arm's output differs from the control's or the reference's.
    WrongOutput,
    /// An arm panicked, was killed, or can't be measured as written.
    ArmFailed,
    /// A value is missing on one side; missing is not zero.
    NotMeasured,
    /// A value is not a finite number, or not positive where a ratio needs it.
    NonFinite,
    /// A value was simulated, not measured.
    SimulatedSource,
    /// The two sides define the metric differently.
    DefinitionMismatch,
    /// The arms did not do the same amount of work.
    WorkUnitMismatch,
    /// The contract of equal conditions is broken.
    ParityViolation,
    /// What ran is not what the plan says.
    PlanChanged,
    /// The arms or the workers ran in different environments.
    EnvironmentDiffers,
    /// The control differs from itself (p <= .001 over the session): harness or bench is broken.
    AaFailed,
    /// More than 10 % of the planned workers were lost and replaced.
    WorkersReplaced,
    /// More than 5 % of the work failed, or unequally between the arms.
    ErrorsPresent,
    /// An arm fell back to another implementation.
    FallbackUsed,
    /// The arms produced different numbers of tokens.
    TokenMismatch,
    /// Caches were warm for one arm and cold for the other.
    CacheStateUnequal,
    /// The load generator was the bottleneck.
    ClientSaturated,
    /// Requests were sent later than planned.
    ScheduleLate,
    /// An arm changed its input.
    InputChanged,
    /// An arm worked outside of what was timed.
    HiddenWork,
    /// The control is zero, so a relative change is undefined.
    ZeroBaseline,
    /// Nobody declared which way is better, so nothing can win.
    DirectionUndeclared,
    /// Percents of unlike metrics were to be averaged.
    PercentAverage,
    /// The tuned parameters were judged on the data they were tuned on.
    TrainOnTest,
    /// An arm that the toggled feature does not touch moved with it.
    ContaminatedArm,
    /// Fewer than 6 independent units: no interval holds.
    TooFewWorkers,
    /// Fewer than 6 effective units after correction for serial correlation.
    TooFewEffective,
    /// All units are equal: there is no spread to judge by.
    DegenerateInterval,
    /// More than half of the units are ties.
    MostlyTies,
    /// Too few effective samples for this quantile.
    QuantileFloor,
    /// Only a published summary is at hand, not the units.
    NotStated,
    /// The order of the arms was fixed, so drift and slot effects can look like a difference.
    OrderNotRandomised,
    /// The order of the arms was not recorded.
    OrderUnknown,
    /// The units are not restarted processes, so one process state may explain everything.
    UnitsNotWorkers,
    /// Nobody said what a pair is.
    UnitUnknown,
    /// It is not known when measuring was to end; stopping at a good moment makes false claims.
    StopRuleUndeclared,
    /// The session was stopped before its planned end.
    Incomplete,
    /// A stored baseline was measured at another time.
    UnpairedBaseline,
    /// Slots are too short for the clock.
    BelowResolution,
    /// A metric that must move like the primary one does not.
    Uncorroborated,
    /// The control was never measured against itself.
    NoAaControl,
    /// Neighbouring units resemble each other; the interval was widened.
    Autocorrelated,
    /// The effect changes over the session.
    Drift,
    /// The mean and the majority of units point to different sides: a tail carries the mean.
    SignDisagrees,
    /// More than a fifth of the units are ties.
    Ties,
    /// Nobody declared which change matters; 1 % stands in.
    MarginUndeclared,
    /// It was still warming up or drifting while it was measured.
    NotSteady,
    /// The control group's quota or the hardware stopped or slowed workers.
    Throttled,
    /// Debug assertions were on.
    DebugBuild,
    /// The memory of an arm grew while it was measured.
    MemoryGrew,
    /// The evidence does not survive the number of comparisons in the session.
    Multiplicity,
    /// P is small, but the CI99 contains zero.
    Ci99IncludesZero,
    /// The effect is there, but it may be smaller than the margin.
    WithinMargin,
    /// The A/A interval reaches beyond the margin.
    BelowNoiseFloor,
    /// P is between .01 and .05.
    PAboveOnePercent,
    /// Fewer than 8 units can't reach p <= .01.
    TooFewForStrong,
    /// The interval is too wide to tell.
    Noise,
    /// Resamples without spread leave the interval open.
    UnboundedInterval,
    /// Most units are nearly equal, and the few others decide the interval.
    NearlyTied,
    /// Other processes used the cores; the arms of a pair shared it.
    ForeignLoad,
    /// The clock frequency differed between workers.
    ClockChanged,
    /// Which arm came first made a difference; the coin keeps the claim valid.
    OrderEffect,
    /// This plan was run before: the first run counts.
    Attempts,
    /// P allows for stopping at any time, the interval does not.
    SequentialInterval,
    /// A slow mode rarer than 3/n of the units can't be excluded.
    UnseenMode,
    /// The smallest p that this design can reach.
    SmallestP,
    /// One iteration outlasts the slot budget.
    SlotsVary,
    /// Both arms ran the same machine code.
    SameCode,
}

use Code::*;
use Severity::*;

/// Code, name, severity, meaning, what to do.
#[rustfmt::skip]
const TABLE: &[(Code, &str, Severity, &str, &str)] = &[
    (WrongOutput, "wrong_output", Invalid, "an arm's output differs from the control's or the reference's", "find the bug, or state a tolerance that the arithmetic justifies"),
    (ArmFailed, "arm_failed", Invalid, "an arm panicked, was killed, or can't be measured as written", "read the message; run the target with `--test ID --exact` to see it in one process"),
    (NotMeasured, "not_measured", Invalid, "a value is missing on one side; missing is not zero", "measure both sides"),
    (NonFinite, "non_finite", Invalid, "a value is not a finite number, or not positive where a ratio needs it", "correct the input, or use the paired difference"),
    (SimulatedSource, "simulated_source", Invalid, "a value was simulated, not measured", "measure it"),
    (DefinitionMismatch, "definition_mismatch", Invalid, "the two sides define the metric differently", "use one definition for both"),
    (WorkUnitMismatch, "work_unit_mismatch", Invalid, "the arms did not do the same amount of work", "give both arms the same iterations and inputs"),
    (ParityViolation, "parity_violation", Invalid, "the contract of equal conditions is broken", "make budget, precision and prompts equal"),
    (PlanChanged, "plan_changed", Invalid, "what ran is not what the plan says", "run the plan again, unchanged"),
    (EnvironmentDiffers, "environment_differs", Invalid, "the arms or the workers ran in different environments", "measure both arms on one machine with one build"),
    (AaFailed, "aa_failed", Invalid, "the control differs from itself (p <= .001 over the session): harness or bench is broken", "look for arms that share state, and for work outside the routine"),
    (WorkersReplaced, "workers_replaced", Invalid, "more than 10 % of the planned workers were lost and replaced", "find out why workers die; their last words stand in the progress output"),
    (ErrorsPresent, "errors_present", Invalid, "more than 5 % of the work failed, or unequally between the arms", "remove the failures first"),
    (FallbackUsed, "fallback_used", Invalid, "an arm fell back to another implementation", "make the fallback an error while measuring"),
    (TokenMismatch, "token_mismatch", Invalid, "the arms produced different numbers of tokens", "compare per token, or fix the token budget"),
    (CacheStateUnequal, "cache_state_unequal", Invalid, "caches were warm for one arm and cold for the other", "declare and equalise the cache state"),
    (ClientSaturated, "client_saturated", Invalid, "the load generator was the bottleneck", "lower the rate, or give the client more cores"),
    (ScheduleLate, "schedule_late", Invalid, "requests were sent later than planned", "lower the rate, or give the client more cores"),
    (InputChanged, "input_changed", Invalid, "an arm changed its input, so later slots did other work", "write to the output only, or restore the input outside of the timed part"),
    (HiddenWork, "hidden_work", Invalid, "an arm worked outside of what was timed", "put all work on the timed stream, inside the routine"),
    (ZeroBaseline, "zero_baseline", Invalid, "the control is zero, so a relative change is undefined", "use the paired difference with an absolute margin"),
    (DirectionUndeclared, "direction_undeclared", Invalid, "nobody declared which way is better, so nothing can win", "declare the metric's direction"),
    (PercentAverage, "percent_average", Invalid, "percents of unlike metrics were to be averaged", "aggregate log ratios of one metric"),
    (TrainOnTest, "train_on_test", Invalid, "the tuned parameters were judged on the data they were tuned on", "measure on inputs that were held out"),
    (ContaminatedArm, "contaminated_arm", Invalid, "an arm that the toggled feature does not touch moved with it", "find what else changed between the cells; no effect of the feature can be told from it"),
    (TooFewWorkers, "too_few_workers", Insufficient, "fewer than 6 independent units: no interval holds", "measure at least 6 workers, 12 for every class"),
    (TooFewEffective, "too_few_effective", Insufficient, "fewer than 6 effective units after correction for serial correlation", "more workers, or find what couples neighbouring workers"),
    (DegenerateInterval, "degenerate_interval", Insufficient, "all units are equal: there is no spread to judge by", "use a finer clock or more work per slot"),
    (MostlyTies, "mostly_ties", Insufficient, "more than half of the units are ties", "use a finer clock or more work per slot"),
    (QuantileFloor, "quantile_floor", Insufficient, "too few effective samples for this quantile", "more samples: p95 needs 72, p99 needs 368 independent ones per arm"),
    (NotStated, "not_stated", Insufficient, "only a published summary is at hand, not the units", "analyse the units themselves"),
    (OrderNotRandomised, "order_not_randomised", CapDirectional, "the order of the arms was fixed, so drift and slot effects can look like a difference", "draw the order of every pair by a recorded coin"),
    (OrderUnknown, "order_unknown", CapDirectional, "the order of the arms was not recorded", "record which arm ran first in every pair"),
    (UnitsNotWorkers, "units_not_workers", CapDirectional, "the units are not restarted processes, so one process state may explain everything", "restart both arms for every unit"),
    (UnitUnknown, "unit_unknown", CapDirectional, "nobody said what a pair is", "say what a pair is: `--unit worker` if both arms were restarted for it"),
    (StopRuleUndeclared, "stop_rule_undeclared", CapDirectional, "it is not known when measuring was to end; stopping at a good moment makes false claims", "declare the number of units before measuring"),
    (Incomplete, "incomplete", CapDirectional, "the session was stopped before its planned end", "`cargo evenhand resume` finishes it under the same plan"),
    (UnpairedBaseline, "unpaired_baseline", CapDirectional, "a stored baseline was measured at another time", "interleave both revisions: `cargo evenhand ab`"),
    (BelowResolution, "below_resolution", CapDirectional, "slots are too short for the clock", "more work per iteration, or `iter_batched` less"),
    (Uncorroborated, "uncorroborated", CapDirectional, "a metric that must move like the primary one does not", "look at both: time without cycles is the clock, not the code"),
    (NoAaControl, "no_aa_control", CapModerate, "the control was never measured against itself", "keep the A/A blocks"),
    (Autocorrelated, "autocorrelated", CapModerate, "neighbouring units resemble each other; the interval was widened", "more workers, longer pauses"),
    (Drift, "drift", CapModerate, "the effect changes over the session", "look for warming, throttling or growing state"),
    (SignDisagrees, "sign_disagrees", CapModerate, "the mean and the majority of units point to different sides: a tail carries the mean", "look at the units; report the tail by itself"),
    (Ties, "ties", CapModerate, "more than a fifth of the units are ties", "use a finer clock or more work per slot"),
    (MarginUndeclared, "margin_undeclared", CapModerate, "nobody declared which change matters; 1 % stands in", "declare `.margin(percent(..))` before measuring"),
    (NotSteady, "not_steady", CapModerate, "it was still warming up or drifting while it was measured", "more work in setup, or a longer warm-up"),
    (Throttled, "throttled", CapModerate, "the control group's quota or the hardware stopped or slowed workers", "raise the quota, cool the machine"),
    (DebugBuild, "debug_build", CapModerate, "debug assertions were on", "use the bench or release profile"),
    (MemoryGrew, "memory_grew", CapModerate, "the memory of an arm grew while it was measured", "release what an iteration allocates"),
    (Multiplicity, "multiplicity", Explains, "the evidence does not survive the number of comparisons in the session", "measure more workers, or fewer comparisons"),
    (Ci99IncludesZero, "ci99_includes_zero", Explains, "p is small, but the CI99 contains zero", "more workers"),
    (WithinMargin, "within_margin", Explains, "the effect is there, but it may be smaller than the margin", "more workers, or a smaller margin if it truly matters"),
    (BelowNoiseFloor, "below_noise_floor", Explains, "the A/A interval reaches beyond the margin: only an effect beyond that noise floor can be strong", "a quieter machine, more workers, or a larger margin"),
    (PAboveOnePercent, "p_above_one_percent", Explains, "p is between .01 and .05", "more workers"),
    (TooFewForStrong, "too_few_for_strong", Explains, "fewer than 8 units can't reach p <= .01", "measure at least 8 workers"),
    (Noise, "noise", Explains, "the interval is too wide to tell", "more workers, or a quieter machine"),
    (UnboundedInterval, "unbounded_interval", Explains, "resamples without spread leave the interval open", "more workers"),
    (NearlyTied, "nearly_tied", Explains, "most units are nearly equal, and the few others decide the interval", "look at the units that differ: one slow mode, a coarse clock, or a first run?"),
    (ForeignLoad, "foreign_load", Note, "other processes used the cores; the arms of a pair shared it", "stop other work for narrower intervals"),
    (ClockChanged, "clock_changed", Note, "the clock frequency differed between workers", "fix the governor"),
    (OrderEffect, "order_effect", Note, "which arm came first made a difference; the coin keeps the claim valid", "nothing, or look for state shared by the arms"),
    (Attempts, "attempts", Note, "this plan was run before: the first run counts", "report every attempt"),
    (SequentialInterval, "sequential_interval", Note, "p allows for stopping at any time, the interval does not", "read the size of the effect with care, or declare looks"),
    (UnseenMode, "unseen_mode", Note, "a slow mode rarer than 3/n of the units can't be excluded", "more workers"),
    (SmallestP, "smallest_p", Note, "the smallest p that this design can reach", "more workers"),
    (SlotsVary, "slots_vary", Note, "one iteration outlasts the slot budget", "nothing, or smaller inputs"),
    (SameCode, "same_code", Note, "both arms ran the same machine code", "nothing: a difference can't come from the code"),
];

impl Code {
    /// All codes, the gravest first.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.0)
    }

    fn row(self) -> &'static (Self, &'static str, Severity, &'static str, &'static str) {
        TABLE
            .iter()
            .find(|row| row.0 == self)
            .expect("a test checks that every code has a row")
    }

    /// The code as it stands in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// What it does to a claim.
    #[must_use]
    pub fn severity(self) -> Severity {
        self.row().2
    }

    /// What it means, as a clause.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        self.row().3
    }

    /// What to do about it.
    #[must_use]
    pub fn advice(self) -> &'static str {
        self.row().4
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_codes_as_files_do() {
        for code in Code::all() {
            assert_eq!(serde_json::to_value(code).unwrap(), code.name());
            assert_eq!(code.row().0, code);
        }
    }

    #[test]
    fn every_code_has_a_row() {
        // The error message of an unknown variant lists all of them.
        let error = serde_json::from_str::<Code>("\"no such code\"")
            .unwrap_err()
            .to_string();
        let listed = error.matches('`').count() / 2 - 1;
        assert_eq!(listed, TABLE.len());
    }
}
