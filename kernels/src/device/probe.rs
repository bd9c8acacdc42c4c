//! Whether there is a GPU, and if not, why.

use std::fmt;

/// What a look at the machine finds. Every state but the last is a reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Built without the feature `cuda`.
    NotBuilt,
    /// No driver library.
    NoLibrary,
    /// The driver library lacks a function that is needed.
    TooOld {
        /// Its name.
        symbol: &'static str,
        /// The driver's CUDA version, when it tells: 12020 is 12.2.
        version: Option<u32>,
    },
    /// The driver does not start.
    Failed {
        /// The function.
        function: &'static str,
        /// The driver's code.
        code: u32,
        /// What it means.
        meaning: &'static str,
    },
    /// A driver without a card.
    NoDevice,
    /// Cards that can be used.
    Ready {
        /// The driver's CUDA version: 13000 is 13.0.
        version: u32,
        /// In the driver's order.
        cards: Vec<Card>,
    },
}

/// A card as the driver describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Name, such as `NVIDIA H200`.
    pub name: String,
    /// `GPU-` and the UUID, as `nvidia-smi -L` prints it.
    pub uuid: String,
    /// Compute capability.
    pub capability: (u32, u32),
}

/// A version as people write it: 13000 is 13.0.
fn shown(version: u32) -> String {
    format!("{}.{}", version / 1000, version % 1000 / 10)
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBuilt => f.write_str(
                "no GPU: built without the feature `cuda`; add it to the features of evenhand",
            ),
            Self::NoLibrary => f.write_str(
                "no GPU: the NVIDIA driver (libcuda.so.1) is not installed, or not on the \
                 loader's path",
            ),
            Self::TooOld { symbol, version } => {
                f.write_str("no GPU: the NVIDIA driver ")?;
                if let Some(version) = version {
                    write!(f, "(CUDA {}) ", shown(*version))?;
                }
                write!(f, "lacks {symbol}; it must be of CUDA 12.8 (570) or newer")
            }
            Self::Failed {
                function,
                code,
                meaning,
            } => write!(
                f,
                "no GPU: {function} failed: {meaning} (CUDA error {code})"
            ),
            Self::NoDevice => f.write_str(
                "no GPU: the NVIDIA driver is installed and finds no card; `nvidia-smi` tells more",
            ),
            Self::Ready { version, cards } => {
                write!(f, "CUDA {}: ", shown(*version))?;
                for (index, card) in cards.iter().enumerate() {
                    let (major, minor) = card.capability;
                    let comma = if index > 0 { ", " } else { "" };
                    write!(
                        f,
                        "{comma}cuda:{index} {} sm_{major}{minor} {}",
                        card.name, card.uuid
                    )?;
                }
                Ok(())
            }
        }
    }
}

/// Looks for a GPU. Never panics, whatever is missing.
#[must_use]
pub fn probe() -> Probe {
    #[cfg(feature = "cuda")]
    {
        super::cuda::probe()
    }
    #[cfg(not(feature = "cuda"))]
    {
        Probe::NotBuilt
    }
}
