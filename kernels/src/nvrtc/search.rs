//! Where NVRTC and the CUDA headers are looked for.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

/// What decides the search. Plain data, so that a test can set it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// `EVENHAND_NVRTC`: the library itself, or the folder that holds it.
    pub nvrtc: Option<PathBuf>,
    /// `EVENHAND_CUDA_WHEELS`: a folder `.../nvidia/cu13` as NVIDIA's Python
    /// wheels unpack it, with `lib` and `include`.
    pub wheels: Option<PathBuf>,
    /// `CUDA_HOME`, then `CUDA_PATH`: installed toolkits.
    pub toolkits: Vec<PathBuf>,
    /// Folders of the system: `/usr/local/cuda` and those of the loader.
    pub system: Vec<PathBuf>,
    /// `site-packages` folders of Python installations.
    pub site_packages: Vec<PathBuf>,
}

/// Who named the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `EVENHAND_NVRTC`.
    Nvrtc,
    /// `EVENHAND_CUDA_WHEELS`.
    Wheels,
    /// `CUDA_HOME` or `CUDA_PATH`.
    Toolkit,
    /// A folder of the system.
    System,
    /// A wheel in a Python installation.
    SitePackages,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nvrtc => "EVENHAND_NVRTC",
            Self::Wheels => "EVENHAND_CUDA_WHEELS",
            Self::Toolkit => "CUDA_HOME or CUDA_PATH",
            Self::System => "system",
            Self::SitePackages => "Python wheel",
        })
    }
}

/// A library on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Who named the place.
    pub origin: Origin,
    /// `libnvrtc.so.*`, absolute.
    pub library: PathBuf,
    /// `libnvrtc-builtins.so.*` beside it; to be opened first, because the
    /// library looks for it on the loader's path only.
    pub builtins: Option<PathBuf>,
    /// Folders with CUDA headers such as `cuda_bf16.h`.
    pub includes: Vec<PathBuf>,
}

impl Search {
    /// The search that this process's environment asks for.
    #[must_use]
    pub fn from_environment() -> Self {
        let set = |name: &str| {
            let value: OsString = std::env::var_os(name)?;
            (!value.is_empty()).then(|| PathBuf::from(value))
        };
        let mut pythons: Vec<PathBuf> = ["VIRTUAL_ENV", "CONDA_PREFIX"]
            .iter()
            .filter_map(|name| set(name))
            .collect();
        // Installations whose `python3` is on the path: `.../bin/python3`.
        for bin in std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()) {
            let python = bin.join("python3");
            if let Some(home) = python
                .canonicalize()
                .ok()
                .and_then(|p| Some(p.parent()?.parent()?.to_path_buf()))
            {
                pythons.push(home);
            }
            if python.exists()
                && let Some(prefix) = bin.parent()
            {
                pythons.push(prefix.to_path_buf());
            }
        }
        let mut python_sites: Vec<PathBuf> = pythons
            .iter()
            .flat_map(|home| site_packages(home))
            .collect();
        if python_sites.is_empty() && set("EVENHAND_NVRTC").is_none() {
            // `python3` may be a script that starts another one.
            python_sites.extend(python_prefix().iter().flat_map(|home| site_packages(home)));
        }
        let mut system = vec![
            PathBuf::from("/usr/local/cuda"),
            PathBuf::from("/opt/cuda"),
            PathBuf::from("/usr/lib/cuda"),
        ];
        let loader = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
        system.extend(std::env::split_paths(&loader).filter(|p| p.is_absolute()));
        for triple in ["x86_64-linux-gnu", "aarch64-linux-gnu"] {
            system.push(PathBuf::from(format!("/usr/lib/{triple}")));
        }
        system.extend(["/usr/lib64", "/usr/lib"].map(PathBuf::from));
        Self {
            nvrtc: set("EVENHAND_NVRTC"),
            wheels: set("EVENHAND_CUDA_WHEELS"),
            toolkits: ["CUDA_HOME", "CUDA_PATH"]
                .iter()
                .filter_map(|name| set(name))
                .collect(),
            system,
            site_packages: python_sites,
        }
    }

    /// Every library found, the one to take first. What was set explicitly
    /// ends the search: a wrong setting is an error, not a reason to take
    /// another version silently.
    #[must_use]
    pub fn libraries(&self) -> Vec<Found> {
        if let Some(path) = &self.nvrtc {
            return found(Origin::Nvrtc, path).into_iter().collect();
        }
        if let Some(path) = &self.wheels {
            return found(Origin::Wheels, path).into_iter().collect();
        }
        let toolkits = self.toolkits.iter().map(|p| (Origin::Toolkit, p.clone()));
        let system = self.system.iter().map(|p| (Origin::System, p.clone()));
        let wheels = self.site_packages.iter().flat_map(|site| {
            // The layout of CUDA 13, then that of CUDA 12.
            let nvidia = site.join("nvidia");
            [nvidia.join("cu13"), nvidia.join("cuda_nvrtc")].map(|p| (Origin::SitePackages, p))
        });
        let mut all: Vec<Found> = Vec::new();
        for (origin, path) in toolkits.chain(system).chain(wheels) {
            if let Some(found) = found(origin, &path)
                && all.iter().all(|f| f.library != found.library)
            {
                all.push(found);
            }
        }
        all
    }

    /// The places looked at, for a message.
    #[must_use]
    pub fn describe(&self) -> String {
        if let Some(path) = &self.nvrtc {
            return format!("EVENHAND_NVRTC = {}", path.display());
        }
        if let Some(path) = &self.wheels {
            return format!("EVENHAND_CUDA_WHEELS = {}", path.display());
        }
        let list = |paths: &[PathBuf]| {
            let shown: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
            if shown.is_empty() {
                "none".to_owned()
            } else {
                shown.join(", ")
            }
        };
        format!(
            "CUDA_HOME and CUDA_PATH ({}), the system's folders, and Python's wheels ({})",
            list(&self.toolkits),
            list(&self.site_packages)
        )
    }
}

