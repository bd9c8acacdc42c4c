//! Which device this process was asked to measure.

use std::sync::OnceLock;

/// Environment variable that carries the choice to bench targets and their
/// workers: `auto`, `cpu`, `cuda`, `cuda:INDEX` or `cuda:UUID`.
pub const VARIABLE: &str = "EVENHAND_DEVICE";

static ASKED: OnceLock<String> = OnceLock::new();

/// Chooses for this process, before any experiment is declared.
///
/// # Errors
/// If the text is no device.
pub(crate) fn ask_for(text: &str) -> Result<(), String> {
    check(text).map_err(|problem| format!("--device: {problem}"))?;
    // A second choice would be a mistake of ours; the first one stands.
    let _ = ASKED.set(text.to_owned());
    Ok(())
}

/// What was asked for: `--device`, else [`VARIABLE`], else `auto`.
#[must_use]
pub fn asked() -> String {
    ASKED
        .get()
        .cloned()
        .or_else(|| std::env::var(VARIABLE).ok().filter(|text| !text.is_empty()))
        .unwrap_or_else(|| "auto".to_owned())
}

#[cfg(any(feature = "cuda", feature = "runtime"))]
fn check(text: &str) -> Result<(), String> {
    text.parse::<evenhand_kernels::device::Choice>().map(drop)
}

#[cfg(not(any(feature = "cuda", feature = "runtime")))]
fn check(text: &str) -> Result<(), String> {
    match text {
        "auto" | "cpu" => Ok(()),
        _ => Err(format!(
            "`{text}` needs the feature `cuda` of evenhand; give auto or cpu"
        )),
    }
}
