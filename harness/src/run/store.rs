//! Files of a session. Documents are written beside and renamed into place;
//! observations are only ever appended.

use super::error::RunError;
use crate::claim::has_enough_workers;
use crate::observation::{
    ArmFault, Environment, ExperimentData, Measurements, Status, Telemetry, WorkerData,
    WorkerOutcome, read_worker_lines,
};
use crate::plan::{ExperimentPlan, Plan, StopRule};
use crate::record::Record;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

pub(super) const PLAN_FILE: &str = "plan.json";
pub(super) const ENVIRONMENT_FILE: &str = "environment.json";
pub(super) const RECORD_FILE: &str = "record.json";
pub(super) const OBSERVATIONS: &str = "observations";
const LEDGER_FILE: &str = "observations/ledger.jsonl";

/// One line of the ledger: what only the coordinator knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum LedgerLine {
    /// A worker ended.
    Worker {
        target: String,
        experiment: String,
        worker: u32,
        outcome: WorkerOutcome,
        telemetry: Telemetry,
    },
    /// An experiment was given up.
    Fault {
        target: String,
        experiment: String,
        fault: ArmFault,
    },
}

/// Writes a file so that a reader sees the old contents or the new, never a part.
///
/// # Errors
/// If the file system refuses.
pub fn write_atomically(path: &Path, contents: &[u8]) -> Result<(), RunError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.tmp", std::process::id()));
    let beside = PathBuf::from(beside);
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&beside)?;
        file.write_all(contents)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    write().map_err(|e| {
        let _ = std::fs::remove_file(&beside);
        RunError::file(path, e)
    })
}

/// Writes a JSON document for people and diffs: indented, with a last newline.
pub(super) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), RunError> {
    let mut json = serde_json::to_vec_pretty(value).map_err(|e| RunError::json(path, e))?;
    json.push(b'\n');
    write_atomically(path, &json)
}

pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, RunError> {
    let text = std::fs::read(path).map_err(|e| RunError::file(path, e))?;
    serde_json::from_slice(&text).map_err(|e| RunError::json(path, e))
}

/// Reads and checks a plan.
///
/// # Errors
/// If the file is missing, malformed, or of another major version.
pub fn read_plan(path: &Path) -> Result<Plan, RunError> {
    let plan: Plan = read_versioned(path, crate::plan::PLAN_SCHEMA)?;
    plan.validate()?;
    Ok(plan)
}

/// Reads a record: a `record.json`, or a session folder (whose record is
/// rebuilt from plan and observations when it has none).
///
/// # Errors
/// If the files are missing, malformed, contradictory, or of another major version.
pub fn read_record(path: &Path) -> Result<Record, RunError> {
    let file = if path.is_dir() {
        path.join(RECORD_FILE)
    } else {
        path.to_owned()
    };
    if path.is_dir() && !file.exists() && path.join(PLAN_FILE).exists() {
        let plan = read_plan(&path.join(PLAN_FILE))?;
        let measurements = read_measurements(path, &plan)?;
        return Ok(Record::judge(plan, measurements));
    }
    let record: Record = read_versioned(&file, crate::record::RECORD_SCHEMA)?;
    record.check().map_err(|problem| RunError::Document {
        path: file,
        problem,
    })?;
    Ok(record)
}

/// Writes the record of a session.
///
/// # Errors
/// If the file system refuses.
pub fn write_record(dir: &Path, record: &Record) -> Result<(), RunError> {
    let path = dir.join(RECORD_FILE);
    let mut json = serde_json::to_vec(record).map_err(|e| RunError::json(&path, e))?;
    json.push(b'\n');
    write_atomically(&path, &json)
}

