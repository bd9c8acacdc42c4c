//! The driver absent, of the wrong age, broken, and made up.
//!
//! A library is opened once per process, so every state is a process of its
//! own: this test starts itself again with a folder of its own on the loader's
//! path. What the made-up driver "runs" proves the order of calls and the
//! handling of errors, and nothing about a GPU.

use super::made_up::{self, CHILD, build, whole};
use evenhand_kernels::device::{CacheState, Choice, CudaDevice, Device, Selector, open, probe};
use evenhand_kernels::tasks;
use std::path::Path;
use std::process::Output;

/// Runs `task` in a process that finds the libraries in `folder` first.
fn child(folder: &Path, task: &str, variables: &[(&str, &str)]) -> (Output, String) {
    made_up::child("driver::in_a_child", folder, task, variables)
}

/// Not a test: what the children do.
#[test]
fn in_a_child() {
    let Ok(task) = std::env::var(CHILD) else {
        return;
    };
    let said = match task.as_str() {
        "probe" => probe().to_string(),
        "auto" => match open(&Choice::Auto) {
            Ok(device) => device.identity().label.clone(),
            Err(error) => format!("error: {error}"),
        },
        "measure" => measure(),
        "rotate" => rotate(),
        "one arm" => shared(1),
        "two arms" => shared(2),
        "slot" => slot(),
        choice => match choice.parse().map(|choice| open(&choice)) {
            Ok(Ok(device)) => format!("{} {:?}", device.identity().label, device.identity().facts),
            Ok(Err(error)) => format!("error: {error}"),
            Err(error) => format!("error: {error}"),
        },
    };
    println!("\nSAID {}", said.replace('\n', " "));
}

/// Every variant of every task, on whatever driver there is.
fn measure() -> String {
    let device = match CudaDevice::open(&Selector::First) {
        Ok(device) => device,
        Err(error) => return format!("error: {error}"),
    };
    let mut arms = 0;
    for task in tasks::all_small(1) {
        for variant in &task.variants {
            for cache in [
                CacheState::ColdByWriting,
                CacheState::ColdByReading,
                CacheState::ColdByRotation,
                CacheState::Hot,
            ] {
                let mut arm = match device.prepare(&task, variant.name, cache) {
                    Ok(arm) => arm,
                    Err(error) if cache == CacheState::ColdByRotation => {
                        assert!(error.to_string().contains("rotation"), "{error}");
                        continue;
                    }
                    Err(error) => return format!("error: {} {error}", task.label()),
                };
                let slot = match arm.run(5) {
                    Ok(slot) => slot,
                    Err(error) => return format!("error: {error}"),
                };
                // The kernel that reads the clock did not run.
                assert_eq!(slot.clock_mhz, None);
                // The step of a clock that was looked at, the host's or that of events.
                assert!(arm.timer_step_ns() > 1.0);
                assert_eq!(slot.launches, 5);
                assert!(slot.timed_ns > 0.0);
                let facts = arm.facts();
                let hash = facts.iter().find(|(name, _)| name == "code_hash");
                assert_eq!(hash.unwrap().1.len(), 64);
                // No kernel ran, and the output was poisoned: it passes only where the host
                // does all of the work and the copies bring it over.
                let right = task.check_output(&arm.checked_output(0).unwrap()).is_ok();
                let on_host_alone = variant.iter_launches().next().is_none();
                assert_eq!(right, on_host_alone, "{} {}", task.label(), variant.name);
                arms += 1;
            }
        }
    }
    let ceilings = device.ceilings().unwrap();
    assert!(ceilings.bytes_per_ns.unwrap() > 0.0);
    assert!(ceilings.vector_flops_per_ns.unwrap() > 0.0);
    assert!(ceilings.matrix_flops_per_ns.unwrap() > 0.0);
    format!("{arms} arms")
}

