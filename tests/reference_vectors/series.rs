//! Series, components of variance and correlation.

use evenhand_harness::estimate as est;

use crate::case::{Case, Outcome, said};

pub fn autocorrelation(case: &Case) -> Outcome {
    let x = case.numbers("x")?;
    case.meets_all("acf", &said(est::acf(&x, 5))?)?;
    let lag1 = said(est::lag1(&x))?;
    case.meets("r1c", lag1.r1c)?;
    case.meets("ess", lag1.ess)?;
    let blocks = said(est::politis_white(&x))?;
    case.meets("pw_stationary", blocks.stationary)?;
    case.meets("pw_circular", blocks.circular)
}

pub fn ewc(case: &Case) -> Outcome {
    let ewc = said(est::ewc_interval(&case.numbers("x")?, 0.95))?;
    case.meets("nu", ewc.nu as f64)?;
    case.meets("omega", ewc.omega)?;
    case.meets("lo", ewc.lo)?;
    case.meets("hi", ewc.hi)
}

pub fn trend(case: &Case) -> Outcome {
    let trend = said(est::trend(&case.numbers("x")?))?;
    case.meets("slope", trend.slope)?;
    case.meets("stderr", trend.stderr)?;
    case.meets("p", trend.p)
}

pub fn anova_components(case: &Case) -> Outcome {
    let c = said(est::components(&case.rows("x")?, 0.95))?;
    case.meets("F", c.f)?;
    case.meets("p", c.p)?;
    case.meets("var_within", c.within)?;
    case.meets("var_between", c.between)?;
    case.meets("var_between_raw", c.between_raw)?;
    case.meets("icc", c.icc)?;
    case.meets("icc_lo", c.icc_lo)?;
    case.meets("icc_hi", c.icc_hi)?;
    case.meets("mean_lo", c.mean_lo)?;
    case.meets("mean_hi", c.mean_hi)
}

pub fn correlation(case: &Case) -> Outcome {
    let (a, b) = (case.numbers("a")?, case.numbers("b")?);
    let pearson = said(est::pearson(&a, &b, 0.95))?;
    case.meets("r", pearson.r)?;
    case.meets("lo", pearson.lo)?;
    case.meets("hi", pearson.hi)?;
    case.meets("spearman", said(est::spearman(&a, &b, 0.95))?.r)
}

pub fn cv(case: &Case) -> Outcome {
    let interval = said(est::vangel(&case.numbers("x")?, 0.95))?;
    case.meets("cv", interval.cv)?;
    case.meets("lo", interval.lo)?;
    case.meets("hi", interval.hi.unwrap_or(f64::INFINITY))
}