/// Refuses another schema before complaining about its fields.
fn read_versioned<T: DeserializeOwned>(path: &Path, schema: &str) -> Result<T, RunError> {
    #[derive(Deserialize)]
    struct Versioned {
        schema: String,
    }
    let document = |problem: String| RunError::Document {
        path: path.to_owned(),
        problem,
    };
    let text = std::fs::read(path).map_err(|e| RunError::file(path, e))?;
    match serde_json::from_slice::<Versioned>(&text) {
        Ok(found) => {
            crate::plan::check_schema(&found.schema, schema).map_err(|e| document(e.to_string()))?
        }
        Err(e) if e.is_data() => {
            return Err(document(format!(
                "it has no `schema` field; expected {schema}"
            )));
        }
        Err(e) => return Err(RunError::json(path, e)),
    }
    serde_json::from_slice(&text).map_err(|e| RunError::json(path, e))
}

/// The observation file of a worker.
pub(super) fn worker_file(dir: &Path, target: &str, experiment: usize, worker: u32) -> PathBuf {
    let safe: String = target
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        })
        .collect();
    dir.join(OBSERVATIONS)
        .join(format!("{safe}-e{experiment:02}-w{worker:02}.jsonl"))
}

/// Appends a line to the ledger.
pub(super) fn append_ledger(dir: &Path, line: &LedgerLine) -> Result<(), RunError> {
    let path = dir.join(LEDGER_FILE);
    let mut json = serde_json::to_string(line).map_err(|e| RunError::json(&path, e))?;
    json.push('\n');
    let append = || {
        File::options()
            .append(true)
            .create(true)
            .open(&path)?
            .write_all(json.as_bytes())
    };
    append().map_err(|e| RunError::file(&path, e))
}

fn read_ledger(dir: &Path) -> Result<Vec<LedgerLine>, RunError> {
    let path = dir.join(LEDGER_FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(RunError::file(&path, e)),
    };
    let count = text.lines().count();
    let mut lines = Vec::with_capacity(count);
    for (index, line) in text.lines().enumerate() {
        match serde_json::from_str(line) {
            Ok(line) => lines.push(line),
            // A crash can cut the last line.
            Err(_) if index + 1 == count && !text.ends_with('\n') => {}
            Err(e) => {
                return Err(RunError::Document {
                    path,
                    problem: format!(
                        "line {}, column {}: {}",
                        index + 1,
                        e.column(),
                        crate::observation::cause(&e)
                    ),
                });
            }
        }
    }
    Ok(lines)
}

/// Reads what a session has measured so far.
///
/// # Errors
/// If a file is malformed or can't be read.
pub fn read_measurements(dir: &Path, plan: &Plan) -> Result<Measurements, RunError> {
    let environment = match read_json::<Environment>(&dir.join(ENVIRONMENT_FILE)) {
        Err(RunError::File { .. }) => Environment::default(),
        other => other?,
    };
    let ledger = read_ledger(dir)?;
    let mut experiments = Vec::new();
    for target in &plan.targets {
        for (index, experiment) in target.experiments.iter().enumerate() {
            experiments.push(read_experiment(
                dir,
                &target.name,
                index,
                experiment,
                &ledger,
            )?);
        }
    }
    let finished = plan
        .experiments()
        .zip(&experiments)
        .all(|((_, experiment), data)| is_finished(&plan.stop_rule, experiment, data));
    // A session that was stopped before it had a plan has done nothing.
    let status = if finished && !plan.targets.is_empty() {
        Status::Complete
    } else {
        Status::Incomplete
    };
    Ok(Measurements {
        status,
        environment,
        experiments,
    })
}

/// Whether an experiment has all the workers it needs, or was given up.
pub(super) fn is_finished(rule: &StopRule, plan: &ExperimentPlan, data: &ExperimentData) -> bool {
    data.fault.is_some() || has_enough_workers(rule, plan, data)
}

/// Whether an experiment's stop rule is satisfied by what is on disk.
pub(super) fn is_satisfied(
    dir: &Path,
    rule: &StopRule,
    target: &str,
    index: usize,
    plan: &ExperimentPlan,
) -> Result<bool, RunError> {
    let data = read_experiment(dir, target, index, plan, &read_ledger(dir)?)?;
    Ok(has_enough_workers(rule, plan, &data))
}

