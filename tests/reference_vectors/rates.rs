//! Counts, rates and families of p-values.

use evenhand_harness::estimate as est;

use crate::case::{Case, Outcome, said};

pub fn wins_losses(case: &Case) -> Outcome {
    let counts = said(est::wins_losses_ties(&case.numbers("d")?, 0.0))?;
    case.meets("wins", counts.wins as f64)?;
    case.meets("losses", counts.losses as f64)?;
    case.meets("ties", counts.ties as f64)?;
    case.meets("sign_p", counts.sign_p)
}

pub fn multiplicity(case: &Case) -> Outcome {
    let ps = case.numbers("p")?;
    let alpha = case.number("alpha")?;
    let adjusted = match case.method.as_str() {
        "Holm" => said(est::holm(&ps))?,
        "Benjamini-Hochberg" => said(est::benjamini_hochberg_for_dashboards(&ps))?,
        other => return Err(format!("no procedure is called {other:?}")),
    };
    case.meets_all("p_adj", &adjusted)?;
    case.meets_flags(
        "reject",
        &adjusted.iter().map(|p| *p <= alpha).collect::<Vec<_>>(),
    )
}

pub fn paired_proportions(case: &Case) -> Outcome {
    let counts = est::PairedCounts {
        both: case.count("a")?,
        first_only: case.count("b")?,
        second_only: case.count("c")?,
        neither: case.count("d")?,
    };
    let interval = said(est::newcombe_paired(&counts, 0.95))?;
    case.meets("diff", interval.difference)?;
    case.meets("lo", interval.lo)?;
    case.meets("hi", interval.hi)?;
    case.meets("phi", counts.phi())?;
    let test = est::mcnemar(&counts);
    case.meets("mcnemar_exact", test.exact)?;
    case.meets("mcnemar_midp", test.mid_p)?;
    if let (Some(chi), Some(p)) = (test.chi_square, test.chi_square_p) {
        case.meets("chi2_cc", chi)?;
        case.meets("chi2_cc_p", p)?;
    }
    Ok(())
}

pub fn two_proportions(case: &Case) -> Outcome {
    let (x1, n1) = (case.count("x1")?, case.count("n1")?);
    let interval = said(est::newcombe_independent(
        (x1, n1),
        (case.count("x2")?, case.count("n2")?),
        0.95,
    ))?;
    case.meets("diff", interval.difference)?;
    case.meets("lo", interval.lo)?;
    case.meets("hi", interval.hi)?;
    let first = said(est::wilson(x1, n1, 0.95))?;
    case.meets_all("wilson1", &[first.lo, first.hi])
}

pub fn ablation_2x2(case: &Case) -> Outcome {
    let (x, n) = (case.counts("x")?, case.counts("n")?);
    let cells: Vec<est::Cell> = x
        .iter()
        .zip(&n)
        .map(|(&k, &n)| est::Cell { k, n })
        .collect();
    let cells: &[est::Cell; 4] = cells.as_slice().try_into().map_err(|_| "four cells")?;
    let ablation = said(est::ablation_2x2(cells, 0.95))?;
    case.meets("interaction", ablation.interaction.difference)?;
    case.meets("lo", ablation.interaction.lo)?;
    case.meets("hi", ablation.interaction.hi)
}
