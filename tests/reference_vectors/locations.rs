//! Means, shifts and ratios.

use evenhand_harness::estimate as est;

use crate::case::{Case, Outcome, said};

fn differences(case: &Case) -> Result<Vec<f64>, String> {
    said(est::paired_differences(
        &case.numbers("a")?,
        &case.numbers("b")?,
    ))
}

pub fn paired_t(case: &Case) -> Outcome {
    let d = differences(case)?;
    let (ci95, ci99) = (
        said(est::t_interval(&d, 0.95))?,
        said(est::t_interval(&d, 0.99))?,
    );
    case.meets("mean", ci95.mean)?;
    case.meets("t", ci95.t.ok_or("no variation")?)?;
    case.meets("p", ci95.p.ok_or("no variation")?)?;
    case.meets("lo95", ci95.lo)?;
    case.meets("hi95", ci95.hi)?;
    case.meets("lo99", ci99.lo)?;
    case.meets("hi99", ci99.hi)
}

pub fn welch(case: &Case) -> Outcome {
    let welch = said(est::welch(&case.numbers("a")?, &case.numbers("b")?, 0.95))?;
    case.meets("t", welch.t)?;
    case.meets("df", welch.df)?;
    case.meets("p", welch.p)
}

pub fn tost(case: &Case) -> Outcome {
    let tost = said(est::tost(
        &differences(case)?,
        case.number("low")?,
        case.number("upp")?,
        0.05,
    ))?;
    case.meets("p", tost.p)?;
    case.meets("p_low", tost.p_low)?;
    case.meets("p_upp", tost.p_upp)?;
    case.meets("ci90_lo", tost.lo)?;
    case.meets("ci90_hi", tost.hi)?;
    case.meets_flag("equivalent", tost.equivalent)
}

pub fn wilcoxon_hl(case: &Case) -> Outcome {
    let d = case.numbers("d")?;
    let test = said(est::wilcoxon(&d))?;
    let shift = said(est::hodges_lehmann(&d, 0.95))?;
    case.meets("W", test.w)?;
    case.meets("p", test.p)?;
    case.meets("hl", shift.shift)?;
    case.meets("k", shift.k as f64)?;
    case.meets("lo", shift.lo.unwrap_or(f64::NEG_INFINITY))?;
    case.meets("hi", shift.hi.unwrap_or(f64::INFINITY))
}

pub fn wilcoxon_ties(case: &Case) -> Outcome {
    let test = said(est::wilcoxon(&case.numbers("d")?))?;
    case.meets("W", test.w)?;
    case.meets("p", test.p)
}

pub fn mann_whitney(case: &Case) -> Outcome {
    let test = said(est::mann_whitney(&case.numbers("a")?, &case.numbers("b")?))?;
    case.meets("U", test.u)?;
    case.meets("p", test.p)
}

pub fn ratio_of_means(case: &Case) -> Outcome {
    let (a, b) = (case.numbers("a")?, case.numbers("b")?);
    let ratio = said(est::ratio_of_means(&a, &b, 0.95, 0))?;
    case.meets("ratio", ratio.ratio)?;
    case.meets("g", ratio.g)?;
    case.meets("log_se", ratio.log_stderr)?;
    case.meets("delta_lo", ratio.delta.lo)?;
    case.meets("delta_hi", ratio.delta.hi)?;
    match ratio.fieller {
        est::Fieller::Bounded(limits) => {
            case.meets("fieller_lo", limits.lo)?;
            case.meets("fieller_hi", limits.hi)?;
        }
        est::Fieller::Undetermined => {
            case.meets("fieller_lo", f64::NEG_INFINITY)?;
            case.meets("fieller_hi", f64::INFINITY)?;
        }
    }
    let geometric = said(est::geometric_mean_ratio(&a, &b, 0.95, 0))?;
    case.meets("geo", geometric.ratio)?;
    case.meets("geo_lo", geometric.t.lo)?;
    case.meets("geo_hi", geometric.t.hi)
}
