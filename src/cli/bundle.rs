//! `cargo evenhand bundle`: everything that a machine without a toolchain
//! needs to measure, in one folder.

use super::Failure;
use super::targets::{BenchTarget, CargoArguments};
use crate::protocol::exit;
use crate::report::style;
use evenhand_harness::plan::check_schema;
use evenhand_harness::run::{Launch, Sources, digest_of_file, write_atomically};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Schema of [`Manifest`].
const BUNDLE_SCHEMA: &str = "evenhand.bundle/1.0";
const MANIFEST: &str = "bundle.json";
const COMMAND: &str = "cargo-evenhand";
const TARGETS: &str = "targets";

/// What a bundle holds.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    /// `evenhand.bundle/1.0`.
    schema: String,
    /// Version of evenhand that made it.
    evenhand: String,
    /// Its bench targets.
    targets: Vec<Bundled>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Bundled {
    /// Name of the bench target.
    name: String,
    /// Package that it came from.
    package: String,
    /// The executable, relative to the bundle.
    executable: PathBuf,
    /// Hex SHA-256 of the executable.
    sha256: String,
}

const EXAMPLES: &str = "\
The folder runs on a machine of the same system and processor family with nothing installed; to
measure on a GPU it needs the driver and NVRTC there (docs: Measuring on a GPU). Copy the folder
back and `cargo evenhand import DIR` takes over what was measured.

Examples:
  cargo evenhand bundle --out gpu-bundle
  cargo evenhand bundle --out gpu-bundle --bench gpu --include kernels/cuda
  scp -r gpu-bundle host: && ssh host gpu-bundle/run.sh --quick
  cargo evenhand import gpu-bundle";

/// Arguments of `cargo evenhand bundle`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The folder to make; it must not exist yet
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// A file or folder to copy along, for example the sources of the kernels
    #[arg(long, value_name = "PATH")]
    include: Vec<PathBuf>,
    #[command(flatten)]
    cargo: CargoArguments,
}

/// Make a folder that measures on a machine without a toolchain.
pub(super) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let out = &arguments.out;
    if out.exists() {
        return Err(Failure::usage(format!(
            "{} exists already; name a new folder, or remove it first",
            out.display()
        )));
    }
    // Asked before building, which may put another file in its place.
    let command = std::env::current_exe().map_err(|e| failed(Path::new(COMMAND), &e))?;
    let package = arguments.cargo.manifest().and_then(Path::parent);
    let package = package.filter(|folder| !folder.as_os_str().is_empty());
    let sources = Sources::of(package.unwrap_or(Path::new(".")));
    let found = arguments.cargo.find_some()?;
    let beside = out.with_file_name(format!(
        ".{}.{}.tmp",
        out.file_name().unwrap_or_default().display(),
        std::process::id()
    ));
    let made = fill(&beside, &command, &found, &arguments.include)
        .and_then(|()| script(&beside.join("run.sh"), sources))
        .and_then(|()| std::fs::rename(&beside, out).map_err(|e| failed(out, &e)));
    if let Err(failure) = made {
        let _ = std::fs::remove_dir_all(&beside);
        return Err(failure);
    }
    let names: Vec<&str> = found.iter().map(BenchTarget::name).collect();
    anstream::eprintln!(
        "{} {} with the bench targets {}; run {} there",
        style::strong("made"),
        out.display(),
        names.join(", "),
        out.join("run.sh").display()
    );
    anstream::println!("{}", out.display());
    Ok(exit::OK)
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::internal(format!("{}: {error}", path.display()))
}

