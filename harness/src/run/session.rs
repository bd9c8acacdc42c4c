//! The folder of a session, shared by all bench targets of one command.

use super::environment::{build_facts, capture_environment};
use super::error::RunError;
use super::store::{
    ENVIRONMENT_FILE, LedgerLine, OBSERVATIONS, PLAN_FILE, append_ledger, read_json, read_plan,
    write_json,
};
use crate::observation::{ArmFault, Environment, executable_fact, rebuilt_fact};
use crate::plan::{PLAN_SCHEMA, Plan, Seed, StopRule, TargetPlan, digest_of};
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};

/// Environment variable that names the session folder to join.
pub const SESSION_VARIABLE: &str = "EVENHAND_SESSION";
const GROUP_FILE: &str = "group";
const LATEST: &str = "latest";

/// What an invocation wishes for the whole session.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// The seed; drawn from the operating system when absent.
    pub seed: Option<Seed>,
    /// The stop rule; a fixed number of workers when absent.
    pub stop_rule: Option<StopRule>,
}

/// An open session.
#[derive(Debug)]
pub struct Session {
    /// Its folder.
    pub dir: PathBuf,
    /// Its plan as it is on disk.
    pub plan: Plan,
}

impl Session {
    /// Opens the session that this process belongs to: the one named by
    /// [`SESSION_VARIABLE`], or the newest one of the same `cargo bench`
    /// invocation, or a new one under `root`.
    ///
    /// # Errors
    /// If files can't be read or written, or the wishes contradict the session.
    pub fn open(root: &Path, wishes: &Wishes) -> Result<Self, RunError> {
        let named = std::env::var_os(SESSION_VARIABLE).map(PathBuf::from);
        let session = match named.or_else(|| sibling_session(root)) {
            Some(dir) => Self::load(&dir)?,
            None => return Self::create(root, wishes),
        };
        let plan = &session.plan;
        if wishes.seed.is_some_and(|seed| seed != plan.seed)
            || wishes
                .stop_rule
                .as_ref()
                .is_some_and(|rule| *rule != plan.stop_rule)
        {
            return Err(RunError::Usage(format!(
                "the session {} was begun with another seed or stop rule; leave `--seed` and \
                 `--stop` out to join it",
                plan.session
            )));
        }
        Ok(session)
    }

    /// Opens an existing session folder.
    ///
    /// # Errors
    /// If it has no readable plan.
    pub fn load(dir: &Path) -> Result<Self, RunError> {
        Ok(Self {
            dir: dir.to_owned(),
            plan: read_plan(&dir.join(PLAN_FILE))?,
        })
    }

    /// Makes a new session folder with an empty plan.
    ///
    /// # Errors
    /// If files can't be written.
    pub fn create(root: &Path, wishes: &Wishes) -> Result<Self, RunError> {
        Self::with_plan(
            root,
            Plan {
                schema: PLAN_SCHEMA.to_owned(),
                session: String::new(),
                created: String::new(),
                seed: wishes.seed.unwrap_or_else(fresh_seed),
                alpha: 0.05,
                stop_rule: wishes.stop_rule.clone().unwrap_or(StopRule::Fixed),
                attempt: 1,
                repeats: None,
                targets: Vec::new(),
            },
        )
    }

    /// Makes a new session that runs a stored plan again. The repetition is
    /// counted in the plan and printed with every claim.
    ///
    /// # Errors
    /// If files can't be written.
    pub fn replay(root: &Path, stored: &Plan) -> Result<Self, RunError> {
        let repeats = stored.repeats.clone().unwrap_or_else(|| digest_of(stored));
        let attempt = stored.attempt + 1;
        Self::with_plan(
            root,
            Plan {
                attempt,
                repeats: Some(repeats),
                ..stored.clone()
            },
        )
    }

    fn with_plan(root: &Path, mut plan: Plan) -> Result<Self, RunError> {
        let now = jiff::Timestamp::now();
        plan.created = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        fs::create_dir_all(root).map_err(|e| RunError::file(root, e))?;
        let dir = loop {
            plan.session = fresh_name();
            let dir = root.join(&plan.session);
            match fs::create_dir(&dir) {
                Ok(()) => break dir,
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(RunError::file(&dir, e)),
            }
        };
        let observations = dir.join(OBSERVATIONS);
        fs::create_dir(&observations).map_err(|e| RunError::file(&observations, e))?;
        write_json(&dir.join(ENVIRONMENT_FILE), &capture_environment())?;
        write_json(&dir.join(PLAN_FILE), &plan)?;
        if let Some(group) = invocation() {
            let file = dir.join(GROUP_FILE);
            fs::write(&file, group).map_err(|e| RunError::file(&file, e))?;
        }
        point_latest_to(root, &plan.session)?;
        Ok(Self { dir, plan })
    }

    /// Appends a target to the plan on disk.
    ///
    /// # Errors
    /// If the plan can't be written.
    pub fn add_target(&mut self, target: TargetPlan) -> Result<(), RunError> {
        self.plan.targets.push(target);
        self.plan.validate()?;
        write_json(&self.dir.join(PLAN_FILE), &self.plan)
    }

    /// Records with which build a target is measured, once.
    ///
    /// # Errors
    /// If the executable can't be read, or is not the one that the session
    /// began with.
    pub fn record_build(&self, target: &str, executable: &Path) -> Result<(), RunError> {
        let facts = build_facts(target, executable)?;
        let mut environment = self.environment()?;
        match environment.facts.get(&executable_fact(target)) {
            Some(begun) if *begun == facts[1].1 => return Ok(()),
            Some(_) => return Err(rebuilt(target)),
            None => environment.facts.extend(facts),
        }
        write_json(&self.dir.join(ENVIRONMENT_FILE), &environment)
    }