/// The verification of a task with rotated buffers.
fn rotate() -> String {
    let task = tasks::rms_norm(64, 4096, 1);
    let device = match CudaDevice::open(&Selector::First) {
        Ok(device) => device,
        Err(error) => return format!("error: {error}"),
    };
    let mut arm = device
        .prepare(&task, task.variants[0].name, CacheState::ColdByRotation)
        .unwrap();
    for set in 0..arm.sets() {
        if let Err(error) = arm.checked_output(set) {
            return format!("error: set {set}: {error}");
        }
    }
    "unchanged".to_owned()
}

/// The verification of the first of some arms that share their buffers.
fn shared(arms: usize) -> String {
    let task = tasks::rms_norm(64, 4096, 1);
    let device = match CudaDevice::open(&Selector::First) {
        Ok(device) => device,
        Err(error) => return format!("error: {error}"),
    };
    let names = task.variants.iter().take(arms).map(|variant| variant.name);
    let mut arms: Vec<_> = names
        .map(|name| device.prepare(&task, name, CacheState::Hot).unwrap())
        .collect();
    match arms[0].checked_output(0) {
        Ok(_) => "unchanged".to_owned(),
        Err(error) => format!("error: {error}"),
    }
}

/// A slot of three flushed launches, and how they were queued.
fn slot() -> String {
    let task = tasks::rms_norm(64, 4096, 1);
    let device = match CudaDevice::open(&Selector::First) {
        Ok(device) => device,
        Err(error) => return format!("error: {error}"),
    };
    let facts = &device.identity().facts;
    let way = facts.iter().find(|(name, _)| name == "launches");
    let way = way.unwrap().1.clone();
    let mut arm = device
        .prepare(&task, task.variants[0].name, CacheState::ColdByWriting)
        .unwrap();
    eprintln!("SLOT");
    match arm.run(3) {
        Ok(slot) => format!("{way}, {} spans", slot.spans),
        Err(error) => format!("error: {error}"),
    }
}

/// The calls of the slot that a child told, without the looks at events.
fn calls(output: &Output) -> Vec<String> {
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let (_, slot) = told.split_once("SLOT\n").unwrap();
    let calls = slot.lines().filter_map(|line| line.strip_prefix("CALL "));
    calls
        .filter(|name| *name != "cuEventQuery")
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_driver_without_graphs_has_its_stream_held_back() {
    let folder = tempfile::tempdir().unwrap();
    if !build(folder.path(), &whole("")) {
        return;
    }
    let cache = folder.path().join("cache");
    let cache = ("EVENHAND_CUBIN_CACHE", cache.to_str().unwrap());
    let (_, said) = child(folder.path(), "slot", &[cache]);
    if said.contains("NVRTC was not found") {
        eprintln!("skipped: {said}");
        return;
    }
    assert_eq!(said, "graph, 3 spans");
    let (tell, broken) = (("FAKE_TELL", "1"), ("FAKE_cuStreamBeginCapture_v2", "801"));
    let order = |hold: &'static str| {
        let span = [
            "cuMemsetD8Async",
            "cuEventRecord",
            "cuLaunchKernel",
            "cuEventRecord",
        ];
        // A reading of the clock, then hold and spans, all of them queued before a wait.
        let mut order = vec!["cuMemsetD8Async", "cuLaunchKernel", hold];
        order.extend([span; 3].concat());
        order.extend(["cuEventRecord", "cuEventDestroy_v2"]);
        order
    };
    let begins = |output: &Output, hold| {
        let (calls, order) = (calls(output), order(hold));
        let made: Vec<_> = calls
            .iter()
            .filter(|name| *name != "cuEventCreate")
            .collect();
        assert_eq!(made[..order.len()], order, "{calls:?}");
        // Work that goes on is waited for before anything else is asked of the card.
        let first = |name: &str| calls.iter().position(|call| call == name);
        assert!(
            first("cuCtxSynchronize") < first("cuMemcpyDtoH_v2"),
            "{calls:?}"
        );
    };
    let (output, said) = child(folder.path(), "slot", &[cache, tell, broken]);
    assert_eq!(said, "held stream, 3 spans");
    begins(&output, "cuStreamWaitValue32_v2");
    // A call that waits for the device while the stream is held back.
    let (full, limit) = (("FAKE_FULL", "1"), ("EVENHAND_DEVICE_TIMEOUT", "0.2"));
    let (_, said) = child(folder.path(), "slot", &[cache, broken, full, limit]);
    assert!(said.contains("held back for more than 0.2 s"), "{said}");
    // Functions that are not there; without the call that waits, a kernel does.
    for (missing, hold) in [
        ("cuGraphUpload", "cuStreamWaitValue32_v2"),
        ("cuStreamWaitValue32_v2", "cuLaunchKernel"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        assert!(build(folder.path(), &whole(missing)));
        let (output, said) = child(folder.path(), "slot", &[cache, tell, broken]);
        assert_eq!(said, "held stream, 3 spans", "without {missing}");
        begins(&output, hold);
    }
}

#[test]
fn an_input_that_changes_in_a_later_set_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    if !build(folder.path(), &whole("")) {
        return;
    }
    let cache = folder.path().join("cache");
    let cache = ("EVENHAND_CUBIN_CACHE", cache.to_str().unwrap());
    let (_, said) = child(folder.path(), "rotate", &[cache]);
    if said.contains("NVRTC was not found") {
        eprintln!("skipped: {said}");
        return;
    }
    assert_eq!(said, "unchanged");
    let (_, said) = child(folder.path(), "rotate", &[cache, ("FAKE_WRITE", "1")]);
    assert!(said.contains("it wrote to its input"), "{said}");
    assert!(!said.contains("set 0"), "{said}");
}

