//! The state of the cache that an experiment gets: its own, or the run's.

use super::{FLUSH_VARIABLE, asked_flush};
use evenhand_kernels::device::CacheState;

/// The state for an experiment that fixes one, or leaves it open.
///
/// # Errors
/// If what was asked for is no such way, contradicts what the experiment fixes,
/// or cannot be had on the host processor.
pub(super) fn cache_for(fixed: Option<CacheState>, gpu: bool) -> Result<CacheState, String> {
    chosen_of(fixed, asked_flush().as_deref(), gpu)
}

fn chosen_of(
    fixed: Option<CacheState>,
    asked: Option<&str>,
    gpu: bool,
) -> Result<CacheState, String> {
    let Some(way) = asked else {
        return Ok(fixed.unwrap_or_default());
    };
    let asked: CacheState = way.parse().map_err(|e| format!("{FLUSH_VARIABLE}: {e}"))?;
    if let Some(fixed) = fixed.filter(|fixed| *fixed != asked) {
        return Err(format!(
            "it fixes its cache state to `{fixed}`, and --flush {way} asks for `{asked}`: leave \
             --flush out or give --flush {}, or leave this experiment out with --skip",
            fixed.flush_word()
        ));
    }
    if asked.is_cold() && !gpu {
        return Err(format!(
            "--flush {way}: the caches of the host processor are always hot; give --flush none, \
             or measure on a GPU with --device cuda"
        ));
    }
    Ok(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_decides_where_the_experiment_leaves_it_open() {
        let open = |asked| chosen_of(None, asked, true);
        assert_eq!(open(None), Ok(CacheState::ColdByReading));
        assert_eq!(open(Some("write")), Ok(CacheState::ColdByWriting));
        assert_eq!(open(Some("read")), Ok(CacheState::ColdByReading));
        assert_eq!(open(Some("rotate")), Ok(CacheState::ColdByRotation));
        assert_eq!(open(Some("none")), Ok(CacheState::Hot));
        let error = open(Some("wipe")).unwrap_err();
        assert!(error.contains("EVENHAND_FLUSH"), "{error}");
        assert!(error.contains("write, read, rotate or none"), "{error}");
    }

    #[test]
    fn an_experiment_keeps_the_state_that_it_fixes() {
        let fixed = |asked| chosen_of(Some(CacheState::ColdByRotation), asked, true);
        assert_eq!(fixed(None), Ok(CacheState::ColdByRotation));
        assert_eq!(fixed(Some("rotate")), Ok(CacheState::ColdByRotation));
        let error = fixed(Some("none")).unwrap_err();
        assert!(error.contains("`cold (rotated)`"), "{error}");
        assert!(error.contains("asks for `hot`"), "{error}");
        assert!(error.contains("give --flush rotate"), "{error}");
    }

    #[test]
    fn the_host_processor_has_no_cold_cache_to_ask_for() {
        let on_host = |fixed, asked| chosen_of(fixed, asked, false);
        assert!(on_host(None, None).is_ok());
        assert!(on_host(Some(CacheState::ColdByReading), None).is_ok());
        assert_eq!(on_host(None, Some("none")), Ok(CacheState::Hot));
        let error = on_host(None, Some("write")).unwrap_err();
        assert!(error.contains("always hot"), "{error}");
    }
}
