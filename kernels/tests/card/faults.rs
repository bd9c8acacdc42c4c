//! Bad input on a real card: every fault becomes an error that names its
//! cause, and the process ends.

use super::card;
use cudarc::driver::sys;
use evenhand_kernels::Tolerance;
use evenhand_kernels::device::{CacheState, CudaDevice, Device, DeviceError, Meter, Selector};
use evenhand_kernels::task::{Arg, Buffer, Launch, Source, Task, Variant};
use std::process::Command;

static FAULTY: Source = Source {
    file: "faulty.cu",
    text: include_str!("faulty.cu"),
    headers: &[],
};
const CHILD: &str = "EVENHAND_TEST_CHILD";
const THREADS: usize = 32;

/// A task of 32 ones, made by this kernel.
fn task(entry: &'static str, further: &[Arg], shared_bytes: u32) -> Task {
    let mut args = vec![Arg::Buffer(0)];
    args.extend(further);
    let launch = Launch::new(&FAULTY, entry, 1, THREADS as u32, args);
    let launch = launch.with_shared_bytes(shared_bytes);
    Task {
        family: "faulty",
        shape: entry.to_owned(),
        buffers: vec![
            Buffer::output("out", vec![0f32; THREADS]),
            Buffer::input("x", vec![1f32; THREADS]),
        ],
        output: 0,
        reference: vec![1.0; THREADS],
        tolerance: Tolerance {
            absolute: 0.0,
            relative: 0.0,
        },
        bytes_moved: 4 * THREADS as u64,
        flops: 0,
        variants: vec![Variant::device_only("one", [launch.into()])],
    }
}

/// Not a test: what the children do.
#[test]
fn in_a_child() {
    let Ok(what) = std::env::var(CHILD) else {
        return;
    };
    let said = match on_card(&what) {
        Ok(said) => said,
        Err(error) => format!("error: {error}"),
    };
    println!("\nSAID {}", said.replace('\n', " "));
}

fn on_card(what: &str) -> Result<String, DeviceError> {
    let device = CudaDevice::open(&Selector::First)?;
    let prepare = |task: &Task| device.prepare(task, "one", CacheState::Hot);
    let mut right = prepare(&task("right", &[], 0))?;
    right.run(2)?;
    match what {
        "hidden" => return hidden(&device),
        "out of bounds" | "endless" => {}
        other => panic!("{other}"),
    }
    let faulty = if what == "endless" {
        task("goes_on", &[Arg::U32(20)], 0)
    } else {
        task("out_of_bounds", &[], 0)
    };
    let first = prepare(&faulty).and_then(|mut arm| arm.run(1)).err();
    let next = right.run(1).err().or(prepare(&task("right", &[], 0)).err());
    let shown = |error: Option<DeviceError>| error.map_or("nothing".to_owned(), |e| e.to_string());
    Ok(format!("first: {}; next: {}", shown(first), shown(next)))
}

/// Slots while fills of much memory run on another stream, and then without.
fn hidden(device: &CudaDevice) -> Result<String, DeviceError> {
    let task = task("right", &[], 0);
    let mut arm = device.prepare(&task, "one", CacheState::ColdByWriting)?;
    let mut meter = Meter::new((0, 0), arm.timer_step_ns(), arm.cache(), device.ceilings()?);
    let mut marked = |fills: u32| {
        if fills > 0 {
            fill_elsewhere(fills);
        }
        let slot = arm.run(1)?;
        Ok::<_, DeviceError>(meter.judge(&slot, &[])?.marks.hidden_work)
    };
    let quiet = [marked(0)?, marked(0)?];
    let busy = marked(400)?;
    Ok(format!("quiet {quiet:?} busy {busy} after {}", marked(0)?))
}

