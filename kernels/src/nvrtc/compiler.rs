//! NVRTC with options, the choice between machine code and PTX, and the cache.

use super::library::Want;
use super::{Cache, CompileError, Compiled, Image, Nvrtc, NvrtcError, Search};
use crate::task::Source;
use std::fmt;

/// An architecture by its number: `Arch(90)` is `sm_90`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arch(pub u32);

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sm_{}", self.0)
    }
}

/// Compiles sources for a card's own architecture.
pub struct Compiler {
    nvrtc: Nvrtc,
    cache: Cache,
}

impl Compiler {
    /// Opens NVRTC; the cache is the one that the environment asks for.
    ///
    /// # Errors
    /// If NVRTC is not found or cannot be used.
    pub fn find(search: &Search) -> Result<Self, NvrtcError> {
        Ok(Self::new(Nvrtc::open(search)?, Cache::from_environment()))
    }

    /// A compiler with a cache of its own.
    #[must_use]
    pub fn new(nvrtc: Nvrtc, cache: Cache) -> Self {
        Self { nvrtc, cache }
    }

    /// The library.
    #[must_use]
    pub fn nvrtc(&self) -> &Nvrtc {
        &self.nvrtc
    }

    /// Machine code for `arch`; PTX of the newest architecture below it when
    /// the library is older than the card.
    ///
    /// # Errors
    /// The first error with its line in the `.cu`, or what the library lacks.
    pub fn compile(&self, source: &Source, arch: Arch) -> Result<Compiled, CompileError> {
        let known = self.nvrtc.architectures()?;
        if known.contains(&arch.0) {
            self.build(source, &format!("sm_{}", arch.0), Want::Cubin)
        } else if let Some(below) = known.iter().rev().find(|&&known| known < arch.0) {
            self.build(source, &format!("compute_{below}"), Want::Ptx)
        } else {
            Err(CompileError::Source {
                file: source.file.to_owned(),
                first: None,
                log: format!(
                    "NVRTC {} knows no architecture up to {arch}",
                    self.shown_version()
                ),
            })
        }
    }

    /// PTX for `arch`, which the library must know.
    ///
    /// # Errors
    /// As [`Self::compile`].
    pub fn compile_to_ptx(&self, source: &Source, arch: Arch) -> Result<Compiled, CompileError> {
        self.build(source, &format!("compute_{}", arch.0), Want::Ptx)
    }

    /// Version of the library as `13.0`.
    #[must_use]
    pub fn shown_version(&self) -> String {
        let (major, minor) = self.nvrtc.version();
        format!("{major}.{minor}")
    }

    fn build(&self, source: &Source, arch: &str, want: Want) -> Result<Compiled, CompileError> {
        let mut options = vec![
            format!("--gpu-architecture={arch}"),
            "--std=c++17".to_owned(),
            "-lineinfo".to_owned(),
        ];
        if want == Want::Cubin {
            options.push("--ptxas-options=-v".to_owned());
        }
        for folder in &self.nvrtc.found().includes {
            options.push(format!("--include-path={}", folder.display()));
        }
        let text = source.expand();
        let version = self.shown_version();
        let mut parts = vec![version.as_str(), source.file, text.as_str()];
        parts.extend(options.iter().map(String::as_str));
        let key = Cache::key(&parts);
        if let Some(compiled) = self.cache.load(&key, &options) {
            return Ok(compiled);
        }
        let (bytes, log) = self.nvrtc.compile(source.file, &text, &options, want)?;
        let compiled = Compiled {
            image: match want {
                Want::Cubin => Image::Cubin(bytes),
                Want::Ptx => Image::Ptx(bytes),
            },
            log,
            options,
            cached: false,
        };
        self.cache.store(&key, &compiled);
        Ok(compiled)
    }
}
