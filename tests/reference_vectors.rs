//! Runs the statistics reference vectors: numbers computed once by numpy,
//! scipy, statsmodels and arch, or by full enumeration.
//!
//! `EVENHAND_VECTORS` names the files to run, separated by ':'; without it the
//! file of the repository is run. Every case carries its own tolerance, and an
//! unknown kind is a failure: a vector must not pass by being skipped.

#[path = "reference_vectors/case.rs"]
mod case;
#[path = "reference_vectors/claim_class.rs"]
mod claim_class;
#[path = "reference_vectors/locations.rs"]
mod locations;
#[path = "reference_vectors/rates.rs"]
mod rates;
#[path = "reference_vectors/resampling.rs"]
mod resampling;
#[path = "reference_vectors/series.rs"]
mod series;
#[path = "reference_vectors/tails.rs"]
mod tails;

use std::collections::BTreeMap;
use std::path::PathBuf;

use case::{Case, Outcome};

fn run(case: &Case) -> Outcome {
    match case.kind.as_str() {
        "normal" => tails::normal(case),
        "student_t" => tails::student_t(case),
        "betainc" => tails::betainc(case),
        "quantile" => tails::quantile(case),
        "quantile_ci" => tails::quantile_ci(case),
        "harrell_davis" => tails::harrell_davis(case),
        "early_stopping" => tails::early_stopping(case),
        "bca_accel" => resampling::bca_accel(case),
        "bca_ci" => resampling::bca_ci(case),
        "exact_bootstrap" => resampling::exact_bootstrap(case),
        "bootstrap_t" => resampling::bootstrap_t(case),
        "sign_flip" => resampling::sign_flip(case),
        "sign_flip_maxT" => resampling::sign_flip_max_t(case),
        "e_process" => resampling::e_process(case),
        "paired_t" => locations::paired_t(case),
        "welch" => locations::welch(case),
        "tost" => locations::tost(case),
        "wilcoxon_hl" => locations::wilcoxon_hl(case),
        "wilcoxon_ties" => locations::wilcoxon_ties(case),
        "mann_whitney" => locations::mann_whitney(case),
        "ratio_of_means" => locations::ratio_of_means(case),
        "wins_losses" => rates::wins_losses(case),
        "multiplicity" => rates::multiplicity(case),
        "paired_proportions" => rates::paired_proportions(case),
        "two_proportions" => rates::two_proportions(case),
        "ablation_2x2" => rates::ablation_2x2(case),
        "autocorrelation" => series::autocorrelation(case),
        "ewc" => series::ewc(case),
        "trend" => series::trend(case),
        "anova_components" => series::anova_components(case),
        "correlation" => series::correlation(case),
        "cv" => series::cv(case),
        "claim_class" => claim_class::claim_class(case),
        other => Err(format!("no test knows the kind {other:?}")),
    }
}

fn files() -> Vec<PathBuf> {
    match std::env::var("EVENHAND_VECTORS") {
        Ok(list) => list
            .split(':')
            .filter(|p| !p.is_empty())
            .map(PathBuf::from)
            .collect(),
        Err(_) => {
            let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
            vec![root.join("tests/data/reference/stats_vectors.json")]
        }
    }
}

#[test]
fn every_vector_is_met() {
    let files = files();
    assert!(!files.is_empty(), "EVENHAND_VECTORS names no file");
    let mut tally: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut failures = Vec::new();
    for file in &files {
        for case in case::load(file) {
            let outcome = run(&case).and_then(|()| case.is_complete());
            let entry = tally.entry(case.kind.clone()).or_default();
            match outcome {
                Ok(()) => entry.0 += 1,
                Err(why) => {
                    entry.1 += 1;
                    failures.push(format!("{} ({}): {why}", case.id, case.kind));
                }
            }
        }
    }
    for (kind, (passed, failed)) in &tally {
        println!("{kind:<20} {passed:>4} passed {failed:>4} failed");
    }
    assert!(!tally.is_empty(), "no case in {files:?}");
    assert!(
        failures.is_empty(),
        "{} cases failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
}