#[test]
fn a_shared_input_that_changed_is_not_blamed_on_the_arm_that_finds_it() {
    let folder = tempfile::tempdir().unwrap();
    if !build(folder.path(), &whole("")) {
        return;
    }
    let cache = folder.path().join("cache");
    let cache = ("EVENHAND_CUBIN_CACHE", cache.to_str().unwrap());
    let once = ("FAKE_WRITE_ONCE", "1");
    let (_, said) = child(folder.path(), "two arms", &[cache]);
    if said.contains("NVRTC was not found") {
        eprintln!("skipped: {said}");
        return;
    }
    assert_eq!(said, "unchanged");
    let (_, said) = child(folder.path(), "two arms", &[cache, once]);
    assert!(said.contains("that all arms of the task read"), "{said}");
    let (_, said) = child(folder.path(), "one arm", &[cache, once]);
    assert!(said.contains("it wrote to its input `x`"), "{said}");
}

#[test]
fn without_a_library_there_is_a_reason_and_the_host_processor() {
    let folder = tempfile::tempdir().unwrap();
    let (_, said) = child(folder.path(), "probe", &[]);
    if said.starts_with("CUDA") {
        eprintln!("skipped: this machine has a driver: {said}");
        return;
    }
    assert!(said.starts_with("no GPU: "), "{said}");
    assert_eq!(child(folder.path(), "auto", &[]).1, "cpu");
    let (_, said) = child(folder.path(), "cuda", &[]);
    assert!(said.starts_with("error: no GPU: "), "{said}");
}

#[test]
fn an_old_driver_is_refused_by_the_function_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let old = "int cuDriverGetVersion(int *v) { *v = 12020; return 0; }\nint cuInit(unsigned f) { \
               return 0; }\nint cuDeviceGetCount(int *n) { *n = 3; return 0; }\n";
    if !build(folder.path(), old) {
        return;
    }
    let (_, said) = child(folder.path(), "probe", &[]);
    assert!(
        said.contains("(CUDA 12.2) lacks cuEventElapsedTime_v2"),
        "{said}"
    );
    assert_eq!(child(folder.path(), "auto", &[]).1, "cpu");
    // Even one that does not tell its version.
    let folder = tempfile::tempdir().unwrap();
    assert!(build(
        folder.path(),
        "int cuInit(unsigned f) { return 0; }\n"
    ));
    let (_, said) = child(folder.path(), "probe", &[]);
    assert!(
        said.contains("driver lacks cuEventElapsedTime_v2"),
        "{said}"
    );
}

