//! What this card can do at most, timed on it.

use super::super::{Ceilings, DeviceError};
use super::context::Context;
use super::driver::check;
use super::launches::Launches;
use super::memory::DeviceMemory;
use super::module::{Function, load};
use crate::nvrtc::{Arch, Compiler};
use crate::task::Source;
use cudarc::driver::sys;
use std::rc::Rc;

static SOURCE: Source = Source {
    file: "ceilings.cu",
    text: include_str!("ceilings.cu"),
    headers: &[],
};

/// Spans of which the fastest counts.
const SPANS: usize = 7;
const THREADS: u32 = 256;
/// Blocks per multiprocessor: all threads that it can hold, or nearly.
const BLOCKS: u32 = 8;
/// Turns of a kernel's loop: some tenths of a millisecond.
const ROUNDS: u32 = 4096;
/// Operations of a thread in a turn: 8 multiply-adds.
const MULTIPLY_ADD_FLOPS: f64 = 16.0;
/// Operations of a warp in a turn: 4 products of 16x8x16.
const MATRIX_FLOPS: f64 = 4.0 * 2.0 * (16 * 8 * 16) as f64;
/// The first architecture with matrix products of bf16.
const MATRIX_ARCH: Arch = Arch(80);

/// Times a copy much larger than the cache and arithmetic from registers.
pub(super) fn ceilings(
    context: &Rc<Context>,
    launches: &Launches,
    compiler: &Compiler,
    arch: Arch,
) -> Result<Ceilings, DeviceError> {
    let compiled = compiler
        .compile(&SOURCE, arch)
        .map_err(|e| DeviceError::Compile(e.to_string()))?;
    let module = load(&compiled)?;
    let sink = DeviceMemory::new(context, 4)?;
    let blocks = BLOCKS * context.multiprocessors;
    let threads = f64::from(blocks) * f64::from(THREADS);
    let rate = |entry, a: u32, b: u32, flops: f64| {
        let function = Function::of(module, entry)?;
        let arguments = [sink.address, ROUNDS.into(), a.into(), b.into()];
        let ns = fastest(launches.spans(context, SPANS, |_| {
            function.launch(context, [blocks, 1, 1], [THREADS, 1, 1], 0, &arguments)
        })?);
        Ok::<_, DeviceError>(ns.map(|ns| flops * f64::from(ROUNDS) / ns))
    };
    let (a, b) = (0.999_f32.to_bits(), 0.5_f32.to_bits());
    // Two bf16 of about 0.5 in each register.
    let pair = 0x3F01_3F03;
    Ok(Ceilings {
        bytes_per_ns: copy(context, launches)?,
        vector_flops_per_ns: rate("multiply_add", a, b, MULTIPLY_ADD_FLOPS * threads)?,
        matrix_flops_per_ns: if arch >= MATRIX_ARCH {
            rate("matrix_product", pair, pair, MATRIX_FLOPS * threads / 32.0)?
        } else {
            None
        },
    })
}

/// Bytes read and written per nanosecond by the fastest of several copies.
fn copy(context: &Rc<Context>, launches: &Launches) -> Result<Option<f64>, DeviceError> {
    let free = context.free_memory()? as usize;
    let bytes = (8 * context.l2_bytes).max(64 << 20).min(free / 4);
    let (from, to) = (
        DeviceMemory::new(context, bytes)?,
        DeviceMemory::new(context, bytes)?,
    );
    from.set(0x3C)?;
    to.set(0)?;
    let copies = launches.spans(context, SPANS, |_| {
        // SAFETY: two live pieces of memory of this length.
        check("cuMemcpyDtoDAsync_v2", unsafe {
            sys::cuMemcpyDtoDAsync_v2(to.address, from.address, bytes, context.stream)
        })
    })?;
    // Every byte is read and written.
    Ok(fastest(copies).map(|ns| 2.0 * bytes as f64 / ns))
}

fn fastest(spans: Vec<f64>) -> Option<f64> {
    let ns = spans.into_iter().fold(f64::INFINITY, f64::min);
    (ns.is_finite() && ns > 0.0).then_some(ns)
}
