//! What can change a number: facts about machine and build, and what each
//! does to a claim.

use super::error::RunError;
use crate::observation::{Environment, Finding, executable_fact, profile_fact};
use crate::plan::sha256_hex;
use crate::timer::measure_timer;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Reads everything that is recorded with a session.
#[must_use]
pub fn capture_environment() -> Environment {
    let timer = measure_timer();
    Environment {
        facts: facts(),
        findings: inspect_machine(),
        timer_resolution_ns: timer.resolution_ns,
        timer_cost_ns: timer.cost_ns,
    }
}

fn read(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn cpuinfo(key: &str) -> Option<String> {
    let info = fs::read_to_string("/proc/cpuinfo").ok()?;
    info.lines()
        .find_map(|l| l.split_once(':').filter(|(k, _)| k.trim() == key))
        .map(|(_, v)| v.trim().to_owned())
}

/// The value in brackets of a kernel setting such as `always [madvise] never`.
fn selected(text: &str) -> Option<String> {
    Some(text.split_once('[')?.1.split_once(']')?.0.to_owned())
}

fn cores() -> Option<usize> {
    std::thread::available_parallelism().ok().map(usize::from)
}

fn facts() -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            facts.insert(name.to_owned(), value);
        }
    };
    add(
        "harness.version",
        Some(env!("CARGO_PKG_VERSION").to_owned()),
    );
    add("host.name", read("/proc/sys/kernel/hostname"));
    add("host.arch", Some(std::env::consts::ARCH.to_owned()));
    add("host.cpu.model", cpuinfo("model name"));
    add("host.cpu.count", cores().map(|n| n.to_string()));
    add("host.memory", meminfo("MemTotal:"));
    add("host.cpu.governor", governor());
    add("host.virtualised", virtualisation());
    add("host.clock_source", clock_source());
    add("os.name", Some(std::env::consts::OS.to_owned()));
    add("os.kernel", read("/proc/sys/kernel/osrelease"));
    add("os.aslr", read("/proc/sys/kernel/randomize_va_space"));
    add(
        "os.huge_pages",
        read("/sys/kernel/mm/transparent_hugepage/enabled").and_then(|t| selected(&t)),
    );
    add("load.1min", load());
    let sources = Sources::of(Path::new("."));
    add("vcs.revision", sources.revision);
    add("vcs.dirty", sources.dirty);
    facts
}

/// What the executables were built from.
pub struct Sources {
    /// The commit.
    pub revision: Option<String>,
    /// `true` if files differ from it.
    pub dirty: Option<String>,
}

impl Sources {
    /// Says the commit where there is no checkout, or another one.
    pub const REVISION: &str = "EVENHAND_VCS_REVISION";
    /// Says `true` or `false` beside it.
    pub const DIRTY: &str = "EVENHAND_VCS_DIRTY";

    /// What the two variables say (nothing is known when they are empty), else
    /// git of this folder.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        if let Ok(revision) = std::env::var(Self::REVISION) {
            let known = |value: String| Some(value).filter(|value| !value.is_empty());
            return Self {
                revision: known(revision),
                dirty: std::env::var(Self::DIRTY).ok().and_then(known),
            };
        }
        Self {
            revision: git(folder, &["rev-parse", "HEAD"]),
            dirty: git(folder, &["status", "--porcelain"]).map(|s| (!s.is_empty()).to_string()),
        }
    }
}

/// Facts about the build of one bench target, to be read in its own process.
pub(super) fn build_facts(
    target: &str,
    executable: &Path,
) -> Result<[(String, String); 2], RunError> {
    let profile = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    Ok([
        (profile_fact(target), profile.to_owned()),
        (executable_fact(target), digest_of_file(executable)?),
    ])
}

/// Hex SHA-256 of a file.
///
/// # Errors
/// If it can't be read.
pub fn digest_of_file(path: &Path) -> Result<String, RunError> {
    let bytes = fs::read(path).map_err(|e| RunError::file(path, e))?;
    Ok(sha256_hex(&bytes))
}

fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let mut git = Command::new("git");
    let output = git.arg("-C").arg(folder).args(arguments).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn meminfo(key: &str) -> Option<String> {
    let info = fs::read_to_string("/proc/meminfo").ok()?;
    Some(
        info.lines()
            .find_map(|l| l.strip_prefix(key))?
            .trim()
            .to_owned(),
    )
}