#[test]
fn every_missing_function_is_a_reason() {
    for missing in [
        "cuLaunchKernel",
        "cuMemHostAlloc",
        "cuInit",
        "cuDriverGetVersion",
    ] {
        let folder = tempfile::tempdir().unwrap();
        if !build(folder.path(), &whole(missing)) {
            return;
        }
        let (_, said) = child(folder.path(), "probe", &[]);
        assert!(said.contains(&format!("lacks {missing}")), "{said}");
    }
}

#[test]
fn a_driver_that_fails_says_how() {
    let folder = tempfile::tempdir().unwrap();
    if !build(folder.path(), &whole("")) {
        return;
    }
    let probe = |variable| child(folder.path(), "probe", &[variable]).1;
    assert!(probe(("FAKE_INIT", "100")).contains("finds no card"));
    assert!(probe(("FAKE_NO_CARD", "1")).contains("finds no card"));
    let said = probe(("FAKE_INIT", "803"));
    assert!(
        said.contains("cuInit failed") && said.contains("reboot"),
        "{said}"
    );
    let (_, said) = child(folder.path(), "cuda", &[("FAKE_RETAIN", "46")]);
    assert!(said.contains("exclusively by another process"), "{said}");
}

#[test]
fn a_card_is_chosen_by_index_or_uuid() {
    let folder = tempfile::tempdir().unwrap();
    if !build(folder.path(), &whole("")) {
        return;
    }
    let none = ("EVENHAND_NVRTC", "/nothing");
    let (_, said) = child(folder.path(), "probe", &[]);
    assert!(
        said.contains("cuda:0 Fake A sm_90 GPU-a0a0a0a0-a0a0"),
        "{said}"
    );
    // Found, and then stopped by the compiler that is not there.
    for choice in ["cuda:1", "cuda:GPU-a1", "cuda:GPU-A0A0", "auto"] {
        let (_, said) = child(folder.path(), choice, &[none]);
        assert!(said.contains("NVRTC was not found"), "{choice}: {said}");
    }
    for choice in ["cuda:2", "cuda:GPU-b"] {
        let (_, said) = child(folder.path(), choice, &[none]);
        assert!(
            said.contains("not there; there are CUDA 13.0"),
            "{choice}: {said}"
        );
    }
    let (_, said) = child(folder.path(), "cuda:GPU-a", &[none]);
    assert!(said.contains("more than one card"), "{said}");
}

#[test]
fn the_whole_way_of_calls_works_on_a_driver_that_does_nothing() {
    let folder = tempfile::tempdir().unwrap();
    if !build(folder.path(), &whole("")) {
        return;
    }
    let cache = folder.path().join("cache");
    let cache = ("EVENHAND_CUBIN_CACHE", cache.to_str().unwrap());
    let (_, said) = child(folder.path(), "measure", &[cache]);
    if said.contains("NVRTC was not found") {
        eprintln!("skipped: {said}");
        return;
    }
    assert!(said.ends_with(" arms") && said != "0 arms", "{said}");
    // Everything is in the cache now; a device that hangs is given up.
    let slow = ("EVENHAND_DEVICE_TIMEOUT", "0.05");
    let (_, said) = child(folder.path(), "cuda", &[cache, slow, ("FAKE_QUERY", "600")]);
    assert!(said.contains("did not finish within 0.05 s"), "{said}");
    let (_, said) = child(folder.path(), "cuda", &[cache, ("FAKE_QUERY", "719")]);
    assert!(said.contains("a kernel failed (CUDA error 719)"), "{said}");
    let (_, said) = child(folder.path(), "cuda", &[cache, ("FAKE_LAUNCH", "701")]);
    assert!(said.contains("more registers or shared memory"), "{said}");
}
