//! The driver library: whether it can be used, and its errors in words.

use super::super::{Card, DeviceError, Probe};
use cudarc::driver::sys;
use libloading::Library;
use std::ffi::{c_char, c_int};

/// Every function of the driver that is called. cudarc looks a function up at
/// its first call and panics when it is missing; so all are looked up before.
pub const REQUIRED: &[&str] = &[
    "cuEventElapsedTime_v2",
    "cuInit",
    "cuDriverGetVersion",
    "cuDeviceGetCount",
    "cuDeviceGet",
    "cuDeviceGetName",
    "cuDeviceGetUuid_v2",
    "cuDeviceGetAttribute",
    "cuDevicePrimaryCtxRetain",
    "cuCtxSetCurrent",
    "cuCtxSynchronize",
    "cuCtxSetLimit",
    "cuCtxResetPersistingL2Cache",
    "cuMemGetInfo_v2",
    "cuMemAlloc_v2",
    "cuMemFree_v2",
    "cuMemcpyHtoD_v2",
    "cuMemcpyDtoH_v2",
    "cuMemcpyHtoDAsync_v2",
    "cuMemcpyDtoDAsync_v2",
    "cuMemHostAlloc",
    "cuMemHostGetDevicePointer_v2",
    "cuMemFreeHost",
    "cuMemsetD8Async",
    "cuStreamCreate",
    "cuEventCreate",
    "cuEventRecord",
    "cuEventQuery",
    "cuEventDestroy_v2",
    "cuModuleLoadData",
    "cuModuleGetFunction",
    "cuFuncGetAttribute",
    "cuFuncSetAttribute",
    "cuOccupancyMaxActiveBlocksPerMultiprocessor",
    "cuLaunchKernel",
];

/// Functions of graphs. Where one is missing, the stream is held back.
pub const GRAPHS: &[&str] = &[
    "cuStreamBeginCapture_v2",
    "cuStreamEndCapture",
    "cuGraphInstantiateWithFlags",
    "cuGraphUpload",
    "cuGraphLaunch",
    "cuGraphExecDestroy",
    "cuGraphDestroy",
    "cuEventRecordWithFlags",
];

/// Holds a stream back; where it is missing, a kernel does.
pub(super) const HOLD_FUNCTION: &str = "cuStreamWaitValue32_v2";

const NAMES: &[&str] = if cfg!(windows) {
    &["nvcuda.dll"]
} else {
    &["libcuda.so", "libcuda.so.1"]
};

fn library() -> Option<Library> {
    // SAFETY: the driver's initialisers have no preconditions.
    NAMES
        .iter()
        .find_map(|name| unsafe { Library::new(*name) }.ok())
}

/// Whether the driver has all of these functions.
pub(super) fn has(functions: &[&str]) -> bool {
    library().is_some_and(|library| {
        functions.iter().all(|name| {
            // SAFETY: the symbol is looked up and not called.
            unsafe { library.get::<*const ()>(name.as_bytes()) }.is_ok()
        })
    })
}

/// Looks for a driver and cards, in an order in which no step can panic.
pub(in crate::device) fn probe() -> Probe {
    let Some(library) = library() else {
        return Probe::NoLibrary;
    };
    for symbol in REQUIRED {
        // SAFETY: the symbol is looked up and not called.
        if unsafe { library.get::<*const ()>(symbol.as_bytes()) }.is_err() {
            return Probe::TooOld {
                symbol,
                version: version_of(&library),
            };
        }
    }
    // The handle may be closed only after cudarc has one of its own.
    std::mem::forget(library);
    match cards() {
        Ok((version, cards)) if cards.is_empty() => {
            let _ = version;
            Probe::NoDevice
        }
        Ok((version, cards)) => Probe::Ready { version, cards },
        Err(DeviceError::Driver {
            code: NO_DEVICE, ..
        }) => Probe::NoDevice,
        Err(DeviceError::Driver {
            function,
            code,
            meaning,
        }) => Probe::Failed {
            function,
            code,
            meaning,
        },
        // The calls above give driver errors alone.
        Err(_) => Probe::NoDevice,
    }
}

const NO_DEVICE: u32 = 100;

/// The version of a driver that may lack anything.
fn version_of(library: &Library) -> Option<u32> {
    type Version = unsafe extern "C" fn(*mut c_int) -> c_int;
    // SAFETY: the type is the one that the driver's header declares.
    let version = unsafe { library.get::<Version>(b"cuDriverGetVersion") }.ok()?;
    let mut number = 0;
    // SAFETY: the pointer is valid for one write; the call needs no `cuInit`.
    (unsafe { version(&mut number) } == 0).then_some(number as u32)
}

fn cards() -> Result<(u32, Vec<Card>), DeviceError> {
    let (mut version, mut count) = (0, 0);
    // SAFETY: all functions are there, the pointers are valid for one write.
    unsafe {
        check("cuInit", sys::cuInit(0))?;
        check("cuDriverGetVersion", sys::cuDriverGetVersion(&mut version))?;
        check("cuDeviceGetCount", sys::cuDeviceGetCount(&mut count))?;
    }
    let cards = (0..count).map(card).collect::<Result<_, _>>()?;
    Ok((version as u32, cards))
}