fn governor() -> Option<String> {
    read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
}

fn clock_source() -> Option<String> {
    read("/sys/devices/system/clocksource/clocksource0/current_clocksource")
}

fn virtualisation() -> Option<String> {
    if !cpuinfo("flags")?
        .split_whitespace()
        .any(|f| f == "hypervisor")
    {
        return Some("no".to_owned());
    }
    Some(read("/sys/class/dmi/id/sys_vendor").unwrap_or_else(|| "yes".to_owned()))
}

fn load() -> Option<String> {
    Some(read("/proc/loadavg")?.split_whitespace().next()?.to_owned())
}

/// Quota of the control group in cores; `None` when there is no limit.
fn cpu_quota() -> Option<f64> {
    let group = read("/proc/self/cgroup")?;
    let path = group.lines().find_map(|l| l.strip_prefix("0::"))?;
    let max = read(&format!("/sys/fs/cgroup{path}/cpu.max"))?;
    let (quota, period) = max.split_once(' ')?;
    Some(quota.parse::<f64>().ok()? / period.parse::<f64>().ok()?)
}

/// Looks at everything about this machine that is known to disturb timings.
/// What can't be read is left out.
#[must_use]
pub fn inspect_machine() -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |check: &str, seen: String, bad: Option<&str>| {
        findings.push(Finding {
            check: check.to_owned(),
            good: bad.is_none(),
            seen,
            effect: bad.unwrap_or_default().to_owned(),
        });
    };

    let debug = cfg!(debug_assertions);
    add(
        "build",
        if debug {
            "debug assertions are on"
        } else {
            "release"
        }
        .to_owned(),
        debug.then_some(
            "what is measured is not what ships; claims hold for the debug build only: use the \
             bench or release profile",
        ),
    );
    if let Some(governor) = governor() {
        let fixed = governor == "performance";
        add("governor", governor, (!fixed).then_some(
            "clocks follow the load: wider intervals, more workers needed; `cpupower frequency-set \
             -g performance` fixes them",
        ));
    }
    if let Some(load) = load() {
        let busy = load
            .parse::<f64>()
            .is_ok_and(|l| l > 0.5 * cores().unwrap_or(1) as f64);
        add("load", format!("{load} (1 minute, {} cores)", cores().unwrap_or(1)), busy.then_some(
            "others compete for the cores: claims stay valid (pairs share the load), intervals get \
             wider; stop other work",
        ));
    }
    if let Some(vendor) = virtualisation() {
        let bare = vendor == "no";
        add("virtualisation", vendor, (!bare).then_some(
            "neighbours on the host can't be seen or stopped; nothing is capped, but numbers of \
             another day may differ",
        ));
    }
    if let Some(source) = clock_source() {
        let cheap = matches!(source.as_str(), "tsc" | "arch_sys_counter" | "kvm-clock");
        add(
            "clock source",
            source,
            (!cheap).then_some(
                "reading the clock is a slow system call: short slots get `below_resolution`",
            ),
        );
    }
    if let Some(quota) = cpu_quota() {
        let tight = quota < cores().unwrap_or(1) as f64;
        add(
            "control group",
            format!("{quota:.2} cores"),
            tight.then_some(
                "the scheduler stops us when the quota is used up; workers that were stopped are \
             marked `throttled`",
            ),
        );
    }
    if let Some(swaps) = read("/proc/swaps") {
        let used: u64 = swaps
            .lines()
            .skip(1)
            .filter_map(|l| l.split_whitespace().nth(3)?.parse::<u64>().ok())
            .sum();
        add(
            "swap",
            format!("{used} KiB in use"),
            (used > 0).then_some(
                "pages may come from disk in the middle of a slot: `swapoff -a` or more memory",
            ),
        );
    }
    let timer = measure_timer();
    add(
        "timer",
        format!(
            "step {:.0} ns, one reading costs {:.0} ns",
            timer.resolution_ns, timer.cost_ns
        ),
        (timer.resolution_ns > 1000.0).then_some(
            "slots must be longer than a thousand steps, else the gate says `below_resolution`",
        ),
    );
    findings
}
