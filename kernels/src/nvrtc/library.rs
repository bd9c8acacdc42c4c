//! The opened library and its few functions.

use super::{CompileError, Found, Message, NvrtcError, Search};
use libloading::Library;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::Path;

/// An opaque program of NVRTC.
type Program = *mut c_void;

/// Success, and the code of a wrong source.
const SUCCESS: c_int = 0;
const COMPILATION: c_int = 6;

/// The opened library. It stays open until the process ends.
pub struct Nvrtc {
    found: Found,
    version: (u32, u32),
    functions: Functions,
}

macro_rules! functions {
    ($($field:ident: $symbol:literal, fn($($argument:ty),*);)*) => {
        struct Functions {
            $($field: unsafe extern "C" fn($($argument),*) -> c_int,)*
        }

        impl Functions {
            fn of(library: &Library, path: &Path) -> Result<Self, NvrtcError> {
                Ok(Self {
                    $($field: {
                        // SAFETY: the type is the one that NVRTC's header declares.
                        let symbol = unsafe { library.get(concat!($symbol, "\0").as_bytes()) };
                        *symbol.map_err(|_| NvrtcError::Symbol {
                            library: path.to_path_buf(),
                            symbol: $symbol,
                        })?
                    },)*
                })
            }
        }
    };
}

functions! {
    version: "nvrtcVersion", fn(*mut c_int, *mut c_int);
    archs_count: "nvrtcGetNumSupportedArchs", fn(*mut c_int);
    archs: "nvrtcGetSupportedArchs", fn(*mut c_int);
    create: "nvrtcCreateProgram",
        fn(*mut Program, *const c_char, *const c_char, c_int, *const *const c_char, *const *const c_char);
    destroy: "nvrtcDestroyProgram", fn(*mut Program);
    compile: "nvrtcCompileProgram", fn(Program, c_int, *const *const c_char);
    log_size: "nvrtcGetProgramLogSize", fn(Program, *mut usize);
    log: "nvrtcGetProgramLog", fn(Program, *mut c_char);
    ptx_size: "nvrtcGetPTXSize", fn(Program, *mut usize);
    ptx: "nvrtcGetPTX", fn(Program, *mut c_char);
    cubin_size: "nvrtcGetCUBINSize", fn(Program, *mut usize);
    cubin: "nvrtcGetCUBIN", fn(Program, *mut c_char);
}

/// What a compilation is to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    Cubin,
    Ptx,
}

impl Nvrtc {
    /// Opens the first library that the search finds and the loader accepts.
    ///
    /// # Errors
    /// If there is none, or why the last one cannot be used.
    pub fn open(search: &Search) -> Result<Self, NvrtcError> {
        let mut error = NvrtcError::NotFound {
            looked: search.describe(),
        };
        for found in search.libraries() {
            match Self::open_found(found) {
                Ok(nvrtc) => return Ok(nvrtc),
                Err(e) => error = e,
            }
        }
        Err(error)
    }

    fn open_found(found: Found) -> Result<Self, NvrtcError> {
        let open = |path: &Path| {
            // SAFETY: NVIDIA's libraries have initialisers without preconditions.
            unsafe { Library::new(path) }.map_err(|cause| NvrtcError::Open {
                library: path.to_path_buf(),
                cause: cause.to_string(),
            })
        };
        // Opened first, by absolute path: NVRTC then finds it by its name.
        if let Some(builtins) = &found.builtins {
            std::mem::forget(open(builtins)?);
        }
        let library = open(&found.library)?;
        let functions = Functions::of(&library, &found.library)?;
        // The function pointers outlive this value; NVRTC cannot be unloaded safely anyway.
        std::mem::forget(library);
        let (mut major, mut minor) = (0, 0);
        // SAFETY: both pointers are valid for one write.
        call("nvrtcVersion", unsafe {
            (functions.version)(&mut major, &mut minor)
        })?;
        Ok(Self {
            found,
            version: (major as u32, minor as u32),
            functions,
        })
    }

    /// Where the library is, and who named the place.
    #[must_use]
    pub fn found(&self) -> &Found {
        &self.found
    }

    /// Major and minor version.
    #[must_use]
    pub fn version(&self) -> (u32, u32) {
        self.version
    }

    /// Architectures that the library compiles for, ascending: 90 is `sm_90`.
    ///
    /// # Errors
    /// If the library fails.
    pub fn architectures(&self) -> Result<Vec<u32>, NvrtcError> {
        let mut count = 0;
        // SAFETY: the pointer is valid for one write.
        call("nvrtcGetNumSupportedArchs", unsafe {
            (self.functions.archs_count)(&mut count)
        })?;
        let mut archs = vec![0; count.max(0) as usize];
        if !archs.is_empty() {
            // SAFETY: room for as many numbers as the library announced.
            call("nvrtcGetSupportedArchs", unsafe {
                (self.functions.archs)(archs.as_mut_ptr())
            })?;
        }
        Ok(archs.into_iter().map(|arch| arch as u32).collect())
    }

