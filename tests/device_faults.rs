//! Bad input on a device: its experiment fails with the reason, and the others
//! go on.
#![cfg(feature = "cuda")]

use evenhand::device::TaskBencher;
use evenhand::harness::observation::Fault;
use evenhand::harness::run::{SmokeFailure, smoke};
use evenhand::harness::suite::{Suite, matches_reference, within};
use evenhand_kernels::device::{CacheState, SimDevice, Truth};
use evenhand_kernels::task::{Buffer, Task, Variant};
use evenhand_kernels::tasks;
use std::sync::Mutex;

/// A task whose second variant does `what` to its buffers after the work.
fn spoilt(what: impl Fn(&mut [Buffer]) + Send + Sync + 'static) -> Task {
    let mut task = tasks::rms_norm(2, 16, 1);
    let right = task.variants[0].cpu.clone().unwrap();
    task.variants.truncate(1);
    task.variants.push(Variant::launches("bad", [], move |b| {
        right.run(b);
        what(b);
    }));
    task
}

/// An experiment of the task's variants on a device with this truth.
fn declare(suite: &mut Suite, id: &str, truth: &Truth, cache: CacheState, task: &Task) {
    let experiment = suite.experiment(id);
    for (index, variant) in task.variants.iter().map(|v| v.name).enumerate() {
        let (truth, task) = (truth.clone(), task.clone());
        let build = move |b: &mut evenhand::harness::suite::Bencher| {
            b.task_on(
                &SimDevice::new(truth.clone(), b.seed()),
                &task,
                variant,
                cache,
            );
        };
        if index == 0 {
            experiment.control(variant, build);
        } else {
            experiment.candidate(variant, build);
        }
    }
    let (tolerance, reference) = (task.tolerance, task.reference.clone());
    experiment.verify(matches_reference(
        within(tolerance.absolute, tolerance.relative),
        move |_| reference.clone(),
    ));
}

fn failures(suite: &Suite) -> Vec<SmokeFailure> {
    smoke(suite, &|_| true, 1, |_, _| {})
}

/// Right on the buffers that it meets first, and on no others: what a kernel
/// does that keeps results by address.
fn right_on_the_first_set_only() -> Task {
    let first = Mutex::new(None);
    spoilt(move |buffers| {
        let output = buffers.last_mut().unwrap();
        let address = output.data.f32().as_ptr() as usize;
        if *first.lock().unwrap().get_or_insert(address) != address {
            output.data.f32_mut()[3] += 1.0;
        }
    })
}

#[test]
fn an_output_that_is_wrong_in_a_later_set_is_seen() {
    let mut suite = Suite::default();
    let truth = Truth::quiet(10_000.0);
    let task = right_on_the_first_set_only();
    declare(
        &mut suite,
        "rotated",
        &truth,
        CacheState::ColdByRotation,
        &task,
    );
    let task = right_on_the_first_set_only();
    declare(
        &mut suite,
        "flushed",
        &truth,
        CacheState::ColdByFlush,
        &task,
    );
    let failures = failures(&suite);
    assert_eq!(failures.len(), 1, "{failures:?}");
    let SmokeFailure { experiment, fault } = &failures[0];
    assert_eq!(
        (experiment.as_str(), fault.fault),
        ("rotated", Fault::WrongOutput)
    );
    assert_eq!(fault.arm.as_deref(), Some("bad"));
    assert!(
        fault.message.contains("set 2 of 3 sets"),
        "{}",
        fault.message
    );
    assert!(fault.message.contains("element 3"), "{}", fault.message);
}
