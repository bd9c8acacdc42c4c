//! Finding bench targets: cargo builds them, each then describes itself.

use super::{Failure, bundle};
use crate::protocol::{Arguments, DESCRIBE_ARGUMENT, TARGET_SCHEMA, TargetDescription, exit};
use evenhand_harness::run::Launch;
use serde::Deserialize;
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What is handed to cargo.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Choosing bench targets (as for `cargo bench`)")]
pub(super) struct CargoArguments {
    /// Bench targets of this package
    #[arg(short, long, value_name = "SPEC")]
    package: Vec<String>,
    /// Bench targets of every package of the workspace
    #[arg(long)]
    workspace: bool,
    /// This bench target
    #[arg(long, value_name = "NAME")]
    bench: Vec<String>,
    /// Features to build with
    #[arg(short = 'F', long, value_name = "FEATURES")]
    features: Vec<String>,
    /// Build with all features
    #[arg(long)]
    all_features: bool,
    /// Build without default features
    #[arg(long)]
    no_default_features: bool,
    /// Build with this profile instead of `bench`
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Cargo.toml of the package or workspace
    #[arg(long, value_name = "FILE")]
    manifest_path: Option<PathBuf>,
    /// Use the executables of a bundle instead of building
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with_all = ["package", "workspace", "features", "all_features", "no_default_features", "profile", "manifest_path", "more"]
    )]
    bundle: Option<PathBuf>,
    /// What kernel tasks run on: auto, cpu, cuda, cuda:INDEX or cuda:UUID
    #[arg(long, value_name = "DEVICE", env = crate::device::VARIABLE)]
    device: Option<String>,
    /// How kernel tasks find a GPU's cache cold: write, read, rotate or none (hot) [default: read]
    #[arg(long, value_name = "HOW", env = crate::device::FLUSH_VARIABLE, value_parser = flush)]
    flush: Option<String>,
    /// More arguments for `cargo bench --no-run`, after `--`
    #[arg(last = true, value_name = "CARGO ARGUMENT")]
    more: Vec<OsString>,
}

/// Which experiments are wanted.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Selection {
    /// Experiments whose id contains this text; all when there is none
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
    /// Filters are whole ids
    #[arg(long)]
    exact: bool,
    /// Leave out experiments whose id contains this text
    #[arg(long, value_name = "TEXT")]
    skip: Vec<String>,
}

impl Selection {
    /// Whether an experiment is wanted.
    pub(super) fn selects(&self, id: &str) -> bool {
        let arguments = Arguments {
            filters: self.filters.clone(),
            exact: self.exact,
            skip: self.skip.clone(),
            ..Arguments::default()
        };
        arguments.selects(id)
    }

    /// The options and filters for a bench target.
    pub(super) fn options(&self) -> Vec<String> {
        let exact = self.exact.then(|| "--exact".to_owned());
        let skip = self.skip.iter().map(|text| format!("--skip={text}"));
        let filters = self.filters.iter().cloned();
        exact
            .into_iter()
            .chain(skip)
            .chain(["--".to_owned()])
            .chain(filters)
            .collect()
    }
}

/// A bench target that was built and asked.
#[derive(Debug)]
pub(super) struct BenchTarget {
    /// Name of its package.
    pub package: String,
    /// How it is started, as `cargo bench` would.
    pub launch: Launch,
    /// What it says about itself.
    pub description: TargetDescription,
}

impl BenchTarget {
    /// Name under which plans and records know it.
    pub(super) fn name(&self) -> &str {
        &self.description.target
    }

    /// The name with the executable behind it.
    pub(super) fn build(&self) -> (&str, &Path) {
        (self.name(), &self.launch.executable)
    }
}

/// Cargo, as it called us.
pub(super) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

impl CargoArguments {
    /// Where cargo looks for a package, when it was said.
    pub(super) fn manifest(&self) -> Option<&Path> {
        self.manifest_path.as_deref()
    }

    fn command(&self) -> Command {
        let mut command = cargo();
        command.args([
            "bench",
            "--no-run",
            "--message-format=json-render-diagnostics",
        ]);
        let mut pairs = |option: &str, values: &[String]| {
            for value in values {
                command.args([option, value]);
            }
        };
        pairs("--package", &self.package);
        pairs("--bench", &self.bench);
        pairs("--features", &self.features);
        pairs("--profile", self.profile.as_slice());
        for (on, flag) in [
            (self.workspace, "--workspace"),
            (self.all_features, "--all-features"),
            (self.no_default_features, "--no-default-features"),
        ] {
            if on {
                command.arg(flag);
            }
        }
        if let Some(path) = &self.manifest_path {
            command.arg("--manifest-path").arg(path);
        }
        command.args(&self.more);
        command
    }

    /// Builds the bench targets and keeps those that are ours, in cargo's
    /// order; or takes those of a bundle.
    pub(super) fn find(&self) -> Result<Vec<BenchTarget>, Failure> {
        if let Some(dir) = &self.bundle {
            return self.bundled(dir);
        }
        let mut command = self.command();
        let output = command
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .map_err(|e| {
                Failure::internal(format!(
                    "{} could not be started: {e}; install cargo, or name it in the environment \
                     variable CARGO",
                    command.get_program().display()
                ))
            })?;
        let messages: Vec<Message> = String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        if !output.status.success() {
            let built = messages.iter().any(|m| m.reason == "build-finished");
            return Err(if built {
                Failure::new(
                    exit::BENCHMARK_FAILED,
                    "the bench targets could not be built; the compiler's message stands above",
                )
            } else {
                Failure::usage("cargo could not begin to build; its message stands above")
            });
        }
        let mut found = Vec::new();
        for artifact in messages {
            if let Some(target) = artifact.bench_target(&self.chosen())? {
                found.push(target);
            }
        }
        unique(&found)?;
        Ok(found)
    }

