//! Bad input on a device: its experiment fails with the reason, and the others
//! go on.
#![cfg(feature = "cuda")]

use evenhand::device::{TaskArm, TaskBencher};
use evenhand::harness::observation::Fault;
use evenhand::harness::run::{SmokeFailure, smoke};
use evenhand::harness::suite::{Subject, Suite, matches_reference, within};
use evenhand_kernels::device::{CacheState, DeviceError, SimDevice, Truth};
use evenhand_kernels::task::{Buffer, Task, Variant};
use evenhand_kernels::tasks;
use std::sync::Mutex;
use std::time::Duration;

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
        CacheState::ColdByWriting,
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

/// A kernel that gives NaN, or writes to its input.
fn gives_nan() -> Task {
    spoilt(|buffers| buffers.last_mut().unwrap().data.f32_mut()[5] = f32::NAN)
}

fn writes_to_its_input() -> Task {
    spoilt(|buffers| buffers[0].data.f32_mut()[0] += 1.0)
}

#[test]
fn every_bad_input_fails_its_own_experiment_with_the_reason() {
    let quiet = || Truth::quiet(10_000.0);
    let harmless = || spoilt(|_| {});
    let refused = |error: DeviceError| Truth {
        refuses: [("bad".to_owned(), error)].into(),
        ..quiet()
    };
    let failing = |error: DeviceError| Truth {
        fails: [("bad".to_owned(), error)].into(),
        ..quiet()
    };
    let driver = |code, meaning| DeviceError::Driver {
        function: "cuEventQuery",
        code,
        meaning,
    };
    let bytes = DeviceError::Unsupported(
        "kernel `k` asks for 300000 bytes of shared memory per block; this card has 232448"
            .to_owned(),
    );
    let limit = Duration::from_secs(60);
    let cases = [
        (
            "does not compile",
            refused(DeviceError::Compile("k.cu:2: identifier".to_owned())),
            harmless(),
            (Fault::Failed, "k.cu:2: identifier"),
        ),
        (
            "more shared memory than there is",
            refused(bytes),
            harmless(),
            (Fault::Failed, "this card has 232448"),
        ),
        (
            "out of bounds",
            failing(driver(700, "a kernel used an address that is not its own")),
            harmless(),
            (Fault::Failed, "CUDA error 700"),
        ),
        (
            "hangs",
            failing(DeviceError::Hang { limit }),
            harmless(),
            (Fault::Failed, "did not finish within 60 s"),
        ),
        (
            "device disappears",
            failing(driver(999, "unknown error")),
            harmless(),
            (Fault::Failed, "CUDA error 999"),
        ),
        (
            "NaN",
            quiet(),
            gives_nan(),
            (Fault::WrongOutput, "element 5 is NaN"),
        ),
        (
            "changed input",
            quiet(),
            writes_to_its_input(),
            (Fault::Failed, "it wrote to its input `x`"),
        ),
    ];
    let mut suite = Suite::default();
    let cache = CacheState::ColdByWriting;
    for (id, truth, task, _) in &cases {
        declare(&mut suite, id, truth, cache, task);
        let good = format!("after: {id}");
        declare(&mut suite, &good, &quiet(), cache, &harmless());
    }
    let failures = failures(&suite);
    assert_eq!(failures.len(), cases.len(), "{failures:?}");
    for ((id, _, _, (kind, words)), failure) in cases.iter().zip(&failures) {
        let SmokeFailure { experiment, fault } = failure;
        assert_eq!((experiment.as_str(), fault.fault), (*id, *kind));
        assert_eq!(fault.arm.as_deref(), Some("bad"), "{id}");
        assert!(fault.message.contains(words), "{id}: {}", fault.message);
    }
}

#[test]
fn a_device_that_is_gone_at_the_end_fails_the_arm() {
    let truth = Truth {
        fails: [(
            "bad".to_owned(),
            DeviceError::Lost {
                cause: "gone".to_owned(),
            },
        )]
        .into(),
        ..Truth::quiet(10_000.0)
    };
    let task = spoilt(|_| {});
    let device = SimDevice::new(truth, 1);
    let mut arm = TaskArm::new(&device, &task, "bad", CacheState::Hot).unwrap();
    let error = arm.facts_at_end().unwrap_err();
    assert!(error.message.contains("(gone)"), "{error}");
}
