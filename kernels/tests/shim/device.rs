//! Runs a variant of a task, step by step, as a device would.
#![allow(unsafe_code)] // hands buffers to compiled kernels

use super::block::{Block, Broken, Stacks, access, shared, wait};
use super::compile::Kernels;
use super::memory::{Memory, Region, Storage};
use bootstrap::Stream;
use evenhand_kernels::bf16;
use evenhand_kernels::cpu::convert::{bf16_to_f32_shift, f32_to_bf16_branch_free};
use evenhand_kernels::task::{Arg, Buffer, Data, Launch, Role, Source, Step, Task, Variant};
use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

fn upload(data: &Data, to: &mut Storage) {
    let source: *const u8 = match data {
        Data::F32(values) => values.as_ptr().cast(),
        Data::Bf16(values) => values.as_ptr().cast(),
        Data::U32(values) => values.as_ptr().cast(),
    };
    assert_eq!(data.byte_len(), to.bytes, "a buffer changed its size");
    // SAFETY: both have `bytes` bytes, and any bits are a `u8`.
    unsafe { source.copy_to_nonoverlapping(to.address().cast(), to.bytes) };
}

fn download(from: &mut Storage, data: &mut Data) {
    let target: *mut u8 = match data {
        Data::F32(values) => values.as_mut_ptr().cast(),
        Data::Bf16(values) => values.as_mut_ptr().cast(),
        Data::U32(values) => values.as_mut_ptr().cast(),
    };
    // SAFETY: both have `bytes` bytes, and all three types take any bits.
    unsafe { target.copy_from_nonoverlapping(from.address().cast(), from.bytes) };
}

/// Runs the steps of a variant and returns the output.
///
/// # Errors
/// The rule that a kernel broke, with lines of the `.cu` file.
pub fn run(task: &Task, variant: &Variant, seed: u64) -> Result<Data, String> {
    run_with(task, variant, seed, kernels_of)
}