fn card(index: c_int) -> Result<Card, DeviceError> {
    use sys::CUdevice_attribute_enum as Attribute;
    let mut device = 0;
    let mut name = [0 as c_char; 256];
    let mut uuid = sys::CUuuid { bytes: [0; 16] };
    // SAFETY: the pointers are valid for writes of what the driver writes.
    unsafe {
        check("cuDeviceGet", sys::cuDeviceGet(&mut device, index))?;
        check(
            "cuDeviceGetName",
            sys::cuDeviceGetName(name.as_mut_ptr(), name.len() as c_int - 1, device),
        )?;
        check(
            "cuDeviceGetUuid_v2",
            sys::cuDeviceGetUuid_v2(&mut uuid, device),
        )?;
    }
    let name: Vec<u8> = name
        .iter()
        .map(|&c| c as u8)
        .take_while(|&c| c != 0)
        .collect();
    Ok(Card {
        name: String::from_utf8_lossy(&name).into_owned(),
        uuid: shown_uuid(&uuid.bytes.map(|b| b as u8)),
        capability: (
            attribute(
                device,
                Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR,
            )?,
            attribute(
                device,
                Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR,
            )?,
        ),
    })
}

pub(super) fn attribute(
    device: sys::CUdevice,
    which: sys::CUdevice_attribute_enum,
) -> Result<u32, DeviceError> {
    let mut value = 0;
    // SAFETY: the pointer is valid for one write.
    check("cuDeviceGetAttribute", unsafe {
        sys::cuDeviceGetAttribute(&mut value, which, device)
    })?;
    Ok(value.max(0) as u32)
}

/// As `nvidia-smi -L` prints it.
fn shown_uuid(bytes: &[u8; 16]) -> String {
    let mut text = "GPU-".to_owned();
    for (index, byte) in bytes.iter().enumerate() {
        if [4, 6, 8, 10].contains(&index) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// Turns the driver's answer into a result. The driver is never asked what its
/// own code means: where it is broken, that call would be, too.
pub(super) fn check(function: &'static str, result: sys::CUresult) -> Result<(), DeviceError> {
    match result as u32 {
        0 => Ok(()),
        code => Err(DeviceError::Driver {
            function,
            code,
            meaning: meaning(code),
        }),
    }
}

fn meaning(code: u32) -> &'static str {
    match code {
        1 => "an argument is wrong",
        2 => "the device has no memory left",
        3 => "the driver is not initialised",
        4 => "the driver is shutting down",
        34 => "the library is a stub without a driver",
        46 => "the device is used exclusively by another process",
        100 => "there is no device",
        101 => "there is no such device",
        200 => "the image is not valid",
        201 => "there is no valid context",
        209 => "the image has no code for this card",
        214 => "memory had an error that could not be corrected; the card needs a reset",
        218 => "the PTX is not valid",
        222 => "the PTX is newer than the driver; compile for the card itself or update the driver",
        300 => "the source is not valid",
        304 => "the operating system failed",
        400 => "a handle is not valid",
        500 => "a name was not found",
        600 => "not finished",
        700 => "a kernel used an address that is not its own",
        701 => "the launch asks for more registers or shared memory than a block may have",
        702 => "a kernel ran into the time limit of the display",
        716 => "a kernel used a misaligned address",
        719 => "a kernel failed",
        800 => "not permitted",
        801 => "not supported",
        802 => "the system is not ready (is the fabric manager running?)",
        803 => "driver and library have different versions; reboot after an update",
        804 => "the compatibility library does not support this card",
        900..=909 => "a stream was used while it was captured",
        999 => "unknown error",
        _ => "see CUresult in the CUDA driver API",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_written_like_nvidia_smi() {
        let bytes: Vec<u8> = (0..16).collect();
        assert_eq!(
            shown_uuid(&bytes.try_into().unwrap()),
            "GPU-00010203-0405-0607-0809-0a0b0c0d0e0f"
        );
    }

    #[test]
    fn errors_need_no_driver_to_be_told() {
        let error = check("cuInit", sys::CUresult::CUDA_ERROR_NO_DEVICE).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cuInit failed: there is no device (CUDA error 100)"
        );
    }

    /// A call that is not looked up before would panic on an old driver.
    #[test]
    fn every_function_that_is_called_is_required() {
        let sources = [
            include_str!("ceilings.rs"),
            include_str!("context.rs"),
            include_str!("device.rs"),
            include_str!("driver.rs"),
            include_str!("graph.rs"),
            include_str!("held.rs"),
            include_str!("instruments.rs"),
            include_str!("launches.rs"),
            include_str!("limits.rs"),
            include_str!("memory.rs"),
            include_str!("module.rs"),
            include_str!("prepared.rs"),
            include_str!("steps.rs"),
        ];
        let mut calls = 0;
        for source in sources {
            for (at, _) in source.match_indices(concat!("sys::", "cu")) {
                let name: String = source[at + 5..]
                    .chars()
                    .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                    .collect();
                let looked_up = REQUIRED.contains(&name.as_str())
                    || GRAPHS.contains(&name.as_str())
                    || name == HOLD_FUNCTION;
                assert!(looked_up, "{name} is not looked up");
                calls += 1;
            }
        }
        assert!(calls > 30, "{calls}");
    }
}
