//! Bootstrap intervals and sign flips.

use bootstrap::{BootstrapDistribution, JointResamples, acceleration_of_mean, exact};
use evenhand_harness::estimate::{
    e_process as wealth, max_t, sign_flip as flip, sign_flip_interval,
};

use crate::case::{Case, Outcome, said};

pub fn bca_accel(case: &Case) -> Outcome {
    if case.has_input("x") {
        return case.meets("a", said(acceleration_of_mean(&case.numbers("x")?))?);
    }
    let (a, b) = (case.numbers("a")?, case.numbers("b")?);
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let log_ratio = |means: &[f64]| (means[1] / means[0]).ln();
    case.meets("theta", log_ratio(&[mean(&a), mean(&b)]))?;
    case.meets(
        "accel",
        said(JointResamples::acceleration_of_means(&[&a, &b], log_ratio))?,
    )
}

pub fn bca_ci(case: &Case) -> Outcome {
    let x = case.numbers("x")?;
    let rows = said(JointResamples::from_rows(
        x.len(),
        &case.index_rows("index")?,
    ))?;
    let means = said(rows.means(&x))?;
    let acceleration = said(acceleration_of_mean(&x))?;
    case.meets("theta", means.observed())?;
    case.meets("z0", means.z0())?;
    case.meets("accel", acceleration)?;
    let (alpha1, alpha2) = said(means.bca_probabilities(0.95, acceleration))?;
    case.meets("alpha1", alpha1)?;
    case.meets("alpha2", alpha2)?;
    let bca = said(means.bca(0.95, acceleration))?;
    case.meets("lo", bca.lo)?;
    case.meets("hi", bca.hi)?;
    let percentile = said(means.percentile(0.95))?;
    case.meets("pct_lo", percentile.lo)?;
    case.meets("pct_hi", percentile.hi)?;
    let basic = said(means.basic(0.95))?;
    case.meets("basic_lo", basic.lo)?;
    case.meets("basic_hi", basic.hi)
}

pub fn exact_bootstrap(case: &Case) -> Outcome {
    let x = case.numbers("x")?;
    let all = said(exact::replicates(&x))?;
    let acceleration = said(acceleration_of_mean(&x))?;
    case.meets("atoms", all.len() as f64)?;
    case.meets("min", all.quantile(0.0))?;
    case.meets("max", all.quantile(1.0))?;
    let smallest = all.weights().next().ok_or("no atoms")?;
    case.meets("prob_min", smallest as f64 / all.total() as f64)?;
    case.meets("sd", all.standard_error())?;
    let percentile = said(all.percentile(0.95))?;
    case.meets("pct_lo", percentile.lo)?;
    case.meets("pct_hi", percentile.hi)?;
    case.meets("z0", all.z0())?;
    case.meets("accel", acceleration)?;
    let bca = said(all.bca(0.95, acceleration))?;
    case.meets("bca_lo", bca.lo)?;
    case.meets("bca_hi", bca.hi)
}

pub fn bootstrap_t(case: &Case) -> Outcome {
    let x = case.numbers("x")?;
    let rows = said(JointResamples::from_rows(
        x.len(),
        &case.index_rows("index")?,
    ))?;
    let studentised = said(rows.studentised(&x))?;
    let (low, high) = studentised.pivots().quantiles(0.025, 0.975);
    case.meets("t_lo", low)?;
    case.meets("t_hi", high)?;
    let interval = said(studentised.interval(0.95))?;
    case.meets("lo", interval.lo)?;
    case.meets("hi", interval.hi)
}

pub fn sign_flip(case: &Case) -> Outcome {
    let d = case.numbers("d")?;
    case.meets("p", said(flip(&d, 0))?.p)?;
    for (level, lo, hi) in [(0.95, "lo95", "hi95"), (0.99, "lo99", "hi99")] {
        if case.expects(lo) || case.expects(hi) {
            let interval = said(sign_flip_interval(&d, level, 0))?;
            case.meets(lo, interval.lo.unwrap_or(f64::NEG_INFINITY))?;
            case.meets(hi, interval.hi.unwrap_or(f64::INFINITY))?;
        }
    }
    Ok(())
}

pub fn sign_flip_max_t(case: &Case) -> Outcome {
    let rows = case.rows("x")?;
    // Rows are units, columns metrics.
    let width = rows.first().map_or(0, Vec::len);
    let metrics: Vec<Vec<f64>> = (0..width)
        .map(|m| rows.iter().map(|row| row[m]).collect())
        .collect();
    let joint = said(max_t(&metrics, 0))?;
    case.meets_all("p_raw", &joint.raw)?;
    let step_down = case.method.contains("step-down");
    case.meets_all(
        "p_adj",
        if step_down {
            &joint.adjusted
        } else {
            &joint.single_step
        },
    )
}

pub fn e_process(case: &Case) -> Outcome {
    case.meets_all("e", &said(wealth(&case.numbers("d")?))?)
}
