//! An NVIDIA GPU as a device.

use super::super::{CacheState, Ceilings, Device, DeviceError, Identity, Prepared, Selector};
use super::ceilings::ceilings;
use super::context::Context;
use super::instruments::Instruments;
use super::limits;
use super::memory::{DeviceMemory, Event};
use super::module::{Function, load};
use super::nvml::Watch;
use super::placed::{Placed, Places, drawn};
use super::prepared::OnCard;
use super::steps::{BoundLaunch, BoundStep, HostSide};
use crate::device::cpu::{digests, monotonic_step_ns};
use crate::nvrtc::{Arch, Compiled, Compiler, Search};
use crate::task::{Arg, Launch, Source, Step, Task, Variant};
use cudarc::driver::sys;
use cudarc::driver::sys::CUfunction_attribute_enum as Attribute;
use sha2::{Digest, Sha256};
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// A flush goes over this many times the second-level cache.
const FLUSH: usize = 2;
/// Rotation goes around this many times the second-level cache.
const ROTATION: usize = 5;

/// A card, opened. Kernels are compiled for its own architecture.
pub struct CudaDevice {
    identity: Identity,
    opened: Rc<Opened>,
    compiler: Compiler,
    arch: Arch,
    modules: RefCell<BTreeMap<&'static str, (sys::CUmodule, Compiled)>>,
    ceilings: OnceCell<Ceilings>,
    places: Places,
}

/// Steps that are ready to run, and what is known of their code.
type Bound = (Vec<BoundStep>, Vec<(String, String)>);

/// What every variant on a card shares.
pub(super) struct Opened {
    pub context: Rc<Context>,
    pub instruments: Instruments,
    /// What flushes write to and read from, the same memory for all arms.
    flushes: [OnceCell<Rc<DeviceMemory>>; 2],
    pub watch: Watch,
    /// Step of the host's clock, for variants that involve the host.
    pub host_step_ns: f64,
}

impl Opened {
    /// Reading needs zeros, so what is written to is another memory.
    fn flush(&self, cache: CacheState) -> Result<Rc<DeviceMemory>, DeviceError> {
        let flush = &self.flushes[usize::from(cache == CacheState::ColdByReading)];
        if let Some(memory) = flush.get() {
            return Ok(Rc::clone(memory));
        }
        let bytes = (FLUSH * self.context.l2_bytes).max(1 << 20);
        let memory = DeviceMemory::new(&self.context, bytes)?;
        memory.set(0)?;
        Ok(Rc::clone(flush.get_or_init(|| Rc::new(memory))))
    }
}

