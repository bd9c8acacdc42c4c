//! Room for open files.

/// Makes room for `count` more open files than a process has at its start, as
/// far as its limit allows. Otherwise the table of open files grows at 64, 128,
/// 256, ... of them, and each time Linux lets the thread that opens one wait
/// for all processors (`expand_fdtable` in fs/file.c): for milliseconds no
/// answer is read.
#[cfg(unix)]
pub(super) fn make_room(count: u64) {
    use rustix::io::fcntl_dupfd_cloexec;
    use rustix::process::{Resource, getrlimit};
    /// What a process has open at its start.
    const USUAL: u64 = 64;
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let highest = count.saturating_add(USUAL).min(limit.saturating_sub(1));
    let (Ok(file), Ok(highest)) = (std::fs::File::open("/dev/null"), i32::try_from(highest)) else {
        return;
    };
    // The table keeps its size when the copy is closed. Without room it only grows later.
    drop(fcntl_dupfd_cloexec(&file, highest));
}

/// Elsewhere tables grow as they like.
#[cfg(not(unix))]
pub(super) fn make_room(_: u64) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn the_table_has_room_before_it_is_needed() {
        let size = || -> u64 {
            let status = std::fs::read_to_string("/proc/self/status").unwrap();
            let line = status.lines().find_map(|l| l.strip_prefix("FDSize:"));
            line.unwrap().trim().parse().unwrap()
        };
        super::make_room(700);
        assert!(size() > 700, "{}", size());
    }
}
