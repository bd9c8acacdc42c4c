//! What can go wrong on a device.

use std::fmt;
use std::time::Duration;

/// Why a device cannot be used, or a task cannot go on there.
#[derive(Clone, Debug, PartialEq)]
pub enum DeviceError {
    /// No such device on this machine; the text says why and what to do.
    Unavailable(String),
    /// The task has no variant of this name.
    NoVariant {
        /// The name.
        variant: String,
        /// Those that there are.
        known: Vec<&'static str>,
    },
    /// The variant has no Rust counterpart.
    NoCpuForm {
        /// The name.
        variant: String,
    },
    /// A call of the driver failed.
    Driver {
        /// The function.
        function: &'static str,
        /// The driver's code.
        code: u32,
        /// What it means.
        meaning: &'static str,
    },
    /// A kernel did not compile; the text names file and line.
    Compile(String),
    /// The device did not answer in time. The process must end: what it waits
    /// for cannot be taken back.
    Hang {
        /// How long it was waited for.
        limit: Duration,
    },
    /// The device was lost to this process by what ran before.
    Lost {
        /// What took it away, in words.
        cause: String,
    },
    /// A call waited for the device while the stream was held back for it.
    HeldTooLong {
        /// After this time it was let go.
        limit: Duration,
    },
    /// The variant wrote to an input.
    InputChanged {
        /// Name of the buffer.
        buffer: &'static str,
    },
    /// An arm on the same buffers wrote to an input.
    SharedInputChanged {
        /// Name of the buffer.
        buffer: &'static str,
    },
    /// Faster than the card can be.
    AboveCeiling {
        /// Percent of the measured ceiling.
        percent: f64,
        /// Which one: `memory` or `arithmetic`.
        ceiling: &'static str,
    },
    /// The device cannot do what the task asks for.
    Unsupported(String),
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) | Self::Unsupported(why) | Self::Compile(why) => {
                f.write_str(why)
            }
            Self::NoVariant { variant, known } => {
                write!(
                    f,
                    "the task has no variant `{variant}`; it has {}",
                    known.join(", ")
                )
            }
            Self::NoCpuForm { variant } => write!(
                f,
                "variant `{variant}` has no form for the host processor; measure it with \
                 `--device cuda`"
            ),
            Self::Driver {
                function,
                code,
                meaning,
            } => write!(f, "{function} failed: {meaning} (CUDA error {code})"),
            Self::Hang { limit } => write!(
                f,
                "the device did not finish within {} s: a kernel hangs or waits for something; \
                 EVENHAND_DEVICE_TIMEOUT sets another limit in seconds",
                limit.as_secs_f64()
            ),
            Self::Lost { cause } => write!(
                f,
                "the device was lost to this process before ({cause}); select this experiment \
                 alone, or measure: every experiment then has processes of its own"
            ),
            Self::HeldTooLong { limit } => write!(
                f,
                "the stream was held back for more than {} s while a slot was queued: a call \
                 waits for the device (EVENHAND_DEVICE_TIMEOUT shortens this)",
                limit.as_secs_f64()
            ),
            Self::InputChanged { buffer } => write!(
                f,
                "it wrote to its input `{buffer}`: the next iteration does other work"
            ),
            Self::SharedInputChanged { buffer } => write!(
                f,
                "an arm wrote to the input `{buffer}` that all arms of the task read; measure the \
                 arms one by one to see which"
            ),
            Self::AboveCeiling { percent, ceiling } => write!(
                f,
                "it reached {percent:.0} % of the {ceiling} ceiling that this card was measured \
                 to have: work is skipped or cached, or the declared bytes or operations are wrong"
            ),
        }
    }
}

impl std::error::Error for DeviceError {}
