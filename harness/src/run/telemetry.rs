//! What else the machine did while a worker ran.
//!
//! Only the beginning and the end of a worker and the coordinator's own waits
//! are used to look, so that looking costs the worker nothing.

use crate::observation::Telemetry;
use std::fs;

/// Watches one worker.
pub(super) struct Watch {
    start: Option<CpuTimes>,
    throttled: Option<u64>,
    mhz: Vec<f64>,
}

/// CPU time in clock ticks.
#[derive(Clone, Copy)]
struct CpuTimes {
    /// All cores, busy and idle.
    total: u64,
    busy: u64,
    /// This process and its ended children.
    ours: u64,
}

impl Watch {
    /// Begins before the worker is started.
    pub(super) fn begin() -> Self {
        Self {
            start: cpu_times(),
            throttled: throttled(),
            mhz: Vec::new(),
        }
    }

    /// Takes a sample of what has no running total.
    pub(super) fn sample(&mut self) {
        self.mhz.extend(cpu_mhz());
    }

    /// Ends after the worker was waited for.
    pub(super) fn end(self) -> Telemetry {
        let foreign_cores = self.start.zip(cpu_times()).and_then(|(a, b)| {
            let cores = std::thread::available_parallelism().ok()?.get() as f64;
            let total = b.total.checked_sub(a.total).filter(|&t| t > 0)? as f64;
            let foreign = (b.busy.saturating_sub(a.busy)).saturating_sub(b.ours - a.ours);
            Some(foreign as f64 / total * cores.max(1.0))
        });
        let n = self.mhz.len();
        Telemetry {
            samples: n as u32,
            foreign_cores,
            cpu_mhz: (n > 0).then(|| self.mhz.iter().sum::<f64>() / n as f64),
            throttled: self
                .throttled
                .zip(throttled())
                .map(|(a, b)| b.saturating_sub(a)),
            available_memory: available_memory(),
        }
    }
}

fn cpu_times() -> Option<CpuTimes> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    // user nice system idle iowait irq softirq steal; guest time is in user.
    let all: Vec<u64> = stat
        .lines()
        .next()?
        .split_whitespace()
        .skip(1)
        .take(8)
        .map_while(|f| f.parse().ok())
        .collect();
    let total: u64 = all.iter().sum();
    let idle = all.get(3)? + all.get(4)?;
    let own = fs::read_to_string("/proc/self/stat").ok()?;
    // utime, stime, cutime, cstime: fields 14 to 17.
    let ours = own
        .rsplit_once(')')?
        .1
        .split_whitespace()
        .skip(11)
        .take(4)
        .filter_map(|f| f.parse::<u64>().ok())
        .sum();
    Some(CpuTimes {
        total,
        busy: total - idle,
        ours,
    })
}

fn throttled() -> Option<u64> {
    let group = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = group.lines().find_map(|l| l.strip_prefix("0::"))?;
    let stat = fs::read_to_string(format!("/sys/fs/cgroup{path}/cpu.stat")).ok()?;
    stat.lines()
        .find_map(|l| l.strip_prefix("nr_throttled "))?
        .parse()
        .ok()
}

fn cpu_mhz() -> Option<f64> {
    let khz = fs::read_to_string("/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq").ok()?;
    Some(khz.trim().parse::<f64>().ok()? / 1000.0)
}

fn available_memory() -> Option<u64> {
    let info = fs::read_to_string("/proc/meminfo").ok()?;
    let kib = info.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
    Some(kib.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}
