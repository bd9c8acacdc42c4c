//! Energy of a launch from a batch that the counter can resolve.

use super::{DeviceError, Prepared};

/// A batch lasts at least this long, nanoseconds.
const LEAST_NS: u64 = 500_000_000;
/// And over at least this many updates of the counter.
const LEAST_UPDATES: u32 = 10;
/// A counter that has not moved so often by then is given up, nanoseconds.
const LONGEST_NS: u64 = 5_000_000_000;
/// Time between two readings of the counter: short beside the batch, and long
/// beside a reading, in which the device is idle.
const READING_NS: u64 = 10_000_000;

/// A long batch of one variant alone, between two updates of the counter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EnergyBatch {
    /// Launches in the batch.
    pub launches: u64,
    /// Energy of the whole device over the batch, millijoules.
    pub energy_mj: u64,
    /// Updates of the counter that were seen.
    pub updates: u32,
}

impl EnergyBatch {
    /// Energy per launch, millijoules, with everything that is done around it:
    /// flushes, and the device's power at rest.
    #[must_use]
    pub fn mj_per_launch(&self) -> f64 {
        self.energy_mj as f64 / self.launches as f64
    }
}

/// Runs slots of `launches` launches for half a second or more, from one update
/// of the device's energy counter to another, at least ten updates later.
///
/// `None` when there is no such counter, or it stands still, or slots are so
/// long that ten of them take more than five seconds: those tell their energy
/// themselves.
///
/// # Errors
/// If the device fails.
pub fn energy_batch(
    arm: &mut dyn Prepared,
    launches: u64,
) -> Result<Option<EnergyBatch>, DeviceError> {
    let Some(mut counter) = arm.energy_counter_mj() else {
        return Ok(None);
    };
    // The first update only begins the batch.
    let mut begun: Option<u64> = None;
    let (mut batch, mut ns, mut updates) = (0, 0, 0);
    while ns < LONGEST_NS {
        let mut since_reading = 0;
        while since_reading < READING_NS {
            since_reading += arm.run(launches)?.host_ns.max(1);
            batch += launches;
        }
        ns += since_reading;
        let Some(now) = arm.energy_counter_mj() else {
            return Ok(None);
        };
        if now == counter {
            continue;
        }
        counter = now;
        let Some(first) = begun else {
            (begun, batch, ns) = (Some(now), 0, 0);
            continue;
        };
        updates += 1;
        if updates >= LEAST_UPDATES && ns >= LEAST_NS {
            // A counter that began anew says nothing.
            return Ok(now.checked_sub(first).map(|energy_mj| EnergyBatch {
                launches: batch,
                energy_mj,
                updates,
            }));
        }
    }
    Ok(None)
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
            .prepare(&task, name, CacheState::ColdByFlush)
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
            assert!(batch.updates >= 10, "{batch:?}");
            // Half a second of 70 µs each.
            assert!(batch.launches as f64 * 70e3 > 0.49e9, "{batch:?}");
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
