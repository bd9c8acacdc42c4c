//! Which device is asked for.

use super::{CpuDevice, Device, DeviceError};
use std::fmt;
use std::rc::Rc;
use std::str::FromStr;

/// Environment variable that carries the choice to worker processes.
pub const DEVICE_VARIABLE: &str = "EVENHAND_DEVICE";

/// `auto`, `cpu`, `cuda`, `cuda:1` or `cuda:GPU-4fd7...`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// A GPU where there is one, else the host processor.
    #[default]
    Auto,
    /// The host processor.
    Cpu,
    /// An NVIDIA GPU.
    Cuda(Selector),
}

/// Which card.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selector {
    /// The driver's first.
    #[default]
    First,
    /// By the driver's index, from 0.
    Index(usize),
    /// By the beginning of its UUID, as `nvidia-smi -L` prints it.
    Uuid(String),
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no device: give auto, cpu, cuda, cuda:INDEX (cuda:0) or cuda:UUID \
                 (cuda:GPU-..., see `nvidia-smi -L`)"
            )
        };
        match text.split_once(':') {
            None => match text {
                "auto" => Ok(Self::Auto),
                "cpu" => Ok(Self::Cpu),
                "cuda" => Ok(Self::Cuda(Selector::First)),
                _ => Err(wrong()),
            },
            Some(("cuda", which)) => {
                let digits = which.strip_prefix("GPU-");
                if let Ok(index) = which.parse() {
                    Ok(Self::Cuda(Selector::Index(index)))
                } else if digits.is_some_and(|d| {
                    !d.is_empty() && d.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
                }) {
                    Ok(Self::Cuda(Selector::Uuid(which.to_ascii_lowercase())))
                } else {
                    Err(wrong())
                }
            }
            Some(_) => Err(wrong()),
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(Selector::First) => f.write_str("cuda"),
            Self::Cuda(Selector::Index(index)) => write!(f, "cuda:{index}"),
            Self::Cuda(Selector::Uuid(uuid)) => {
                write!(f, "cuda:GPU-{}", uuid.trim_start_matches("gpu-"))
            }
        }
    }
}

impl Choice {
    /// What [`DEVICE_VARIABLE`] asks for; [`Choice::Auto`] when it is not set.
    ///
    /// # Errors
    /// If it is set to something else.
    pub fn from_environment() -> Result<Self, DeviceError> {
        match std::env::var(DEVICE_VARIABLE) {
            Ok(text) if !text.is_empty() => text
                .parse()
                .map_err(|e| DeviceError::Unavailable(format!("{DEVICE_VARIABLE}: {e}"))),
            _ => Ok(Self::Auto),
        }
    }
}

/// Opens the device that is asked for.
///
/// # Errors
/// If there is no such device. [`Choice::Auto`] finds one on every machine; a
/// card that is there and fails is an error, never a silent change of device.
pub fn open(choice: &Choice) -> Result<Rc<dyn Device>, DeviceError> {
    match choice {
        Choice::Cpu => Ok(Rc::new(CpuDevice::new())),
        #[cfg(feature = "cuda")]
        Choice::Cuda(selector) => Ok(Rc::new(super::CudaDevice::open(selector)?)),
        #[cfg(not(feature = "cuda"))]
        Choice::Cuda(_) => Err(DeviceError::Unavailable(super::probe().to_string())),
        Choice::Auto => match super::probe() {
            #[cfg(feature = "cuda")]
            super::Probe::Ready { .. } => Ok(Rc::new(super::CudaDevice::open(&Selector::First)?)),
            _ => Ok(Rc::new(CpuDevice::new())),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_reads_back_as_it_is_written() {
        for text in [
            "auto",
            "cpu",
            "cuda",
            "cuda:0",
            "cuda:12",
            "cuda:GPU-4fd7-a",
        ] {
            assert_eq!(text.parse::<Choice>().unwrap().to_string(), text);
        }
        for wrong in [
            "",
            "gpu",
            "cuda:",
            "cuda:-1",
            "cuda:GPU-",
            "cuda:GPU-xyz",
            "cpu:0",
        ] {
            let error = wrong.parse::<Choice>().unwrap_err();
            assert!(error.contains("cuda:INDEX"), "{error}");
        }
    }

    #[test]
    fn the_host_processor_is_always_there() {
        assert_eq!(open(&Choice::Cpu).unwrap().identity().label, "cpu");
    }
}
