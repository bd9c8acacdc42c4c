//! Files in the layout of criterion 0.8, one benchmark id per arm
//! (`EXPERIMENT/ARM`), so that critcmp and criterion's own `--baseline` read
//! what we measured.
//!
//! What is there is each arm's own time. Differences between arms never go
//! there: criterion's `change` folder means "since the baseline".

use bootstrap::{BootstrapDistribution, Stream, clusters, moments, quantile};
use evenhand_harness::observation::{ExperimentData, WorkerData};
use evenhand_harness::plan::{ExperimentPlan, ThroughputKind, sha256_hex};
use evenhand_harness::record::Record;
use evenhand_harness::run::target_directory;
use serde::Serialize;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Resamples behind each interval.
const RESAMPLES: usize = 500;
const LEVEL: f64 = 0.95;
/// Longest part of a path, as criterion cuts it.
const LONGEST_PART: usize = 64;

/// `CRITERION_HOME`, else the folder `criterion` in cargo's target directory.
#[must_use]
pub fn default_root(executable: &Path) -> PathBuf {
    std::env::var_os("CRITERION_HOME").map_or_else(
        || target_directory(executable).join("criterion"),
        PathBuf::from,
    )
}

#[derive(Serialize)]
struct Benchmark {
    group_id: String,
    function_id: String,
    value_str: Option<String>,
    throughput: Option<Throughput>,
    full_id: String,
    directory_name: String,
    title: String,
}

#[derive(Serialize)]
enum Throughput {
    Bytes(u64),
    Elements(u64),
}

#[derive(Serialize)]
struct Sample {
    sampling_mode: &'static str,
    iters: Vec<f64>,
    times: Vec<f64>,
}

#[derive(Serialize)]
struct Estimates {
    mean: Estimate,
    median: Estimate,
    median_abs_dev: Estimate,
    /// For linear sampling only; our slots all have the same iterations.
    slope: Option<Estimate>,
    std_dev: Estimate,
}

#[derive(Serialize)]
struct Estimate {
    confidence_interval: ConfidenceInterval,
    point_estimate: f64,
    standard_error: f64,
}

#[derive(Serialize)]
struct ConfidenceInterval {
    confidence_level: f64,
    lower_bound: f64,
    upper_bound: f64,
}

/// Writes every arm of a bench target that measured a time: under `new`, and
/// under the baseline's name (`base` without one), as criterion does.
///
/// # Errors
/// If the file system refuses.
pub fn export(
    record: &Record,
    target: &str,
    root: &Path,
    baseline: Option<&str>,
) -> io::Result<()> {
    let mut taken = HashSet::new();
    for (of, plan) in record.plan.experiments() {
        let found = record.measurements.experiments.iter();
        let mut found = found.filter(|d| d.target == of && d.id == plan.id);
        let Some(data) = found.next() else { continue };
        if of != target || !plan.metric.is_time() || data.fault.is_some() {
            continue;
        }
        for arm in 0..plan.arms.len() {
            let workers = slots(data, arm);
            let directory = unique(&plan.id, &plan.arms[arm], &mut taken);
            if let Some(files) = files(plan, arm, &workers, &directory) {
                for name in ["new", baseline.unwrap_or("base")] {
                    let folder = root.join(&directory).join(safe(name));
                    fs::create_dir_all(&folder)?;
                    for (file, json) in &files {
                        fs::write(folder.join(file), json)?;
                    }
                }
            }
        }
    }
    Ok(())
}

/// Nanoseconds per iteration of an arm's comparison slots (A/A slots where
/// nothing is compared), per complete worker.
fn slots(data: &ExperimentData, arm: usize) -> Vec<(u64, Vec<f64>)> {
    let compared = |w: &WorkerData| w.control_pair.iter().any(|pair| !pair);
    let complete = data.workers.iter().filter(|w| w.is_complete());
    complete
        .map(|w| {
            let compared = compared(w);
            let wanted = (0..w.len()).filter(|&slot| {
                usize::from(w.instance[slot]) == arm && w.control_pair[slot] != compared
            });
            (
                w.iterations,
                wanted.filter_map(|slot| w.value[slot]).collect(),
            )
        })
        .filter(|(_, values): &(u64, Vec<f64>)| !values.is_empty())
        .collect()
}