    /// Compiles `text`; gives the image and the log.
    pub(super) fn compile(
        &self,
        file: &str,
        text: &str,
        options: &[String],
        want: Want,
    ) -> Result<(Vec<u8>, String), CompileError> {
        let source = c_string(file, text)?;
        let name = c_string(file, file)?;
        let options = options
            .iter()
            .map(|option| c_string(file, option))
            .collect::<Result<Vec<_>, _>>()?;
        let options: Vec<*const c_char> = options.iter().map(|o| o.as_ptr()).collect();

        let mut raw: Program = std::ptr::null_mut();
        // SAFETY: the strings outlive the program, which is destroyed below.
        call("nvrtcCreateProgram", unsafe {
            (self.functions.create)(
                &mut raw,
                source.as_ptr(),
                name.as_ptr(),
                0,
                std::ptr::null(),
                std::ptr::null(),
            )
        })?;
        let program = Guard { nvrtc: self, raw };
        // SAFETY: a live program and as many options as announced.
        let code = unsafe {
            (self.functions.compile)(program.raw, options.len() as c_int, options.as_ptr())
        };
        let log = program.log()?;
        match code {
            SUCCESS => Ok((program.image(want)?, log)),
            COMPILATION => Err(CompileError::Source {
                file: file.to_owned(),
                first: Message::first_error(&log),
                log,
            }),
            code if !log.trim().is_empty() => Err(CompileError::Source {
                file: file.to_owned(),
                first: None,
                log: format!("{} (NVRTC code {code})", log.trim()),
            }),
            code => Err(NvrtcError::Call {
                function: "nvrtcCompileProgram",
                code,
            }
            .into()),
        }
    }
}

/// Destroys the program at the end of a compilation, however it ends.
struct Guard<'a> {
    nvrtc: &'a Nvrtc,
    raw: Program,
}

impl Guard<'_> {
    fn log(&self) -> Result<String, NvrtcError> {
        let f = &self.nvrtc.functions;
        let bytes = self.bytes(
            ("nvrtcGetProgramLogSize", f.log_size),
            ("nvrtcGetProgramLog", f.log),
        )?;
        let text = CStr::from_bytes_until_nul(&bytes).map_or(&bytes[..], CStr::to_bytes);
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    fn image(&self, want: Want) -> Result<Vec<u8>, NvrtcError> {
        let f = &self.nvrtc.functions;
        match want {
            Want::Cubin => self.bytes(
                ("nvrtcGetCUBINSize", f.cubin_size),
                ("nvrtcGetCUBIN", f.cubin),
            ),
            Want::Ptx => {
                let mut ptx =
                    self.bytes(("nvrtcGetPTXSize", f.ptx_size), ("nvrtcGetPTX", f.ptx))?;
                // It ends with a NUL, which `ptxas` refuses.
                while ptx.last() == Some(&0) {
                    ptx.pop();
                }
                Ok(ptx)
            }
        }
    }

    /// What a pair of "size of" and "get" functions hands out.
    fn bytes(
        &self,
        (size_name, size): (
            &'static str,
            unsafe extern "C" fn(Program, *mut usize) -> c_int,
        ),
        (get_name, get): (
            &'static str,
            unsafe extern "C" fn(Program, *mut c_char) -> c_int,
        ),
    ) -> Result<Vec<u8>, NvrtcError> {
        let mut length = 0;
        // SAFETY: the program lives, the pointer is valid for one write.
        call(size_name, unsafe { size(self.raw, &mut length) })?;
        let mut bytes = vec![0u8; length];
        // SAFETY: the buffer is as long as the library announced.
        call(get_name, unsafe {
            get(self.raw, bytes.as_mut_ptr().cast())
        })?;
        Ok(bytes)
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        // SAFETY: created by this library and destroyed once. A failure changes nothing.
        let _ = unsafe { (self.nvrtc.functions.destroy)(&mut self.raw) };
    }
}

fn call(function: &'static str, code: c_int) -> Result<(), NvrtcError> {
    if code == SUCCESS {
        Ok(())
    } else {
        Err(NvrtcError::Call { function, code })
    }
}

fn c_string(file: &str, text: &str) -> Result<CString, CompileError> {
    CString::new(text).map_err(|nul| CompileError::Source {
        file: file.to_owned(),
        first: None,
        log: format!("a zero byte at {}", nul.nul_position()),
    })
}
