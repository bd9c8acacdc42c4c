//! Device time in a criterion bench: on a GPU where there is one, else on the
//! host processor; the name of every benchmark says which.
//!
//! ```text
//! cargo run --release --features criterion --example criterion_device_time -- --bench
//! ```

use criterion::{Criterion, SamplingMode};
use evenhand::device::{DeviceTime, device_routine};
use evenhand_kernels::device::{CacheState, Choice, open};
use evenhand_kernels::tasks;
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = open(&Choice::from_environment()?)?;
    let task = tasks::rms_norm(64, 4096, 7);
    let mut criterion = Criterion::default()
        .with_measurement(DeviceTime)
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let mut group = criterion.benchmark_group(task.label());
    group.sampling_mode(SamplingMode::Flat);
    for variant in &task.variants {
        let mut arm = device.prepare(&task, variant.name, CacheState::ColdByWriting)?;
        let label = &device.identity().label;
        let name = format!("{} ({label}, {})", variant.name, arm.cache());
        group.bench_function(name, |b| b.iter_custom(device_routine(&mut *arm)));
        task.check_output(&arm.checked_output(0)?)?;
    }
    group.finish();
    Ok(())
}
