//! Device time in criterion benches.

use criterion::Throughput;
use criterion::measurement::{Measurement, ValueFormatter};
use evenhand_kernels::device::Prepared;
use std::time::Instant;

/// A criterion measurement in nanoseconds that a routine reports itself, for
/// `Bencher::iter_custom` with [`device_routine`].
///
/// Criterion sees one sum per sample and runs benchmarks one after the other:
/// its comparisons are between runs, never interleaved. Use flat sampling, so
/// that every sample has the same number of launches. The other `iter` methods
/// of its bencher measure host time with this measurement.
///
/// ```no_run
/// use criterion::Criterion;
/// use evenhand::device::{DeviceTime, device_routine};
/// use evenhand_kernels::{device, device::CacheState, tasks};
///
/// let task = tasks::rms_norm(64, 4096, 7);
/// let device = device::open(&device::Choice::Auto).unwrap();
/// let mut arm = device.prepare(&task, task.variants[0].name, CacheState::ColdByWriting).unwrap();
/// Criterion::default()
///     .with_measurement(DeviceTime)
///     .bench_function("rms_norm", |b| b.iter_custom(device_routine(&mut *arm)));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct DeviceTime;

/// A routine for `iter_custom`: runs that many launches and gives the sum of
/// their timed spans, nanoseconds, without flushes and launch costs.
///
/// # Panics
/// The routine panics when the device fails: criterion has no other way out.
pub fn device_routine(arm: &mut dyn Prepared) -> impl FnMut(u64) -> f64 {
    move |launches| match arm.run(launches) {
        Ok(slot) => slot.timed_ns,
        Err(error) => panic!("{error}"),
    }
}

impl Measurement for DeviceTime {
    type Intermediate = Instant;
    type Value = f64;

    fn start(&self) -> Instant {
        Instant::now()
    }

    fn end(&self, start: Instant) -> f64 {
        start.elapsed().as_nanos() as f64
    }

    fn add(&self, a: &f64, b: &f64) -> f64 {
        a + b
    }

    fn zero(&self) -> f64 {
        0.0
    }

    fn to_f64(&self, value: &f64) -> f64 {
        *value
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        &Nanoseconds
    }
}

struct Nanoseconds;

/// Factor and unit for a typical time.
fn unit(typical_ns: f64) -> (f64, &'static str) {
    match typical_ns {
        x if x < 1e3 => (1.0, "ns"),
        x if x < 1e6 => (1e-3, "µs"),
        x if x < 1e9 => (1e-6, "ms"),
        _ => (1e-9, "s"),
    }
}

fn scale(values: &mut [f64], factor: f64) {
    for value in values {
        *value *= factor;
    }
}

impl ValueFormatter for Nanoseconds {
    fn scale_values(&self, typical: f64, values: &mut [f64]) -> &'static str {
        let (factor, unit) = unit(typical);
        scale(values, factor);
        unit
    }

    fn scale_throughputs(
        &self,
        _typical: f64,
        throughput: &Throughput,
        values: &mut [f64],
    ) -> &'static str {
        // Per nanosecond is giga per second.
        let (amount, unit) = match *throughput {
            Throughput::Bytes(n) | Throughput::BytesDecimal(n) => (n, "GB/s"),
            Throughput::Bits(n) => (n, "Gb/s"),
            Throughput::Elements(n) => (n, "Gelem/s"),
            Throughput::ElementsAndBytes { bytes, .. } => (bytes, "GB/s"),
        };
        for value in values {
            *value = amount as f64 / *value;
        }
        unit
    }

    fn scale_for_machines(&self, _values: &mut [f64]) -> &'static str {
        "ns"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use evenhand_kernels::device::{CacheState, Device, SimDevice, Truth};
    use evenhand_kernels::tasks;

    #[test]
    fn a_routine_gives_the_sum_of_device_times() {
        let task = tasks::rms_norm(1, 8, 1);
        let device = SimDevice::new(Truth::quiet(10_000.0), 5);
        let name = task.variants[0].name;
        let mut arm = device
            .prepare(&task, name, CacheState::ColdByWriting)
            .unwrap();
        let sum = device_routine(&mut *arm)(1000);
        assert!((sum / 1000.0 / 10_000.0 - 1.0).abs() < 0.02, "{sum}");
    }

    #[test]
    fn values_are_scaled_with_their_unit() {
        let mut values = [1500.0, 3000.0];
        assert_eq!(Nanoseconds.scale_values(2000.0, &mut values), "µs");
        assert_eq!(values, [1.5, 3.0]);
        let mut values = [2.0];
        let unit = Nanoseconds.scale_throughputs(2.0, &Throughput::Bytes(10), &mut values);
        assert_eq!((unit, values), ("GB/s", [5.0]));
    }
}
