//! p adjusted for everything that was asked of a data set.

use super::imported::seed_of;
use super::judge::Draft;
use super::{Family, Imported};
use crate::estimate::{holm, max_t};
use crate::plan::Seed;
use std::collections::BTreeMap;

/// Joint flips of several metrics up to this many units; Holm above.
const JOINT_FLIPS_UP_TO: usize = 10_000;

/// Holm over the primary comparisons; joint sign flips over the secondary
/// metrics of each comparison.
pub(super) fn adjust(
    comparisons: &[Imported],
    drafts: &[Draft<'_>],
    seed: Seed,
) -> Vec<Option<f64>> {
    let mut families: BTreeMap<Family, Vec<usize>> = BTreeMap::new();
    for (i, comparison) in comparisons.iter().enumerate() {
        families.entry(comparison.family).or_default().push(i);
    }
    let mut adjusted = vec![None; drafts.len()];
    for (family, members) in families {
        // A comparison without a p still counts as asked.
        let ps: Vec<f64> = members
            .iter()
            .map(|&i| drafts[i].evidence.p.unwrap_or(1.0))
            .collect();
        let joint = match family {
            Family::Primary => None,
            Family::Secondary(_) => joint(comparisons, drafts, &members, seed),
        };
        let of_family = joint
            .or_else(|| holm(&ps).ok())
            .unwrap_or_else(|| vec![1.0; ps.len()]);
        for ((&i, p), own) in members.iter().zip(of_family).zip(ps) {
            adjusted[i] = drafts[i].evidence.p.map(|_| p.max(own));
        }
    }
    adjusted
}

/// Adjusted p of metrics over the same units; `None` where they differ.
fn joint(
    comparisons: &[Imported],
    drafts: &[Draft<'_>],
    members: &[usize],
    seed: Seed,
) -> Option<Vec<f64>> {
    let n = drafts[members[0]].evidence.n;
    let usable = |&i: &usize| {
        drafts[i].evidence.p.is_some() && drafts[i].evidence.n == n && !comparisons[i].outcomes
    };
    if members.len() < 2 || n > JOINT_FLIPS_UP_TO || !members.iter().all(usable) {
        return None;
    }
    let effects: Vec<Vec<f64>> = members
        .iter()
        .map(|&i| comparisons[i].pairs.effects(comparisons[i].estimand))
        .collect();
    let seed = seed_of(
        seed,
        &comparisons[members[0]].experiment,
        "secondary metrics",
    );
    Some(max_t(&effects, seed).ok()?.adjusted)
}
