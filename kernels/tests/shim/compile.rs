//! Builds the kernels with the host compiler and opens them.
#![allow(unsafe_code)] // loads a library and reads its symbols

use super::text::translation_unit;
use evenhand_kernels::task::Source;
use libloading::Library;
use std::ffi::{CStr, c_char, c_void};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

/// The compiler and the flags with which it calls us before every access.
struct Compiler {
    version: String,
    flags: Vec<&'static str>,
}

const HEADERS: [(&str, &str); 2] = [
    ("cuda_shim.h", include_str!("cuda_shim.h")),
    ("bf16_shim.h", include_str!("bf16_shim.h")),
];

/// Indices and callbacks, as in `cuda_shim.h`.
#[repr(C)]
pub struct State {
    pub thread: [u32; 3],
    pub block: [u32; 3],
    pub block_dim: [u32; 3],
    pub grid_dim: [u32; 3],
    pub dynamic_shared: *mut u8,
    pub shared:
        Option<unsafe extern "C" fn(*const c_void, usize, usize, *const c_char) -> *mut c_void>,
    pub wait: Option<unsafe extern "C" fn(*const RawWait) -> *const u64>,
    pub access: Option<unsafe extern "C" fn(*const c_void, usize, i32, *const c_void)>,
}

/// What a waiting thread says, as in `cuda_shim.h`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawWait {
    pub file: *const c_char,
    pub line: u32,
    pub kind: u32,
    pub mask: u32,
    pub value: u64,
}

pub type Enter = unsafe extern "C" fn(*mut *mut c_void);

/// The compiled kernels of one file. One launch at a time: they share a state.
pub struct Kernels {
    pub file: &'static str,
    path: PathBuf,
    library: Library,
    pub launching: Mutex<()>,
}

/// Whether kernels can run here; if not, says why.
pub fn ready() -> bool {
    let Err(reason) = compiler() else { return true };
    // Not `eprintln!`: the test harness would hold it back.
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let _ = writeln!(io::stderr(), "{test}: skipped, {reason}");
    false
}

fn compiler() -> &'static Result<Compiler, String> {
    static COMPILER: OnceLock<Result<Compiler, String>> = OnceLock::new();
    COMPILER.get_or_init(|| {
        let answer = Command::new("c++").arg("--version").output();
        let answer = answer.map_err(|error| format!("no C++ compiler (c++): {error}"))?;
        let tool = Command::new("addr2line").arg("--version").output();
        tool.map_err(|error| format!("no addr2line, which names lines of faults: {error}"))?;
        let version = String::from_utf8_lossy(&answer.stdout).into_owned();
        let mut flags = vec![
            "-std=c++17",
            "-O1",
            "-g1",
            "-gdwarf-4", // addr2line 2.40 takes some files of version 5 for others
            "-fPIC",
            "-w",
            "-fvisibility=hidden",
            "-fno-strict-aliasing",
            "-fno-exceptions",
            "-fno-rtti",
            "-fsanitize=thread",
        ];
        if !version.contains("clang") {
            // A vector load must stay one access: its alignment is checked.
            flags.push("-fno-tree-sra");
        }
        let compiler = Compiler { version, flags };
        // Not the shim: a mistake there must fail the tests, not skip them.
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        compiler
            .build(
                "int load(const int* from) { return *from; }\n",
                &folder.path().join("probe.so"),
            )
            .map_err(|error| format!("c++ lacks a flag that the shim needs: {error}"))?;
        Ok(compiler)
    })
}

