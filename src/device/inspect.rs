//! What is there for measuring on a GPU.

use evenhand_kernels::device::{Probe, probe};

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Name of the check: `gpu`, `nvrtc` or `nvml`.
    pub check: &'static str,
    /// What was seen.
    pub seen: String,
    /// What it does to a measurement and what to do about it, when something
    /// is missing that a card needs.
    pub effect: Option<&'static str>,
}

/// Looks for a GPU, its compiler and its telemetry. Opens no device.
///
/// Without a card nothing is missing: tasks then run on the host processor.
#[must_use]
pub fn inspect() -> Vec<Inspection> {
    let found = probe();
    #[cfg(feature = "cuda")]
    let has_card = matches!(found, Probe::Ready { .. });
    let broken = matches!(found, Probe::TooOld { .. } | Probe::Failed { .. });
    let gpu = Inspection {
        check: "gpu",
        seen: found.to_string(),
        effect: broken.then_some("tasks run on the host processor and say `cpu`"),
    };
    #[cfg(feature = "cuda")]
    return vec![gpu, nvrtc(has_card), nvml(has_card)];
    #[cfg(not(feature = "cuda"))]
    return vec![gpu];
}

#[cfg(feature = "cuda")]
fn nvrtc(has_card: bool) -> Inspection {
    use evenhand_kernels::nvrtc::{Nvrtc, Search};
    let (seen, missing) = match Nvrtc::open(&Search::from_environment()) {
        Ok(nvrtc) => {
            let (major, minor) = nvrtc.version();
            let found = nvrtc.found();
            let headers = match found.includes.first() {
                Some(folder) => format!("headers in {}", folder.display()),
                None => "no headers: kernels that include cuda_bf16.h do not compile".to_owned(),
            };
            let library = found.library.display();
            (
                format!("{major}.{minor}, {library} ({}), {headers}", found.origin),
                found.includes.is_empty(),
            )
        }
        Err(error) => (error.to_string(), true),
    };
    Inspection {
        check: "nvrtc",
        seen,
        effect: (has_card && missing).then_some("kernels for the GPU cannot be compiled"),
    }
}

#[cfg(feature = "cuda")]
fn nvml(has_card: bool) -> Inspection {
    let state = evenhand_kernels::device::nvml_state();
    let missing = state.is_err();
    Inspection {
        check: "nvml",
        seen: state.unwrap_or_else(|why| format!("absent: {why}")),
        effect: (has_card && missing).then_some(
            "throttling by power or heat, energy and other processes on the card go unseen",
        ),
    }
}
