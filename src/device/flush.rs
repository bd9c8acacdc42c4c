//! How caches are made cold in this process.

use std::sync::OnceLock;

/// Environment variable that carries the choice to bench targets and their
/// workers: `write`, `read`, `rotate` or `none`.
pub const FLUSH_VARIABLE: &str = "EVENHAND_FLUSH";

static ASKED: OnceLock<String> = OnceLock::new();

/// Chooses for this process, before any experiment is declared.
///
/// # Errors
/// If the text is no such way, or this build has no tasks to apply it to.
pub(crate) fn ask_for_flush(text: &str) -> Result<(), String> {
    check_flush(text)?;
    #[cfg(not(any(feature = "cuda", feature = "runtime")))]
    if text != "none" {
        return Err(format!(
            "--flush {text} needs the feature `cuda` of evenhand; leave it out, or give none"
        ));
    }
    // A second choice would be a mistake of ours; the first one stands.
    let _ = ASKED.set(text.to_owned());
    Ok(())
}

/// Refuses what is no way to make caches cold.
///
/// # Errors
/// Says what there is.
pub(crate) fn check_flush(text: &str) -> Result<(), String> {
    match text {
        "write" | "read" | "rotate" | "none" => Ok(()),
        _ => Err(format!("--flush {text}: give write, read, rotate or none")),
    }
}

/// What was asked for: `--flush`, else [`FLUSH_VARIABLE`]; `None` leaves it to
/// the experiments.
#[must_use]
pub fn asked_flush() -> Option<String> {
    let variable = || {
        std::env::var(FLUSH_VARIABLE)
            .ok()
            .filter(|text| !text.is_empty())
    };
    ASKED.get().cloned().or_else(variable)
}
