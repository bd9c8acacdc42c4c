//! NVRTC from the wheels of `scripts/nvrtc/install.sh` or from a system-wide
//! CUDA.

#![allow(unsafe_code)] // the interface of NVRTC is C

use cudarc::nvrtc::{result, sys};
use libloading::Library;
use std::env;
use std::ffi::{CString, c_char};
use std::path::{Path, PathBuf};

/// Names the folder with `lib/` and `include/`.
const WHEELS: &str = "EVENHAND_CUDA_WHEELS";

/// A loaded NVRTC.
pub struct Compiler {
    include: PathBuf,
}

/// A compiled source.
pub struct Compiled {
    /// Machine code, an ELF file.
    pub cubin: Vec<u8>,
    /// The text that it was assembled from.
    pub ptx: String,
    /// Warnings, and the report of ptxas.
    pub log: String,
}

impl Compiler {
    /// Whether the environment says where NVRTC is.
    pub fn is_named() -> bool {
        env::var_os(WHEELS).is_some()
    }

    /// Finds and loads NVRTC.
    ///
    /// # Errors
    /// Why there is none.
    pub fn load() -> Result<Self, String> {
        let include = match env::var_os(WHEELS) {
            Some(wheels) => {
                let wheels = PathBuf::from(wheels);
                preload(&wheels.join("lib"))?;
                wheels.join("include")
            }
            None => env::var_os("CUDA_HOME")
                .map_or_else(|| "/usr/local/cuda".into(), PathBuf::from)
                .join("include"),
        };
        // SAFETY: opens a library of a well-known name, and nothing else.
        if !unsafe { sys::is_culib_present() } {
            return Err(format!(
                "no NVRTC: run scripts/nvrtc/install.sh and set {WHEELS} to what it prints"
            ));
        }
        if !include.join("cuda_bf16.h").exists() {
            return Err(format!("no cuda_bf16.h in {}", include.display()));
        }
        Ok(Self { include })
    }

    /// Compiles a text for an architecture such as `sm_90`.
    ///
    /// # Errors
    /// The messages of the compiler.
    pub fn compile(&self, text: &str, arch: &str) -> Result<Compiled, String> {
        let text = CString::new(text).expect("source text has no NUL");
        let program = Program(result::create_program(&text, None).map_err(|e| format!("{e:?}"))?);
        let options = [
            format!("--gpu-architecture={arch}"),
            "--std=c++17".to_owned(),
            "--ptxas-options=-v".to_owned(),
            format!("--include-path={}", self.include.display()),
        ];
        // SAFETY: the program lives until the end of this function, and so does
        // its text.
        unsafe {
            let compiled = result::compile_program(program.0, &options);
            let log = text_of(result::get_program_log(program.0));
            compiled.map_err(|error| format!("{error:?}\n{log}"))?;
            Ok(Compiled {
                cubin: cubin(program.0),
                ptx: text_of(result::get_ptx(program.0)),
                log,
            })
        }
    }
}

/// Opens the libraries by path, for good: later loads by name find them.
/// NVRTC looks for its builtins by name alone, so they come first.
fn preload(folder: &Path) -> Result<(), String> {
    for prefix in ["libnvrtc-builtins.so.", "libnvrtc.so."] {
        let path = library(folder, prefix)?;
        // SAFETY: NVIDIA's libraries have no initialisers that do more than
        // set themselves up.
        match unsafe { Library::new(&path) } {
            Ok(library) => std::mem::forget(library),
            Err(error) => return Err(format!("cannot open {}: {error}", path.display())),
        }
    }
    Ok(())
}

fn library(folder: &Path, prefix: &str) -> Result<PathBuf, String> {
    let files = folder
        .read_dir()
        .map_err(|error| format!("{WHEELS}: cannot read {}: {error}", folder.display()))?;
    let mut paths = files.filter_map(|file| Some(file.ok()?.path()));
    let found = paths.find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(prefix) && !name.contains(".alt.")
    });
    found.ok_or_else(|| format!("{WHEELS}: no {prefix}* in {}", folder.display()))
}

struct Program(sys::nvrtcProgram);

impl Drop for Program {
    fn drop(&mut self) {
        // SAFETY: created by `compile` and destroyed nowhere else.
        let _ = unsafe { result::destroy_program(self.0) };
    }
}

/// # Safety
/// The program is compiled and not destroyed.
unsafe fn cubin(program: sys::nvrtcProgram) -> Vec<u8> {
    let mut size = 0;
    // SAFETY: as this function demands; the buffer has the size that NVRTC
    // asks for.
    unsafe {
        let sized = sys::nvrtcGetCUBINSize(program, &raw mut size);
        sized.result().expect("a compiled program has a size");
        let mut cubin = vec![0u8; size];
        let read = sys::nvrtcGetCUBIN(program, cubin.as_mut_ptr().cast());
        read.result().expect("a compiled program has machine code");
        cubin
    }
}

/// Text that NVRTC ends with a NUL.
fn text_of(text: Result<Vec<c_char>, result::NvrtcError>) -> String {
    let bytes: Vec<u8> = text
        .unwrap_or_default()
        .into_iter()
        .map(|c| c as u8)
        .take_while(|&byte| byte != 0)
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}