    /// Checks that `executable` is the build that the session began with. With
    /// `allow`, another build is noted; experiments that both builds measured
    /// can't carry claims then.
    ///
    /// # Errors
    /// If it is another build and that is not allowed, or files can't be read.
    pub fn check_build(&self, target: &str, digest: &str, allow: bool) -> Result<(), RunError> {
        let mut environment = self.environment()?;
        match environment.facts.get(&executable_fact(target)) {
            Some(begun) if begun == digest => return Ok(()),
            Some(_) if allow => {}
            _ if !allow => return Err(rebuilt(target)),
            _ => {}
        }
        let times = environment.facts.entry(rebuilt_fact(target)).or_default();
        if !times.is_empty() {
            times.push(' ');
        }
        times.push_str(&jiff::Timestamp::now().to_string());
        let name = executable_fact(target);
        environment.facts.insert(name, digest.to_owned());
        write_json(&self.dir.join(ENVIRONMENT_FILE), &environment)
    }

    /// Adds a fact to the session's environment.
    ///
    /// # Errors
    /// If the environment can't be read or written.
    pub fn note(&self, fact: &str, value: &str) -> Result<(), RunError> {
        let mut environment = self.environment()?;
        environment.facts.insert(fact.to_owned(), value.to_owned());
        write_json(&self.dir.join(ENVIRONMENT_FILE), &environment)
    }

    fn environment(&self) -> Result<Environment, RunError> {
        read_json(&self.dir.join(ENVIRONMENT_FILE))
    }

    /// Notes that an experiment was given up, and why.
    ///
    /// # Errors
    /// If the ledger can't be written.
    pub fn record_fault(
        &self,
        target: &str,
        experiment: &str,
        fault: &ArmFault,
    ) -> Result<(), RunError> {
        let line = LedgerLine::Fault {
            target: target.to_owned(),
            experiment: experiment.to_owned(),
            fault: fault.clone(),
        };
        append_ledger(&self.dir, &line)
    }
}

fn rebuilt(target: &str) -> RunError {
    RunError::NotComparable(format!(
        "bench target `{target}` was built again since the session began, so its workers would \
         not be alike; go back to the sources it began with, or measure anew with `cargo evenhand \
         run`. `cargo evenhand resume --allow-rebuilt` goes on without claims for what both \
         builds measured"
    ))
}

/// A name for a folder that sorts by time (UTC), unique also within a second.
#[must_use]
pub fn fresh_name() -> String {
    let now = jiff::Timestamp::now();
    let stamp = now.strftime("%Y%m%dT%H%M%SZ");
    format!("{stamp}-{:08x}", fresh_seed().0 as u32)
}

/// A seed from the operating system's randomness (the standard library keys
/// its hash maps with it).
fn fresh_seed() -> Seed {
    Seed(RandomState::new().hash_one(std::process::id()))
}

/// Identifies the command that started this process: all bench targets of one
/// `cargo bench` have the same parent.
fn invocation() -> Option<String> {
    #[cfg(target_os = "linux")]
    {
        let parent = std::os::unix::process::parent_id();
        let stat = fs::read_to_string(format!("/proc/{parent}/stat")).ok()?;
        let (name, fields) = stat.rsplit_once(')')?;
        // A shell that starts two targets is not one command.
        if !name.split_once('(')?.1.starts_with("cargo") {
            return None;
        }
        // Field 22, counted after the name in parentheses, is the start time:
        // process ids are used again, pairs of id and start are not.
        let started = fields.split_whitespace().nth(19)?;
        Some(format!("{parent}-{started}\n"))
    }
    #[cfg(not(target_os = "linux"))]
    None
}

/// The newest session, if the same command began it.
fn sibling_session(root: &Path) -> Option<PathBuf> {
    let group = invocation()?;
    let latest = latest_session(root)?;
    (fs::read_to_string(latest.join(GROUP_FILE)).ok()? == group).then_some(latest)
}

/// The folder that `latest` points to.
#[must_use]
pub fn latest_session(root: &Path) -> Option<PathBuf> {
    let pointer = root.join(LATEST);
    if pointer.is_dir() {
        return fs::canonicalize(pointer).ok();
    }
    let dir = root.join(fs::read_to_string(pointer).ok()?.trim());
    dir.is_dir().then_some(dir)
}

/// Makes `latest` point to a session: a link where there are links, else a
/// file with the name.
pub(super) fn point_latest_to(root: &Path, session: &str) -> Result<(), RunError> {
    let pointer = root.join(LATEST);
    #[cfg(unix)]
    {
        let beside = root.join(format!(".latest.{}", std::process::id()));
        let _ = fs::remove_file(&beside);
        std::os::unix::fs::symlink(session, &beside)
            .and_then(|()| fs::rename(&beside, &pointer))
            .map_err(|e| RunError::file(&pointer, e))
    }
    #[cfg(not(unix))]
    super::store::write_atomically(&pointer, session.as_bytes())
}

/// `EVENHAND_DIR`, else the folder `evenhand` in cargo's target directory.
#[must_use]
pub fn default_root(executable: &Path) -> PathBuf {
    if let Some(dir) = std::env::var_os("EVENHAND_DIR") {
        return PathBuf::from(dir);
    }
    target_directory(executable).join("evenhand")
}

/// Cargo's target directory: the one above the executable that has cargo's
/// `CACHEDIR.TAG`, else `./target`.
#[must_use]
pub fn target_directory(executable: &Path) -> PathBuf {
    executable
        .ancestors()
        .find(|dir| dir.join("CACHEDIR.TAG").is_file())
        .map_or_else(|| PathBuf::from("target"), Path::to_owned)
}
