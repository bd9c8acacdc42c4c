//! Distribution functions and quantiles.

use bootstrap::normal as gauss;
use evenhand_harness::estimate::special::{beta_inc, student_t_quantile};
use evenhand_harness::estimate::{harrell_davis as smooth, mlperf_h_min, quantile_interval};

use crate::case::{Case, Outcome, said};

pub fn normal(case: &Case) -> Outcome {
    let ppf: Vec<f64> = case
        .numbers("p")?
        .iter()
        .map(|&p| gauss::quantile(p))
        .collect();
    let back: Vec<f64> = ppf.iter().map(|&z| gauss::cdf(z)).collect();
    case.meets_all("ppf", &ppf)?;
    case.meets_all("cdf_of_ppf", &back)
}

pub fn student_t(case: &Case) -> Outcome {
    let ps = case.numbers("p")?;
    let row = |df: &f64| ps.iter().map(|&p| student_t_quantile(p, *df)).collect();
    let table: Vec<Vec<f64>> = case.numbers("df")?.iter().map(row).collect();
    case.meets_rows("q", &table)
}

pub fn betainc(case: &Case) -> Outcome {
    let values: Vec<f64> = case
        .rows("abx")?
        .iter()
        .map(|abx| beta_inc(abx[0], abx[1], abx[2]))
        .collect();
    case.meets_all("I", &values)
}

pub fn quantile(case: &Case) -> Outcome {
    let x = case.numbers("x")?;
    let quantiles: Result<Vec<f64>, String> = case
        .numbers("p")?
        .iter()
        .map(|&p| said(bootstrap::quantile(&x, p)))
        .collect();
    case.meets_all("q", &quantiles?)
}

pub fn quantile_ci(case: &Case) -> Outcome {
    let ci = said(quantile_interval(
        &case.numbers("x")?,
        case.number("p")?,
        0.95,
    ))?;
    case.meets("q7", ci.quantile)?;
    let limits = ci.limits.ok_or("below the floor")?;
    case.meets("lo", limits.lo)?;
    case.meets("hi", limits.hi)?;
    case.meets("rank_lo", limits.rank_lo as f64)?;
    case.meets("rank_hi", limits.rank_hi as f64)?;
    case.meets("exact_coverage", limits.coverage)
}

pub fn harrell_davis(case: &Case) -> Outcome {
    let hd = said(smooth(&case.numbers("x")?, case.number("p")?))?;
    case.meets("hd", hd.quantile)?;
    case.meets("se", hd.stderr)
}

pub fn early_stopping(case: &Case) -> Outcome {
    let bound = |tp: &Vec<f64>| said(mlperf_h_min(tp[0] as u64, tp[1], 0.99));
    let bounds: Result<Vec<u64>, String> = case.rows("tp")?.iter().map(bound).collect();
    let bounds: Vec<f64> = bounds?.iter().map(|&h| h as f64).collect();
    case.meets_all("h", &bounds)
}