/// Where the `python3` on the path is installed, as it says itself.
fn python_prefix() -> Option<PathBuf> {
    let output = std::process::Command::new("python3")
        .args(["-c", "import sys; print(sys.prefix)"])
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let prefix = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(prefix.trim()))
}

/// The `site-packages` folders under the prefix of a Python installation.
fn site_packages(home: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(home.join("lib")) else {
        return Vec::new();
    };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
            name.is_some_and(|n| n.starts_with("python3"))
        })
        .map(|path| path.join("site-packages"))
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}

/// The library in `place`: a file, a folder with it, or the root of a toolkit.
fn found(origin: Origin, place: &Path) -> Option<Found> {
    let place = std::path::absolute(place).ok()?;
    let library = if place.is_file() {
        place.clone()
    } else {
        [
            "",
            "lib64",
            "lib",
            "targets/x86_64-linux/lib",
            "lib/x86_64-linux-gnu",
        ]
        .iter()
        .find_map(|sub| newest(&place.join(sub), "libnvrtc.so"))?
    };
    let folder = library.parent()?;
    Some(Found {
        origin,
        builtins: builtins_of(folder, &library),
        includes: includes(&place, folder),
        library,
    })
}

/// The file `stem` or `stem.VERSION` with the highest version in a folder.
fn newest(folder: &Path, stem: &str) -> Option<PathBuf> {
    let files = std::fs::read_dir(folder).ok()?.flatten();
    files
        .filter_map(|file| {
            let name = file.file_name().into_string().ok()?;
            let version = name.strip_prefix(stem)?;
            let version = version.strip_prefix('.').unwrap_or(version);
            let numbers = version
                .split('.')
                .filter(|part| !part.is_empty())
                .map(|part| part.parse::<u32>().ok())
                .collect::<Option<Vec<_>>>()?;
            Some((numbers, file.path()))
        })
        .max()
        .map(|(_, path)| path)
}

/// The builtins of the library's own major version, else the newest ones.
fn builtins_of(folder: &Path, library: &Path) -> Option<PathBuf> {
    let real = library
        .canonicalize()
        .unwrap_or_else(|_| library.to_path_buf());
    let name = real.file_name()?.to_string_lossy().into_owned();
    let major = name
        .strip_prefix("libnvrtc.so.")
        .and_then(|version| version.split('.').next())
        .map(str::to_owned);
    let of_major = major.and_then(|major| {
        let mut fitting: Vec<PathBuf> = std::fs::read_dir(folder)
            .ok()?
            .flatten()
            .map(|file| file.path())
            .filter(|path| {
                path.file_name().is_some_and(|n| {
                    n.to_string_lossy()
                        .starts_with(&format!("libnvrtc-builtins.so.{major}"))
                })
            })
            .collect();
        fitting.sort();
        fitting.pop()
    });
    of_major.or_else(|| newest(folder, "libnvrtc-builtins.so"))
}

/// Folders with headers near the library: those of the toolkit, of the wheel
/// beside it, of the system.
fn includes(place: &Path, folder: &Path) -> Vec<PathBuf> {
    let above = folder.parent().unwrap_or(folder);
    let mut candidates = [
        place.join("include"),
        above.join("include"),
        above.join("../cuda_runtime/include"),
        PathBuf::from("/usr/local/cuda/include"),
        PathBuf::from("/usr/include"),
    ]
    .into_iter()
    .filter(|path| path.join("cuda_bf16.h").is_file());
    let Some(include) = candidates.next() else {
        return Vec::new();
    };
    // `cuda/std/...` moved into a folder of its own with CUDA 13.
    let library = include.join("cccl");
    if library.is_dir() {
        vec![include, library]
    } else {
        vec![include]
    }
}