fn read_experiment(
    dir: &Path,
    target: &str,
    index: usize,
    plan: &ExperimentPlan,
    ledger: &[LedgerLine],
) -> Result<ExperimentData, RunError> {
    let mut data = ExperimentData {
        target: target.to_owned(),
        id: plan.id.clone(),
        fault: None,
        workers: Vec::new(),
    };
    let is_ours = |t: &str, e: &str| t == target && e == plan.id;
    for line in ledger {
        if let LedgerLine::Fault {
            target,
            experiment,
            fault,
        } = line
            && is_ours(target, experiment)
        {
            data.fault = Some(fault.clone());
        }
    }
    let entries: BTreeMap<u32, (&WorkerOutcome, &Telemetry)> = ledger
        .iter()
        .filter_map(|line| match line {
            LedgerLine::Worker {
                target,
                experiment,
                worker,
                outcome,
                telemetry,
            } if is_ours(target, experiment) => Some((*worker, (outcome, telemetry))),
            _ => None,
        })
        .collect();
    // Replacements follow the planned workers without a gap.
    let known = entries
        .last_key_value()
        .map_or(0, |(&w, _)| w + 1)
        .max(plan.workers);
    for worker in 0.. {
        let found = read_worker_file(&worker_file(dir, target, index, worker))?;
        let entry = entries.get(&worker);
        if worker >= known && found.is_none() {
            break;
        }
        let Some(mut found) = found.or_else(|| entry.map(|_| WorkerData::unseen(worker))) else {
            continue;
        };
        match entry {
            Some((outcome, telemetry)) => {
                found.telemetry = **telemetry;
                found.outcome = (*outcome).clone();
            }
            // The coordinator died before it could say.
            None if !found.is_complete() => found.outcome = WorkerOutcome::Interrupted,
            None => {}
        }
        data.workers.push(found);
    }
    Ok(data)
}

/// A worker's file; `None` when there is none or the worker never came to
/// measure.
fn read_worker_file(path: &Path) -> Result<Option<WorkerData>, RunError> {
    match std::fs::read_to_string(path) {
        Ok(text) => read_worker_lines(&text).map_err(|source| RunError::Observation {
            path: path.to_owned(),
            source,
        }),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(RunError::file(path, e)),
    }
}

/// Moves what an interrupted worker left, its observations and the notes of its
/// arms, out of the way of the one that takes its place, keeping it.
pub(super) fn set_aside(dir: &Path, observations: &Path) -> Result<(), RunError> {
    let mut left = notes_of(dir, observations)?;
    left.extend(observations.exists().then(|| observations.to_owned()));
    for path in left {
        let aside = |n: u32| {
            let mut name = path.as_os_str().to_owned();
            name.push(format!(".interrupted-{n}"));
            PathBuf::from(name)
        };
        let free = (1..).map(aside).find(|aside| !aside.exists());
        let free = free.expect("numbers are endless");
        std::fs::rename(&path, free).map_err(|e| RunError::file(&path, e))?;
    }
    Ok(())
}

/// What the arms of a worker noted: files of its name in the session's folders
/// (see `Bencher::notes`).
fn notes_of(dir: &Path, observations: &Path) -> Result<Vec<PathBuf>, RunError> {
    let worker = observations.file_stem().unwrap_or_default();
    let begin = format!("{}-", worker.to_string_lossy());
    let entries = |dir: &Path| -> Result<Vec<PathBuf>, RunError> {
        let read = || -> std::io::Result<Vec<PathBuf>> {
            let entries = std::fs::read_dir(dir)?;
            entries.map(|entry| Ok(entry?.path())).collect()
        };
        read().map_err(|e| RunError::file(dir, e))
    };
    let mut found = Vec::new();
    for folder in entries(dir)?.into_iter().filter(|path| path.is_dir()) {
        found.extend(entries(&folder)?.into_iter().filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(&begin) && !name.contains(".interrupted-")
        }));
    }
    Ok(found)
}