impl Compiler {
    fn build(&self, unit: &str, to: &Path) -> Result<(), String> {
        let folder = to.parent().expect("a file in a folder");
        let scratch = tempfile::tempdir_in(folder).map_err(|error| error.to_string())?;
        let path = |name: &str| scratch.path().join(name);
        for (name, text) in HEADERS {
            std::fs::write(path(name), text).map_err(|error| error.to_string())?;
        }
        std::fs::write(path("unit.cpp"), unit).map_err(|error| error.to_string())?;
        let run = |command: &mut Command| {
            let output = command.output().map_err(|error| error.to_string())?;
            if output.status.success() {
                return Ok(());
            }
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        };
        run(Command::new("c++").args(&self.flags).arg("-c").args([
            path("unit.cpp"),
            "-o".into(),
            path("unit.o"),
        ]))?;
        // Without the flags: the hooks are ours, not those of a library.
        run(Command::new("c++").arg("-shared").args([
            path("unit.o"),
            "-o".into(),
            path("unit.so"),
        ]))?;
        // Renamed last: another test process may build the same file.
        std::fs::rename(path("unit.so"), to).map_err(|error| error.to_string())
    }
}

impl Kernels {
    /// Compiles a source, or opens what an earlier run compiled from the same
    /// text.
    ///
    /// # Errors
    /// What the compiler says.
    pub fn of(source: &Source) -> Result<Self, String> {
        let compiler = compiler().as_ref().map_err(Clone::clone)?;
        let unit = translation_unit(source);
        let mut hasher = DefaultHasher::new();
        (&unit, HEADERS, &compiler.version, &compiler.flags).hash(&mut hasher);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("shim");
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let path = folder.join(format!("{}-{:016x}.so", source.file, hasher.finish()));
        if !path.exists() {
            compiler.build(&unit, &path)?;
        }
        // SAFETY: our own code without initialisers.
        let library = unsafe { Library::new(&path) }.map_err(|error| error.to_string())?;
        Ok(Self {
            file: source.file,
            path,
            library,
            launching: Mutex::new(()),
        })
    }

    pub fn state(&self) -> *mut State {
        // SAFETY: `shim_state` has this layout.
        unsafe {
            *self
                .library
                .get::<*mut State>(b"shim_state")
                .expect("a shim")
        }
    }

    pub fn enter(&self, entry: &str) -> Option<Enter> {
        // SAFETY: SHIM_ENTRY defines functions of this type under these names.
        let symbol = unsafe {
            self.library
                .get::<Enter>(format!("shim_enter_{entry}").as_bytes())
        };
        symbol.ok().map(|enter| *enter)
    }

    /// The parameter types of a kernel.
    pub fn types(&self, entry: &str) -> Vec<String> {
        type Types = unsafe extern "C" fn() -> *const *const c_char;
        let name = format!("shim_types_{entry}");
        let mut types = Vec::new();
        // SAFETY: SHIM_ENTRY defines it; it returns a static, null-terminated
        // array of static strings.
        unsafe {
            let list = self
                .library
                .get::<Types>(name.as_bytes())
                .expect("an entry");
            let mut next = list();
            while !(*next).is_null() {
                types.push(CStr::from_ptr(*next).to_string_lossy().into_owned());
                next = next.add(1);
            }
        }
        types
    }

    /// First and last address of the image.
    pub fn bounds(&self) -> [usize; 2] {
        type Bounds = unsafe extern "C" fn(*mut usize);
        let mut bounds = [0; 2];
        // SAFETY: `shim_bounds` writes two addresses.
        unsafe {
            self.library.get::<Bounds>(b"shim_bounds").expect("a shim")(bounds.as_mut_ptr());
        }
        bounds
    }

    /// File and line of an instruction, as far as the machine can tell.
    pub fn locate(&self, code: usize) -> String {
        // One back: a return address belongs to the next line.
        let offset = format!("{:#x}", code.wrapping_sub(self.bounds()[0] + 1));
        let output = Command::new("addr2line")
            .arg("-e")
            .arg(&self.path)
            .arg(offset)
            .output();
        let place = output.ok().and_then(|output| {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let line = text.split_whitespace().next()?;
            Some(Path::new(line).file_name()?.to_string_lossy().into_owned())
        });
        place.unwrap_or_else(|| self.file.to_owned())
    }
}