    /// What hands device and cache state to a bench target and its workers.
    fn chosen(&self) -> Vec<(OsString, OsString)> {
        let pairs = [
            (crate::device::VARIABLE, &self.device),
            (crate::device::FLUSH_VARIABLE, &self.flush),
        ];
        pairs
            .into_iter()
            .filter_map(|(variable, chosen)| Some((variable.into(), chosen.as_ref()?.into())))
            .collect()
    }

    fn bundled(&self, dir: &Path) -> Result<Vec<BenchTarget>, Failure> {
        let mut found = Vec::new();
        for (package, mut launch) in bundle::launches(dir)? {
            launch.environment.extend(self.chosen());
            let described = describe(&launch)?;
            found.extend(described.map(|description| BenchTarget {
                package,
                launch,
                description,
            }));
        }
        if !self.bench.is_empty() {
            found.retain(|target| self.bench.iter().any(|name| name == target.name()));
        }
        Ok(found)
    }

    /// Like [`CargoArguments::find`], and an error when there is none.
    pub(super) fn find_some(&self) -> Result<Vec<BenchTarget>, Failure> {
        let found = self.find()?;
        if found.is_empty() {
            return Err(Failure::new(
                exit::NOTHING_SELECTED,
                "cargo built no evenhand bench target: a bench target has `harness = false` in \
                 Cargo.toml and ends with `evenhand::main!(..)`. `--package` and `--workspace` \
                 look in other packages",
            ));
        }
        Ok(found)
    }
}

/// Reads `--flush`. Nothing in its environment variable is no choice.
fn flush(text: &str) -> Result<String, String> {
    if !text.is_empty() {
        crate::device::check_flush(text)?;
    }
    Ok(text.to_owned())
}

/// Plans know targets by name alone.
fn unique(targets: &[BenchTarget]) -> Result<(), Failure> {
    let mut packages: HashMap<&str, &str> = HashMap::new();
    for target in targets {
        if let Some(other) = packages.insert(target.name(), &target.package) {
            return Err(Failure::usage(format!(
                "the packages `{other}` and `{}` both have a bench target `{}`; one session can't \
                 hold both: choose one with `--package`, or give one another name",
                target.package,
                target.name()
            )));
        }
    }
    Ok(())
}

/// What we read of cargo's messages.
#[derive(Deserialize)]
struct Message {
    reason: String,
    package_id: Option<String>,
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
}

impl Message {
    fn bench_target(self, chosen: &[(OsString, OsString)]) -> Result<Option<BenchTarget>, Failure> {
        let is_bench = self
            .target
            .is_some_and(|t| t.kind.iter().any(|k| k == "bench" || k == "example"));
        let (Some(executable), true) = (self.executable, is_bench) else {
            return Ok(None);
        };
        let package = self.package_id.as_deref().map_or("", package_name);
        let directory = self
            .manifest_path
            .and_then(|m| m.parent().map(Path::to_owned));
        let mut environment = vec![("CARGO_PKG_NAME".into(), package.into())];
        if let Some(directory) = &directory {
            environment.push(("CARGO_MANIFEST_DIR".into(), directory.into()));
        }
        environment.extend_from_slice(chosen);
        let launch = Launch {
            executable,
            directory,
            environment,
        };
        Ok(describe(&launch)?.map(|description| BenchTarget {
            package: package.to_owned(),
            launch,
            description,
        }))
    }
}

/// The name in a package id: `path+file:///home/me/app#name@1.0.0`, or
/// `path+file:///home/me/name#1.0.0`.
fn package_name(id: &str) -> &str {
    let Some((source, fragment)) = id.rsplit_once('#') else {
        return id.split(' ').next().unwrap_or(id);
    };
    match fragment.split_once('@') {
        Some((name, _)) => name,
        None => source.rsplit('/').next().unwrap_or(source),
    }
}

/// Asks an executable what it is. Those of other frameworks lack our mark and
/// are never started: they might do anything with an argument they don't know.
fn describe(launch: &Launch) -> Result<Option<TargetDescription>, Failure> {
    let path = &launch.executable;
    let fail = |e: std::io::Error| Failure::internal(format!("{}: {e}", path.display()));
    let bytes = std::fs::read(path).map_err(fail)?;
    let mark = TARGET_SCHEMA.as_bytes();
    if !bytes.windows(mark.len()).any(|window| window == mark) {
        return Ok(None);
    }
    let output = launch
        .command()
        .arg(DESCRIBE_ARGUMENT)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(fail)?;
    if !output.status.success() {
        return Err(Failure::new(
            exit::BENCHMARK_FAILED,
            format!(
                "{} ended with {} while it declared its experiments; its message stands above",
                path.display(),
                output.status
            ),
        ));
    }
    Ok(TargetDescription::find(&String::from_utf8_lossy(
        &output.stdout,
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_ids_name_packages() {
        assert_eq!(package_name("path+file:///w/app#name@1.0.0"), "name");
        assert_eq!(package_name("path+file:///w/name#1.0.0"), "name");
        assert_eq!(
            package_name("name 1.0.0 (path+file:///w)"),
            "name",
            "before cargo 1.77"
        );
    }

    #[test]
    fn filters_come_last() {
        let selection = Selection {
            filters: vec!["-x".into()],
            exact: true,
            skip: vec!["y".into()],
        };
        assert_eq!(selection.options(), ["--exact", "--skip=y", "--", "-x"]);
        let back = selection.options().into_iter().map(OsString::from);
        let parsed = Arguments::parse(back).unwrap();
        assert!(parsed.exact && parsed.skip == ["y"] && parsed.filters == ["-x"]);
    }
}