/// Queues fills of a GiB on a stream of its own.
#[allow(unsafe_code)] // the driver's C functions
fn fill_elsewhere(count: u32) {
    const BYTES: usize = 1 << 30;
    let (mut stream, mut address) = (std::ptr::null_mut(), 0);
    // SAFETY: the device was opened, so the driver is there and its context current; the memory
    // is never freed.
    unsafe {
        let mut results = vec![
            sys::cuStreamCreate(&mut stream, 1),
            sys::cuMemAlloc_v2(&mut address, BYTES),
        ];
        results.extend((0..count).map(|_| sys::cuMemsetD8Async(address, 7, BYTES, stream)));
        assert!(results.iter().all(|r| *r as u32 == 0), "{results:?}");
    }
}

/// What a child says of a fault.
fn said(what: &str, limit: &str) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "faults::in_a_child", "--nocapture"])
        .env(CHILD, what)
        .env("EVENHAND_DEVICE_TIMEOUT", limit)
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let said = stdout.lines().find_map(|line| line.split_once("SAID "));
    let (_, said) = said.unwrap_or_else(|| {
        panic!(
            "{what}: {stdout}{}",
            String::from_utf8_lossy(&output.stderr)
        );
    });
    println!("{what}: {said}");
    said.to_owned()
}

#[test]
fn an_address_that_is_not_its_own_ends_the_arm_and_the_device() {
    let Some((_alone, _)) = card("an_address_that_is_not_its_own") else {
        return;
    };
    let said = said("out of bounds", "20");
    let (first, next) = said.split_once("; next: ").unwrap();
    assert!(first.contains("CUDA error 700"), "{said}");
    assert!(
        next.contains("the device was lost to this process"),
        "{said}"
    );
}

#[test]
fn a_kernel_that_does_not_end_is_given_up() {
    let Some((_alone, _)) = card("a_kernel_that_does_not_end_is_given_up") else {
        return;
    };
    let said = said("endless", "2");
    let (first, next) = said.split_once("; next: ").unwrap();
    assert!(first.contains("did not finish within 2 s"), "{said}");
    assert!(
        next.contains("the device was lost to this process"),
        "{said}"
    );
}

#[test]
fn work_on_another_stream_is_seen() {
    let Some((_alone, _)) = card("work_on_another_stream_is_seen") else {
        return;
    };
    let said = said("hidden", "20");
    assert_eq!(said, "quiet [false, false] busy true after false");
}

#[test]
fn a_kernel_that_writes_too_much_or_too_little_is_seen() {
    let Some((_alone, device)) = card("a_kernel_that_writes_too_much_or_too_little") else {
        return;
    };
    let changes = task("changes_input", &[Arg::Buffer(1)], 0);
    let mut arm = device.prepare(&changes, "one", CacheState::Hot).unwrap();
    let error = arm.checked_output(0).unwrap_err().to_string();
    assert!(error.contains("wrote to its input `x`"), "{error}");
    let incomplete = task("incomplete", &[], 0);
    let mut arm = device.prepare(&incomplete, "one", CacheState::Hot).unwrap();
    let output = arm.checked_output(0).unwrap();
    let mismatch = incomplete.check_output(&output).unwrap_err().to_string();
    assert!(
        mismatch.contains('5') && mismatch.contains("NaN"),
        "{mismatch}"
    );
}

#[test]
fn shared_memory_is_static_and_dynamic_together() {
    let Some((_alone, device)) = card("shared_memory_is_static_and_dynamic_together") else {
        return;
    };
    let prepare = |bytes: u32| {
        let task = task("shared", &[], bytes);
        let mut arm = device.prepare(&task, "one", CacheState::Hot)?;
        let output = arm.checked_output(0)?;
        task.check_output(&output).unwrap();
        Ok::<_, DeviceError>(())
    };
    let error = prepare(1 << 20).unwrap_err().to_string();
    let (_, limit) = error.split_once("this card has ").expect("its limit");
    let limit: u32 = limit.split_whitespace().next().unwrap().parse().unwrap();
    println!("at most {limit} bytes");
    prepare(limit - 1024).unwrap();
    let error = prepare(limit - 1024 + 16).unwrap_err().to_string();
    assert!(
        error.contains("shared memory per block; this card has"),
        "{error}"
    );
}
