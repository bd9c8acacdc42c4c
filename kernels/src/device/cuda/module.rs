//! Loaded code and its launches.

use super::super::DeviceError;
use super::context::Context;
use super::driver::check;
use crate::nvrtc::{Compiled, Image};
use cudarc::driver::sys;
use std::ffi::{CString, c_void};

/// A kernel. Its module stays loaded until the process ends.
#[derive(Clone, Copy)]
pub(super) struct Function(sys::CUfunction);

/// Loads compiled code.
pub(super) fn load(compiled: &Compiled) -> Result<sys::CUmodule, DeviceError> {
    let mut image = compiled.image.bytes().to_vec();
    if matches!(compiled.image, Image::Ptx(_)) {
        image.push(0);
    }
    let mut module = std::ptr::null_mut();
    // SAFETY: a whole CUBIN, or a PTX text that ends with a zero.
    check("cuModuleLoadData", unsafe {
        sys::cuModuleLoadData(&mut module, image.as_ptr().cast())
    })?;
    Ok(module)
}

/// Dynamic shared memory above this has to be asked for.
const PLAIN_SHARED_BYTES: u32 = 48 * 1024;

impl Function {
    pub fn of(module: sys::CUmodule, entry: &str) -> Result<Self, DeviceError> {
        let name = CString::new(entry)
            .map_err(|_| DeviceError::Unsupported(format!("`{entry}` is no name of a kernel")))?;
        let mut function = std::ptr::null_mut();
        // SAFETY: a loaded module, a string that ends with a zero.
        check("cuModuleGetFunction", unsafe {
            sys::cuModuleGetFunction(&mut function, module, name.as_ptr())
        })?;
        let function = Self(function);
        // Asking loads the code: the driver does so lazily, and a capture must not meet that.
        function.attribute(sys::CUfunction_attribute_enum::CU_FUNC_ATTRIBUTE_NUM_REGS)?;
        Ok(function)
    }

    /// Asks for this much dynamic shared memory, where that has to be asked for.
    pub fn allow_shared(self, bytes: u32) -> Result<(), DeviceError> {
        if bytes <= PLAIN_SHARED_BYTES {
            return Ok(());
        }
        let attribute =
            sys::CUfunction_attribute_enum::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
        // SAFETY: a live function.
        check("cuFuncSetAttribute", unsafe {
            sys::cuFuncSetAttribute(self.0, attribute, bytes as i32)
        })
    }

    pub fn attribute(self, which: sys::CUfunction_attribute_enum) -> Result<u32, DeviceError> {
        let mut value = 0;
        // SAFETY: a live function, a pointer that is valid for one write.
        check("cuFuncGetAttribute", unsafe {
            sys::cuFuncGetAttribute(&mut value, which, self.0)
        })?;
        Ok(value.max(0) as u32)
    }

    /// Blocks of this kernel that fit on a multiprocessor at the same time.
    pub fn blocks_per_multiprocessor(self, threads: u32, shared: u32) -> Result<u32, DeviceError> {
        let mut blocks = 0;
        // SAFETY: as above.
        check("cuOccupancyMaxActiveBlocksPerMultiprocessor", unsafe {
            sys::cuOccupancyMaxActiveBlocksPerMultiprocessor(
                &mut blocks,
                self.0,
                threads as i32,
                shared as usize,
            )
        })?;
        Ok(blocks.max(0) as u32)
    }

    /// Queues a launch; `arguments` holds each argument in eight bytes.
    pub fn launch(
        self,
        context: &Context,
        grid: [u32; 3],
        block: [u32; 3],
        shared: u32,
        arguments: &[u64],
    ) -> Result<(), DeviceError> {
        let mut pointers: Vec<*mut c_void> = arguments
            .iter()
            .map(|argument| std::ptr::from_ref(argument).cast_mut().cast())
            .collect();
        // SAFETY: the task describes the kernel's parameters; little-endian values in eight bytes
        // begin with the four that narrower parameters read. The driver copies them.
        check("cuLaunchKernel", unsafe {
            sys::cuLaunchKernel(
                self.0,
                grid[0],
                grid[1],
                grid[2],
                block[0],
                block[1],
                block[2],
                shared,
                context.stream,
                pointers.as_mut_ptr(),
                std::ptr::null_mut(),
            )
        })
    }
}
