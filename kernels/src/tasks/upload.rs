use super::convert::launch;
use crate::task::{Buffer, HostMemory, Step, Task, Variant};
use crate::{F32ToBf16, bf16};

/// `len` values are `f32` on the host and shall be bf16 on the device: convert
/// before the copy, which halves it, or after it, where the bandwidth is?
///
/// | variant | steps |
/// |---|---|
/// | `host_pageable`, `host_pinned` | convert on the host, copy 2 bytes a value |
/// | `device_pageable`, `device_pinned` | copy 4 bytes a value, convert on the device |
///
/// No variant has a counterpart on the host processor: without a device there
/// is nowhere to copy to.
///
/// # Panics
/// If `len` is zero or not below 2^31.
#[must_use]
pub fn upload_as_bf16(len: usize, seed: u64) -> Task {
    const X: usize = 0;
    const OUT: usize = 1;
    let kernel = F32ToBf16::new(len, seed);
    let on_host = |name, memory| {
        let convert = Step::ConvertOnHost { from: X, to: OUT };
        let upload = Step::Upload {
            buffer: OUT,
            memory,
        };
        Variant::device_only(name, [convert, upload])
    };
    let on_device = |name, memory| {
        let upload = Step::Upload { buffer: X, memory };
        let convert = launch("f32_to_bf16_vector", len, 8);
        Variant::device_only(name, [upload, convert.into()])
    };
    Task {
        family: "upload_as_bf16",
        shape: format!("len={len}"),
        buffers: vec![
            Buffer::input("x", kernel.input().to_vec()),
            Buffer::output("out", vec![bf16::ZERO; len]),
        ],
        output: OUT,
        reference: kernel.reference(),
        tolerance: kernel.tolerance(),
        bytes_moved: kernel.bytes_moved(),
        flops: kernel.flops(),
        variants: vec![
            on_host("host_pageable", HostMemory::Pageable),
            on_host("host_pinned", HostMemory::Pinned),
            on_device("device_pageable", HostMemory::Pageable),
            on_device("device_pinned", HostMemory::Pinned),
        ],
    }
}