/// The same with kernels from elsewhere: mutants.
///
/// # Errors
/// As [`run`].
pub fn run_with(
    task: &Task,
    variant: &Variant,
    seed: u64,
    kernels: impl Fn(&'static Source) -> Result<Arc<Kernels>, String>,
) -> Result<Data, String> {
    let mut host = task.fresh_buffers();
    let mut order = Stream::new(seed, "shim/order");
    let mut device: Vec<Storage> = host
        .iter()
        .map(|b| Storage::new(b.data.byte_len()))
        .collect();
    for (index, (device, host)) in device.iter_mut().zip(&host).enumerate() {
        if variant.uploads().all(|uploaded| uploaded != index) {
            upload(&host.data, device);
        }
    }
    for step in &variant.steps {
        match step {
            Step::Launch(launch) => {
                launch_all(
                    &*kernels(launch.source)?,
                    launch,
                    &host,
                    &mut device,
                    &mut order,
                )?;
            }
            Step::ConvertOnHost { from, to } => convert(&mut host, *from, *to),
            Step::Upload { buffer, .. } => upload(&host[*buffer].data, &mut device[*buffer]),
        }
    }
    let mut output = host.swap_remove(task.output).data;
    download(&mut device[task.output], &mut output);
    Ok(output)
}

/// The compiled kernels of a source of the crate, kept for the next test.
pub fn kernels_of(source: &'static Source) -> Result<Arc<Kernels>, String> {
    static OPENED: OnceLock<Mutex<HashMap<&str, Arc<Kernels>>>> = OnceLock::new();
    let opened = OPENED.get_or_init(Mutex::default);
    let mut opened = opened.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(kernels) = opened.get(source.file) {
        return Ok(Arc::clone(kernels));
    }
    let kernels = Arc::new(Kernels::of(source)?);
    opened.insert(source.file, Arc::clone(&kernels));
    Ok(kernels)
}

fn convert(host: &mut [Buffer], from: usize, to: usize) {
    let [from, to] = host.get_disjoint_mut([from, to]).expect("two buffers");
    match (&from.data, &mut to.data) {
        (Data::F32(from), Data::Bf16(to)) => f32_to_bf16_branch_free(from, to),
        (Data::Bf16(from), Data::F32(to)) => bf16_to_f32_shift(from, to),
        _ => panic!("a conversion is between f32 and bf16"),
    }
}

fn launch_all(
    kernels: &Kernels,
    launch: &Launch,
    host: &[Buffer],
    device: &mut [Storage],
    order: &mut Stream,
) -> Result<(), String> {
    let entry = launch.entry;
    let enter = kernels
        .enter(entry)
        .ok_or_else(|| format!("{}: no kernel {entry}", kernels.file))?;
    let wanted: Vec<String> = launch.args.iter().map(|arg| type_of(arg, host)).collect();
    let taken = kernels.types(entry);
    if wanted != taken {
        return Err(format!(
            "{entry} takes {taken:?}, the launch passes {wanted:?}"
        ));
    }
    let threads = launch.block.iter().product::<u32>();
    if threads == 0 || threads > 1024 || launch.grid.contains(&0) {
        return Err(format!(
            "{entry}: no device launches {:?} x {:?}",
            launch.grid, launch.block
        ));
    }

    let mut values: Vec<u64> = launch
        .args
        .iter()
        .map(|arg| value_of(arg, device))
        .collect();
    let mut args: Vec<*mut c_void> = values
        .iter_mut()
        .map(|value| (&raw mut *value).cast())
        .collect();
    let [image, image_end] = kernels.bounds();
    let mut memory = Memory::default();
    memory.constant.push(image..image_end);
    for (buffer, device) in host.iter().zip(device.iter_mut()) {
        let writable = buffer.role != Role::Input;
        let element = buffer.data.element_bytes();
        memory.regions.push(Region::new(
            buffer.name,
            device.addresses(),
            writable,
            element,
        ));
    }

    // The first array of any file: a tag that no code has.
    let dynamic = memory.shared(0, launch.shared_bytes as usize, 4, "dynamic memory");
    let _alone = kernels
        .launching
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let state = kernels.state();
    // SAFETY: nobody else runs in the library while we hold its lock.
    unsafe {
        (*state).block_dim = launch.block;
        (*state).grid_dim = launch.grid;
        (*state).dynamic_shared = dynamic.cast();
        (*state).shared = Some(shared);
        (*state).wait = Some(wait);
        (*state).access = Some(access);
    }
    let mut stacks = Stacks::new();
    let blocks = launch.grid.iter().product::<u32>() as usize;
    for index in order.permutation(blocks) {
        memory.next_block();
        let [x, y, _] = launch.grid;
        let index = index as u32;
        let mut block = Block {
            enter,
            args: &mut args,
            state,
            position: [index % x, index / x % y, index / (x * y)],
            index,
            dim: launch.block,
        };
        let result;
        (memory, result) = block.run(memory, &mut stacks, order);
        result.map_err(|broken| describe(kernels, entry, &broken))?;
    }
    Ok(())
}

fn describe(kernels: &Kernels, entry: &str, broken: &Broken) -> String {
    let places: Vec<String> = broken
        .code
        .iter()
        .map(|&code| kernels.locate(code))
        .collect();
    let at = if places.is_empty() {
        String::new()
    } else {
        format!(" at {}", places.join(" and "))
    };
    format!("{entry}: {}{at}", broken.what)
}

fn type_of(arg: &Arg, host: &[Buffer]) -> String {
    let name = match arg {
        Arg::Buffer(index) => match host[*index].data {
            Data::F32(_) => "*f32",
            Data::Bf16(_) => "*bf16",
            Data::U32(_) => "*u32",
        },
        Arg::U32(_) => "u32",
        Arg::I32(_) => "i32",
        Arg::F32(_) => "f32",
        Arg::U64(_) => "u64",
    };
    name.to_owned()
}

/// The bytes of an argument, in the low end of a word.
fn value_of(arg: &Arg, device: &mut [Storage]) -> u64 {
    match *arg {
        Arg::Buffer(index) => device[index].address().expose_provenance() as u64,
        Arg::U32(value) => value.into(),
        Arg::I32(value) => value.cast_unsigned().into(),
        Arg::F32(value) => value.to_bits().into(),
        Arg::U64(value) => value,
    }
}

const _: () = assert!(size_of::<bf16>() == 2 && cfg!(target_endian = "little"));
