//! Runs a variant of a task, step by step, as a device would.
#![allow(unsafe_code)] // hands buffers to compiled kernels

use super::block::{Block, Broken, Stacks, access, wait};
use super::compile::Kernels;
use super::memory::{Memory, Region};
use bootstrap::Stream;
use evenhand_kernels::bf16;
use evenhand_kernels::cpu::convert::{bf16_to_f32_shift, f32_to_bf16_branch_free};
use evenhand_kernels::task::{Arg, Buffer, Data, Launch, Role, Source, Step, Task, Variant};
use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Device memory starts at multiples of this, as `cudaMalloc` has it.
#[repr(align(256))]
#[derive(Clone)]
struct Line(#[allow(dead_code)] [u8; 256]); // read through pointers

struct DeviceBuffer {
    lines: Vec<Line>,
    bytes: usize,
}

impl DeviceBuffer {
    fn new(bytes: usize) -> Self {
        // A line more than needed: what lies behind the end is never another
        // buffer.
        let lines = vec![Line([0xFF; 256]); bytes / 256 + 1];
        Self { lines, bytes }
    }

    fn upload(&mut self, data: &Data) {
        let source: *const u8 = match data {
            Data::F32(values) => values.as_ptr().cast(),
            Data::Bf16(values) => values.as_ptr().cast(),
            Data::U32(values) => values.as_ptr().cast(),
        };
        assert_eq!(data.byte_len(), self.bytes, "a buffer changed its size");
        // SAFETY: both have `bytes` bytes, and any bits are a `u8`.
        unsafe { source.copy_to_nonoverlapping(self.lines.as_mut_ptr().cast(), self.bytes) };
    }

    fn download(&self, data: &mut Data) {
        let target: *mut u8 = match data {
            Data::F32(values) => values.as_mut_ptr().cast(),
            Data::Bf16(values) => values.as_mut_ptr().cast(),
            Data::U32(values) => values.as_mut_ptr().cast(),
        };
        // SAFETY: both have `bytes` bytes, and all three types take any bits.
        unsafe { target.copy_from_nonoverlapping(self.lines.as_ptr().cast(), self.bytes) };
    }

    fn address(&mut self) -> *mut c_void {
        self.lines.as_mut_ptr().cast()
    }
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
    let mut device: Vec<DeviceBuffer> = host
        .iter()
        .map(|b| DeviceBuffer::new(b.data.byte_len()))
        .collect();
    for (index, (device, host)) in device.iter_mut().zip(&host).enumerate() {
        if variant.uploads().all(|uploaded| uploaded != index) {
            device.upload(&host.data);
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
            Step::Upload { buffer, .. } => device[*buffer].upload(&host[*buffer].data),
        }
    }
    let mut output = host.swap_remove(task.output).data;
    device[task.output].download(&mut output);
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
    device: &mut [DeviceBuffer],
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
    let mut dynamic = DeviceBuffer::new(launch.shared_bytes as usize);
    let [image, image_end, shared, shared_end] = kernels.bounds();
    let mut memory = Memory {
        regions: Vec::new(),
        constant: vec![image..image_end],
    };
    let mut add = |name: &str, start: usize, bytes: usize, writable: bool, element: usize| {
        memory
            .regions
            .push(Region::new(name, start..start + bytes, writable, element));
    };
    add("static shared memory", shared, shared_end - shared, true, 1);
    add(
        "dynamic shared memory",
        dynamic.address().addr(),
        dynamic.bytes,
        true,
        1,
    );
    for (buffer, device) in host.iter().zip(device.iter_mut()) {
        let writable = buffer.role != Role::Input;
        add(
            buffer.name,
            device.address().addr(),
            device.bytes,
            writable,
            buffer.data.element_bytes(),
        );
    }

    let _alone = kernels
        .launching
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let state = kernels.state();
    // SAFETY: nobody else runs in the library while we hold its lock.
    unsafe {
        (*state).block_dim = launch.block;
        (*state).grid_dim = launch.grid;
        (*state).dynamic_shared = dynamic.address().cast();
        (*state).wait = Some(wait);
        (*state).access = Some(access);
    }
    let mut stacks = Stacks::new();
    let blocks = launch.grid.iter().product::<u32>() as usize;
    for index in order.permutation(blocks) {
        // What an earlier block left in shared memory must not help this one.
        // SAFETY: the section is the library's writable data.
        unsafe {
            std::ptr::with_exposed_provenance_mut::<u8>(shared)
                .write_bytes(0xFF, shared_end - shared)
        };
        dynamic.lines.fill(Line([0xFF; 256]));
        memory.regions[..2].iter_mut().for_each(Region::forget);
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
fn value_of(arg: &Arg, device: &mut [DeviceBuffer]) -> u64 {
    match *arg {
        Arg::Buffer(index) => device[index].address().expose_provenance() as u64,
        Arg::U32(value) => value.into(),
        Arg::I32(value) => value.cast_unsigned().into(),
        Arg::F32(value) => value.to_bits().into(),
        Arg::U64(value) => value,
    }
}

const _: () = assert!(size_of::<bf16>() == 2 && cfg!(target_endian = "little"));
