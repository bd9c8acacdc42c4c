//! Every task on the host processor and on a simulated device.

use evenhand_kernels::device::{
    CacheState, CpuDevice, Device, DeviceError, SimDevice, Timing, Truth,
};
use evenhand_kernels::task::{Task, Variant};
use evenhand_kernels::tasks;

fn devices() -> [(Box<dyn Device>, Timing); 2] {
    [
        (Box::new(CpuDevice::new()), Timing::Host),
        (
            Box::new(SimDevice::new(Truth::quiet(10_000.0), 1)),
            Timing::Simulated,
        ),
    ]
}

#[test]
fn every_variant_runs_and_agrees_with_its_reference_before_and_after() {
    for (device, timing) in devices() {
        for task in tasks::all_small(3) {
            for variant in task.variants.iter().filter(|v| v.cpu.is_some()) {
                let what = format!(
                    "{} {} {}",
                    device.identity().label,
                    task.label(),
                    variant.name
                );
                let mut arm = device
                    .prepare(&task, variant.name, CacheState::ColdByWriting)
                    .unwrap();
                task.check_output(&arm.checked_output(0).unwrap())
                    .unwrap_or_else(|e| panic!("{what}: {e}"));
                let slot = arm.run(3).unwrap();
                assert_eq!(slot.launches, 3, "{what}");
                assert!(
                    slot.timed_ns > 0.0 && slot.shortest_ns <= slot.timed_ns,
                    "{what}"
                );
                assert_eq!(arm.timing(), timing);
                task.check_output(&arm.checked_output(0).unwrap())
                    .unwrap_or_else(|e| panic!("{what}: {e}"));
            }
        }
    }
}

#[test]
fn the_host_processor_never_says_cold() {
    let task = tasks::rms_norm(1, 8, 1);
    let arm = CpuDevice::new()
        .prepare(&task, task.variants[0].name, CacheState::ColdByWriting)
        .unwrap();
    assert_eq!(arm.cache(), CacheState::Hot);
}

/// A task whose variant does `what` to its buffers.
fn spoilt(what: impl Fn(&mut [evenhand_kernels::task::Buffer]) + Send + Sync + 'static) -> Task {
    let mut task = tasks::rms_norm(2, 16, 1);
    task.variants = vec![Variant::launches("spoilt", [], what)];
    task
}

#[test]
fn an_output_left_from_before_does_not_pass() {
    let task = spoilt(|_| {});
    for (device, _) in devices() {
        let mut arm = device.prepare(&task, "spoilt", CacheState::Hot).unwrap();
        assert!(task.check_output(&arm.checked_output(0).unwrap()).is_err());
    }
}

#[test]
fn a_changed_input_is_named() {
    let task = spoilt(|buffers| match &mut buffers[0].data {
        evenhand_kernels::task::Data::F32(v) => v[0] += 1.0,
        evenhand_kernels::task::Data::Bf16(v) => v[0] = evenhand_kernels::bf16::from_f32(9.0),
        evenhand_kernels::task::Data::U32(v) => v[0] += 1,
    });
    for (device, _) in devices() {
        let mut arm = device.prepare(&task, "spoilt", CacheState::Hot).unwrap();
        match arm.checked_output(0) {
            Err(DeviceError::InputChanged { buffer }) => {
                assert_eq!(buffer, task.buffers[0].name);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_variant_without_a_form_for_the_host_says_so() {
    let mut task = tasks::rms_norm(2, 16, 1);
    task.variants[0].cpu = None;
    let error = CpuDevice::new()
        .prepare(&task, task.variants[0].name, CacheState::Hot)
        .err()
        .unwrap();
    assert!(error.to_string().contains("--device cuda"), "{error}");
}