impl CudaDevice {
    /// Opens a card, finds NVRTC, and measures the timer.
    ///
    /// # Errors
    /// If there is no such card, NVRTC is not found, or the driver fails.
    pub fn open(selector: &Selector) -> Result<Self, DeviceError> {
        let context = Rc::new(Context::open(selector)?);
        let compiler = Compiler::find(&Search::from_environment())
            .map_err(|e| DeviceError::Unavailable(e.to_string()))?;
        context.forbid_persisting_lines()?;
        let (major, minor) = context.card.capability;
        let arch = Arch(10 * major + minor);
        let instruments = Instruments::new(&context, &compiler, arch)?;
        let watch = Watch::start(&context.card.uuid);
        let mut facts: Vec<(String, String)> = [
            ("uuid", context.card.uuid.clone()),
            ("architecture", arch.to_string()),
            ("driver_cuda", version(context.driver)),
            ("nvrtc", compiler.shown_version()),
            ("l2_bytes", context.l2_bytes.to_string()),
            ("multiprocessors", context.multiprocessors.to_string()),
            ("launches", instruments.launches.shown().to_owned()),
            ("timer_step_ns", format!("{:.1}", instruments.timer_step_ns)),
            ("empty_kernel_ns", format!("{:.1}", instruments.floor_ns)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        facts.extend(watch.facts());
        Ok(Self {
            identity: Identity {
                label: context.card.name.clone(),
                facts,
            },
            opened: Rc::new(Opened {
                context,
                instruments,
                flushes: Default::default(),
                watch,
                host_step_ns: monotonic_step_ns(),
            }),
            compiler,
            arch,
            modules: RefCell::default(),
            ceilings: OnceCell::new(),
            places: Places::default(),
        })
    }

    /// The compiled source, loaded once.
    fn module(&self, source: &'static Source) -> Result<(sys::CUmodule, Compiled), DeviceError> {
        if let Some(loaded) = self.modules.borrow().get(source.file) {
            return Ok(loaded.clone());
        }
        let compiled = self
            .compiler
            .compile(source, self.arch)
            .map_err(|e| DeviceError::Compile(e.to_string()))?;
        let loaded = (load(&compiled)?, compiled);
        self.modules
            .borrow_mut()
            .insert(source.file, loaded.clone());
        Ok(loaded)
    }

    /// Binds the steps and gathers what is known of their code.
    fn bind(&self, variant: &Variant) -> Result<Bound, DeviceError> {
        let mut steps = Vec::new();
        let mut code = Sha256::new();
        let mut facts = Facts::default();
        for step in &variant.steps {
            steps.push(match step {
                Step::Launch(launch) => {
                    let (module, compiled) = self.module(launch.source)?;
                    let function = Function::of(module, launch.entry)?;
                    let shared = limits::check(&self.opened.context, function, launch)?;
                    function.allow_shared(launch.shared_bytes)?;
                    let hash = compiled.code_hash(launch.entry).unwrap_or_default();
                    code.update(launch_text(launch, &hash));
                    facts.add(function, launch, shared)?;
                    BoundStep::Launch(BoundLaunch {
                        function,
                        launch: launch.clone(),
                    })
                }
                Step::ConvertOnHost { from, to } => {
                    code.update(format!("convert {from} {to}\n"));
                    BoundStep::Convert {
                        from: *from,
                        to: *to,
                    }
                }
                Step::Upload { buffer, memory } => {
                    code.update(format!("upload {buffer} {memory:?}\n"));
                    BoundStep::Upload { buffer: *buffer }
                }
            });
        }
        let hash: String = code.finalize().iter().map(|b| format!("{b:02x}")).collect();
        let mut facts = facts.shown();
        facts.push(("code_hash".to_owned(), hash));
        Ok((steps, facts))
    }

    /// How many sets of buffers a cache state needs.
    fn sets(&self, task: &Task, cache: CacheState) -> Result<usize, DeviceError> {
        if cache != CacheState::ColdByRotation {
            return Ok(1);
        }
        let bytes: usize = task.buffers.iter().map(|b| b.data.byte_len()).sum();
        let sets = (ROTATION * self.opened.context.l2_bytes)
            .div_ceil(bytes.max(1))
            .max(2);
        let free = self.opened.context.free_memory()? as usize;
        if sets.saturating_mul(bytes) > free / 2 || sets > 4096 {
            return Err(DeviceError::Unsupported(format!(
                "rotation needs {sets} sets of {bytes} bytes; use the flushed cache"
            )));
        }
        Ok(sets)
    }
}

fn version(number: u32) -> String {
    format!("{}.{}", number / 1000, number % 1000 / 10)
}

/// What makes two launches the same: code, geometry, and every argument.
fn launch_text(launch: &Launch, hash: &str) -> String {
    let arguments: Vec<String> = launch
        .args
        .iter()
        .map(|arg| match arg {
            Arg::F32(value) => format!("F32({:08x})", value.to_bits()),
            other => format!("{other:?}"),
        })
        .collect();
    format!(
        "launch {hash} {:?} {:?} {} {}\n",
        launch.grid,
        launch.block,
        launch.shared_bytes,
        arguments.join(" ")
    )
}

/// Compiler facts, one value per launch.
#[derive(Default)]
struct Facts {
    registers: Vec<String>,
    local_bytes: Vec<String>,
    shared_bytes: Vec<String>,
    blocks: Vec<String>,
}

impl Facts {
    fn add(&mut self, function: Function, launch: &Launch, shared: u32) -> Result<(), DeviceError> {
        let of = |which| function.attribute(which);
        let threads = launch.block.iter().product();
        self.registers
            .push(of(Attribute::CU_FUNC_ATTRIBUTE_NUM_REGS)?.to_string());
        self.local_bytes
            .push(of(Attribute::CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES)?.to_string());
        self.shared_bytes.push(shared.to_string());
        self.blocks.push(
            function
                .blocks_per_multiprocessor(threads, launch.shared_bytes)?
                .to_string(),
        );
        Ok(())
    }

    fn shown(&self) -> Vec<(String, String)> {
        let named = [
            ("registers", &self.registers),
            // What the driver calls local memory: spills and arrays that are indexed.
            ("spill_bytes", &self.local_bytes),
            ("shared_bytes", &self.shared_bytes),
            ("occupancy", &self.blocks),
        ];
        named
            .into_iter()
            .filter(|(_, values)| !values.is_empty())
            .map(|(name, values)| (name.to_owned(), values.join(" ")))
            .collect()
    }
}

impl Device for CudaDevice {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    fn prepare(
        &self,
        task: &Task,
        variant: &str,
        cache: CacheState,
    ) -> Result<Box<dyn Prepared>, DeviceError> {
        let variant = task
            .variant(variant)
            .ok_or_else(|| DeviceError::NoVariant {
                variant: variant.to_owned(),
                known: task.variants.iter().map(|v| v.name).collect(),
            })?;
        let context = &self.opened.context;
        context.still_there()?;
        let (steps, facts) = self.bind(variant)?;
        let buffers = task.fresh_buffers();
        let inputs = digests(&buffers);
        let uploads: Vec<usize> = variant.uploads().collect();
        // Those that copy find them poisoned; those that rotate go around many places anyway.
        let placed = if uploads.is_empty() && cache != CacheState::ColdByRotation {
            self.places.shared(context, task, &buffers, &inputs)?
        } else {
            let sets = self.sets(task, cache)?;
            Rc::new(Placed::new(context, &buffers, sets, drawn(&inputs))?)
        };
        for set in &placed.sets {
            for &index in &uploads {
                set[index].set(0xFF)?;
            }
        }
        let flush = cache.is_flushed().then(|| self.opened.flush(cache));
        let mut on_card = OnCard {
            sides: HostSide::of(context, &buffers, &variant.steps)?,
            inputs,
            buffers,
            output: task.output,
            uploads,
            placed,
            flush: flush.transpose()?,
            cache,
            involves_host: variant.involves_host(),
            facts,
            done: Event::new(context)?,
            batch: 1,
            graphs: BTreeMap::new(),
            next_set: 0,
            last_ns: 0.0,
            steps,
            opened: Rc::clone(&self.opened),
        };
        // Copies from the host may still be under way, and on another stream.
        context.drain()?;
        on_card.choose_batch()?;
        Ok(Box::new(on_card))
    }

    fn ceilings(&self) -> Result<Ceilings, DeviceError> {
        if let Some(known) = self.ceilings.get() {
            return Ok(*known);
        }
        let measured = ceilings(
            &self.opened.context,
            &self.opened.instruments.launches,
            &self.compiler,
            self.arch,
        )?;
        Ok(*self.ceilings.get_or_init(|| measured))
    }
}
