//! Energy of a launch from a batch that the counter can resolve.

use super::{DeviceError, Prepared};

/// A batch lasts at least this long, nanoseconds.
const LEAST_NS: u64 = 500_000_000;
/// And over at least this many updates of the counter.
const LEAST_UPDATES: u64 = 5;
/// A counter that has not moved so often by then is given up, nanoseconds.
const LONGEST_NS: u64 = 5_000_000_000;
/// Slots that are longer see the counter move themselves, nanoseconds.
const LONGEST_SLOT_NS: u64 = 300_000_000;
/// Time between two looks at the updates so far.
const LOOK_NS: u64 = 10_000_000;

/// How long a batch is, nanoseconds, for a counter that is updated every
/// `period_ns`.
pub(super) fn least_ns(period_ns: u64) -> u64 {
    LEAST_NS.max(LEAST_UPDATES * period_ns)
}

/// A new value of a device's energy counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnergyUpdate {
    /// When it was seen, on the clock of the slots, nanoseconds.
    pub at_ns: u64,
    /// Energy since the driver was loaded, millijoules.
    pub total_mj: u64,
}

/// A long batch of one variant alone, between two updates of the counter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EnergyBatch {
    /// Launches in the batch; the parts of two slots at its ends count as such.
    pub launches: f64,
    /// Energy of the whole device over the batch, millijoules.
    pub energy_mj: u64,
    /// Updates of the counter that it lasted for.
    pub updates: u64,
}

impl EnergyBatch {
    /// Energy per launch, millijoules, with everything that is done around it:
    /// flushes, and the device's power at rest.
    #[must_use]
    pub fn mj_per_launch(&self) -> f64 {
        self.energy_mj as f64 / self.launches
    }
}

/// Runs slots of `launches` launches for half a second or more, from one update
/// of the device's energy counter to another, at least five updates later.
///
/// The counter is read beside the slots, and hardly ever while the batch lasts:
/// a reading takes milliseconds, in which other calls of the driver wait.
///
/// `None` when there is no such counter, or it stands still, or slots are longer
/// than 0.3 s: those tell their energy themselves.
///
/// # Errors
/// If the device fails.
pub fn energy_batch(
    arm: &mut dyn Prepared,
    launches: u64,
) -> Result<Option<EnergyBatch>, DeviceError> {
    if !arm.watch_energy() {
        return Ok(None);
    }
    let batch = watched(arm, launches);
    arm.end_watch();
    batch
}

fn watched(arm: &mut dyn Prepared, launches: u64) -> Result<Option<EnergyBatch>, DeviceError> {
    // When every slot ended: the one before it ends where it begins.
    let mut ends: Vec<u64> = Vec::new();
    let mut looked_at = 0;
    loop {
        let slot = arm.run(launches)?;
        if slot.host_ns > LONGEST_SLOT_NS {
            return Ok(None);
        }
        if ends.is_empty() {
            ends.push(slot.start_ns);
            looked_at = slot.start_ns;
        }
        let now = slot.start_ns + slot.host_ns.max(1);
        ends.push(now);
        if now - looked_at < LOOK_NS {
            continue;
        }
        looked_at = now;
        // Two updates tell the period; the second one begins the batch.
        let updates: Vec<EnergyUpdate> = arm
            .energy_updates()
            .into_iter()
            .filter(|update| update.at_ns <= now)
            .collect();
        if let [before, first, later @ ..] = &updates[..]
            && first.at_ns >= ends[0]
        {
            let period_ns = (first.at_ns - before.at_ns).max(1);
            let end = first.at_ns + least_ns(period_ns) - period_ns / 4;
            if let Some(last) = later.iter().find(|update| update.at_ns >= end) {
                let done = |at_ns| slots_until(&ends, at_ns) * launches as f64;
                // A counter that began anew says nothing.
                let energy = last.total_mj.checked_sub(first.total_mj);
                return Ok(energy.map(|energy_mj| EnergyBatch {
                    launches: done(last.at_ns) - done(first.at_ns),
                    energy_mj,
                    updates: (last.at_ns - first.at_ns + period_ns / 2) / period_ns,
                }));
            }
        }
        if now - ends[0] >= LONGEST_NS {
            return Ok(None);
        }
    }
}

/// Slots that were done at this time, which lies between the first and the
/// last of `ends`; the one that was running counts in part.
fn slots_until(ends: &[u64], at_ns: u64) -> f64 {
    let after = ends.partition_point(|end| *end < at_ns);
    let Some(before) = after.checked_sub(1) else {
        return 0.0;
    };
    let end = ends.get(after).copied().unwrap_or(at_ns);
    let part = (at_ns - ends[before]) as f64 / (end - ends[before]).max(1) as f64;
    before as f64 + part.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{CacheState, Device, SimDevice, Truth};
    use crate::tasks;

    /// Launches of 50 µs at 300 W, and 20 µs at 60 W around each: 16.2 mJ.
    const TRUE_MJ: f64 = 16.2;

    fn truth() -> Truth {
        Truth {
            placement: 0.0,
            ..Truth::quiet(50_000.0)
        }
    }

    fn measured(truth: Truth) -> Option<EnergyBatch> {
        let task = tasks::rms_norm(1, 8, 1);
        let device = SimDevice::new(truth, 5);
        let name = task.variants[0].name;
        let mut arm = device
            .prepare(&task, name, CacheState::ColdByWriting)
            .unwrap();
        energy_batch(&mut *arm, 20).unwrap()
    }

    #[test]
    fn the_energy_of_a_launch_far_below_the_counters_step_is_found() {
        // From a counter that is finer than a reading to a coarse one.
        for step in [1e6, 20e6, 100e6, 250e6] {
            let batch = measured(Truth {
                energy_step_ns: Some(step),
                ..truth()
            });
            let batch = batch.unwrap();
            let energy = batch.mj_per_launch();
            assert!(
                (energy / TRUE_MJ - 1.0).abs() < 0.02,
                "{step}: {energy} from {batch:?}"
            );
            assert!(batch.updates >= 5, "{batch:?}");
            // Half a second of 70 µs each.
            assert!(batch.launches * 70e3 > 0.49e9, "{batch:?}");
        }
    }

    #[test]
    fn without_a_counter_that_moves_there_is_no_energy() {
        for step in [None, Some(1e12)] {
            let batch = measured(Truth {
                energy_step_ns: step,
                ..truth()
            });
            assert_eq!(batch, None);
        }
    }
}
