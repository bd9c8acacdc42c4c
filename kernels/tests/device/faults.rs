//! Bad input on a card, as the driver tells of it: every fault becomes an
//! error that names its cause.

use super::made_up::{self, CHILD, build, whole};
use evenhand_kernels::device::{CacheState, CudaDevice, Device, DeviceError, Selector};
use evenhand_kernels::task::{Launch, Source, Step, Task};
use evenhand_kernels::tasks;
use std::path::Path;

static BROKEN: Source = Source {
    file: "broken.cu",
    text: "extern \"C\" __global__ void broken(float *x) {\n    x[0] = nowhere;\n}\n",
    headers: &[],
};

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
    match what {
        "slots" => slots(&device),
        "outputs" => outputs(&device),
        _ => device
            .prepare(&changed(what), "changed", CacheState::ColdByWriting)
            .map(|_| "prepared".to_owned()),
    }
}

/// A task whose first variant asks for what no card can give.
fn changed(what: &str) -> Task {
    let mut task = tasks::rms_norm(2, 64, 1);
    let variant = &mut task.variants[0];
    variant.name = "changed";
    let Step::Launch(launch) = &mut variant.steps[0] else {
        panic!("the first step is a launch");
    };
    match what {
        "as it is" => {}
        "broken" => *launch = Launch::new(&BROKEN, "broken", 1, 32, launch.args.clone()),
        "shared" => launch.shared_bytes = 1 << 20,
        "blocks" => launch.grid[1] = 65_536,
        "no block" => launch.grid[0] = 0,
        "threads" => launch.block = [64, 32, 1],
        other => panic!("{other}"),
    }
    task
}

/// A slot, one more after faults are switched on, and then another variant.
fn slots(device: &CudaDevice) -> Result<String, DeviceError> {
    let task = tasks::rms_norm(2, 64, 1);
    let [one, other] = [0, 1].map(|index| task.variants[index].name);
    let mut arm = device.prepare(&task, one, CacheState::ColdByWriting)?;
    arm.run(3)?;
    let switch = std::env::var_os("FAKE_SWITCH").expect("a switch");
    std::fs::write(switch, "on").expect("a folder that can be written to");
    let first = arm.run(3).err().map(|error| error.to_string());
    let next = device
        .prepare(&task, other, CacheState::ColdByWriting)
        .err();
    let shown = |error: Option<String>| error.unwrap_or("nothing".to_owned());
    Ok(format!(
        "first: {}; next: {}",
        shown(first),
        shown(next.map(|error| error.to_string()))
    ))
}

/// Which sets of rotated buffers hold the right output.
fn outputs(device: &CudaDevice) -> Result<String, DeviceError> {
    let task = tasks::upload_as_bf16(1 << 20, 1);
    let mut arm = device.prepare(&task, "host_pinned", CacheState::ColdByRotation)?;
    let right = (0..arm.sets())
        .map(|set| Ok(task.check_output(&arm.checked_output(set)?).is_ok()))
        .collect::<Result<Vec<_>, DeviceError>>()?;
    Ok(format!("{right:?}"))
}

/// What a child says on the whole made-up driver, with `variables`; `None`
/// where no driver can be built or nothing can be compiled for it.
struct Card {
    folder: tempfile::TempDir,
}

impl Card {
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        if !build(folder.path(), &whole("")) {
            return None;
        }
        let card = Self { folder };
        let said = card.says("as it is", &[]);
        if said.contains("NVRTC was not found") {
            eprintln!("skipped: {said}");
            return None;
        }
        assert_eq!(said, "prepared");
        Some(card)
    }

    fn says(&self, what: &str, variables: &[(&str, &str)]) -> String {
        let folder: &Path = self.folder.path();
        let (cache, switch) = (folder.join("cache"), folder.join("switch"));
        let _ = std::fs::remove_file(&switch);
        let mut all = vec![("EVENHAND_CUBIN_CACHE", cache.to_str().unwrap())];
        if what == "slots" {
            all.push(("FAKE_SWITCH", switch.to_str().unwrap()));
        }
        all.extend(variables);
        made_up::child("faults::in_a_child", folder, what, &all).1
    }
}

#[test]
fn a_launch_that_no_card_can_take_is_refused_in_words() {
    let Some(card) = Card::new() else { return };
    for (what, words) in [
        (
            "shared",
            "asks for 1048576 bytes of shared memory per block; this card has 232448",
        ),
        (
            "blocks",
            "x65536x1 blocks; this card takes from 1x1x1 to 2147483647x65535x65535",
        ),
        ("no block", "0x1x1 blocks; this card takes from 1x1x1"),
        (
            "threads",
            "asks for 2048 threads in a block; with its registers this card takes 1024",
        ),
    ] {
        let said = card.says(what, &[]);
        assert!(said.starts_with("error: kernel `"), "{what}: {said}");
        assert!(said.contains(words), "{what}: {said}");
    }
}

#[test]
fn a_kernel_that_does_not_compile_names_its_line() {
    let Some(card) = Card::new() else { return };
    let said = card.says("broken", &[]);
    assert!(said.contains("broken.cu:2"), "{said}");
    assert!(said.contains("nowhere"), "{said}");
}

#[test]
fn what_breaks_a_slot_is_its_error_and_that_of_what_comes_after() {
    let Some(card) = Card::new() else { return };
    let limit = ("EVENHAND_DEVICE_TIMEOUT", "0.05");
    for (code, words) in [
        // A kernel that reads or writes beyond its buffers.
        (
            "700",
            "a kernel used an address that is not its own (CUDA error 700)",
        ),
        ("719", "a kernel failed (CUDA error 719)"),
        // A kernel that never ends.
        ("600", "the device did not finish within 0.05 s"),
        // A card that fell off the bus, or was taken away.
        ("999", "unknown error"),
        ("46", "used exclusively by another process"),
        ("214", "the card needs a reset"),
    ] {
        let said = card.says("slots", &[limit, ("FAKE_QUERY", code)]);
        let (first, next) = said.split_once("; next: ").unwrap();
        assert!(first.contains(words), "{code}: {said}");
        assert!(
            next.contains("the device was lost to this process"),
            "{code}: {said}"
        );
        assert!(next.contains(words), "{code}: {said}");
    }
    // An error that leaves the device as it was is nobody else's.
    let said = card.says("slots", &[("FAKE_cuMemcpyDtoH_v2", "1")]);
    assert!(said.starts_with("first: cuMemcpyDtoH_v2 failed"), "{said}");
    assert!(said.ends_with("next: nothing"), "{said}");
}

#[test]
fn the_output_of_every_set_is_read() {
    let Some(card) = Card::new() else { return };
    let said = card.says("outputs", &[]);
    assert_eq!(said, "[true, true]");
    let said = card.says("outputs", &[("FAKE_SPOIL", "1")]);
    assert_eq!(said, "[true, false]");
}