fn files(
    plan: &ExperimentPlan,
    arm: usize,
    workers: &[(u64, Vec<f64>)],
    directory: &str,
) -> Option<[(&'static str, String); 4]> {
    let name = &plan.arms[arm];
    let full_id = format!("{}/{name}", plan.id);
    let benchmark = Benchmark {
        group_id: plan.id.clone(),
        function_id: name.clone(),
        value_str: None,
        throughput: throughput(plan),
        directory_name: directory.to_owned(),
        title: full_id.clone(),
        full_id,
    };
    let sample = Sample {
        sampling_mode: "Flat",
        iters: workers
            .iter()
            .flat_map(|(iterations, values)| values.iter().map(|_| *iterations as f64))
            .collect(),
        times: workers
            .iter()
            .flat_map(|(iterations, values)| values.iter().map(|v| v * *iterations as f64))
            .collect(),
    };
    let values: Vec<&[f64]> = workers
        .iter()
        .map(|(_, values)| values.as_slice())
        .collect();
    let estimates = Estimates {
        mean: estimate(&values, &benchmark.full_id, moments::mean)?,
        median: estimate(&values, &benchmark.full_id, moments::median)?,
        median_abs_dev: estimate(&values, &benchmark.full_id, median_abs_dev)?,
        slope: None,
        std_dev: estimate(&values, &benchmark.full_id, moments::sd)?,
    };
    Some([
        ("benchmark.json", json(&benchmark)),
        ("sample.json", json(&sample)),
        ("estimates.json", json(&estimates)),
        ("tukey.json", json(&fences(&values.concat())?)),
    ])
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain data has a JSON form")
}

/// critcmp knows these two; floating-point operations have no place there.
fn throughput(plan: &ExperimentPlan) -> Option<Throughput> {
    plan.throughput.iter().find_map(|t| {
        let count = t.per_iteration as u64;
        match t.kind {
            ThroughputKind::Bytes => Some(Throughput::Bytes(count)),
            ThroughputKind::Elements => Some(Throughput::Elements(count)),
            ThroughputKind::Flops => None,
        }
    })
}

/// A statistic over all slots, with an interval by resampling whole workers:
/// slots of one process are no replicates.
fn estimate(
    workers: &[&[f64]],
    id: &str,
    statistic: fn(&[f64]) -> Result<f64, bootstrap::Error>,
) -> Option<Estimate> {
    let seed = u64::from_str_radix(&sha256_hex(id.as_bytes())[..16], 16).ok()?;
    let pooled = |workers: &[&[f64]]| statistic(&workers.concat()).unwrap_or(f64::NAN);
    let mut stream = Stream::new(seed, "interop/criterion");
    let replicates = clusters::replicates(workers, RESAMPLES, &mut stream, pooled).ok()?;
    let interval = replicates.percentile(LEVEL).ok()?;
    Some(Estimate {
        confidence_interval: ConfidenceInterval {
            confidence_level: LEVEL,
            lower_bound: interval.lo,
            upper_bound: interval.hi,
        },
        point_estimate: pooled(workers),
        standard_error: replicates.standard_error(),
    })
}

/// Criterion scales the median absolute deviation to the normal's sd.
fn median_abs_dev(x: &[f64]) -> Result<f64, bootstrap::Error> {
    let median = moments::median(x)?;
    let deviations: Vec<f64> = x.iter().map(|v| (v - median).abs()).collect();
    Ok(1.4826 * moments::median(&deviations)?)
}

/// Tukey's fences: low severe, low mild, high mild, high severe.
fn fences(x: &[f64]) -> Option<[f64; 4]> {
    let (q1, q3) = (quantile(x, 0.25).ok()?, quantile(x, 0.75).ok()?);
    let range = q3 - q1;
    Some([
        q1 - 3.0 * range,
        q1 - 1.5 * range,
        q3 + 1.5 * range,
        q3 + 3.0 * range,
    ])
}

/// A directory that no earlier arm has.
fn unique(group: &str, function: &str, taken: &mut HashSet<String>) -> String {
    let (group, function) = (safe(group), safe(function));
    let mut directory = format!("{group}/{function}");
    for n in 2.. {
        if taken.insert(directory.clone()) {
            break;
        }
        directory = format!("{group}/{function}_{n}");
    }
    directory
}

/// A part of a path, as criterion makes it from a name.
fn safe(name: &str) -> String {
    let mut part = name.replace(['?', '"', '/', '\\', '*', '<', '>', ':', '|', '^'], "_");
    while part.len() > LONGEST_PART {
        part.pop();
    }
    // A name of dots alone would leave the folder.
    if part.bytes().all(|b| b == b'.') {
        part = part.replace('.', "_");
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_parts_of_paths() {
        assert_eq!(safe("softmax/f32/1x4"), "softmax_f32_1x4");
        assert_eq!(safe(".."), "__");
        assert_eq!(safe(&"é".repeat(40)).len(), 64);
        let mut taken = HashSet::new();
        assert_eq!(unique("a/b", "c", &mut taken), "a_b/c");
        assert_eq!(unique("a_b", "c", &mut taken), "a_b/c_2");
    }

    #[test]
    fn estimates_resample_workers() {
        let workers: [&[f64]; 4] = [&[1.0, 3.0], &[2.0, 2.0], &[4.0, 2.0], &[3.0, 3.0]];
        let mean = estimate(&workers, "id", moments::mean).unwrap();
        assert_eq!(mean.point_estimate, 2.5);
        let interval = mean.confidence_interval;
        assert!(interval.lower_bound <= 2.5 && 2.5 <= interval.upper_bound);
        assert_eq!(median_abs_dev(&[1.0, 2.0, 9.0]).unwrap(), 1.4826);
        assert_eq!(
            fences(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap(),
            [-4.0, -1.0, 7.0, 10.0]
        );
    }
}
