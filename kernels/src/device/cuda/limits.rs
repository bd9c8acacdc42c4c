//! What a launch may ask of a card. The driver refuses more than that with the
//! words "an argument is wrong".

use super::super::DeviceError;
use super::context::Context;
use super::driver::attribute;
use super::module::Function;
use crate::task::Launch;
use cudarc::driver::sys::CUdevice_attribute_enum as Limit;
use cudarc::driver::sys::CUfunction_attribute_enum as Attribute;

/// Refuses a launch that this card cannot take; gives the shared memory of a
/// block, static and dynamic, in bytes.
pub(super) fn check(
    context: &Context,
    function: Function,
    launch: &Launch,
) -> Result<u32, DeviceError> {
    let refuse = |asks: String, has: String| {
        let entry = launch.entry;
        Err(DeviceError::Unsupported(format!(
            "kernel `{entry}` asks for {asks}; {has}"
        )))
    };
    let of = |which| attribute(context.device, which);
    let most_blocks = [
        of(Limit::CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X)?,
        of(Limit::CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y)?,
        of(Limit::CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z)?,
    ];
    let most_threads = [
        of(Limit::CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X)?,
        of(Limit::CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y)?,
        of(Limit::CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z)?,
    ];
    for (what, asked, most) in [
        ("blocks", launch.grid, most_blocks),
        ("threads in a block", launch.block, most_threads),
    ] {
        if asked.iter().zip(most).any(|(&n, most)| n == 0 || n > most) {
            return refuse(
                format!("{} {what}", shown(asked)),
                format!("this card takes from 1x1x1 to {}", shown(most)),
            );
        }
    }
    let threads: u64 = launch.block.iter().map(|&n| u64::from(n)).product();
    let most = function.attribute(Attribute::CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK)?;
    if threads > most.into() {
        return refuse(
            format!("{threads} threads in a block"),
            format!("with its registers this card takes {most}"),
        );
    }
    let fixed = function.attribute(Attribute::CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES)?;
    let most = of(Limit::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN)?;
    match fixed.checked_add(launch.shared_bytes) {
        Some(bytes) if bytes <= most => Ok(bytes),
        _ => refuse(
            format!(
                "{} bytes of shared memory per block",
                u64::from(fixed) + u64::from(launch.shared_bytes)
            ),
            format!("this card has {most}"),
        ),
    }
}

fn shown([x, y, z]: [u32; 3]) -> String {
    format!("{x}x{y}x{z}")
}
