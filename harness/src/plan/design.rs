//! How an experiment is laid out.

use serde::{Deserialize, Serialize};

/// What one of the n units of a comparison is. Anything but a worker caps the
/// claim at `directional`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReplicationUnit {
    /// A fresh process that ran all arms under one recorded coin.
    Worker,
    /// A pair inside one process.
    PairInProcess,
    /// A request to one running server.
    Request,
    /// A pair measured by something else.
    Imported,
}

/// The order of slots inside a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Design {
    /// One arm: A/A blocks only.
    Single,
    /// Two arms: each block is ABBA or BAAB by a recorded coin.
    Abba,
    /// More arms: blocks are rows of a Williams design, in seeded order
    /// (Williams, Aust. J. Sci. Res. A 2, 1949: every arm follows every other
    /// equally often).
    Williams,
    /// Not ours: the order is known and was randomised.
    ImportedRandomised,
    /// Not ours: the order is known and was not randomised.
    ImportedFixed,
    /// Not ours: the order was not recorded.
    ImportedUnknown,
}

impl Design {
    /// The design for a number of arms measured by this harness.
    #[must_use]
    pub fn for_arms(arms: usize) -> Self {
        match arms {
            0 | 1 => Self::Single,
            2 => Self::Abba,
            _ => Self::Williams,
        }
    }

    /// Whether a recorded coin decided the order.
    #[must_use]
    pub fn is_randomised(self) -> bool {
        !matches!(self, Self::ImportedFixed | Self::ImportedUnknown)
    }
}

/// When measuring ends. Never "until significant".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StopRule {
    /// After the planned number of workers.
    Fixed,
    /// When the sizes of the effects, without their signs, are known to this
    /// half width (on the effect's scale; 0.005 is half a percent), or after
    /// the planned number of workers. Leaves the exact test as it is.
    Precision {
        /// Wished half width.
        half_width: f64,
    },
    /// At declared numbers of workers, if p is below the part of alpha that
    /// O'Brien-Fleming spending gives the look. The last is the number of workers.
    Looks {
        /// Numbers of workers.
        at: Vec<u32>,
    },
    /// When the sign-flip e-process reaches 100, or after the planned number
    /// of workers.
    EProcess,
    /// Not declared (imported data): caps the claim at `directional`.
    Undeclared,
}

impl std::str::FromStr for StopRule {
    type Err = String;

    /// `fixed`, `precision:0.5%`, `looks:12,24,36`, `e-process`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no stop rule: give fixed, precision:0.5%, looks:12,24,36 or e-process"
            )
        };
        match text.split_once(':') {
            None if text == "fixed" => Ok(Self::Fixed),
            None if text == "e-process" => Ok(Self::EProcess),
            Some(("precision", width)) => {
                let percent: f64 = width
                    .strip_suffix('%')
                    .ok_or_else(wrong)?
                    .trim()
                    .parse()
                    .map_err(|_| wrong())?;
                if percent.is_finite() && percent > 0.0 && percent < 100.0 {
                    Ok(Self::Precision {
                        half_width: percent / 100.0,
                    })
                } else {
                    Err(wrong())
                }
            }
            Some(("looks", at)) => {
                let at: Vec<u32> = at
                    .split(',')
                    .map(|n| n.trim().parse().map_err(|_| wrong()))
                    .collect::<Result<_, _>>()?;
                if at[0] >= 6 && at.windows(2).all(|w| w[0] < w[1]) {
                    Ok(Self::Looks { at })
                } else {
                    Err(format!(
                        "{}; looks increase and start at 6 or later",
                        wrong()
                    ))
                }
            }
            _ => Err(wrong()),
        }
    }
}

/// How much of the default sample an invocation asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// 12 workers, 50 blocks.
    Default,
    /// Fewer blocks, and the fewest workers that can claim anything: 6, more in
    /// larger families.
    Quick,
}

/// Work done by one iteration.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Throughput {
    /// What is counted.
    pub kind: ThroughputKind,
    /// How many per iteration.
    pub per_iteration: f64,
}

/// What a throughput counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ThroughputKind {
    /// Bytes read and written.
    Bytes,
    /// Elements processed.
    Elements,
    /// Floating-point operations.
    Flops,
}