fn fill(
    out: &Path,
    command: &Path,
    found: &[BenchTarget],
    include: &[PathBuf],
) -> Result<(), Failure> {
    let targets = out.join(TARGETS);
    std::fs::create_dir_all(&targets).map_err(|e| failed(&targets, &e))?;
    copy(command, &out.join(COMMAND))?;
    let mut bundled = Vec::new();
    for target in found {
        let executable = Path::new(TARGETS).join(target.name());
        copy(&target.launch.executable, &out.join(&executable))?;
        bundled.push(Bundled {
            name: target.name().to_owned(),
            package: target.package.clone(),
            sha256: digest_of_file(&out.join(&executable))?,
            executable,
        });
    }
    for path in include {
        let name = path.file_name().ok_or_else(|| {
            Failure::usage(format!("--include {}: it has no name", path.display()))
        })?;
        copy_all(path, &out.join("include").join(name))?;
    }
    let manifest = Manifest {
        schema: BUNDLE_SCHEMA.to_owned(),
        evenhand: env!("CARGO_PKG_VERSION").to_owned(),
        targets: bundled,
    };
    let mut json = serde_json::to_vec_pretty(&manifest).expect("plain data has a JSON form");
    json.push(b'\n');
    Ok(write_atomically(&out.join(MANIFEST), &json)?)
}

/// Starts the command on the bundle's own executables.
fn script(path: &Path, sources: Sources) -> Result<(), Failure> {
    let script = format!(
        "\
#!/bin/sh
# Measures the bench targets of this folder and keeps the sessions in it.
# Options are those of `cargo evenhand run`, for example: ./run.sh --quick --device cuda
# NVRTC is looked for in EVENHAND_NVRTC, EVENHAND_CUDA_WHEELS, CUDA_HOME, the system, Python wheels.
here=$(cd \"$(dirname \"$0\")\" && pwd) || exit 1
EVENHAND_DIR=${{EVENHAND_DIR:-$here/sessions}}
# What the executables were built from.
{revision}='{}'
{dirty}='{}'
export EVENHAND_DIR {revision} {dirty}
exec \"$here/cargo-evenhand\" evenhand run --bundle \"$here\" \"$@\"
",
        sources.revision.unwrap_or_default(),
        sources.dirty.unwrap_or_default(),
        revision = Sources::REVISION,
        dirty = Sources::DIRTY,
    );
    write_atomically(path, script.as_bytes())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(path, mode).map_err(|e| failed(path, &e))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    std::fs::copy(from, to)
        .map(|_| ())
        .map_err(|e| failed(from, &e))
}

fn copy_all(from: &Path, to: &Path) -> Result<(), Failure> {
    if from.is_dir() {
        std::fs::create_dir_all(to).map_err(|e| failed(to, &e))?;
        for entry in std::fs::read_dir(from).map_err(|e| failed(from, &e))? {
            let entry = entry.map_err(|e| failed(from, &e))?;
            copy_all(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        std::fs::create_dir_all(parent).map_err(|e| failed(parent, &e))?;
    }
    copy(from, to)
}

/// How the executables of a bundle are started, with their packages.
pub(super) fn launches(dir: &Path) -> Result<Vec<(String, Launch)>, Failure> {
    let path = dir.join(MANIFEST);
    let wrong = |problem: String| Failure::usage(format!("{}: {problem}", path.display()));
    let text = std::fs::read(&path)
        .map_err(|e| wrong(format!("{e}; `cargo evenhand bundle` makes such a folder")))?;
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|e| wrong(e.to_string()))?;
    check_schema(&manifest.schema, BUNDLE_SCHEMA).map_err(|e| wrong(e.to_string()))?;
    let mut launches = Vec::new();
    for target in manifest.targets {
        let executable = std::path::absolute(dir.join(&target.executable))
            .map_err(|e| failed(&target.executable, &e))?;
        if digest_of_file(&executable)? != target.sha256 {
            return Err(wrong(format!(
                "the executable of `{}` is not the one that was bundled; copy the folder again",
                target.name
            )));
        }
        let launch = Launch {
            executable,
            directory: Some(dir.to_owned()),
            environment: vec![("CARGO_PKG_NAME".into(), target.package.clone().into())],
        };
        launches.push((target.package, launch));
    }
    Ok(launches)
}
